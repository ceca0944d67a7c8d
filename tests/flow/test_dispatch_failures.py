# SPDX-License-Identifier: EUPL-1.2
"""What a channel's trouble costs: nobody's try where the road is closed, nobody twice in doubt."""

import asyncio
from datetime import timedelta

import pytest

from channels.base import Accepted, ChannelDown, ChannelName, Delivered, Reason, Rejected, Retry

SMS, EMAIL, PUSH, X = ChannelName.SMS, ChannelName.EMAIL, ChannelName.WEBPUSH, ChannelName.X

THREAD = {"thread": True, "body": "Un mot de plus. " * 40, "channels": ["x"]}


# --------------------------------------------------------------------------- the road


async def test_a_closed_road_spends_nobodys_try_and_reopens(make_hub):
    hub = await make_hub(SMS)
    await hub.people(range(1, 31), SMS)
    hub[SMS].answer = lambda sent: ChannelDown(Reason.AUTHENTICATION, alarm=True, code="20003")
    announcement = await hub.publish()
    road = hub.engine.roads[SMS]
    await hub.until(lambda: not road.open)
    assert road.closed_for is Reason.AUTHENTICATION
    await hub.becomes(ready=30)  # what was reserved and not handed over is given back too
    assert {(row.tries, row.crashes, row.maybe) for row in await hub.rows()} == {(0, 0, False)}
    tried = len(hub[SMS].sent)
    await hub.idle()
    assert len(hub[SMS].sent) == tried
    hub[SMS].answer = lambda sent: Accepted(f"sms-{sent.delivery}")
    hub.clock.leap(6)
    await hub.ends(announcement)
    assert road.open
    assert road.closed_for is None


async def test_a_crowd_of_failures_closes_the_road_once(make_hub, gate):
    hub = await make_hub(SMS, connections=10)
    await hub.people(range(1, 11), SMS)

    async def answer(sent):
        await gate.wait()
        return ChannelDown(Reason.NETWORK)

    hub[SMS].answer = answer
    await hub.publish(urgency="urgent")
    await hub.until(lambda: len(hub[SMS].sent) == 10)
    gate.set()
    await hub.becomes(ready=10)
    assert hub.engine.roads[SMS].providers.wait(hub.clock.monotonic()) <= 5


async def test_a_road_that_stays_closed_is_tried_ever_less_often(make_hub):
    hub = await make_hub(SMS, connections=1)
    await hub.people([1], SMS)
    hub[SMS].answer = lambda sent: ChannelDown(Reason.NETWORK)
    await hub.publish()
    for tried in range(1, 10):
        await hub.until(lambda tried=tried: len(hub[SMS].sent) == tried)
        await hub.until(lambda: not hub.engine.roads[SMS].open)
        hub.clock.leap(301)
    times = [sent.at for sent in hub[SMS].sent]
    assert len(times) == 9
    assert 290 < hub.engine.roads[SMS].providers.wait(times[-1]) < 301


async def test_the_providers_own_wish_says_when_to_look_again(make_hub):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    hub[SMS].answer = lambda sent: ChannelDown(Reason.BUDGET, after=timedelta(minutes=10))
    await hub.publish()
    await hub.until(lambda: not hub.engine.roads[SMS].open)
    hub.clock.leap(590)
    await hub.idle()
    assert len(hub[SMS].sent) == 1
    hub.clock.leap(11)
    await hub.until(lambda: len(hub[SMS].sent) == 2)


async def test_what_waits_for_a_closed_road_can_still_be_cancelled(make_hub, clerk):
    hub = await make_hub(SMS, window=10, connections=1)
    await hub.people(range(1, 31), SMS)
    hub[SMS].answer = lambda sent: ChannelDown(Reason.NETWORK)
    announcement = await hub.publish()
    await hub.until(lambda: not hub.engine.roads[SMS].open)
    await hub.intake.cancel(announcement.code, clerk)
    await hub.becomes(cancelled=30)


# --------------------------------------------------------------------------- the letter


async def test_a_failure_is_tried_again_later_and_ever_later(make_hub):
    hub = await make_hub(EMAIL)
    await hub.people([1], EMAIL)
    hub[EMAIL].answer = lambda sent: (
        Retry(Reason.PROVIDER_ERROR, code="451") if sent.round < 4 else Delivered("250")
    )
    announcement = await hub.publish()
    for tries, ceiling in ((1, 30), (2, 120), (3, 300)):
        await hub.becomes(ready=1)
        await hub.until(lambda tries=tries: _tries(hub, tries))
        (row,) = await hub.rows()
        wait = (row.due - row.at) / 1000
        assert ceiling * 0.1 <= wait <= ceiling
        hub.clock.leap(ceiling)
    await hub.ends(announcement)
    (row,) = await hub.rows()
    assert (row.state, row.round, row.ref) == ("delivered", 4, "250")
    assert [(each.round, each.code) for each in await hub.attempts()] == [
        (1, "451"),
        (2, "451"),
        (3, "451"),
    ]


async def _tries(hub, tries):
    return (await hub.rows())[0].tries == tries


async def test_a_refused_letter_fails_and_says_why(make_hub):
    hub = await make_hub(EMAIL)
    await hub.people([1], EMAIL)
    hub[EMAIL].answer = lambda sent: Rejected(Reason.REFUSED_CONTENT, code="554")
    await hub.ends(await hub.publish())
    assert await hub.reasons() == {("failed", "refused_content"): 1}
    assert [(each.code, each.detail) for each in await hub.attempts()] == [
        ("554", "refused_content")
    ]


@pytest.mark.parametrize("channel", [SMS, X])
async def test_what_may_have_left_is_asked_about_where_a_copy_would_be_a_second_message(
    make_hub, channel
):
    hub = await make_hub(channel)
    await hub.people([1, 2], channel)
    hub[channel].answer = lambda sent: (
        Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True)
        if sent.to.endswith("1")
        else Accepted(f"{channel}-{sent.delivery}")
    )
    await hub.publish()
    for _ in range(4):
        await hub.idle(5)
        hub.clock.leap(600)
    await hub.becomes(accepted=2)
    assert len(hub[channel].sent) == 2


@pytest.mark.parametrize("channel", [EMAIL, PUSH])
async def test_what_may_have_left_is_sent_again_where_the_copy_replaces_the_first(
    make_hub, channel
):
    hub = await make_hub(channel)
    await hub.people([1], channel)
    hub[channel].answer = lambda sent: (
        Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True) if sent.round == 1 else Accepted("ref")
    )
    announcement = await hub.publish()
    await hub.until(lambda: len(hub[channel].sent) == 1)
    await hub.idle(5)
    hub.clock.leap(60)
    await hub.ends(announcement)
    assert [sent.in_doubt for sent in hub[channel].sent] == [False, True]


async def test_a_mail_server_that_times_out_for_a_while_parks_nobody(make_hub):
    hub = await make_hub(EMAIL)
    await hub.people([1], EMAIL)
    hub[EMAIL].answer = lambda sent: (
        Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True)
        if hub.clock.monotonic() < 60
        else Accepted("ref")
    )
    announcement = await hub.publish()
    while (await hub.announcement(announcement)).state != "finished":
        await hub.idle(3)
        hub.clock.leap(10)
        assert hub.clock.monotonic() < 1000
    assert await hub.states() == {"accepted": 1}
    assert len(hub[EMAIL].sent) < 10


async def test_five_doubts_in_a_row_are_a_humans_to_decide(make_hub):
    hub = await make_hub(EMAIL)
    await hub.people([1], EMAIL)
    hub[EMAIL].answer = lambda sent: Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True)
    announcement = await hub.publish()
    for _ in range(40):
        await hub.idle(3)
        hub.clock.leap(300)
        if (await hub.announcement(announcement)).state == "finished":
            break
    (row,) = await hub.rows()
    assert (row.state, row.crashes, row.maybe) == ("parked", 5, 1)
    assert len(hub[EMAIL].sent) == 5


# --------------------------------------------------------------------------- bugs


async def test_a_bug_after_the_gate_puts_the_message_in_doubt(make_hub):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    hub[SMS].answer = lambda sent: ZeroDivisionError()
    await hub.publish()
    for _ in range(4):
        await hub.idle(5)
        hub.clock.leap(60)
    await hub.becomes(accepted=1)  # the provider says so
    assert len(hub[SMS].sent) == 1


async def test_a_bug_before_the_gate_costs_tries_and_ends_before_a_human(make_hub):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    asked = 0

    def broken():
        nonlocal asked
        asked += 1
        raise ZeroDivisionError

    hub[SMS].before_gate = broken
    announcement = await hub.publish()
    for _ in range(100):
        await hub.idle(2)
        hub.clock.leap(300)
        if (await hub.announcement(announcement)).state == "finished":
            break
    (row,) = await hub.rows()
    assert (row.state, row.tries, row.maybe, asked) == ("parked", 5, 0, 5)


async def test_one_who_breaks_the_channel_delays_nobody_else(make_hub):
    hub = await make_hub(SMS)
    await hub.people(range(1, 21), SMS)
    hub[SMS].answer = lambda sent: (
        ValueError() if sent.to.endswith("0007") else Accepted(f"sms-{sent.delivery}")
    )
    await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 20)
    await hub.until(lambda: _accepted(hub, 19))


async def _accepted(hub, number):
    return (await hub.states())["accepted"] == number


async def test_a_run_that_cannot_be_opened_stops_no_other(make_hub, monkeypatch):
    hub = await make_hub(SMS, started=False)
    await hub.people([1, 2, 3], SMS)
    broken = await hub.publish(urgency="urgent")
    await hub.start()
    await hub.until(lambda: len(hub[SMS].sent) == 3)
    await hub.ends(broken)
    hub[SMS].sent.clear()
    shelf = hub.engine.roads[SMS]._shelf
    opened, first = [], shelf.open.__func__

    async def open_(self, run_id):
        opened.append(run_id)
        if run_id == 2:
            raise LookupError
        return await first(self, run_id)

    monkeypatch.setattr(type(shelf), "open", open_)
    await hub.publish(urgency="urgent")
    await hub.ends(await hub.publish())
    assert len(hub[SMS].sent) == 3
    assert 1 <= opened.count(2) <= 20  # tried again later, not at once and for ever


# --------------------------------------------------------------------------- threads on X


async def test_a_thread_is_posted_in_order_each_answering_the_one_before(make_hub):
    hub = await make_hub(X, window=1, connections=1)
    await hub.people([1], X)
    announcement = await hub.publish(**THREAD)
    while (await hub.announcement(announcement)).state != "finished":
        await hub.idle(3)
        hub.clock.leap(2)
        assert hub.clock.monotonic() < 300
    sent = hub[X].sent
    assert [each.post for each in sent] == list(range(len(sent)))
    assert len(sent) >= 3
    refs = [f"x-{each.delivery}-{each.round}" for each in sent]
    assert [each.reply_to for each in sent] == [None, *refs[:-1]]


async def test_a_post_that_fails_ends_the_rest_of_its_thread(make_hub):
    hub = await make_hub(X, window=1, connections=1)
    await hub.people([1], X)
    hub[X].answer = lambda sent: (
        Rejected(Reason.REFUSED_CONTENT) if sent.post == 1 else Accepted(f"x-{sent.delivery}")
    )
    announcement = await hub.publish(**THREAD)
    while (await hub.announcement(announcement)).state != "finished":
        await hub.idle(3)
        hub.clock.leap(2)
        assert hub.clock.monotonic() < 300
    states = [row.state for row in await hub.rows()]
    assert states[:2] == ["accepted", "failed"]
    assert set(states[2:]) == {"failed"}
    assert [each.post for each in hub[X].sent] == [0, 1]


# --------------------------------------------------------------------------- the end


async def test_a_clean_end_lets_what_flies_land_and_gives_the_rest_back(make_hub, gate):
    hub = await make_hub(SMS, window=10, connections=2)
    await hub.people(range(1, 21), SMS)

    async def answer(sent):
        await gate.wait()
        return Accepted(f"sms-{sent.delivery}")

    hub[SMS].answer = answer
    await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 2)
    stopping = asyncio.create_task(hub.stop())
    await asyncio.sleep(0.05)
    assert not stopping.done()
    gate.set()
    await stopping
    assert await hub.states() == {"accepted": 2, "ready": 18}
    assert {(row.crashes, row.maybe) for row in await hub.rows()} == {(0, 0)}
    assert len(hub[SMS].sent) == 2


async def test_an_end_waits_no_longer_than_it_may_and_what_still_flies_is_in_doubt(make_hub, gate):
    hub = await make_hub(SMS, window=10, connections=2, drain=0.05)
    await hub.people(range(1, 5), SMS)

    async def never(sent):
        await gate.wait()

    hub[SMS].answer = never
    await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 2)
    await hub.stop()
    assert await hub.states() == {"reserved": 2, "ready": 2}
    hub[SMS].answer = lambda sent: Accepted(f"sms-{sent.delivery}")
    await hub.start()
    await hub.wait_out()
    await hub.becomes(accepted=4)
    assert len(hub[SMS].sent) == 4
