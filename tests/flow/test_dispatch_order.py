# SPDX-License-Identifier: EUPL-1.2
"""Who leaves first: lanes at every message, authorities in turn, no channel waiting for another."""

import asyncio

from channels.base import Accepted, ChannelName, Lane, Reason, Retry
from hub.flow.accept.principal import Principal

SMS, EMAIL, PUSH, X = ChannelName.SMS, ChannelName.EMAIL, ChannelName.WEBPUSH, ChannelName.X


async def test_everybody_who_asked_is_told_once_on_each_channel(make_hub):
    hub = await make_hub(SMS, EMAIL)
    await hub.people(range(1, 26), SMS, EMAIL)
    await hub.ends(await hub.publish())
    assert sorted(hub[SMS].numbers) == sorted(f"+3363998{n:04d}" for n in range(1, 26))
    assert len(set(hub[EMAIL].numbers)) == len(hub[EMAIL].numbers) == 25
    assert await hub.states() == {"accepted": 50}


async def test_an_alert_overtakes_a_newsletter_at_the_next_message(make_hub, gate):
    hub = await make_hub(SMS, connections=2, window=20)
    await hub.people(range(1, 201), SMS)
    newsletter = await hub.publish()
    seen = 0

    async def answer(sent):
        nonlocal seen
        seen += 1
        if seen > 30:
            await gate.wait()
        return Accepted(f"sms-{sent.delivery}")

    hub[SMS].answer = answer
    await hub.until(lambda: seen == 32)  # both connections are taken
    alert = await hub.publish(urgency="urgent")
    await hub.until(lambda: any(run.lane == Lane.VITAL for run in hub.engine._queue.runs()))
    gate.set()
    await hub.ends(alert)
    lanes = [sent.lane for sent in hub[SMS].sent[32:]]
    last = max(i for i, lane in enumerate(lanes) if lane == Lane.VITAL)
    assert lanes.index(Lane.VITAL) <= 3
    assert lanes[: last + 1].count(Lane.BULK) <= 2 + 0.05 * last
    await hub.ends(newsletter)
    assert await hub.states() == {"accepted": 400}


async def test_bulk_gets_its_small_turn_while_an_alert_waits_even_with_windows_of_one(make_hub):
    hub = await make_hub(SMS, connections=1, window=1)
    await hub.people(range(1, 121), SMS)
    both = [await hub.publish(), await hub.publish(urgency="urgent")]
    for each in both:
        await hub.ends(each)
    lanes = [sent.lane for sent in hub[SMS].sent]
    first = lanes.index(Lane.VITAL)
    last = max(i for i, lane in enumerate(lanes) if lane == Lane.VITAL)
    passed = lanes[first : last + 1].count(Lane.BULK)
    assert 4 <= passed <= 6  # one for each twenty of 120, but for what the ends cut off


async def test_slow_answers_to_a_newsletter_keep_no_alert_waiting(make_hub, gate):
    hub = await make_hub(SMS, connections=10)
    await hub.people(range(1, 41), SMS)

    async def answer(sent):
        if sent.lane == Lane.BULK:
            await gate.wait()
        return Accepted(f"sms-{sent.delivery}")

    hub[SMS].answer = answer
    newsletter = await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 9)  # the tenth connection is kept
    await hub.idle()
    assert len(hub[SMS].sent) == 9
    alert = await hub.publish(urgency="urgent")
    await hub.ends(alert)
    gate.set()
    await hub.ends(newsletter)


async def test_a_vital_retry_is_on_time_while_every_shared_connection_hangs(make_hub, gate):
    hub = await make_hub(SMS, connections=10)
    await hub.people(range(1, 41), SMS)

    async def answer(sent):
        if sent.lane == Lane.BULK:
            await gate.wait()
        if sent.round == 1:
            return Retry(Reason.UNREACHABLE)  # the letter's trouble: no breaker's
        return Accepted(f"sms-{sent.delivery}")

    hub[SMS].answer = answer
    await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 9)
    await hub.publish(urgency="urgent")
    await hub.until(lambda: len(hub[SMS].sent) >= 9 + 40)
    while len(hub[SMS].sent) < 9 + 80:  # nothing wakes the road but the retries' own time
        await asyncio.sleep(0.01)
        hub.clock.leap(0.1)
        assert hub.clock.monotonic() < 60
    gate.set()


async def test_a_slow_channel_delays_no_other(make_hub, gate):
    hub = await make_hub(SMS, EMAIL)
    await hub.people(range(1, 31), SMS, EMAIL)

    async def never(sent):
        await gate.wait()
        return Accepted(f"sms-{sent.delivery}")

    hub[SMS].answer = never
    announcement = await hub.publish()
    await hub.until(lambda: len(hub[EMAIL].sent) == 30)
    gate.set()
    await hub.ends(announcement)


async def test_two_authorities_share_a_lane_message_by_message(make_hub):
    hub = await make_hub(SMS, started=False, connections=1)
    await hub.people(range(1, 41), SMS)
    await hub.people(range(101, 141), SMS, authority=2)
    await hub.publish()
    await hub.publish(principal=Principal("cli", "clerk", 2, may_publish=True))
    await hub.start()
    await hub.until(lambda: len(hub[SMS].sent) == 80)
    both = [to < "+33639980100" for to in hub[SMS].numbers]
    started = both.index(not both[0])  # the second was planned a moment later
    middle = both[started : started + 40]
    assert 15 <= sum(middle) <= 25


async def test_what_leaves_keeps_to_the_pace(make_hub):
    hub = await make_hub(SMS, pace=100.0)
    await hub.people(range(1, 41), SMS)
    start = hub.clock.monotonic()
    await hub.ends(await hub.publish())
    last = hub[SMS].sent[-1].at
    assert last - start >= (40 - 1 - 10) / 100  # a tenth of a second's worth may leave at once


async def test_a_429_slows_the_road_and_spends_nobodys_try(make_hub):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    hub[SMS].answer = lambda sent: (
        Retry(Reason.RATE_LIMITED) if sent.round <= 12 else Accepted(f"sms-{sent.delivery}")
    )
    announcement = await hub.publish()
    for _ in range(200):
        hub.clock.leap(5)
        await hub.idle(3)
        if (await hub.announcement(announcement)).state == "finished":
            break
    (row,) = await hub.rows()
    assert (row.state, row.round, row.tries) == ("accepted", 13, 0)
    assert hub.engine.roads[SMS].pace.current < hub.engine.roads[SMS].pace.rate


async def test_a_crowd_of_429s_halves_the_pace_once(make_hub, gate):
    hub = await make_hub(SMS, connections=10, pace=1e6)
    await hub.people(range(1, 11), SMS)

    async def answer(sent):
        await gate.wait()
        return Retry(Reason.RATE_LIMITED)

    hub[SMS].answer = answer
    await hub.publish(urgency="urgent")
    await hub.until(lambda: len(hub[SMS].sent) == 10)
    gate.set()
    await hub.becomes(ready=10)
    assert hub.engine.roads[SMS].pace.current == 5e5
