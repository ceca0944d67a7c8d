# SPDX-License-Identifier: EUPL-1.2
"""What each announcement came to, kept as totals: they outlive the deliveries they were taken from.

Decision 0041. Nothing of it names a person.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    delete,
    func,
    insert,
    select,
    type_coerce,
)

from channels.base import ChannelName
from hub.announcement import State
from hub.delivery import DeliveryState
from hub.ledger.announcements import UNSEEN
from hub.ledger.office_tables import measure as table
from hub.ledger.tables import announcement, delivery_count, run

SETTLED: Final = timedelta(days=4)
"""After its end an announcement's receipts may still come for three days (ENGINE.md 3)."""
_OVER: Final = (State.FINISHED, State.CANCELLED)
_MS: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Told:
    """One channel's messages. `billed` are those the provider takes money for; `cost` is theirs, in
    millionths of the currency of the channel's price, None where no price is set."""

    planned: int
    handed_over: int
    received: int
    failed: int
    not_sent: int
    billed: int
    cost: int | None


@dataclass(frozen=True, slots=True)
class Measure:
    """One announcement: people (each once over all channels), delays from its publication, and the
    people reached by the zones they had asked for (None: the whole town; who follows two zones
    counts in both)."""

    announcement: int
    authority: int
    published: datetime
    people: int
    reached: int
    median: timedelta | None
    slowest_in_twenty: timedelta | None
    channels: Mapping[ChannelName, Told]
    zones: Mapping[int | None, int]


def due(
    conn: Connection, now: datetime, limit: int, without: Collection[int] = ()
) -> Sequence[tuple[int, str]]:
    """Announcements to be measured, with the stamp of their counts: those that ended and never
    were, and those that ended lately whose counts moved since. `limit` at most, oldest first, and
    none of `without`."""
    ended = func.coalesce(announcement.c.finished, announcement.c.cancelled_at)
    open_ = table.c.announcement.is_(None) | (ended > now - SETTLED)
    rows = conn.execute(
        select(announcement.c.id, table.c.stamp)
        .join_from(announcement, table, table.c.announcement == announcement.c.id, isouter=True)
        .where(
            announcement.c.state.in_(_OVER),
            announcement.c.published.is_not(None),
            announcement.c.source.not_in(UNSEEN),
            open_,
        )
        .order_by(announcement.c.id)
    ).all()
    found: list[tuple[int, str]] = []
    for row in rows:
        if len(found) == limit:
            break
        stamp = row.stamp if row.id in without else _stamp(conn, row.id)
        if stamp != row.stamp:
            found.append((row.id, stamp))
    return found


_LATE: Final = (
    *(DeliveryState.ACCEPTED, DeliveryState.DELIVERED, DeliveryState.FAILED),
    *(DeliveryState.SKIPPED, DeliveryState.EXPIRED, DeliveryState.CANCELLED),
)


def _stamp(conn: Connection, number: int) -> str:
    """Changes when a late receipt, somebody who redrives, or the sweep of what was stopped moved
    one of its deliveries."""
    counts = (
        select(delivery_count.c.state, func.sum(delivery_count.c.n))
        .join(run, run.c.id == delivery_count.c.run)
        .where(run.c.announcement == number, delivery_count.c.state.in_(_LATE))
        .group_by(delivery_count.c.state)
    )
    found = {row[0]: row[1] for row in conn.execute(counts)}
    return ".".join(str(found.get(state, 0)) for state in _LATE)


def keep(conn: Connection, measured: Measure, stamp: str, now: datetime) -> None:
    """Write it down, in the place of what was measured before."""
    conn.execute(delete(table).where(table.c.announcement == measured.announcement))
    row = {
        "announcement": measured.announcement,
        "authority": measured.authority,
        "published": measured.published,
        "measured": now,
        "stamp": stamp,
        "document": _document(measured),
    }
    conn.execute(insert(table).values(row))


def of(conn: Connection, number: int) -> Measure | None:
    """What an announcement came to; None where it goes on, or ended a minute ago."""
    rows = conn.execute(select(table).where(table.c.announcement == number))
    return next(iter(_read(rows)), None)


def stamp_of(conn: Connection, authority: int, start: datetime, end: datetime) -> tuple[Any, ...]:
    """Changes with any measure of an authority's announcements published in [start, end)."""
    at = type_coerce(table.c.measured, BigInteger)
    asked = select(func.count(), func.max(at), func.sum(at))
    return tuple(conn.execute(asked.where(*_span_of(authority, start, end))).one())


def moments(
    conn: Connection, authority: int, start: datetime, end: datetime
) -> Mapping[int, datetime]:
    """When each announcement of an authority published in [start, end) was measured."""
    asked = select(table.c.announcement, table.c.measured)
    rows = conn.execute(asked.where(*_span_of(authority, start, end)))
    return {row.announcement: row.measured for row in rows}


def _span_of(authority: int, start: datetime, end: datetime) -> Sequence[ColumnElement[bool]]:
    return (table.c.authority == authority, table.c.published >= start, table.c.published < end)


def load(conn: Connection, numbers: Sequence[int]) -> Mapping[int, Measure]:
    """These announcements' measures, of those that have one. A few hundred at a time."""
    rows = conn.execute(select(table).where(table.c.announcement.in_(numbers)))
    return {each.announcement: each for each in _read(rows)}


# --------------------------------------------------------------------------- on disk


def _document(measured: Measure) -> dict[str, Any]:
    return {
        "people": measured.people,
        "reached": measured.reached,
        "median": _ms(measured.median),
        "slowest": _ms(measured.slowest_in_twenty),
        "channels": {
            name: [
                told.planned,
                told.handed_over,
                told.received,
                told.failed,
                told.not_sent,
                told.billed,
                told.cost,
            ]
            for name, told in measured.channels.items()
        },
        "zones": [[zone, n] for zone, n in measured.zones.items()],
    }


def _read(rows: Iterable[Any]) -> Iterable[Measure]:
    for row in rows:
        said = row.document
        yield Measure(
            announcement=row.announcement,
            authority=row.authority,
            published=row.published,
            people=said["people"],
            reached=said["reached"],
            median=_span(said["median"]),
            slowest_in_twenty=_span(said["slowest"]),
            channels={ChannelName(name): Told(*told) for name, told in said["channels"].items()},
            zones=dict(said["zones"]),
        )


def _ms(span: timedelta | None) -> int | None:
    return None if span is None else span // _MS


def _span(ms: int | None) -> timedelta | None:
    return None if ms is None else ms * _MS
