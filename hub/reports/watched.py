# SPDX-License-Identifier: EUPL-1.2
"""How an announcement goes on, as its own page shows it: counts, why some wait or failed, when it
will be over. Read from the counts; the deliveries are asked only for the hour of a next try."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, func, select

from channels.base import ChannelName, Reason
from hub.announcement import Announcement, State
from hub.delivery import DeliveryState
from hub.ledger import measures
from hub.ledger.tables import delivery, run
from hub.reports.costs import mine
from hub.reports.progress import ChannelProgress
from hub.reports.shown import shown_state
from hub.reports.summary import Summary, summary
from subscribers.crier import crier_of
from subscribers.tables import from_ms, to_ms
from templates.pages.wording import ShownState

_ENOUGH: Final = 20  # settled messages, and seconds, before an end is foretold
_OVER: Final = frozenset({State.FINISHED, State.CANCELLED})
_HELD: Final = frozenset({ShownState.DEFERRED_QUIET, ShownState.DIGEST})
_UNSENT: Final = frozenset(
    {ShownState.SUPPRESSED, ShownState.SKIPPED, ShownState.EXPIRED, ShownState.CANCELLED}
)
_FAILED: Final = frozenset({ShownState.PERM_FAILED, ShownState.TECH_FAILED})


@dataclass(frozen=True, slots=True)
class Group:
    """Messages of one channel in one state for one reason; `again` is when the first is due."""

    channel: ChannelName
    state: ShownState
    reason: Reason | None
    n: int
    again: datetime | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """An announcement now. `people` is None while they are still being gathered."""

    summary: Summary
    groups: tuple[Group, ...]
    people: int | None
    now: datetime

    @property
    def announcement(self) -> Announcement:
        """What it is about."""
        return self.summary.announcement

    @property
    def channels(self) -> Sequence[ChannelProgress]:
        """Each with its counts."""
        return self.summary.channels

    def total(self, name: str) -> int:
        """One count over all channels, by the name of its property."""
        return sum(getattr(each, name) for each in self.channels)

    @property
    def percent(self) -> int:
        """Of the messages, those that are settled; a hundred only when all are."""
        total = self.total("total")
        return self.total("settled") * 100 // total if total else 0

    @property
    def is_over(self) -> bool:
        """Nothing will change by itself any more, but for a receipt that comes late."""
        planning = any(each.planning for each in self.channels)
        return self.announcement.state in _OVER and not planning and not self.total("waiting")

    @property
    def is_still(self) -> bool:
        """Nothing is leaving now: what waits was held for an hour its reader chose, or by us."""
        planning = any(each.planning for each in self.channels)
        return not planning and self.total("waiting") == self._held

    @property
    def _held(self) -> int:
        return sum(each.n for each in self.of(_HELD))

    @property
    def ends(self) -> datetime | None:
        """When it will be over, at the pace it has had; None where that says nothing yet."""
        elapsed, settled = self.summary.elapsed, self.total("settled")
        if self.announcement.state is not State.RUNNING or elapsed is None:
            return None
        left = self.total("waiting") - self._held
        if settled < _ENOUGH or elapsed < timedelta(seconds=_ENOUGH) or left <= 0:
            return None
        return self.now + elapsed * left / settled

    def of(self, states: Iterable[ShownState]) -> tuple[Group, ...]:
        """The groups in these states, the largest first."""
        wanted = frozenset(states)
        found = [each for each in self.groups if each.state in wanted]
        return tuple(sorted(found, key=lambda each: -each.n))

    @property
    def heaps(self) -> Mapping[str, tuple[Group, ...]]:
        """The groups as the page lists them, by what they ask of its reader."""
        return {
            "parked": self.of({ShownState.PARKED}),
            "failed": self.of(_FAILED),
            "again": self.of({ShownState.TEMP_FAILED}),
            "doubt": self.of({ShownState.IN_DOUBT}),
            "held": self.of(_HELD),
            "unsent": self.of(_UNSENT),
        }


def watched(conn: Connection, announcement_id: int, now: datetime) -> Watched:
    """A few small reads, however many people it went to. Raises
    `sqlalchemy.exc.NoResultFound`."""
    found = summary(conn, announcement_id, now)
    return Watched(found, tuple(_groups(conn, found, now)), _people(conn, found), now)


def _groups(conn: Connection, found: Summary, now: datetime) -> Iterable[Group]:
    for each in found.channels:
        told = dict(each.reasons)
        for state, n in each.states.items():
            rest = n - sum(m for (of, _), m in each.reasons.items() if of is state)
            if rest:
                yield Group(each.channel, shown_state(each.channel, state, None), None, rest)
        for (state, reason), n in told.items():
            shown = shown_state(each.channel, state, reason)
            again = None
            if shown in (ShownState.TEMP_FAILED, ShownState.DEFERRED_QUIET):
                again = _next_try(conn, found.announcement.id, each.channel, reason, now)
            yield Group(each.channel, shown, reason, n, again)


def _next_try(
    conn: Connection, announcement: int, channel: ChannelName, reason: Reason, now: datetime
) -> datetime | None:
    """When the first of those that wait for this reason is due; None where one is due already."""
    its = select(run.c.id).where(run.c.announcement == announcement, run.c.channel == channel)
    soonest = conn.execute(
        select(func.min(delivery.c.due)).where(
            delivery.c.run == its.scalar_subquery(),
            delivery.c.state == DeliveryState.READY,
            delivery.c.reason == reason,
        )
    ).scalar()
    return None if soonest is None or soonest <= to_ms(now) else from_ms(soonest)


_COUNTED: Final["WeakKeyDictionary[Engine, dict[int, tuple[int, int]]]"] = WeakKeyDictionary()
"""By announcement: how many deliveries it had when its people were counted, and how many they
were. Both only grow together, and counting them is a scan."""
_KEPT: Final = 256


def _people(conn: Connection, found: Summary) -> int | None:
    if any(each.planning for each in found.channels):
        return None
    number, total = found.announcement.id, sum(each.total for each in found.channels)
    if found.finished is not None and (kept := measures.of(conn, number)) is not None:
        return kept.people  # its deliveries may be erased by now
    counted = _COUNTED.setdefault(conn.engine, {})
    if (known := counted.get(number)) is not None and known[0] == total:
        return known[1]
    where = mine(conn, number)
    people = 0
    if where is not None:
        crier = crier_of(conn, found.announcement.authority)  # the town's own account is nobody
        who = func.count(delivery.c.subscriber.distinct())
        somebody = delivery.c.subscriber != (crier or 0)
        people = conn.execute(select(who).where(where, somebody)).scalar_one()
    while len(counted) >= _KEPT:
        counted.pop(next(iter(counted)), None)
    counted[number] = (total, people)
    return people
