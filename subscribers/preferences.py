# SPDX-License-Identifier: EUPL-1.2
"""What one citizen wants right now: send, hold until, put in the digest, or leave them alone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Self, assert_never
from zoneinfo import ZoneInfo

from channels.base import Reason, Urgency

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


class Cadence(StrEnum):
    """How often: at once, or gathered in a daily or weekly digest; most immediate first."""

    NOW = "now"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A nightly silence: minutes after midnight on the clock of `timezone` (an IANA name).

    `end` before `start` goes past midnight; equal means no silence at all. Where the clock goes
    back and an hour happens twice, the silence is the longest reading: it starts at the first
    occurrence and ends at the second. Where the clock jumps over `start` or `end`, the jump
    itself is that moment.
    """

    start: int
    end: int
    timezone: str

    @classmethod
    def stored(cls, start: int | None, end: int | None, timezone: str) -> Self | None:
        """The silence as the tables hold it: no minutes, no silence."""
        return None if start is None or end is None else cls(start, end, timezone)

    def ends(self, now: datetime) -> datetime | None:
        """When the silence `now` falls in is over (UTC), or None when `now` is not in one."""
        if self.start == self.end:
            return None
        end = self._interval_end(now)
        while end is not None and (later := self._interval_end(end)) is not None:
            end = later  # a repeated hour can make one night's silence run into the next
        return end

    def _interval_end(self, now: datetime) -> datetime | None:
        today = now.astimezone(ZoneInfo(self.timezone)).date()
        wraps = self.end < self.start
        for day in (today - _DAY, today) if wraps else (today,):
            begin = instant(day, self.start, self.timezone, 0)
            end = instant(day + _DAY if wraps else day, self.end, self.timezone, 1)
            if begin <= now < end:
                return end
        return None


@lru_cache(maxsize=4096)  # a run asks the same few nights for everybody
def instant(day: date, minute: int, timezone: str, fold: int = 0) -> datetime:
    """The UTC moment when the clock shows `minute` after midnight.

    `fold` chooses among two (PEP 495). Where the clock jumps over it, the jump is that moment.
    """
    zone = ZoneInfo(timezone)
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60)  # noqa: DTZ001
    late = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    early = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if early >= late:  # an ordinary minute, or one that exists twice
        return early if fold else late
    before = early.astimezone(zone).utcoffset()
    while late - early > _SECOND:  # a minute that does not exist: find the jump
        middle = early + (late - early) // 2
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Preference:
    """All that decides whether one contact point may be used for one announcement.

    `subscribed` and `cadence` are those of the subscriptions the announcement goes through;
    `quiet` is None for somebody without quiet hours.
    """

    verified: bool
    suspended: bool
    subscribed: bool
    cadence: Cadence
    quiet: QuietHours | None
    urgent_breaks_quiet: bool
    paused_until: datetime | None
    pause_keeps_urgent: bool


@dataclass(frozen=True, slots=True)
class Send:
    """Now."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Not before `until` (UTC, always in the future)."""

    until: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Digest:
    """With the next digest."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Skip:
    """Not at all."""

    reason: Reason


Decision = Send | Hold | Digest | Skip

_SEND = Send()


def decide(
    urgency: Urgency, preference: Preference, now: datetime, *, planned_digest: bool = False
) -> Decision:
    """What to do with a message of this urgency for this person at `now` (aware).

    `planned_digest` is true for the digest message itself: its cadence is honoured already.
    Important and urgent messages never wait for a digest; only urgent ones may break quiet hours
    or a pause, and only where the person agreed (UX.md section 5). A drill is treated as
    information.
    """
    if reason := _unusable(preference):
        return Skip(reason)
    match urgency:
        case Urgency.URGENT:
            spares, keeps, waits = preference.urgent_breaks_quiet, True, False
        case Urgency.IMPORTANT:
            spares, keeps, waits = False, False, False
        case Urgency.INFORMATION | Urgency.DRILL:
            spares, keeps, waits = False, False, not planned_digest
        case _:
            assert_never(urgency)
    paused = preference.paused_until is not None and now < preference.paused_until
    if paused and not (keeps and preference.pause_keeps_urgent):
        return Skip(Reason.PAUSED_BY_PERSON)
    if waits and preference.cadence is not Cadence.NOW:
        return Digest(Reason.DIGEST)
    if preference.quiet and not spares and (until := preference.quiet.ends(now)):
        return Hold(until, Reason.QUIET_HOURS)
    return _SEND


def _unusable(preference: Preference) -> Reason | None:
    if not preference.subscribed:
        return Reason.UNSUBSCRIBED
    if not preference.verified:
        return Reason.UNVERIFIED
    return Reason.SUSPENDED if preference.suspended else None
