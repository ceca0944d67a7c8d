# SPDX-License-Identifier: EUPL-1.2
"""The catalogue changed by hand: a theme or a place added, renamed, moved, put away, drawn."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import chain, count
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)

from subscribers import crier
from subscribers.catalogue import Catalogue, Theme, Zone
from subscribers.catalogue_file import LEVELS
from subscribers.tables import subscriber_zone, subscription, theme, zone

Node = Theme | Zone
_PAGES: Final = ("carte", "rues")  # pages stand at these addresses
_NOT_KEY: Final = re.compile(r"[^a-z0-9]+")


class Kind(StrEnum):
    """Which of the two trees."""

    THEME = "theme"
    ZONE = "zone"

    @property
    def table(self) -> Table:
        """Where it is kept."""
        return theme if self is Kind.THEME else zone

    def nodes(self, catalogue: Catalogue) -> Mapping[int, Node]:
        """The whole tree, archived ones too."""
        return catalogue.themes if self is Kind.THEME else catalogue.zones

    def named(self, catalogue: Catalogue, key: str) -> Node | None:
        """One of them, of this town."""
        found = catalogue.themes_by_key if self is Kind.THEME else catalogue.zones_by_key
        return found.get(key)


def ordered(nodes: Mapping[int, Node], under: int | None = None) -> Iterator[tuple[Node, int]]:
    """The tree as it is read, each with its depth. What stands under nobody known is a root."""
    beneath: dict[int | None, list[Node]] = {}  # once: a town may have thousands of streets
    for node in nodes.values():
        beneath.setdefault(node.parent if node.parent in nodes else None, []).append(node)
    waiting = [(node, 0) for node in reversed(beneath.get(under, []))]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += [(each, depth + 1) for each in reversed(beneath.get(node.id, []))]


def below(nodes: Mapping[int, Node], node: Node) -> set[int]:
    """A node and all that stands below it: none of these may be its parent."""
    return {node.id, *(each.id for each, _ in ordered(nodes, node.id))}


def may_stand_under(nodes: Mapping[int, Node], node: Node | None, level: str) -> list[Node]:
    """The living nodes that may be a parent: never a cycle; a place lies in a wider one."""
    shut = below(nodes, node) if node is not None else set()
    return [
        each
        for each, _ in ordered(nodes)
        if each.id not in shut
        and not each.archived
        and (not isinstance(each, Zone) or LEVELS.index(each.level) < LEVELS.index(level))
    ]


def add(conn: Connection, kind: Kind, catalogue: Catalogue, values: Mapping[str, Any]) -> str:
    """A new one, after all others. Returns the key made from its French name, its own for ever."""
    [key] = add_many(conn, kind, catalogue, [values])
    if kind is Kind.THEME:
        crier.keep_up(conn, catalogue.authority)
    return key


def add_many(
    conn: Connection, kind: Kind, catalogue: Catalogue, several: Sequence[Mapping[str, Any]]
) -> Sequence[str]:
    """New ones after all others, in this order. Returns their keys."""
    nodes = kind.nodes(catalogue).values()
    taken = {*_PAGES, *(node.key for node in nodes)}
    last = max((node.position for node in nodes), default=-1)
    rows, keys = [], []
    for position, values in enumerate(several, start=last + 1):
        stem = key_of(values["names"]["fr"]) or kind.value
        others = (f"{stem}-{n}" for n in count(2))
        key = next(k for k in chain((stem,), others) if k not in taken)
        taken.add(key)
        keys.append(key)
        rows.append({**values, "key": key, "authority": catalogue.authority, "position": position})
    if rows:
        conn.execute(insert(kind.table), rows)
    return keys


def key_of(name: str) -> str:
    """A name in small letters without accents, as keys are written."""
    plain = unicodedata.normalize("NFKD", name.lower().replace("œ", "oe")).encode("ascii", "ignore")
    return _NOT_KEY.sub("-", plain.decode()).strip("-")[:56].strip("-")


def change(conn: Connection, kind: Kind, node: Node, values: Mapping[str, Any]) -> None:
    """Write columns of one; its key stays."""
    conn.execute(update(kind.table).where(kind.table.c.id == node.id).values(**values))
    if kind is Kind.THEME and "parent" in values:  # what became a root is published too
        crier.keep_up(conn, _authority_of(conn, kind, node))


def _authority_of(conn: Connection, kind: Kind, node: Node) -> int:
    query = select(kind.table.c.authority).where(kind.table.c.id == node.id)
    return int(conn.execute(query).scalar_one())


def move(conn: Connection, kind: Kind, catalogue: Catalogue, node: Node, by: int) -> None:
    """One place up (-1) or down (1) among those that stand beside it; at the end, nothing."""
    nodes = kind.nodes(catalogue)
    beside = [each for each in nodes.values() if each.parent == node.parent and not each.archived]
    here = next((n for n, each in enumerate(beside) if each.id == node.id), None)
    if here is None or not 0 <= here + by < len(beside):
        return
    other = beside[here + by]
    changed = dict(nodes)
    order = list(nodes)
    one, two = order.index(node.id), order.index(other.id)
    order[one], order[two] = order[two], order[one]
    for position, number in enumerate(order):
        if changed[number].position != position:
            change(conn, kind, changed[number], {"position": position})


def followers(conn: Connection, kind: Kind, node: Node) -> int:
    """How many people chose it; the town's own account on X is nobody."""
    held, _ = _held(kind)
    count = select(func.count(held.c.subscriber.distinct())).where(*_chosen(conn, kind, node))
    return int(conn.execute(count).scalar_one())


def _chosen(conn: Connection, kind: Kind, node: Node) -> list[ColumnElement[bool]]:
    """The choices of it that are a person's."""
    held, which = _held(kind)
    account = crier.crier_of(conn, _authority_of(conn, kind, node))
    return [which == node.id, *([] if account is None else [held.c.subscriber != account])]


def put_away(conn: Connection, kind: Kind, node: Node, into: Node | None) -> int:
    """Archive one; whoever chose it is moved to `into`, where one is given. Returns how many were.

    Without, they keep it: nothing more is written under it, and what is wider reaches them still.
    """
    change(conn, kind, node, {"archived": True})
    if into is None:
        return 0
    moved = followers(conn, kind, node)
    held, which = _held(kind)
    rest = [column for column in held.c if column is not which]
    same = held.alias("same")
    there = select(literal(1)).where(
        same.c[which.name] == into.id,
        *(same.c[name] == held.c[name] for name in ("subscriber", "channel") if name in held.c),
    )
    theirs = _chosen(conn, kind, node)  # the account publishes `into` already, or what it is of
    fresh = select(literal(into.id), *rest).where(*theirs, ~there.exists())
    conn.execute(insert(held).from_select([which.name, *(c.name for c in rest)], fresh))
    conn.execute(delete(held).where(*theirs))
    return moved


def _held(kind: Kind) -> tuple[Table, Any]:
    held = subscription if kind is Kind.THEME else subscriber_zone
    return held, held.c[kind.value]
