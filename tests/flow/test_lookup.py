# SPDX-License-Identifier: EUPL-1.2
"""What is in doubt on SMS and X is looked up before anything is sent again, and never twice."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from channels.base import Accepted, ChannelDown, ChannelName, Reason, Retry, Sighting
from hub.flow.citizens.erasing import erase
from hub.flow.doubt.lookup import SLOTS
from hub.ledger.receipts import FAILED as REPORTED_FAILED
from hub.ledger.receipts import RECEIPT, SENT, Arrival
from hub.ledger.tables import delivery, kept_address
from subscribers.subscriptions import stop_all
from subscribers.tables import to_ms

SMS, X = ChannelName.SMS, ChannelName.X

TIMED_OUT = Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True)


def times_out_once(sent):
    return TIMED_OUT if sent.round == 1 else Accepted(f"again-{sent.delivery}")


@pytest.fixture
def in_doubt(make_hub):
    """`await in_doubt(people)`: a hub whose first messages all timed out, each seen in doubt."""

    async def make(people=1, channel=SMS, *, takes=True, **announced):
        hub = await make_hub(channel)
        await hub.people(range(1, people + 1), channel)
        hub[channel].answer = times_out_once
        hub[channel].takes = lambda sent: takes
        hub.published = await hub.publish(**announced)

        async def doubtful():
            return (await hub.states())["doubt"] == people

        await hub.until(doubtful)
        await hub.engine.round()
        return hub

    return make


async def looked_up(hub, channel=SMS, looks=1):
    """Until so many look-ups were asked for, and answered."""
    await hub.until(lambda: len(hub[channel].asked) >= looks)
    await hub.until(lambda: not hub.engine._lookups[channel].tasks)


@pytest.mark.parametrize("channel", [SMS, X])
async def test_timed_out_and_listed_is_accepted_and_never_sent_again(in_doubt, channel):
    hub = await in_doubt(3, channel)
    hub.clock.leap(31)
    await hub.ends(hub.published)
    assert await hub.states() == {"accepted": 3}
    assert len(hub[channel].sent) == 3
    assert {row.ref for row in await hub.rows()} == {f"{channel}-{n}-1" for n in (1, 2, 3)}


@pytest.mark.parametrize("channel", [SMS, X])
async def test_timed_out_and_absent_is_sent_once_more(in_doubt, channel):
    hub = await in_doubt(3, channel, takes=False)
    hub.clock.leap(31)
    await hub.ends(hub.published)
    assert await hub.states() == {"accepted": 3}
    assert [sent.in_doubt for sent in hub[channel].sent] == [False] * 3 + [True] * 3
    assert {row.maybe for row in await hub.rows()} == {1}
    codes = [each.code for each in await hub.attempts() if each.delivery == 1]
    assert codes == ["provider_timeout", "absent"]


async def test_nothing_is_looked_up_before_its_wait_is_over(in_doubt):
    hub = await in_doubt()
    hub.clock.leap(20)
    await hub.idle(5)
    assert hub[SMS].asked == []


@pytest.mark.parametrize("took", [True, False])
async def test_five_time_outs_in_a_row_are_a_humans_to_decide_unless_one_was_taken(make_hub, took):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    hub[SMS].answer = lambda sent: TIMED_OUT
    hub[SMS].takes = lambda sent: took and sent.round == 5
    announcement = await hub.publish()
    for _ in range(40):
        await hub.idle(5)
        hub.clock.leap(60)
    await hub.ends(announcement)
    assert await hub.reasons() == {("accepted", "") if took else ("parked", "outcome_unknown"): 1}
    assert len(hub[SMS].sent) == 5


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_wall_clock_that_leaps_neither_ends_nor_prolongs_a_wait(in_doubt, hours):
    hub = await in_doubt()
    hub.clock.wrong = timedelta(hours=hours)
    await hub.idle()
    assert hub[SMS].asked == []
    hub.clock.leap(31)
    await looked_up(hub)
    await hub.ends(hub.published)


async def test_after_a_restart_the_wait_begins_again(in_doubt):
    hub = await in_doubt()
    hub.clock.leap(20)
    await hub.crash()
    await hub.start()
    await hub.engine.round()
    hub.clock.leap(15)
    await hub.idle(5)
    assert hub[SMS].asked == []
    hub.clock.leap(16)
    await hub.ends(hub.published)
    assert len(hub[SMS].sent) == 1


async def test_a_vital_message_is_looked_up_early_and_sent_only_after_a_second_look(in_doubt):
    hub = await in_doubt(takes=False, urgency="urgent")
    hub.clock.leap(6)
    await looked_up(hub)
    await hub.idle()
    assert await hub.states() == {"doubt": 1}
    assert len(hub[SMS].sent) == 1
    hub.clock.leap(15)
    await hub.ends(hub.published)
    assert len(hub[SMS].asked) == 2
    assert len(hub[SMS].sent) == 2


async def test_a_vital_message_that_is_listed_late_is_found_by_the_second_look(in_doubt):
    hub = await in_doubt(takes=False, urgency="urgent")
    hub.clock.leap(6)
    await looked_up(hub)
    hub[SMS].takes = lambda sent: True
    hub.clock.leap(15)
    await hub.ends(hub.published)
    assert await hub.states() == {"accepted": 1}
    assert len(hub[SMS].sent) == 1


# --------------------------------------------------------------------------- a listing that fails


async def test_a_listing_that_fails_is_asked_again_and_nothing_is_sent_meanwhile(in_doubt):
    hub = await in_doubt()

    def down():
        raise ChannelDown(Reason.RATE_LIMITED, after=timedelta(minutes=2))

    hub[SMS].listing = down
    hub.clock.leap(31)
    await looked_up(hub)
    hub.clock.leap(100)
    await hub.idle()
    assert len(hub[SMS].asked) == 1, "the provider's wish is honoured"
    hub[SMS].listing = lambda: None
    hub.clock.leap(30)
    await hub.ends(hub.published)
    assert await hub.states() == {"accepted": 1}
    assert len(hub[SMS].sent) == 1


async def test_two_hours_of_a_provider_that_does_not_tell_park_nothing(in_doubt):
    hub = await in_doubt(5)

    def down():
        raise ChannelDown(Reason.PROVIDER_ERROR)

    hub[SMS].listing = down
    hub.clock.leap(31)
    for _ in range(24):
        await hub.idle(3)
        hub.clock.leap(300)
    assert await hub.states() == {"doubt": 5}
    hub[SMS].listing = lambda: None
    for _ in range(40):
        await hub.idle(2)
        hub.clock.leap(300)
    await hub.ends(hub.published)
    assert await hub.states() == {"accepted": 5}
    assert len(hub[SMS].sent) == 5


async def test_a_bug_in_a_look_up_sends_nothing_and_harms_no_other(in_doubt, logs):
    hub = await in_doubt(2)
    broken = iter([RuntimeError("a bug")])

    def stumble():
        for error in broken:
            raise error

    hub[SMS].listing = stumble
    for _ in range(4):
        hub.clock.leap(31)
        await hub.idle()
    await hub.ends(hub.published)
    assert await hub.states() == {"accepted": 2}
    assert len(hub[SMS].sent) == 2
    assert any(line["event"] == "lookup.bug" for line in logs)


# --------------------------------------------------------------------------- over meanwhile


@pytest.mark.parametrize("takes", [True, False])
async def test_cancelled_in_doubt_is_looked_up_and_never_sent(in_doubt, clerk, takes):
    hub = await in_doubt(takes=takes)
    await hub.intake.cancel(hub.published.code, clerk)
    hub.clock.leap(31)
    await hub.becomes(**{"accepted" if takes else "cancelled": 1})
    (row,) = await hub.rows()
    assert row.maybe, "absent or not, it may have been sent"
    assert len(hub[SMS].sent) == 1


async def test_expired_in_doubt_is_looked_up_and_never_sent(in_doubt):
    expires = "2026-11-23T10:30:00Z"
    hub = await in_doubt(takes=False, urgency="important", expires=expires)
    hub.clock.leap(3600)
    await hub.becomes(expired=1)
    assert len(hub[SMS].sent) == len(hub[SMS].asked) == 1


async def test_cancelled_and_nobody_tells_ends_so_without_waiting_for_hours(in_doubt, clerk):
    hub = await in_doubt()
    await hub.intake.cancel(hub.published.code, clerk)

    def down():
        raise ChannelDown(Reason.PROVIDER_ERROR)

    hub[SMS].listing = down
    for _ in range(8):
        hub.clock.leap(120)
        await hub.idle(5)
    await hub.becomes(cancelled=1)


@pytest.mark.parametrize("takes", [True, False])
async def test_stopped_in_doubt_is_looked_up_and_never_sent(in_doubt, takes):
    hub = await in_doubt(takes=takes)
    await hub.write(lambda conn: stop_all(conn, 1, hub.clock.now()))
    hub.clock.leap(31)
    await hub.ends(hub.published)
    expected = ("accepted", "") if takes else ("skipped", "unsubscribed")
    assert await hub.reasons() == {expected: 1}
    assert len(hub[SMS].sent) == 1


async def kept(hub):
    return await hub.ledger.read(lambda conn: conn.execute(kept_address.select()).all())


@pytest.mark.parametrize("takes", [True, False])
async def test_erased_in_doubt_the_address_is_kept_until_it_was_looked_up(in_doubt, takes):
    hub = await in_doubt(takes=takes)
    now = hub.clock.now()
    await hub.write(lambda conn: erase(conn, 1, "clerk", now, None))
    assert len(await kept(hub)) == 1
    hub.clock.leap(31)
    await hub.ends(hub.published)
    assert await hub.reasons() == {("accepted", "") if takes else ("skipped", "erased"): 1}
    assert len(hub[SMS].sent) == len(hub[SMS].asked) == 1
    await hub.engine.round()
    assert await kept(hub) == []


# --------------------------------------------------------------------------- whose copy it is


async def test_a_listing_that_comes_back_stale_is_not_believed(in_doubt, gate):
    hub = await in_doubt()

    async def slow():
        await gate.wait()

    hub[SMS].listing = slow
    hub.clock.leap(31)
    await hub.until(lambda: len(hub[SMS].asked) == 1)
    await hub.write(lambda conn: conn.execute(update(delivery).values(round=2)))
    gate.set()
    await hub.until(lambda: not hub.engine._lookups[SMS].tasks)
    assert await hub.states() == {"doubt": 1}
    await hub.wait_out()
    await looked_up(hub, looks=2)
    await hub.becomes(accepted=1)


async def test_a_copy_that_stands_on_another_row_is_not_taken_for_this_one(in_doubt):
    hub = await in_doubt(2, takes=False)
    theirs = Sighting("SM7", hub.clock.now())
    hub[SMS].listed = [("+33639980001", theirs), ("+33639980002", theirs)]
    hub.clock.leap(31)
    await hub.ends(hub.published)
    refs = sorted(row.ref for row in await hub.rows())
    assert refs[0] == "SM7"
    assert refs[1].startswith("again-")
    assert len(hub[SMS].sent) == 3


async def test_a_copy_the_provider_calls_failed_does_not_count(in_doubt):
    hub = await in_doubt(takes=False)
    hub[SMS].listed = [("+33639980001", Sighting("SM7", hub.clock.now(), failed=True))]
    hub.clock.leap(31)
    await hub.ends(hub.published)
    assert [row.ref for row in await hub.rows()] == ["again-1"]


async def test_an_answer_that_comes_later_takes_its_reference_back(make_hub, gate):
    hub = await make_hub(SMS)
    await hub.people([1, 2], SMS)

    async def answer(sent):
        if sent.delivery == 1:
            return times_out_once(sent)
        await gate.wait()
        return Accepted("SM7")

    hub[SMS].answer, hub[SMS].takes = answer, lambda sent: False
    hub[SMS].listed = [("+33639980001", Sighting("SM7", hub.clock.now()))]
    announcement = await hub.publish()

    async def doubtful():
        return (await hub.states())["doubt"] == 1

    await hub.until(doubtful)
    await hub.wait_out()
    await hub.becomes(accepted=1, reserved=1)
    assert [row.ref for row in await hub.rows()] == ["SM7", None]
    gate.set()
    await hub.becomes(accepted=1, doubt=1)
    assert [(row.state, row.ref) for row in await hub.rows()] == [
        ("doubt", None),
        ("accepted", "SM7"),
    ]
    await hub.wait_out()
    await hub.ends(announcement)
    assert [row.ref for row in await hub.rows()] == ["again-1", "SM7"]


async def test_a_receipt_settles_a_row_in_doubt_before_anybody_asks(in_doubt):
    hub = await in_doubt()
    told = Arrival(1, 1, SENT, "sent", "unknown", "SM9", to_ms(hub.clock.now()))
    await hub.ledger.write(RECEIPT, told)
    hub.clock.leap(31)
    await hub.ends(hub.published)
    assert hub[SMS].asked == []
    assert len(hub[SMS].sent) == 1


async def test_a_copy_that_was_reported_failed_does_not_count(in_doubt):
    hub = await in_doubt(takes=False)
    hub[SMS].listed = [("+33639980001", Sighting("SM7", hub.clock.now()))]
    at = to_ms(hub.clock.now())
    old = Arrival(1, 0, REPORTED_FAILED, "30003", "unreachable", "SM7", at)
    await hub.ledger.write(RECEIPT, old)
    hub.clock.leap(31)
    await hub.ends(hub.published)
    assert [row.ref for row in await hub.rows()] == ["again-1"]


# --------------------------------------------------------------------------- in good order


async def test_a_slow_listing_delays_no_send_and_few_are_asked_at_a_time(in_doubt, gate):
    hub = await in_doubt(9)

    async def slow():
        await gate.wait()

    hub[SMS].listing = slow
    hub.clock.leap(31)
    await hub.until(lambda: len(hub[SMS].asked) == SLOTS - 1)
    hub[SMS].answer = lambda sent: Accepted(f"sms-{sent.delivery}")
    await hub.publish(themes=["eau"])
    await hub.until(lambda: len(hub[SMS].sent) == 18)
    await hub.idle()
    assert len(hub[SMS].asked) == SLOTS - 1
    gate.set()
    await hub.becomes(accepted=18)
    assert len(set(hub[SMS].asked)) == 9, "each once"


async def test_a_vital_row_overtakes_the_look_ups_of_a_newsletter(in_doubt, gate):
    hub = await in_doubt(9)

    async def slow():
        await gate.wait()

    hub[SMS].listing = slow
    await hub.people([99], SMS, theme=11)
    hub.clock.leap(31)
    await hub.until(lambda: len(hub[SMS].asked) == SLOTS - 1)
    hub[SMS].answer = times_out_once
    await hub.publish(themes=["cantine"], urgency="urgent")

    async def doubtful():
        return (await hub.states())["doubt"] == 10

    await hub.until(doubtful)
    await hub.wait_out(6)
    await hub.until(lambda: len(hub[SMS].asked) == SLOTS)
    assert hub[SMS].asked[-1][0] == "+33639980099"
    gate.set()
    await hub.becomes(accepted=10)


async def test_an_end_in_the_middle_of_a_look_up_leaves_the_row_in_doubt(in_doubt):
    hub = await in_doubt()

    async def never():
        await asyncio.Event().wait()

    hub[SMS].listing = never
    hub.clock.leap(31)
    await hub.until(lambda: len(hub[SMS].asked) == 1)
    await hub.stop()
    assert await hub.states() == {"doubt": 1}


# --------------------------------------------------------------------------- a thread on X

THREAD = {"thread": True, "body": "Un mot de plus. " * 40, "channels": ["x"]}


async def test_behind_a_post_in_doubt_the_thread_waits_and_then_goes_on(make_hub):
    hub = await make_hub(X)
    await hub.people([1], X)
    hub[X].answer = lambda sent: TIMED_OUT if sent.post == 0 else Accepted(f"x-{sent.delivery}-1")
    announcement = await hub.publish(**THREAD)

    async def doubtful():
        return (await hub.states())["doubt"] == 1

    await hub.until(doubtful)
    for _ in range(3):
        await hub.idle(5)
        hub.clock.leap(4)
    first, *others = await hub.rows()
    assert {row.round for row in others} == {0}, "nobody reserved them in vain"
    assert len(hub[X].sent) == 1
    hub.clock.leap(20)
    await hub.ends(announcement)
    assert [sent.post for sent in hub[X].sent] == list(range(len(others) + 1))
    assert hub[X].sent[1].reply_to == f"x-{first.id}-1"
