# SPDX-License-Identifier: EUPL-1.2
"""An urgent message that does not arrive goes out on the citizen's next channel as well.

ENGINE.md section 6, decision 0012.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection

from channels.base import ChannelName, Reason, Rendered, Urgency
from hub.announcement import Announcement, State, lane_of
from hub.flow import upkeep
from hub.flow.planning.reach import query_for
from hub.flow.site import Press
from hub.ledger import announcements, audit, runs, stand_ins
from hub.ledger.runs import Run, RunState
from hub.ledger.stand_ins import StandIn
from subscribers import next_channels
from subscribers.addressees import load_addressees
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.next_channels import Point
from subscribers.preferences import Skip, decide
from subscribers.tables import to_ms

PATIENCE: Final = timedelta(minutes=5)
"""How long a message may stay without a receipt."""

PAGE: Final = 200
"""People a transaction."""

_FOREVER: Final = 2**62
_ONE_A_NUMBER: Final = frozenset({ChannelName.SMS, ChannelName.EMAIL})
# A post is public, and written for everybody: it stands in for nobody's own message.
_IN_ORDER: Final = (ChannelName.SMS, ChannelName.EMAIL, ChannelName.WEBPUSH)


@dataclass(slots=True)
class Fallback:
    """Adds the deliveries that stand in. `answering` are the channels whose silence, for longer
    than `patience`, says something: receipts come there."""

    press: Press
    channels: Collection[ChannelName]
    answering: Collection[ChannelName]
    patience: timedelta
    _none: set[int] = field(default_factory=set)  # deliveries for which there is no next channel
    _seen: dict[int, int] = field(default_factory=dict)  # of an announcement, the last looked at

    def add(self, conn: Connection, now: datetime) -> int:
        """Add the next page of them. Returns for how many it was decided; derived from the rows
        alone, so that it may be asked again, by another process too."""
        running = announcements.in_state(conn, State.RUNNING)
        urgent = [each for each in running if _concerned(each, now)]
        return upkeep.one_by_one(conn, urgent, lambda each: self._add(conn, each, now))

    def awaited(self, conn: Connection, announcement: Announcement, now: datetime) -> bool:
        """Whether something may still have to be added: it is not finished then."""
        if not _concerned(announcement, now):
            return False
        of = runs.of_announcement(conn, announcement.id)
        return any(
            row.id not in self._none
            for row in stand_ins.wanting(conn, of, self.answering, _FOREVER)
        )

    def _add(self, conn: Connection, announcement: Announcement, now: datetime) -> int:
        of = runs.of_announcement(conn, announcement.id)
        silent = to_ms(now - self.patience)
        after = self._seen.pop(announcement.id, 0)  # one pass: each page begins where one ended
        wanting = stand_ins.wanting(conn, of, self.answering, silent, after=after)
        page = list(islice((row for row in wanting if row.id not in self._none), PAGE))
        if not page:
            return 0
        self._seen[announcement.id] = page[-1].id
        town = load_catalogue(conn, announcement.authority)
        chosen = self._choose(conn, announcement, town, of, page, now)
        decided = sum(row.id in self._none for row in page)
        for channel, points in chosen.items():
            decided += len({stands_for for stands_for, _ in points})
            self._stand_in(conn, announcement, of, channel, points, now)
        return decided

    def _choose(  # noqa: PLR0917 (one caller, just above)
        self,
        conn: Connection,
        announcement: Announcement,
        town: Catalogue,
        of: Sequence[Run],
        page: Sequence[Any],
        now: datetime,
    ) -> Mapping[ChannelName, list[tuple[int, Point]]]:
        """By channel: the delivery stood in for, and the contact point."""
        people = {row.subscriber for row in page}
        by_run = {run.id: run for run in of}
        planning = {run.channel for run in of if run.state is RunState.PLANNING}
        there = stand_ins.already_there(conn, of, people)
        printable = [each for each in self._usable() if self._prints(announcement, town, each)]
        ways = next_channels.of(conn, people, printable)
        willing = self._willing(conn, announcement, town, ways.points(), now)
        chosen: dict[ChannelName, list[tuple[int, Point]]] = {}
        for row in page:
            points = ways.after(row.subscriber, by_run[row.run].channel)
            if points and points[0].channel in planning:
                continue  # who is planned there is not known yet: looked at again
            going = [point for point in points if point.id in willing]
            if not going or (row.subscriber, going[0].channel) in there:
                self._none.add(row.id)
                continue
            there.add((row.subscriber, going[0].channel))
            chosen.setdefault(going[0].channel, []).extend((row.id, point) for point in going)
        return chosen

    def _usable(self) -> list[ChannelName]:
        return [channel for channel in _IN_ORDER if channel in self.channels]

    def _prints(self, announcement: Announcement, town: Catalogue, channel: ChannelName) -> bool:
        """What was written for one channel may be too long for another."""
        languages = announcement.contents
        printed = (self.press.print(announcement, town, channel, each) for each in languages)
        return all(isinstance(each, Rendered) for each in printed)

    def _willing(
        self,
        conn: Connection,
        announcement: Announcement,
        town: Catalogue,
        points: Collection[Point],
        now: datetime,
    ) -> set[int]:
        """Those who still want to hear of it, on whatever channel, and are not away."""
        lineage = query_for(announcement, ChannelName.SMS, town).theme_lineage
        found = load_addressees(conn, [point.id for point in points], lineage, None)
        urgency = announcement.urgency
        return {
            each.contact_point
            for each in found.values()
            if not isinstance(decide(urgency, each.preference, now), Skip)
        }

    def _stand_in(  # noqa: PLR0917 (one caller, above)
        self,
        conn: Connection,
        announcement: Announcement,
        of: Sequence[Run],
        channel: ChannelName,
        points: Sequence[tuple[int, Point]],
        now: datetime,
    ) -> None:
        target = next((run.id for run in of if run.channel is channel), None)
        if target is None:
            lane = lane_of(announcement.urgency)
            whose = announcement.id, announcement.authority
            target = runs.open_beside(conn, *whose, lane, channel)
        rows = list(_one_a_number(conn, target, channel, points))
        if stand_ins.add(conn, target, rows, to_ms(now)):
            about = f"announcement:{announcement.code}"
            detail = {"channel": channel, "people": len({row.subscriber for row in rows})}
            audit.record(
                *(conn, now, "hub", "fallback", about),
                authority=announcement.authority,
                detail=detail,
            )
        upkeep.reopen(conn, [target], now)


def _concerned(announcement: Announcement, now: datetime) -> bool:
    over = announcement.expires is not None and announcement.expires <= now
    return announcement.urgency is Urgency.URGENT and not over


def _one_a_number(
    conn: Connection, run_id: int, channel: ChannelName, points: Sequence[tuple[int, Point]]
) -> list[StandIn]:
    """One message a number or mailbox a run, whoever shares it."""
    sharing: Mapping[int, tuple[int, str]] = {}
    if channel in _ONE_A_NUMBER:
        sharing = next_channels.sharing(conn, channel, [point.address for _, point in points])
    whose = {point: person for point, (person, _) in sharing.items()}
    told = {sharing[each][1] for each in stand_ins.told_points(conn, run_id, whose)}
    rows = []
    for stands_for, point in points:
        same = channel in _ONE_A_NUMBER and point.address in told
        told.add(point.address)
        why = Reason.SAME_ADDRESS if same else None
        rows.append(StandIn(point.subscriber, point.id, stands_for, why))
    return rows
