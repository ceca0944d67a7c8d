# SPDX-License-Identifier: EUPL-1.2
"""What of all that waits for a digest a person still gets: asked when it is gathered, and again
right before it leaves (promise 4)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from channels.base import Reason
from hub.announcement import Announcement
from hub.delivery import DeliveryState
from hub.flow.planning.reach import query_for
from hub.ledger import announcements, deliveries, digests
from hub.ledger.database import AnyRow
from hub.ledger.runs import Run
from subscribers.addressees import Addressee, load_addressees
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.preferences import Cadence, Skip, decide
from subscribers.tables import to_ms


class Waiting(NamedTuple):
    """One item, and the announcement it tells of."""

    row: AnyRow
    announcement: Announcement


class Gone(NamedTuple):
    """An item that ends without being told."""

    row: AnyRow
    state: DeliveryState
    reason: Reason


@dataclass(frozen=True, slots=True)
class Judged:
    """`kept` is told, `gone` ends, `later` goes on without this message."""

    kept: Sequence[Waiting]
    gone: Sequence[Gone]
    later: Sequence[AnyRow]


def judge(
    conn: Connection,
    digest: Run,
    rows: Sequence[AnyRow],
    now: datetime,
    *,
    weekly: datetime | None = None,
) -> Judged:
    """Ask of each item whether it is told, as of now. Reads only.

    `weekly` is the last weekly moment: who wants one message a week waits with what is younger.
    Without it cadence is not asked: the message is on its way.
    """
    catalogue = load_catalogue(conn, digest.authority)
    told = {each: announcements.by_id(conn, each) for each in {row.announcement for row in rows}}
    people = _people(conn, digest, rows, told, catalogue)
    newest = _newest(rows, told)
    kept: list[Waiting] = []
    gone: list[Gone] = []
    later: list[AnyRow] = []
    for row in rows:
        waiting = Waiting(row, told[row.announcement])
        addressee = people[row.announcement].get(row.contact_point)
        end = _over(waiting, now) or _unwanted(waiting, addressee, now)
        if row.state != DeliveryState.DIGEST:  # ended, or sent again on its own, meanwhile
            later.append(row)
        elif end is not None:
            gone.append(end)
        elif row.paused or _not_yet(row, addressee, weekly):
            later.append(row)
        elif row.id not in newest:
            gone.append(Gone(row, DeliveryState.SKIPPED, Reason.REPLACED))
        else:
            kept.append(waiting)
    return Judged(kept, gone, later)


def _people(
    conn: Connection,
    digest: Run,
    rows: Sequence[AnyRow],
    told: Mapping[int, Announcement],
    catalogue: Catalogue,
) -> Mapping[int, Mapping[int, Addressee]]:
    """Who waits for each announcement, by contact point: what they ask of its themes, now."""
    wanted: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        wanted[row.announcement].add(row.contact_point)
    return {
        each: load_addressees(
            conn,
            sorted(points),
            query_for(told[each], digest.channel, catalogue).theme_lineage,
            digest.channel,
        )
        for each, points in wanted.items()
    }


def _newest(rows: Sequence[AnyRow], told: Mapping[int, Announcement]) -> set[int]:
    """Of what tells of the same thing to the same person (a correction, an update), the last."""
    last: dict[tuple[int, int, int], AnyRow] = {}
    for row in sorted(rows, key=lambda row: (row.announcement, row.id)):
        if row.paused or row.state != DeliveryState.DIGEST:
            continue
        announcement = told[row.announcement]
        last[row.subscriber, row.contact_point, announcement.first or announcement.id] = row
    return {row.id for row in last.values()}


def _over(waiting: Waiting, now: datetime) -> Gone | None:
    announcement = waiting.announcement
    if announcement.cancelled_at is not None:
        return Gone(waiting.row, DeliveryState.CANCELLED, Reason.CANCELLED)
    if announcement.expires is not None and announcement.expires <= now:
        return Gone(waiting.row, DeliveryState.EXPIRED, Reason.EXPIRED)
    return None


def _unwanted(waiting: Waiting, addressee: Addressee | None, now: datetime) -> Gone | None:
    if addressee is None:
        return Gone(waiting.row, DeliveryState.SKIPPED, Reason.ERASED)
    urgency = waiting.announcement.urgency
    decision = decide(urgency, addressee.preference, now, planned_digest=True)
    if isinstance(decision, Skip):
        return Gone(waiting.row, DeliveryState.SKIPPED, decision.reason)
    return None


def _not_yet(row: AnyRow, addressee: Addressee | None, weekly: datetime | None) -> bool:
    if weekly is None or addressee is None:
        return False
    return addressee.preference.cadence is Cadence.WEEKLY and row.due > to_ms(weekly)


def let_go(conn: Connection, gone: Sequence[Gone], now: datetime) -> None:
    """End these items, each with its reason."""
    ends: dict[tuple[DeliveryState, Reason], list[AnyRow]] = defaultdict(list)
    for each in gone:
        ends[each.state, each.reason].append(each.row)
    for (state, reason), rows in ends.items():
        deliveries.move(conn, rows, state, at=to_ms(now), reason=reason)


@dataclass(frozen=True, slots=True)
class Told:
    """What digest messages carry, by message; `changed`: some of it may not be told any more."""

    carried: Mapping[int, tuple[Announcement, ...]]
    changed: bool


def look(conn: Connection, digest: Run, messages: Sequence[int], now: datetime) -> Told:
    """What these messages tell of, as of now. Reads only."""
    judged = judge(conn, digest, digests.carried(conn, messages), now)
    carried: dict[int, list[Announcement]] = {each: [] for each in messages}
    for row, announcement in judged.kept:
        carried[row.digest].append(announcement)
    changed = bool(judged.gone or judged.later)
    return Told({each: tuple(items) for each, items in carried.items()}, changed)


def trim(conn: Connection, digest: Run, messages: Sequence[int], now: datetime) -> None:
    """Take out of these messages what may not be told any more, right before they leave.

    From then on what a message carries is what its links say: a look-up composes the same text.
    """
    found = digests.carried(conn, messages)
    judged = judge(conn, digest, found, now)
    let_go(conn, judged.gone, now)
    digests.drop(conn, [each.row.id for each in judged.gone] + [row.id for row in judged.later])
