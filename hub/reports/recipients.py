# SPDX-License-Identifier: EUPL-1.2
"""The deliveries of an announcement as officers look through them: which channel, which state,
since when, fifty at a time; and the story of one. Addresses are handed on for a door to mask."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, func, select

from channels.base import ChannelName, Reason
from hub.delivery import PENDING, REACHED, DeliveryState
from hub.ledger.database import AnyRow
from hub.ledger.receipts import DELIVERED, FAILED, SENT
from hub.ledger.tables import attempt, delivery, delivery_count, receipt, run
from hub.reports.log import LoggedDelivery
from subscribers import directory
from subscribers.directory import ContactPoint
from subscribers.tables import from_ms, to_ms

PAGE: Final = 50
S = DeliveryState


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of them: of one channel or all, in these states or all, that stand where they do since
    a moment of [since, until). `after` is the last one seen, `seen` how many were shown before."""

    channel: ChannelName | None = None
    states: frozenset[DeliveryState] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    after: int = 0
    seen: int = 0


GROUPS: Final[Mapping[str, frozenset[DeliveryState]]] = {
    "remis": REACHED | {S.FAILED},
    "recu": frozenset({S.DELIVERED}),
    "attente": PENDING | {S.DIGEST},
    "doute": frozenset({S.DOUBT}),
    "echec": frozenset({S.FAILED}),
    "retenu": frozenset({S.SKIPPED, S.EXPIRED, S.CANCELLED}),
    "decision": frozenset({S.PARKED}),
}
"""The states by the words an address filters with, as the page's counts add them up."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One delivery and where it goes; `contact` is None once the person was erased."""

    row: LoggedDelivery
    contact: ContactPoint | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Recipients:
    """A page of them, of `total`; `more` may follow."""

    rows: tuple[Recipient, ...]
    total: int
    more: bool


def recipients(conn: Connection, announcement: int, wanted: Wanted) -> Recipients:
    """By id. The counts say how many there are to be found, so that a rare state of an old
    announcement is not looked for in all that was sent since (no index would be worth its place:
    each would be written at every move of every message)."""
    runs = _runs(conn, announcement, wanted.channel)
    total = _total(conn, list(runs), wanted.states)
    if wanted.since is not None or wanted.until is not None:
        return _of_a_time(conn, runs, total, wanted)
    limit = min(PAGE, total - wanted.seen)
    if not runs or limit <= 0:
        return Recipients((), total, more=False)
    found = _met(conn, conn.execute(_rows(runs, wanted, wanted.after, limit)), runs)
    return Recipients(found, total, more=wanted.seen + len(found) < total and bool(found))


Runs = Mapping[int, tuple[ChannelName, int]]


def _rows(runs: Runs, wanted: Wanted, after: int, limit: int) -> Select[Any]:
    first = min(start for _, start in runs.values())
    query = (
        select(delivery)
        .where(delivery.c.run.in_(runs), delivery.c.id >= max(first, after + 1))
        .order_by(delivery.c.id)
        .limit(limit)
    )
    return query.where(delivery.c.state.in_(sorted(wanted.states))) if wanted.states else query


def _of_a_time(conn: Connection, runs: Runs, most: int, wanted: Wanted) -> Recipients:
    """Of all there are (`most`, where looking ends), those of a time: no count knows how many."""
    if not runs or not most:
        return Recipients((), 0, more=False)
    all_ = _rows(runs, wanted, 0, most).subquery()
    timed = [
        *([all_.c.at >= to_ms(wanted.since)] if wanted.since is not None else []),
        *([all_.c.at < to_ms(wanted.until)] if wanted.until is not None else []),
    ]
    total = int(conn.execute(select(func.count()).select_from(all_).where(*timed)).scalar_one())
    page = select(all_).where(*timed, all_.c.id > wanted.after).order_by(all_.c.id).limit(PAGE)
    found = _met(conn, conn.execute(page), runs)
    return Recipients(found, total, more=wanted.seen + len(found) < total and bool(found))


def _met(conn: Connection, rows: Iterable[AnyRow], runs: Runs) -> tuple[Recipient, ...]:
    logged = [_logged(row, runs[row.run][0]) for row in rows]
    contacts = directory.by_ids(conn, [row.contact_point for row in logged])
    return tuple(Recipient(row, contacts.get(row.contact_point)) for row in logged)


def _runs(conn: Connection, announcement: int, channel: ChannelName | None) -> Runs:
    """The runs that have deliveries: each its channel, and where they begin."""
    query = select(run.c.id, run.c.channel, run.c.first_delivery).where(
        run.c.announcement == announcement, run.c.first_delivery.is_not(None)
    )
    if channel is not None:
        query = query.where(run.c.channel == channel)
    return {row.id: (ChannelName(row.channel), row.first_delivery) for row in conn.execute(query)}


def _total(conn: Connection, runs: Sequence[int], states: frozenset[DeliveryState]) -> int:
    counted = delivery_count.c
    query = select(func.coalesce(func.sum(counted.n), 0)).where(counted.run.in_(runs))
    if states:
        query = query.where(counted.state.in_(sorted(states)))
    return int(conn.execute(query).scalar_one())


def _logged(row: AnyRow, channel: ChannelName) -> LoggedDelivery:
    return LoggedDelivery(
        id=row.id,
        channel=channel,
        subscriber=row.subscriber,
        contact_point=row.contact_point,
        part=row.part,
        state=DeliveryState(row.state),
        reason=Reason(row.reason) if row.reason else None,
        round=row.round,
        tries=row.tries,
        maybe_sent=row.maybe,
        due=from_ms(row.due) if row.state == S.READY else None,
        at=from_ms(row.at),
        fallback_of=row.fallback_of,
    )


# --------------------------------------------------------------------------- one of them


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a delivery: `what` is begun, tried, then sent, failed, delivered
    (what a receipt said), or stands (where it is now). `code` is the provider's own."""

    at: datetime
    what: str
    code: str = ""
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """One delivery, with everything that is known of it, oldest first."""

    recipient: Recipient
    events: tuple[Event, ...]
    provider: str
    ref: str
    language: str | None


_TOLD: Final = {SENT: "sent", FAILED: "failed", DELIVERED: "delivered"}


def story(conn: Connection, announcement: int, number: int) -> Story | None:
    """A delivery of this announcement; None for any other's."""
    runs = _runs(conn, announcement, None)
    row = conn.execute(
        select(delivery).where(delivery.c.id == number, delivery.c.run.in_(runs))
    ).one_or_none()
    if row is None:
        return None
    logged = _logged(row, runs[row.run][0])
    contact = directory.by_ids(conn, [row.contact_point]).get(row.contact_point)
    person = directory.load(conn, row.subscriber)
    return Story(
        Recipient(logged, contact),
        tuple(_events(conn, logged, row.since)),
        row.provider or "",
        row.ref or "",
        person.language if person else None,
    )


def _events(conn: Connection, row: LoggedDelivery, since: int | None) -> list[Event]:
    found = [] if since is None else [Event(from_ms(since), "begun")]
    tries = select(attempt).where(attempt.c.delivery == row.id).order_by(attempt.c.id)
    for each in conn.execute(tries):
        known = each.detail if each.detail in tuple(Reason) else ""
        found.append(Event(from_ms(each.at), "tried", each.code, Reason(known) if known else None))
    words = select(receipt).where(receipt.c.delivery == row.id).order_by(receipt.c.id)
    for each in conn.execute(words):
        failed = each.rank == FAILED and each.reason in tuple(Reason)
        why = Reason(each.reason) if failed else None
        found.append(Event(from_ms(each.at), _TOLD.get(each.rank, "sent"), each.code, why))
    found.sort(key=lambda each: each.at)
    return [*found, Event(row.at, "stands", reason=row.reason)]
