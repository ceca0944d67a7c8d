# SPDX-License-Identifier: EUPL-1.2
"""What the pages of themes and of places share: a tree listed, ordered, changed, put away."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.office import town
from hub.web.console.guard import Seat
from hub.web.console.showing import see_other, show
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.problems import not_found
from subscribers import figures
from subscribers.catalogue import Catalogue, Theme, Zone, load_catalogue
from subscribers.catalogue_edit import Kind, Node, followers, may_stand_under, ordered
from subscribers.catalogue_file import LEVELS
from subscribers.streets import find_places

PATHS: Final = {Kind.THEME: "/admin/themes", Kind.ZONE: "/admin/lieux"}
KEY: Final = "{key:[a-z0-9][a-z0-9-]{0,63}}"
MANY: Final = 200  # places; over that, streets are searched and not read
_NAME: Final = 80
_ABOUT: Final = 300


@dataclass(frozen=True, slots=True)
class Typed:
    """The form of one as it was filled in; `wrong` is {field: what is wrong with it}."""

    names: dict[str, str] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    parent: str = ""
    level: str = "district"
    advised: bool = False
    wrong: dict[str, str] = field(default_factory=dict)


def read_typed(seat: Seat, kind: Kind, catalogue: Catalogue, node: Node | None) -> Typed:
    """A form, and what is wrong with it."""
    names = {each: " ".join(seat.text(f"name_{each}").split())[:_NAME] for each in ("fr", "en")}
    about = {each: seat.text(f"about_{each}").strip()[:_ABOUT] for each in ("fr", "en")}
    level = node.level if isinstance(node, Zone) and node.level == "town" else seat.text("level")
    level = level if level in LEVELS else "district"
    wrong = {f"name_{each}": "missing" for each, words in names.items() if not words}
    may = {each.key for each in may_stand_under(kind.nodes(catalogue), node, level)}
    parent = seat.text("parent")
    if parent and parent not in may and not (node and _is_parent(kind, catalogue, node, parent)):
        wrong["parent"] = "cycle"
    if kind is Kind.ZONE and level == "town" and node is None:
        wrong["level"] = "second"
    said = {each: words for each, words in about.items() if words}
    return Typed(names, said, parent, level, seat.text("advised") == "on", wrong)


def _is_parent(kind: Kind, catalogue: Catalogue, node: Node, parent: str) -> bool:
    """Whether it stands there already, whatever became of that one."""
    found = kind.named(catalogue, parent)
    return found is not None and node.parent == found.id


def columns(kind: Kind, catalogue: Catalogue, typed: Typed) -> dict[str, Any]:
    """What is written of a form."""
    above = kind.named(catalogue, typed.parent) if typed.parent else None
    values: dict[str, Any] = {"names": typed.names, "parent": above.id if above else None}
    if kind is Kind.ZONE:
        return values | {"level": typed.level}
    return values | {"about": typed.about, "advised": typed.advised}


def typed_of(kind: Kind, catalogue: Catalogue, node: Node) -> Typed:
    """A node as its form shows it."""
    above = kind.nodes(catalogue).get(node.parent) if node.parent else None
    parent = above.key if above else ""
    if isinstance(node, Theme):
        return Typed(dict(node.names), dict(node.about), parent, advised=node.advised)
    return Typed(dict(node.names), parent=parent, level=node.level)


async def list_page(
    request: web.Request, seat: Seat, kind: Kind, typed: Typed, **more: Any
) -> web.Response:
    """The tree with how many chose each, and the form of a new one."""

    def read(conn: Connection) -> tuple[Catalogue, figures.People]:
        catalogue = load_catalogue(conn, seat.authority.id)
        return catalogue, figures.people(conn, catalogue)

    catalogue, people = await desk(request).ledger.read(read)
    spoken, query = language_of(request), request.query.get("q", "")[:_NAME]
    nodes = kind.nodes(catalogue)
    counts: Any = people.themes if kind is Kind.THEME else people.zones
    many = len(nodes) > MANY
    found = {zone.id for zone in find_places(catalogue, query)} if many else set()
    rows = [
        (node, node.name(spoken), depth, counts.get(node.id, 0))
        for node, depth in ordered(nodes)
        if not many or node.id in found or _is_wide(node)
    ]
    may = [
        each
        for each in may_stand_under(nodes, None, "building")
        if not many or each.id in found or _is_wide(each)
    ]
    return show(
        request,
        seat,
        "console/admin/tree.html",
        status=422 if typed.wrong or more.get("errors") else 200,
        kind=kind.value,
        path=PATHS[kind],
        rows=rows,
        **_ends(nodes),
        typed=typed,
        parents=[(each.key, each.name(spoken)) for each in may],
        many=many,
        query=query,
        **more,
    )


def _ends(nodes: Mapping[int, Node]) -> dict[str, set[int]]:
    """The `first` and `last` of each parent's living ones: they cannot go further that way."""
    first: dict[int | None, int] = {}
    last: dict[int | None, int] = {}
    for node, _ in ordered(nodes):
        if not node.archived:
            first.setdefault(node.parent, node.id)
            last[node.parent] = node.id
    return {"first": set(first.values()), "last": set(last.values())}


async def one_page(
    request: web.Request, seat: Seat, kind: Kind, typed: Typed | None = None, unclear: str = ""
) -> web.Response:
    """One of them: its form, and its end. `unclear`: why it was not put away."""

    def read(conn: Connection) -> tuple[Catalogue, Node, int]:
        catalogue = load_catalogue(conn, seat.authority.id)
        node = wanted(request, kind, catalogue)
        return catalogue, node, followers(conn, kind, node)

    catalogue, node, count = await desk(request).ledger.read(read)
    spoken, level = language_of(request), getattr(node, "level", "building")
    nodes = kind.nodes(catalogue)
    near = _near(nodes, node)
    others = [n for n, _ in ordered(nodes) if n.id in near and n.id != node.id and not n.archived]
    may = [each for each in may_stand_under(nodes, node, level) if each.id in near]
    return show(
        request,
        seat,
        "console/admin/tree_one.html",
        status=422 if unclear or (typed and typed.wrong) else 200,
        kind=kind.value,
        path=PATHS[kind],
        node=node,
        title=node.name(spoken),
        typed=typed or typed_of(kind, catalogue, node),
        parents=[(each.key, each.name(spoken)) for each in may],
        people=count,
        others=[(each.key, each.name(spoken)) for each in others],
        unclear=unclear,
    )


def wanted(request: web.Request, kind: Kind, catalogue: Catalogue) -> Node:
    """The one an address names; 404 where this town has none such."""
    node = kind.named(catalogue, request.match_info["key"])
    if node is None:
        raise not_found()
    return node


def _is_wide(node: Node) -> bool:
    """Whether it is one of those that are always few."""
    return not isinstance(node, Zone) or node.level in ("town", "district")


def _near(nodes: Mapping[int, Node], node: Node) -> set[int]:
    """The nodes that a list to choose from offers: of a great many, the wide ones, the parent, and
    those that stand beside."""
    if len(nodes) <= MANY:
        return set(nodes)
    return {n.id for n in nodes.values() if _is_wide(n) or node.parent in (n.id, n.parent)}


async def add(request: web.Request, seat: Seat, kind: Kind) -> web.StreamResponse:
    """A new one, or its form again."""
    hub, now = desk(request), desk(request).clock.now()

    def write(conn: Connection) -> Typed:
        catalogue = load_catalogue(conn, seat.authority.id)
        typed = read_typed(seat, kind, catalogue, None)
        if not typed.wrong:
            values = columns(kind, catalogue, typed)
            town.add(conn, seat.officer, kind, catalogue, values, now=now)
        return typed

    typed = await hub.ledger.transact(write, hurry=True)
    if typed.wrong:
        return await list_page(request, seat, kind, typed)
    return see_other(request, PATHS[kind], "catalogue_added")


async def change(request: web.Request, seat: Seat, kind: Kind) -> web.StreamResponse:
    """Keep a form, or show it again."""
    hub, now = desk(request), desk(request).clock.now()

    def write(conn: Connection) -> Typed:
        catalogue = load_catalogue(conn, seat.authority.id)
        node = wanted(request, kind, catalogue)
        typed = read_typed(seat, kind, catalogue, node)
        if not typed.wrong:
            values = columns(kind, catalogue, typed)
            town.change(conn, seat.officer, kind, node, values, now=now)
        return typed

    typed = await hub.ledger.transact(write, hurry=True)
    if typed.wrong:
        return await one_page(request, seat, kind, typed)
    return see_other(request, PATHS[kind], "catalogue_kept")


async def move(request: web.Request, seat: Seat, kind: Kind, by: int) -> web.StreamResponse:
    """One place up or down."""
    now = desk(request).clock.now()

    def write(conn: Connection) -> None:
        catalogue = load_catalogue(conn, seat.authority.id)
        node = wanted(request, kind, catalogue)
        town.move(conn, seat.officer, kind, catalogue, node, by=by, now=now)

    await desk(request).ledger.transact(write, hurry=True)
    return see_other(request, PATHS[kind])


async def put_away(request: web.Request, seat: Seat, kind: Kind) -> web.StreamResponse:
    """Archive one, and move whoever chose it where the form says; or take it back."""
    now, back = desk(request).clock.now(), seat.text("act") == "back"

    def write(conn: Connection) -> str:
        catalogue = load_catalogue(conn, seat.authority.id)
        node = wanted(request, kind, catalogue)
        if back:
            town.take_back(conn, seat.officer, kind, node, now=now)
            return ""
        into = kind.named(catalogue, seat.text("into"))
        nodes = kind.nodes(catalogue).values()
        if any(each.parent == node.id and not each.archived for each in nodes):
            return "holds"
        if isinstance(node, Zone) and node.level == "town":
            return "town"
        if seat.text("into") and (into is None or into.archived or into.id == node.id):
            return "into"
        if into is not None and town.is_awaited(conn, catalogue, kind, node, now):
            return "awaited"
        town.put_away(conn, seat.officer, kind, node, into=into, now=now)
        return ""

    unclear = await desk(request).ledger.transact(write, hurry=True)
    if unclear:
        return await one_page(request, seat, kind, unclear=unclear)
    return see_other(request, PATHS[kind], "catalogue_back" if back else "catalogue_away")
