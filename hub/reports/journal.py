# SPDX-License-Identifier: EUPL-1.2
"""The journal of a town: who did what, when, by which door. Newest first, its own lines only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, select

from hub.ledger.office_tables import officer
from hub.ledger.tables import audit

PAGE: Final = 50
PERSON: Final = "subscriber:"
_OFFICER: Final = "officer:"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines: of a person, a verb, a thing (the beginning of its name; of a subscriber the
    whole: 12 is not the beginning of 123), between two moments. "" and None ask nothing."""

    actor: str = ""
    verb: str = ""
    thing: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `door` is by what it came in ("api:3", "officer:12", …), "" where it is not known;
    `digest` continues the chain (`hub.ledger.audit`)."""

    number: int
    at: datetime
    actor: str
    verb: str
    thing: str
    door: str
    detail: Mapping[str, Any]
    digest: str


def journal(
    conn: Connection, authority: int, asked: Asked, *, before: int | None = None, limit: int = PAGE
) -> tuple[Line, ...]:
    """At most `limit` lines older than the number `before`, newest first."""
    query = select(audit).where(*_wanted(authority, asked)).order_by(audit.c.id.desc())
    if before is not None:
        query = query.where(audit.c.id < before)
    rows = conn.execute(query.limit(limit)).mappings().all()
    names = _names(conn, authority)
    return tuple(_line(row, names) for row in rows)


def every_line(conn: Connection, authority: int, asked: Asked) -> Iterator[Line]:
    """All of them, page by page, for a file."""
    before: int | None = None
    while page := journal(conn, authority, asked, before=before, limit=1_000):
        yield from page
        before = page[-1].number


def verbs(conn: Connection, authority: int) -> Sequence[str]:
    """What was ever done here, to choose from."""
    query = select(audit.c.verb).where(audit.c.authority == authority).distinct()
    return conn.execute(query.order_by(audit.c.verb)).scalars().all()


def _wanted(authority: int, asked: Asked) -> list[ColumnElement[bool]]:
    wanted = [audit.c.authority == authority]
    if asked.actor:
        wanted.append(audit.c.actor == asked.actor)
    if asked.verb:
        wanted.append(audit.c.verb == asked.verb)
    if asked.thing:
        whole = asked.thing.startswith(PERSON) and asked.thing != PERSON
        begins = audit.c.object.startswith(asked.thing, autoescape=True)
        wanted.append(audit.c.object == asked.thing if whole else begins)
    if asked.since is not None:
        wanted.append(audit.c.at >= asked.since)
    if asked.until is not None:
        wanted.append(audit.c.at < asked.until)
    return wanted


def _names(conn: Connection, authority: int) -> Mapping[str, str]:
    """The officers of a town as the journal names them, disabled ones too."""
    rows = conn.execute(
        select(officer.c.id, officer.c.name).where(officer.c.authority == authority)
    )
    return {f"{_OFFICER}{row.id}": row.name for row in rows}


def _line(row: RowMapping, names: Mapping[str, str]) -> Line:
    detail = row["detail"] or {}
    actor = row["actor"]
    return Line(
        number=row["id"],
        at=row["at"],
        actor=names.get(actor, actor),
        verb=row["verb"],
        thing=names.get(row["object"], row["object"]),
        door=str(detail.get("source", actor if actor in names else "")),
        detail={name: value for name, value in detail.items() if name != "source"},
        digest=row["digest"] or "",
    )
