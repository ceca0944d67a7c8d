# SPDX-License-Identifier: EUPL-1.2
"""A provider throttles for hours, breaks, has a wrong key, or another takes over: what it costs."""

import asyncio
import itertools
from datetime import timedelta

import pytest

from channels.base import Accepted, ChannelDown, ChannelName, Lane, Reason, Retry
from hub.ledger import runs

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL
TWO_HOURS = 7200.0
BACKUP = "sms.backup"

THROTTLES = {
    "429 with a wish": Retry(Reason.RATE_LIMITED, after=timedelta(seconds=60), code="429"),
    "429 without": Retry(Reason.RATE_LIMITED, code="429"),
    "503 with a wish": Retry(
        Reason.PROVIDER_ERROR, after=timedelta(seconds=60), maybe_sent=True, code="503"
    ),
}


async def pass_time(hub, seconds, step):
    """Let so much virtual time go by, the hub at work all along; upkeep turns now and then."""
    until = hub.clock.monotonic() + seconds
    for turn in itertools.count():
        if hub.clock.monotonic() >= until:
            return
        await (asyncio.sleep(0.01) if turn % 10 else hub.engine.round())
        hub.clock.leap(step)


async def finished(hub, of):
    return (await hub.announcement(of)).state == "finished"


# --------------------------------------------------------------------------- two hours of it


@pytest.mark.parametrize("trouble", THROTTLES.values(), ids=THROTTLES)
async def test_after_two_hours_all_that_is_valid_leaves_in_lane_order_and_no_try_was_spent(
    make_hub, trouble
):
    hub = await make_hub(EMAIL, window=10, connections=4, pace=50.0)
    await hub.people(range(1, 13), EMAIL)
    over = hub.clock.monotonic() + TWO_HOURS
    hub[EMAIL].answer = lambda sent: (
        trouble if hub.clock.monotonic() < over else Accepted(f"e-{sent.delivery}")
    )
    soon = (hub.clock.now() + timedelta(hours=1)).isoformat()
    news = await hub.publish(title="Marché")
    stale = await hub.publish(title="Ce matin", expires=soon)
    alert = await hub.publish(title="Crue", urgency="urgent")
    await pass_time(hub, TWO_HOURS, 50.0)
    rows = await hub.rows()
    assert {row.tries for row in rows} == {0}
    assert {row.crashes for row in rows} == {0}
    turned_away = len([sent for sent in hub[EMAIL].sent if sent.at < over])
    assert turned_away < 600, "a provider that throttles is hardly called"
    for each in (stale, alert, news):
        while not await finished(hub, each):
            await hub.idle(1)
            hub.clock.leap(10.0)
            assert hub.clock.monotonic() < over + 7200
    by_run = {code: set() for code in (news.code, stale.code, alert.code)}
    codes = {run.id: code for code, run in await runs_of(hub, news, stale, alert)}
    for row in await hub.rows():
        by_run[codes[row.run]].add((row.state, row.reason, row.tries))
    assert by_run[alert.code] == by_run[news.code] == {("accepted", "", 0)}
    assert by_run[stale.code] == {("expired", "expired", 0)}
    lanes = [sent.lane for sent in hub[EMAIL].sent if sent.at >= over]
    last_vital = max(i for i, lane in enumerate(lanes) if lane == Lane.VITAL)
    assert lanes[:last_vital].count(Lane.BULK) <= 6  # one in twenty-one, and those resting


async def runs_of(hub, *announcements):
    def read(conn):
        return [(a.code, run) for a in announcements for run in runs.of_announcement(conn, a.id)]

    return await hub.ledger.read(read)


# --------------------------------------------------------------------------- one provider


async def test_a_provider_that_fails_half_of_twenty_calls_is_left_in_peace(make_hub):
    hub = await make_hub(EMAIL, window=100, connections=5)
    await hub.people(range(1, 101), EMAIL)
    hub[EMAIL].answer = lambda sent: Retry(Reason.NETWORK)
    announcement = await hub.publish()
    road = hub.engine.roads[EMAIL]
    await hub.until(lambda: not road.open)
    await hub.until(lambda: not road.held)
    assert 20 <= len(hub[EMAIL].sent) <= 24
    await hub.becomes(ready=100)
    untried = [row for row in await hub.rows() if row.tries == 0]
    assert len(untried) >= 76
    hub[EMAIL].answer = lambda sent: Accepted(f"e-{sent.delivery}")
    tried = len(hub[EMAIL].sent)
    hub.clock.leap(5.1)
    await hub.until(lambda: len(hub[EMAIL].sent) > tried)
    for _ in range(20):
        hub.clock.leap(10)
        await hub.idle(3)
    await hub.ends(announcement)
    assert await hub.states() == {"accepted": 100}


async def test_after_a_rest_one_message_asks_again_and_the_others_wait_for_its_answer(
    make_hub, gate
):
    hub = await make_hub(EMAIL, window=20, connections=5)
    await hub.people(range(1, 21), EMAIL)
    hub[EMAIL].answer = lambda sent: ChannelDown(Reason.NETWORK)
    announcement = await hub.publish()
    await hub.until(lambda: not hub.engine.roads[EMAIL].open)
    tried = len(hub[EMAIL].sent)

    async def answer(sent):
        await gate.wait()
        return Accepted(f"e-{sent.delivery}")

    hub[EMAIL].answer = answer
    hub.clock.leap(6)
    await hub.until(lambda: len(hub[EMAIL].sent) == tried + 1)
    await hub.idle()
    assert len(hub[EMAIL].sent) == tried + 1
    gate.set()
    await hub.ends(announcement)


async def test_a_wrong_key_costs_nobody_an_attempt_alarms_and_all_leaves_once_it_is_right(
    make_hub, logs
):
    hub = await make_hub(SMS)
    await hub.people(range(1, 31), SMS)
    wrong = ChannelDown(Reason.AUTHENTICATION, alarm=True, code="20003")
    hub[SMS].answer = lambda sent: wrong
    announcement = await hub.publish()
    await pass_time(hub, 3600, 60.0)
    told = [line["log_level"] for line in logs if line["event"] == "channel.closed"]
    assert set(told) == {"error"}
    rows = await hub.rows()
    assert {row.state for row in rows} <= {"ready", "reserved"}
    assert {(row.tries, row.crashes, row.maybe) for row in rows} == {(0, 0, False)}
    await hub.stop()  # the key is mended, and the daemon restarted
    hub[SMS].answer = lambda sent: Accepted(f"sms-{sent.delivery}")
    await hub.start()
    await hub.ends(announcement)
    assert await hub.states() == {"accepted": 30}


async def test_connections_that_take_longer_than_the_gate_believes_let_messages_leave(make_hub):
    hub = await make_hub(EMAIL, connections=4)
    await hub.people(range(1, 5), EMAIL)

    async def slow():
        for _ in range(6):
            hub.clock.leap(0.5)
            await asyncio.sleep(0.05)

    hub[EMAIL].before_gate = slow
    announcement = await hub.publish()
    await hub.ends(announcement, 20)
    assert len(hub[EMAIL].sent) == 4


# --------------------------------------------------------------------------- a second one


def first_is_down(sent):
    if sent.provider == "sms":
        return ChannelDown(Reason.NETWORK)
    return Accepted(f"{sent.provider}-{sent.delivery}")


async def test_a_second_provider_takes_over_at_once_and_hands_back(make_hub):
    hub = await make_hub(SMS, connections=4, others={BACKUP: 1e9})
    await hub.people(range(1, 41), SMS)
    hub[SMS].answer = first_is_down
    began = hub.clock.monotonic()
    announcement = await hub.publish()
    await hub.ends(announcement)
    assert hub.clock.monotonic() - began < 5
    rows = await hub.rows()
    assert {(row.state, row.provider, row.tries) for row in rows} == {("accepted", BACKUP, 0)}
    hub[SMS].answer = lambda sent: Accepted(f"{sent.provider}-{sent.delivery}")
    hub.clock.leap(6)
    hub[SMS].sent.clear()
    await hub.ends(await hub.publish(title="Suite"))
    carried = [sent.provider for sent in hub[SMS].sent]
    assert carried.count("sms") >= 30, "the probe handed back"


async def test_what_may_have_left_by_the_first_is_never_carried_on_by_the_second(make_hub):
    hub = await make_hub(SMS, others={BACKUP: 1e9})
    await hub.people([1], SMS)
    hub[SMS].answer = lambda sent: Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True)
    announcement = await hub.publish()
    await hub.becomes(doubt=1)
    await hub.wait_out()
    await hub.ends(announcement)
    assert [sent.provider for sent in hub[SMS].sent] == ["sms"]
    assert await hub.states() == {"accepted": 1}, "the first one listed it"
