# SPDX-License-Identifier: EUPL-1.2
"""The town's nights and its clocks: held and released, on time or told "too late", never twice."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import ChannelName, Reason, Urgency
from hub.announcement import State
from subscribers.preferences import Cadence, Hold, Preference, QuietHours, Send, decide

SMS = ChannelName.SMS
HOUR = 3600
NIGHT = {"quiet_start": 22 * 60, "quiet_end": 7 * 60}
OVERSEAS = [
    "Europe/Paris",
    "America/Martinique",
    "America/Miquelon",
    "Indian/Reunion",
    "Pacific/Noumea",
    "Pacific/Marquesas",
]


def wants(quiet, *, breaks=True):
    return Preference(
        verified=True,
        suspended=False,
        subscribed=True,
        cadence=Cadence.NOW,
        quiet=quiet,
        urgent_breaks_quiet=breaks,
        paused_until=None,
        pause_keeps_urgent=True,
    )


def at(text, zone="Europe/Paris"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("night", "wakes"),
    [
        ("2026-03-28T23:00", "2026-03-29T07:00"),  # an hour shorter
        ("2026-10-24T23:00", "2026-10-25T07:00"),  # an hour longer
        ("2026-10-25T02:30", "2026-10-25T07:00"),  # in the hour that comes twice
    ],
)
def test_a_night_in_which_the_clock_changes_ends_when_the_clock_says_seven(night, wakes):
    decision = decide(
        Urgency.IMPORTANT, wants(QuietHours(22 * 60, 7 * 60, "Europe/Paris")), at(night)
    )
    assert decision == Hold(at(wakes), Reason.QUIET_HOURS)


@given(
    zone=st.sampled_from(OVERSEAS),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)),  # noqa: DTZ001
    start=st.integers(0, 1439),
    end=st.integers(0, 1439),
)
def test_a_hold_ends_within_a_day_and_an_hour_and_then_it_is_sent(zone, now, start, end):
    now = now.replace(tzinfo=UTC)
    preference = wants(QuietHours(start, end, zone))
    decision = decide(Urgency.INFORMATION, preference, now)
    if isinstance(decision, Hold):
        assert now < decision.until <= now + timedelta(hours=25)
        assert decide(Urgency.INFORMATION, preference, decision.until) == Send()
    assert decide(Urgency.URGENT, preference, now) == Send()


def test_the_night_is_the_persons_own_wherever_the_town_is():
    noumea = wants(QuietHours(22 * 60, 7 * 60, "Pacific/Noumea"))
    assert decide(Urgency.IMPORTANT, noumea, at("2026-11-23T13:00")) == Hold(
        at("2026-11-24T07:00", "Pacific/Noumea"), Reason.QUIET_HOURS
    )
    assert decide(Urgency.IMPORTANT, noumea, at("2026-11-23T23:00")) == Send()


async def test_the_whole_town_wakes_at_once_and_lanes_keep_their_order(make_hub):
    hub = await make_hub(SMS, connections=1, window=3)
    hub.clock.leap(12 * HOUR)  # 23 h in Valmont
    await hub.people(range(1, 6), SMS, **NIGHT)
    news = await hub.publish(title="Bulletin")
    await hub.becomes(ready=5)
    matter = await hub.publish(title="Travaux", urgency="important")
    await hub.becomes(ready=10)
    await hub.idle()
    assert not hub[SMS].sent
    hub.clock.leap(8.1 * HOUR)
    await hub.ends(news)
    await hub.ends(matter)
    lanes = [sent.lane for sent in hub[SMS].sent]
    assert len(lanes) == 10
    assert lanes[:5] == [2] * 5 or lanes.count(3) == 5  # a few turns go to the lane below
    assert sorted(lanes) == [2] * 5 + [3] * 5


async def test_what_is_over_when_the_night_ends_is_told_too_late_and_never_leaves(make_hub):
    hub = await make_hub(SMS)
    hub.clock.leap(12 * HOUR)
    await hub.people([1], SMS, **NIGHT)
    dawn = (hub.clock.now() + timedelta(hours=4)).isoformat()
    published = await hub.publish(expires=dawn)
    await hub.becomes(ready=1)
    hub.clock.leap(9 * HOUR)
    await hub.ends(published)
    assert not hub[SMS].sent
    assert await hub.reasons() == {("expired", "expired"): 1}


async def test_an_alert_breaks_the_night_of_those_who_agreed_alone(make_hub):
    hub = await make_hub(SMS)
    hub.clock.leap(12 * HOUR)
    await hub.people([1], SMS, **NIGHT)
    await hub.people([2], SMS, urgent_breaks_quiet=False, **NIGHT)
    published = await hub.publish(urgency="urgent")
    await hub.until(lambda: hub[SMS].sent)
    await hub.idle(5)
    assert hub[SMS].numbers == ["+33639980001"]
    hub.clock.leap(9 * HOUR)
    await hub.ends(published)
    assert len(hub[SMS].sent) == 2


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_an_hour_wrong_during_the_night_loses_and_doubles_nothing(make_hub, hours):
    hub = await make_hub(SMS)
    hub.clock.leap(12 * HOUR)
    await hub.people([1, 2], SMS, **NIGHT)
    published = await hub.publish()
    await hub.becomes(ready=2)
    hub.clock.wrong = timedelta(hours=hours)
    await hub.idle(5)
    hub.clock.leap(7.5 * HOUR)  # 6 h 30, which the wrong clock calls 5 h 30 or 7 h 30
    await hub.idle(5)
    hub.clock.wrong = timedelta(0)
    hub.clock.leap(2 * HOUR)
    await hub.ends(published)
    assert sorted(hub[SMS].numbers) == ["+33639980001", "+33639980002"]


# --------------------------------------------------------------------------- scheduled


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_scheduled_time_comes_once_whatever_the_clock_does(make_hub, hours):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    when = (hub.clock.now() + timedelta(hours=2)).isoformat()
    published = await hub.publish(publish_at=when)
    hub.clock.leap(1.5 * HOUR)
    hub.clock.wrong = timedelta(hours=hours)
    await hub.idle(5)
    hub.clock.wrong = timedelta(0)
    await hub.idle(5)
    hub.clock.leap(HOUR)
    await hub.ends(published)
    assert len(hub[SMS].sent) == 1


async def test_a_daemon_that_was_down_at_the_time_publishes_when_it_starts(make_hub):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    when = (hub.clock.now() + timedelta(hours=2)).isoformat()
    published = await hub.publish(publish_at=when)
    await hub.stop()
    hub.clock.leap(5 * HOUR)
    await hub.start()
    await hub.ends(published)
    assert len(hub[SMS].sent) == 1


async def test_what_was_over_before_the_daemon_came_back_is_told_too_late_to_everybody(make_hub):
    hub = await make_hub(SMS)
    await hub.people([1, 2], SMS)
    now = hub.clock.now()
    published = await hub.publish(
        publish_at=(now + timedelta(hours=2)).isoformat(),
        expires=(now + timedelta(hours=4)).isoformat(),
    )
    await hub.stop()
    hub.clock.leap(5 * HOUR)
    await hub.start()
    await hub.ends(published)
    assert (await hub.announcement(published)).state is State.FINISHED
    assert not hub[SMS].sent
    assert await hub.reasons() == {("expired", "expired"): 2}
