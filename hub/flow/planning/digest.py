# SPDX-License-Identifier: EUPL-1.2
"""The digest of the day: begun when its time comes, then gathered a page of people at a time.

What a person has waiting on a channel becomes one message. Daily and weekly meet on the weekly
day in one message; an hour the daemon slept through is made up for, once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from channels.base import ChannelName, Lane, Urgency
from hub.announcement import Announcement, Event, State
from hub.delivery import DeliveryState
from hub.flow.planning.gathering import Waiting, judge, let_go
from hub.ledger import announcements, digests, runs
from hub.ledger.runs import Run, RunKind, RunState
from subscribers.catalogue import load_catalogue
from subscribers.preferences import instant
from templates.content import Kind

PEOPLE: Final = 200
"""People a transaction: their items pass through Python, so fewer than a plan's page."""

_DAY: Final = timedelta(days=1)
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class DigestTimes:
    """When digests leave on the authority's clock: minutes after midnight, and the weekly day (0 is
    Monday)."""

    minute: int = 18 * 60
    weekday: int = 4

    @classmethod
    def named(cls, clock: str, day: str) -> Self:
        """``18:00``, ``friday``."""
        hours, minutes = clock.split(":")
        return cls(int(hours) * 60 + int(minutes), _DAYS.index(day))

    def latest(self, now: datetime, timezone: str) -> tuple[date, datetime]:
        """The last day whose digest time has come, and that moment (UTC).

        Where the clock jumps over that time the jump is the moment, where it comes twice the
        first is.
        """
        day = now.astimezone(ZoneInfo(timezone)).date()
        while (moment := instant(day, self.minute, timezone)) > now:
            day -= _DAY
        return day, moment

    def latest_weekly(self, day: date, timezone: str) -> datetime:
        """The last weekly moment up to a day's own."""
        back = (day.weekday() - self.weekday) % 7
        return instant(day - back * _DAY, self.minute, timezone)


AT_SIX: Final = DigestTimes()
"""Where nothing else was chosen: six in the evening, and on Fridays for a week's."""


def begin_due(conn: Connection, times: DigestTimes, now: datetime) -> int:
    """Begin the digests whose time has come, where anything waits for one. Returns how many.

    A day's digest is an announcement of nobody's, with a run on each channel something waits on:
    its key is the day, so it is begun once, whatever clocks and crashes do.
    """
    begun = 0
    for authority, gathered in _waiting(conn).items():
        timezone = load_catalogue(conn, authority).timezone
        day, moment = times.latest(now, timezone)
        if digests.made(conn, authority, day.isoformat()):
            continue
        channels = {run.channel for run in gathered if _published(conn, run) <= moment}
        if channels:
            _begin(conn, authority, channels, day, moment, now)
            begun += 1
    return begun


def _waiting(conn: Connection) -> Mapping[int, Sequence[Run]]:
    """The runs with something to gather, by authority."""
    gathered = {run.id: run for run in runs.open_runs(conn) if not run.digest}
    found: dict[int, list[Run]] = defaultdict(list)
    for count in runs.counts(conn, list(gathered)):
        if count.state == DeliveryState.DIGEST:
            found[gathered[count.run].authority].append(gathered[count.run])
    return found


def _published(conn: Connection, gathered: Run) -> datetime:
    announcement = announcements.by_id(conn, gathered.announcement)
    return announcement.published or announcement.created


def _begin(  # noqa: PLR0917 (one caller, just above)
    conn: Connection,
    authority: int,
    channels: Iterable[ChannelName],
    day: date,
    moment: datetime,
    now: datetime,
) -> None:
    roads = tuple(sorted(channels))
    drawn = Announcement(
        id=0,
        code="",
        authority=authority,
        kind=Kind.FIRST,
        urgency=Urgency.INFORMATION,
        state=State.DRAFT,
        contents={},
        themes=(),
        channels=roads,
        created=now,
        publish_at=moment,
    )
    key = day.isoformat()
    written = announcements.insert(
        conn, drawn, source=announcements.DIGEST, source_key=key, sha256=""
    )
    announcements.move(conn, written, Event.PUBLISH, now)
    parts = [(road, 1) for road in roads]
    runs.insert(conn, written.id, authority, Lane.BULK, parts, RunKind.DIGEST)


def plan_page(conn: Connection, seen: Run, planner: int, times: DigestTimes, now: datetime) -> int:
    """Gather the page of people after the run's cursor, in the caller's transaction.

    Returns how many messages. Who wants nothing of it any more is let go with the reason.
    """
    digest = announcements.by_id(conn, seen.announcement)
    moment = digest.publish_at or digest.created
    runs.take_planning(conn, seen.id, planner)
    end = digests.page_end(conn, seen, moment, PEOPLE)
    if end is None:
        runs.set_state(conn, seen.id, RunState.OPEN)
        return 0
    if not runs.claim_page(conn, seen, planner, end):
        return 0
    found = digests.waiting(conn, seen, moment, end)
    weekly = times.latest_weekly(*_day_of(conn, digest, moment))
    told = judge(conn, seen, found, now, weekly=weekly)
    let_go(conn, told.gone, now)
    if not told.kept:
        return 0
    rows, first = digests.carry(conn, seen, _numbers(told.kept), now)
    runs.add_planned(conn, seen.id, rows, first)
    return rows


def _day_of(conn: Connection, digest: Announcement, moment: datetime) -> tuple[date, str]:
    timezone = load_catalogue(conn, digest.authority).timezone
    return moment.astimezone(ZoneInfo(timezone)).date(), timezone


def _numbers(kept: Sequence[Waiting]) -> list[int]:
    return [each.row.id for each in kept]
