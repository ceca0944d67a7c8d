# SPDX-License-Identifier: EUPL-1.2
"""What one citizen wants right now."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import Reason, Urgency
from subscribers.preferences import (
    Cadence,
    Decision,
    Digest,
    Hold,
    Preference,
    QuietHours,
    Send,
    Skip,
    decide,
)

PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 21, 23, 0, tzinfo=UTC)
NIGHT = QuietHours(22 * 60, 7 * 60, "Europe/Paris")
WILLING = Preference(
    verified=True,
    suspended=False,
    subscribed=True,
    cadence=Cadence.NOW,
    quiet=NIGHT,
    urgent_breaks_quiet=True,
    paused_until=None,
    pause_keeps_urgent=True,
)
MORNING = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)

minutes = st.integers(0, 24 * 60 - 1)
timezones = st.sampled_from(
    ["UTC", "Europe/Paris", "America/Cayenne", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Gaza"]
)
quiet_hours = st.builds(QuietHours, minutes, minutes, timezones)
moments = st.integers(1_230_768_000, 1_893_456_000).map(  # 2009 to 2029
    lambda second: datetime.fromtimestamp(second, UTC)
)
preferences = st.builds(
    Preference,
    verified=st.booleans(),
    suspended=st.booleans(),
    subscribed=st.booleans(),
    cadence=st.sampled_from(Cadence),
    quiet=st.none() | quiet_hours,
    urgent_breaks_quiet=st.booleans(),
    paused_until=st.none() | moments,
    pause_keeps_urgent=st.booleans(),
)


def paris(day: int, month: int, hour: int, minute: int = 0, fold: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=PARIS, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"subscribed": False}, Reason.UNSUBSCRIBED),
        ({"verified": False}, Reason.UNVERIFIED),
        ({"suspended": True}, Reason.SUSPENDED),
    ],
)
@pytest.mark.parametrize("urgency", Urgency)
def test_nobody_is_told_who_cannot_or_will_not_be(
    change: dict[str, bool], reason: Reason, urgency: Urgency
) -> None:
    assert decide(urgency, replace(WILLING, **change), NOON) == Skip(reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("urgency", "change", "now", "decision"),
    [
        (Urgency.URGENT, {}, MIDNIGHT, Send()),
        (
            Urgency.URGENT,
            {"urgent_breaks_quiet": False},
            MIDNIGHT,
            Hold(MORNING, Reason.QUIET_HOURS),
        ),
        (Urgency.URGENT, {"cadence": Cadence.DAILY}, NOON, Send()),
        (Urgency.IMPORTANT, {"cadence": Cadence.WEEKLY}, NOON, Send()),
        (Urgency.IMPORTANT, {}, MIDNIGHT, Hold(MORNING, Reason.QUIET_HOURS)),
        (Urgency.INFORMATION, {"cadence": Cadence.DAILY}, NOON, Digest(Reason.DIGEST)),
        (Urgency.INFORMATION, {"cadence": Cadence.DAILY}, MIDNIGHT, Digest(Reason.DIGEST)),
        (Urgency.INFORMATION, {}, MIDNIGHT, Hold(MORNING, Reason.QUIET_HOURS)),
        (Urgency.INFORMATION, {"quiet": None}, MIDNIGHT, Send()),
        (Urgency.DRILL, {"cadence": Cadence.WEEKLY}, NOON, Digest(Reason.DIGEST)),
        (Urgency.DRILL, {}, MIDNIGHT, Hold(MORNING, Reason.QUIET_HOURS)),
        (Urgency.URGENT, {"paused_until": MIDNIGHT}, NOON, Send()),
        (
            Urgency.URGENT,
            {"paused_until": MIDNIGHT, "pause_keeps_urgent": False},
            NOON,
            Skip(Reason.PAUSED_BY_PERSON),
        ),
        (Urgency.IMPORTANT, {"paused_until": MIDNIGHT}, NOON, Skip(Reason.PAUSED_BY_PERSON)),
        (Urgency.IMPORTANT, {"paused_until": NOON}, NOON, Send()),
    ],
)
def test_urgency_meets_what_the_person_chose(
    urgency: Urgency, change: dict[str, object], now: datetime, decision: Decision
) -> None:
    assert decide(urgency, replace(WILLING, **change), now) == decision  # type: ignore[arg-type]


def test_a_digest_does_not_wait_for_itself_but_respects_the_night() -> None:
    daily = replace(WILLING, cadence=Cadence.DAILY)
    assert decide(Urgency.INFORMATION, daily, NOON, planned_digest=True) == Send()
    held = decide(Urgency.INFORMATION, daily, MIDNIGHT, planned_digest=True)
    assert held == Hold(MORNING, Reason.QUIET_HOURS)


# France went to summer time on 29 March 2026 at 02:00 and back on 25 October at 03:00.
@pytest.mark.parametrize(
    ("start", "end", "now", "until"),
    [
        ("22:00", "07:00", paris(28, 3, 23), paris(29, 3, 7)),
        ("22:00", "02:30", paris(28, 3, 23), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("02:30", "05:00", datetime(2026, 3, 29, 1, 0, tzinfo=UTC), paris(29, 3, 5)),
        ("02:30", "05:00", datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), None),
        ("02:10", "02:50", datetime(2026, 3, 29, 1, 0, tzinfo=UTC), None),
        ("22:00", "07:00", paris(24, 10, 23), paris(25, 10, 7)),
        ("22:00", "02:30", paris(25, 10, 1), paris(25, 10, 2, 30, fold=1)),
        ("22:00", "02:30", paris(25, 10, 2, 45, fold=0), paris(25, 10, 2, 30, fold=1)),
        ("02:30", "04:00", paris(25, 10, 2, 10, fold=1), paris(25, 10, 4)),
        ("02:30", "04:00", paris(25, 10, 2, 10, fold=0), None),
        ("22:00", "07:00", paris(10, 6, 7), None),
        ("22:00", "07:00", paris(10, 6, 6, 59), paris(10, 6, 7)),
        ("22:00", "07:00", paris(10, 6, 22), paris(11, 6, 7)),
        ("12:00", "14:00", paris(10, 6, 13), paris(10, 6, 14)),
        ("12:00", "12:00", paris(10, 6, 12), None),
        ("02:30", "02:29", paris(24, 10, 12), paris(26, 10, 2, 29)),
    ],
)
def test_quiet_hours_end_at_the_right_instant_when_the_clock_changes(
    start: str, end: str, now: datetime, until: datetime | None
) -> None:
    first, last = (int(text[:2]) * 60 + int(text[3:]) for text in (start, end))
    assert QuietHours(first, last, "Europe/Paris").ends(now) == until


def test_a_stored_silence_needs_both_its_ends() -> None:
    assert QuietHours.stored(None, None, "UTC") is None
    assert QuietHours.stored(0, 60, "UTC") == QuietHours(0, 60, "UTC")


@given(quiet_hours, moments)
def test_a_hold_ends_in_the_future_and_outside_the_silence(
    quiet: QuietHours, now: datetime
) -> None:
    until = quiet.ends(now)
    if until is not None:
        assert until > now
        assert quiet.ends(until) is None


@given(quiet_hours, moments)
def test_away_from_clock_changes_the_silence_is_what_the_clock_on_the_wall_says(
    quiet: QuietHours, now: datetime
) -> None:
    zone = ZoneInfo(quiet.timezone)
    around = (now + timedelta(hours=hours) for hours in range(-48, 49))
    if len({moment.astimezone(zone).utcoffset() for moment in around}) > 1:
        return
    local = now.astimezone(zone)
    minute = local.hour * 60 + local.minute
    if quiet.start <= quiet.end:
        silent = quiet.start <= minute < quiet.end
    else:
        silent = minute >= quiet.start or minute < quiet.end
    assert (quiet.ends(now) is not None) == silent


def worth(decision: Decision) -> tuple[int, float]:
    """How well a person is told: at once, later (the sooner the better), in a digest, never."""
    match decision:
        case Send():
            return 3, 0
        case Hold(until):
            return 2, -until.timestamp()
        case Digest():
            return 1, 0
        case Skip():
            return 0, 0


@given(preferences, moments, st.booleans())
def test_the_more_urgent_message_is_never_treated_worse(
    preference: Preference, now: datetime, digest: bool
) -> None:
    treated = [
        worth(decide(urgency, preference, now, planned_digest=digest))
        for urgency in (Urgency.INFORMATION, Urgency.IMPORTANT, Urgency.URGENT)
    ]
    assert treated == sorted(treated)
    assert worth(decide(Urgency.DRILL, preference, now, planned_digest=digest)) == treated[0]
