# SPDX-License-Identifier: EUPL-1.2
"""Texts to begin from, with blanks to fill in: a town's own, and those it was given to start."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from hub.flow.staff.officers import Officer
from hub.flow.writing.compositions import Composition
from hub.flow.writing.fields import Document, text
from hub.flow.writing.reading import BLANK
from hub.ledger.office_tables import model as table
from subscribers.catalogue import Catalogue, load_catalogue

KEPT: Final = re.compile(
    r"level|title(_[a-z]+)?|body(_[a-z]+)?|short(_[a-z]+)?|override_[a-z_]+|link"
    r"|themes|channels|post_link|thread"
)
"""The fields of a document that a model is made of: not where, when or who approves."""


@dataclass(frozen=True, slots=True)
class Model:
    """One of a town's models; `document` holds fields of `hub.flow.writing.fields`."""

    key: str
    name: str
    document: Document = field(repr=False)
    changed: datetime | None = None  # never, where it is the house's
    archived: datetime | None = None

    @property
    def urgent(self) -> bool:
        """Whether it is for a crisis."""
        return text(self.document, "level") == "urgent"


def offered(conn: Connection, authority: int, *, archived: bool = False) -> Sequence[Model]:
    """A town's models in their order, those for crises first: the house's, until it changes one."""
    found = _own(conn, authority) or _house_of(conn, authority)
    return [each for each in found if archived or each.archived is None]


def _own(conn: Connection, authority: int) -> list[Model]:
    query = select(table).where(table.c.authority == authority)
    rows = conn.execute(query.order_by(table.c.position, table.c.id)).mappings().all()
    return [_read(row) for row in rows]


def _house_of(conn: Connection, authority: int) -> list[Model]:
    """Nothing is written for being looked at."""
    catalogue = load_catalogue(conn, authority)
    return [Model(key, document["name"], document) for key, document in seeded(catalogue)]


def find(conn: Connection, officer: Officer, key: str) -> Model | None:
    """One model of the officer's town."""
    everything = offered(conn, officer.authority, archived=True)
    return next((each for each in everything if each.key == key), None)


def begun(model: Model, document: Document) -> dict[str, Any]:
    """A new document that begins from a model."""
    own = {name: value for name, value in model.document.items() if KEPT.fullmatch(name)}
    channels = own.pop("channels", None) or document["channels"]
    return {**document, **own, "channels": channels, "shape": "free"}


def keep(
    conn: Connection,
    officer: Officer,
    name: str,
    document: Document,
    now: datetime,
    *,
    key: str = "",
) -> Model:
    """A model of this name, a new one where there is no `key`. Raises `LookupError` where there
    is none of that key."""
    _settle(conn, officer.authority, now)  # a first model of one's own is not the only one
    kept = {n: v for n, v in document.items() if KEPT.fullmatch(n)} | {"name": name}
    if not key:
        return _add(conn, officer.authority, _free_key(conn, officer.authority, name), kept, now)
    written = conn.execute(
        update(table)
        .where(table.c.authority == officer.authority, table.c.key == key)
        .values(document=kept, changed=now)
    )
    if written.rowcount != 1:
        raise LookupError(key)
    return _must(conn, officer.authority, key)


def keep_from(conn: Connection, officer: Officer, source: Composition, now: datetime) -> Model:
    """A model made of what somebody wrote."""
    return keep(conn, officer, source.title or source.code, source.document, now)


def shelve(conn: Connection, officer: Officer, key: str, now: datetime, *, away: bool) -> bool:
    """Archive a model, or take it out again; whether there is one."""
    _settle(conn, officer.authority, now)
    written = conn.execute(
        update(table)
        .where(table.c.authority == officer.authority, table.c.key == key)
        .values(archived=now if away else None, changed=now)
    )
    return written.rowcount == 1


def blanks(model: Model) -> list[str]:
    """The blanks of its texts, in order."""
    found: dict[str, None] = {}
    for name, value in model.document.items():
        if isinstance(value, str) and name != "name":
            found |= dict.fromkeys(BLANK.findall(value))
    return list(found)


def seeded(catalogue: Catalogue) -> list[tuple[str, dict[str, Any]]]:
    """The house's models for a town: (key, document), each under its theme where there is one."""
    found = []
    for each in _house():
        theme = each["theme"]
        themes = [theme] if theme in catalogue.themes_by_key else []
        document = {n: each[n].strip() for n in ("name", "level", "title", "body", "short")}
        found.append((each["key"], document | {"themes": themes, "post_link": "1"}))
    return found


@cache
def _house() -> Sequence[Mapping[str, str]]:
    said = files("templates").joinpath("models", "fr.toml").read_text("utf-8")
    models: Sequence[Mapping[str, str]] = tomllib.loads(said)["models"]
    return models


def _settle(conn: Connection, authority: int, now: datetime) -> None:
    """The house's models become the town's own, before the first of them is changed."""
    if not _own(conn, authority):
        for key, document in seeded(load_catalogue(conn, authority)):
            _add(conn, authority, key, document, now)


def _add(conn: Connection, authority: int, key: str, document: Document, now: datetime) -> Model:
    last = select(func.coalesce(func.max(table.c.position), 0)).where(
        table.c.authority == authority
    )
    row = {"authority": authority, "key": key, "document": dict(document), "changed": now}
    row["position"] = conn.execute(last).scalar_one() + 1
    conn.execute(insert(table).values(row))
    return _must(conn, authority, key)


def _free_key(conn: Connection, authority: int, name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48] or "modele"
    taken = set(conn.execute(select(table.c.key).where(table.c.authority == authority)).scalars())
    numbered = (f"{stem}-{n}" for n in range(2, len(taken) + 3))
    return next(key for key in (stem, *numbered) if key not in taken)


def _must(conn: Connection, authority: int, key: str) -> Model:
    query = select(table).where(table.c.authority == authority, table.c.key == key)
    return _read(conn.execute(query).mappings().one())


def _read(row: RowMapping) -> Model:
    document = row["document"]
    name = text(document, "name") or row["key"]
    return Model(row["key"], name, document, row["changed"], row["archived"])
