# SPDX-License-Identifier: EUPL-1.2
"""Who came and who left, in numbers: new subscribers, stops, and what they had just been told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlalchemy import Connection, case, func, select

from hub.ledger.database import AnyRow
from hub.ledger.office_tables import composition
from hub.ledger.tables import announcement, audit
from subscribers.crier import crier_of
from subscribers.tables import subscriber, to_ms


@dataclass(frozen=True, slots=True)
class Movement:
    """Of one stretch of time: `joined` are people who are still here, `left` those who stopped
    something or had themselves erased, each once."""

    joined: int
    left: int


def movements(conn: Connection, authority: int, bounds: Sequence[datetime]) -> tuple[Movement, ...]:
    """Between each bound and the next, ascending. One scan of the people, one of the journal."""
    steps = list(pairwise(bounds))
    joined = _joined(conn, authority, steps)
    left: list[set[str]] = [set() for _ in steps]
    for line in _stops(conn, authority, bounds[0], bounds[-1], ("stop", "erase")):
        for index, (start, end) in enumerate(steps):
            if start <= line.at < end:
                left[index].add(line.object)
    return tuple(Movement(n, len(who)) for n, who in zip(joined, left, strict=True))


def _joined(
    conn: Connection, authority: int, steps: Sequence[tuple[datetime, datetime]]
) -> Sequence[int]:
    created, crier = subscriber.c.created, crier_of(conn, authority)
    counted = [
        func.coalesce(func.sum(case(((created >= start) & (created < end), 1), else_=0)), 0)
        for start, end in steps
    ]
    query = select(*counted).where(
        subscriber.c.authority == authority,
        subscriber.c.id != (crier or 0),
        created >= steps[0][0],
    )
    return [int(n) for n in conn.execute(query).one()]


def caused(conn: Connection, authority: int, start: datetime, end: datetime) -> Mapping[int, int]:
    """People who stopped between two moments, by the announcement whose link they followed or
    that their SMS answered; each person once for each announcement."""
    people: dict[int, set[str]] = {}
    for line in _stops(conn, authority, start, end, ("stop",)):
        about = line.detail.get("announcement")
        if isinstance(about, int):
            people.setdefault(about, set()).add(line.object)
    return {about: len(who) for about, who in people.items()}


def opt_outs(conn: Connection, authority: int, number: int, since: datetime) -> int:
    """People who stopped because of one announcement, for its report."""
    rows = _stops(conn, authority, since, None, ("stop",))
    return len({line.object for line in rows if line.detail.get("announcement") == number})


def _stops(
    conn: Connection,
    authority: int,
    start: datetime,
    end: datetime | None,
    verbs: Sequence[str],
) -> Sequence[AnyRow]:
    query = select(audit.c.at, audit.c.object, audit.c.detail).where(
        audit.c.authority == authority, audit.c.at >= start, audit.c.verb.in_(verbs)
    )
    if end is not None:
        query = query.where(audit.c.at < end)
    return conn.execute(query).all()


def drafting(conn: Connection, authority: int, start: datetime, end: datetime) -> Mapping[int, int]:
    """Milliseconds from the first word to the publication, of what was written in the console and
    published between two moments, by announcement."""
    rows = conn.execute(
        select(composition.c.announcement, composition.c.created, announcement.c.published)
        .join(announcement, announcement.c.id == composition.c.announcement)
        .where(
            composition.c.authority == authority,
            announcement.c.published >= start,
            announcement.c.published < end,
        )
    )
    return {row.announcement: to_ms(row.published) - to_ms(row.created) for row in rows}
