# SPDX-License-Identifier: EUPL-1.2
"""What comes again: on the right days whatever the calendar and the clocks do, once each time,
and no flood after a sleep."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from channels.base import ChannelName
from hub.announcement import State
from hub.flow.accept.principal import Principal
from hub.flow.accept.problems import ForbiddenError, RefusedError
from hub.flow.accept.recurrence import WEEKDAYS, Repeat
from hub.flow.accept.repeating import listed, stop
from hub.flow.accept.submission import parse
from hub.ledger import announcements
from hub.ledger.tables import announcement, audit

SMS = ChannelName.SMS
HOUR = 3600
DAY = 24 * HOUR
MONDAY = date(2026, 11, 23)
ZONES = [
    "Europe/Paris",
    "America/Martinique",
    "America/Cayenne",
    "America/Miquelon",
    "Indian/Reunion",
    "Pacific/Noumea",
    "Pacific/Marquesas",
    "Pacific/Tahiti",
]


def days(rule, start=MONDAY, many=5):
    return [str(day) for day, _ in islice(rule.moments(start, "Europe/Paris"), many)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"every": "day"}, ["2026-11-23", "2026-11-24", "2026-11-25"]),
        ({"every": "day", "interval": 10}, ["2026-11-23", "2026-12-03", "2026-12-13"]),
        ({"every": "week"}, ["2026-11-23", "2026-11-30", "2026-12-07"]),
        (
            {"every": "week", "weekdays": ["friday", "tuesday"]},
            ["2026-11-24", "2026-11-27", "2026-12-01"],
        ),
        (
            {"every": "week", "interval": 2, "weekdays": ["monday", "sunday"]},
            ["2026-11-23", "2026-11-29", "2026-12-07"],
        ),
        (
            {"every": "month", "starts": "2027-01-31"},
            ["2027-01-31", "2027-02-28", "2027-03-31"],
        ),
        (
            {"every": "year", "starts": "2028-02-29"},
            ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"],
        ),
        ({"every": "month", "interval": 6}, ["2026-11-23", "2027-05-23"]),
        ({"every": "day", "until": "2026-11-24"}, ["2026-11-23", "2026-11-24"]),
        ({"every": "week", "count": 2}, ["2026-11-23", "2026-11-30"]),
        ({"every": "week", "starts": "2026-11-25"}, ["2026-11-25", "2026-12-02"]),
    ],
)
def test_a_rule_names_these_days(rule, expected):
    found = days(Repeat.model_validate(rule), many=len(expected))
    assert found == expected
    if "until" in rule or "count" in rule:
        assert len(days(Repeat.model_validate(rule), many=9)) == len(expected)


@pytest.mark.parametrize(
    ("day", "at", "moment"),
    [
        (date(2027, 3, 28), "02:30", "2027-03-28T01:00Z"),  # jumped over: the jump
        (date(2026, 10, 25), "02:30", "2026-10-25T00:30Z"),  # twice: the first
        (date(2026, 10, 25), "08:00", "2026-10-25T07:00Z"),
        (date(2026, 7, 1), "08:00", "2026-07-01T06:00Z"),
    ],
)
def test_the_hour_is_the_towns_on_the_days_the_clocks_change_too(day, at, moment):
    rule = Repeat(every="day", at=at)
    _, found = next(rule.moments(day, "Europe/Paris"))
    assert found == datetime.fromisoformat(moment)


RULES = st.builds(
    Repeat,
    every=st.sampled_from(["day", "week", "month", "year"]),
    interval=st.integers(1, 9),
    weekdays=st.lists(st.sampled_from(WEEKDAYS), max_size=7),
    at=st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59)),
    starts=st.dates(date(2024, 1, 1), date(2030, 12, 31)),
)


@given(rule=RULES, zone=st.sampled_from(ZONES))
def test_times_rise_and_show_the_hour_asked_wherever_there_is_one(rule, zone):
    found = list(islice(rule.moments(MONDAY, zone), 40))
    moments = [moment for _, moment in found]
    assert moments == sorted(set(moments))
    for day, moment in found:
        local = moment.astimezone(ZoneInfo(zone))
        assert local.date() == day
        shown = f"{local:%H:%M}"
        skipped = datetime.fromisoformat(f"{day}T{rule.at}").replace(tzinfo=ZoneInfo(zone))
        exists = skipped.astimezone(UTC).astimezone(ZoneInfo(zone)) == skipped
        assert shown == rule.at or not exists


@given(
    rule=RULES,
    zone=st.sampled_from(ZONES),
    now=st.datetimes(datetime(2024, 1, 1), datetime(2034, 1, 1)),  # noqa: DTZ001
)
def test_what_is_past_and_what_follows_meet_at_now(rule, zone, now):
    now = now.replace(tzinfo=UTC)
    before, after = rule.latest(now, MONDAY, zone), rule.after(now, MONDAY, zone)
    assert after is not None
    assert after[1] > now
    if before is None:
        assert after == next(rule.moments(MONDAY, zone))
    else:
        assert before[1] <= now
        assert rule.after(before[1], MONDAY, zone) == after


# --------------------------------------------------------------------------- in the engine


async def every(hub):
    """All announcements, oldest first."""
    ids = select(announcement.c.id).order_by(announcement.c.id)

    def read(conn):
        return [announcements.by_id(conn, each) for each in conn.execute(ids).scalars()]

    return await hub.ledger.read(read)


async def sent(hub, count):
    await hub.until(lambda: len(hub[SMS].sent) == count)
    await hub.idle(3)
    assert len(hub[SMS].sent) == count


async def test_each_day_is_an_announcement_of_its_own(make_hub):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    first = await hub.publish(repeat={"every": "day", "at": "12:00", "count": 3})
    assert first.state is State.SCHEDULED
    assert first.publish_at == datetime(2026, 11, 23, 11, tzinfo=UTC)
    for day in range(1, 4):
        hub.clock.leap(DAY if day > 1 else 1.5 * HOUR)
        await sent(hub, day)
    hub.clock.leap(3 * DAY)
    await sent(hub, 3)
    found = await every(hub)
    assert len({each.code for each in found}) == 3
    assert [each.published.date().day for each in found] == [23, 24, 25]


async def test_a_daemon_that_slept_for_days_sends_the_last_one_only(make_hub):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    await hub.publish(repeat={"every": "day", "at": "12:00"})
    hub.clock.leap(1.5 * HOUR)
    await sent(hub, 1)
    await hub.stop()
    hub.clock.leap(5 * DAY)
    await hub.start()
    await sent(hub, 2)


async def test_what_is_not_valid_any_more_is_not_made_up_for(make_hub):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    await hub.publish(repeat={"every": "day", "at": "12:00", "valid_hours": 2})
    hub.clock.leap(1.5 * HOUR)
    await sent(hub, 1)
    await hub.stop()
    hub.clock.leap(2 * DAY + 6 * HOUR)
    await hub.start()
    await hub.idle()
    assert len(hub[SMS].sent) == 1

    def said(conn):
        return conn.execute(select(audit.c.verb)).scalars().all()

    assert "repeat_too_late" in await hub.ledger.read(said)
    hub.clock.leap(DAY - 6 * HOUR)
    await sent(hub, 2)
    assert (await every(hub))[-1].expires == datetime(2026, 11, 26, 13, tzinfo=UTC)


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_set_an_hour_wrong_and_right_again_sends_no_day_twice(make_hub, hours):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    await hub.publish(repeat={"every": "day", "at": "12:00"})
    hub.clock.leap(1.5 * HOUR)
    await sent(hub, 1)
    hub.clock.wrong = timedelta(hours=hours)
    await hub.idle()
    hub.clock.leap(DAY)
    await hub.idle()
    hub.clock.wrong = timedelta(0)
    await sent(hub, 2)


async def test_a_crash_right_after_a_time_was_made_makes_it_no_second_time(make_hub):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    await hub.publish(repeat={"every": "day", "at": "12:00"})
    hub.clock.leap(DAY + 1.5 * HOUR)
    await hub.engine.round()
    await hub.crash()
    await hub.start()
    await hub.idle()
    days = [each.publish_at or each.published for each in await every(hub)]
    assert len(days) == len({each.date() for each in days})


KEY = Principal("api:3", "key", 1, may_publish=False)


async def test_nothing_comes_again_before_the_first_was_approved(make_hub, clerk):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    first = await hub.publish(KEY, repeat={"every": "day", "at": "12:00"})
    assert first.state is State.TO_APPROVE
    hub.clock.leap(2 * DAY)
    await hub.idle()
    assert not hub[SMS].sent
    await hub.intake.approve(first.code, clerk)
    await sent(hub, 1)
    hub.clock.leap(DAY)
    await sent(hub, 2)


async def test_who_refuses_the_first_refuses_them_all(make_hub, clerk):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    first = await hub.publish(KEY, repeat={"every": "day", "at": "12:00"})
    await hub.intake.cancel(first.code, clerk)
    hub.clock.leap(2 * DAY)
    await hub.idle()
    assert not hub[SMS].sent
    (found,) = await hub.ledger.read(lambda conn: listed(conn, clerk))
    assert found.ended is not None


async def test_a_stop_ends_it_and_is_journaled(make_hub, clerk):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    first = await hub.publish(repeat={"every": "day", "at": "12:00"})
    hub.clock.leap(1.5 * HOUR)
    await sent(hub, 1)
    with pytest.raises(ForbiddenError):
        await hub.write(lambda conn: stop(conn, first.code, KEY, hub.clock.now()))
    ended = await hub.write(lambda conn: stop(conn, first.code, clerk, hub.clock.now()))
    assert ended.next is None
    hub.clock.leap(3 * DAY)
    await sent(hub, 1)


async def test_a_stop_before_the_first_time_cancels_it(make_hub, clerk):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    first = await hub.publish(repeat={"every": "day", "at": "12:00"})
    await hub.write(lambda conn: stop(conn, first.code, clerk, hub.clock.now()))
    hub.clock.leap(2 * DAY)
    await hub.idle()
    assert (await hub.announcement(first)).state is State.CANCELLED
    assert not hub[SMS].sent


async def test_the_same_key_asks_for_one_recurrence(make_hub, clerk):
    hub = await make_hub(SMS)
    rule = {"every": "week", "weekdays": ["monday"], "at": "12:00"}
    asked = parse({"title": "Marché", "body": "Lundi.", "themes": ["eau"], "repeat": rule})
    one = await hub.intake.accept(asked, clerk, key="k")
    two = await hub.intake.accept(asked, clerk, key="k")
    assert two.repeated
    assert one.announcement.code == two.announcement.code
    assert len(await hub.ledger.read(lambda conn: listed(conn, clerk))) == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"repeat": {"every": "day", "until": "2026-11-01"}}, "repeat_over"),
        ({"repeat": {"every": "day", "weekdays": ["monday"]}}, "repeat_weekdays"),
        ({"repeat": {"every": "day"}, "expires": "2026-12-01T08:00:00Z"}, "repeat_alone"),
        ({"repeat": {"every": "day", "at": "24:00"}}, "string_pattern_mismatch"),
        ({"repeat": {"every": "day", "count": 0}}, "greater_than_equal"),
        ({"repeat": {"every": "day", "starts": 20261123}}, "date_day"),
        ({"repeat": {"every": "fortnight"}}, "literal_error"),
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused(make_hub, fields, code):
    hub = await make_hub(SMS)
    with pytest.raises(RefusedError) as refused:
        await hub.publish(**fields)
    assert code in {problem.code for problem in refused.value.problems}
