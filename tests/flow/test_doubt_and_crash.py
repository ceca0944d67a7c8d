# SPDX-License-Identifier: EUPL-1.2
"""The process dies, the disk fills, a reply is lost: nothing is forgotten, nothing sent unasked."""

import sqlite3
from contextlib import suppress

import pytest
from sqlalchemy import text

from channels.base import Accepted, ChannelDown, ChannelName, Reason, Retry
from hub.flow.redrive import Choice, redrive
from hub.ledger.database import LedgerFullError
from hub.ledger.deliveries import RESERVE, ReserveWindow
from subscribers.subscriptions import stop_all
from subscribers.tables import to_ms

SMS, EMAIL, PUSH, X = ChannelName.SMS, ChannelName.EMAIL, ChannelName.WEBPUSH, ChannelName.X


async def crash_in_flight(hub, gate, channel, flying):
    """The hub dies while `flying` messages wait for their answer."""

    async def never(sent):
        await gate.wait()

    hub[channel].answer = never
    already = len(hub[channel].sent)
    await hub.until(lambda: len(hub[channel].sent) == already + flying)
    await hub.crash()
    hub[channel].answer = lambda sent: Accepted(f"{channel}-{sent.delivery}-{sent.round}")


@pytest.mark.parametrize("channel", [SMS, X])
async def test_a_crash_doubles_nothing_where_a_copy_would_be_a_second_message(
    make_hub, gate, channel
):
    hub = await make_hub(channel, window=10, connections=2)
    await hub.people(range(1, 21), channel)
    announcement = await hub.publish()
    await crash_in_flight(hub, gate, channel, 2)
    assert (await hub.states())["reserved"] >= 2
    await hub.start()
    await hub.wait_out()
    await hub.ends(announcement)
    assert await hub.states() == {"accepted": 20}
    assert len(hub[channel].numbers) == len(set(hub[channel].numbers)) == 20
    found = [each for each in await hub.attempts() if each.code == "found"]
    assert {each.ref for each in found} == {f"{channel}-{n.delivery}-1" for n in found}
    assert len(found) == 2


@pytest.mark.parametrize("channel", [EMAIL, PUSH])
async def test_a_crash_loses_nothing_and_copies_at_most_what_was_in_flight(make_hub, gate, channel):
    hub = await make_hub(channel, window=10, connections=2)
    await hub.people(range(1, 21), channel)
    announcement = await hub.publish()
    await crash_in_flight(hub, gate, channel, 2)
    await hub.start()
    await hub.ends(announcement)
    assert await hub.states() == {"accepted": 20}
    assert len(set(hub[channel].numbers)) == 20
    assert len(hub[channel].sent) == 22
    doubled = {sent.to for sent in hub[channel].sent[:2]}
    assert {sent.to for sent in hub[channel].sent[2:] if sent.in_doubt} >= doubled


async def test_five_crashes_in_a_row_are_a_humans_to_decide(make_hub, gate):
    hub = await make_hub(EMAIL)
    await hub.people([1], EMAIL)
    announcement = await hub.publish()
    for _ in range(5):
        await crash_in_flight(hub, gate, EMAIL, 1)
        await hub.start()
    await hub.ends(announcement)
    (row,) = await hub.rows()
    assert (row.state, row.reason, row.crashes, row.round) == ("parked", "outcome_unknown", 5, 5)
    assert len(hub[EMAIL].sent) == 5


async def test_a_crash_while_planning_plans_nobody_twice(make_hub, pages_of):
    pages_of(7)
    hub = await make_hub(SMS)
    await hub.people(range(1, 101), SMS)
    announcement = await hub.publish()

    async def begun():
        return len(await hub.rows()) >= 14

    await hub.until(begun)
    await hub.crash()
    await hub.start()
    await hub.wait_out()
    await hub.ends(announcement)
    assert len(await hub.rows()) == 100
    assert len(set(hub[SMS].numbers)) == len(hub[SMS].numbers)


async def test_what_was_accepted_is_kept_through_a_crash(make_hub):
    hub = await make_hub(SMS)
    await hub.people([1, 2], SMS)
    announcement = await hub.publish()
    await hub.crash()
    await hub.start()
    await hub.wait_out()
    await hub.ends(announcement)
    assert await hub.states() == {"accepted": 2}


@pytest.mark.parametrize("channel", [EMAIL, SMS])
async def test_in_doubt_and_cancelled_meanwhile_ends_so_and_is_never_sent_again(
    make_hub, gate, clerk, channel
):
    hub = await make_hub(channel)
    await hub.people([1], channel)
    announcement = await hub.publish()
    await crash_in_flight(hub, gate, channel, 1)
    await hub.intake.cancel(announcement.code, clerk)
    await hub.start()
    if channel is SMS:
        hub[SMS].takes = lambda sent: False
        await hub.wait_out()
    await hub.becomes(cancelled=1)
    (row,) = await hub.rows()
    assert row.maybe
    assert len(hub[channel].sent) == 1


async def test_in_doubt_and_stopped_meanwhile_is_never_sent_again(make_hub, gate):
    hub = await make_hub(EMAIL)
    await hub.people([1], EMAIL)
    announcement = await hub.publish()
    await crash_in_flight(hub, gate, EMAIL, 1)
    await hub.write(lambda conn: stop_all(conn, 1, hub.clock.now()))
    await hub.start()
    await hub.ends(announcement)
    (row,) = await hub.rows()
    assert (row.state, row.reason, row.maybe) == ("skipped", "unsubscribed", 1)
    assert len(hub[EMAIL].sent) == 1


async def parked_out_of_doubt(hub, gate):
    """One SMS that nobody could tell anything about."""
    await hub.people([1], SMS)
    announcement = await hub.publish()
    await crash_in_flight(hub, gate, SMS, 1)
    await hub.start()

    def down():
        raise ChannelDown(Reason.PROVIDER_ERROR)

    hub[SMS].listing = down
    await hub.wait_out()
    for _ in range(40):
        if (await hub.states())["parked"]:
            break
        await hub.idle(3)
        hub.clock.leap(1200)
    await hub.ends(announcement)
    assert await hub.reasons() == {("parked", "outcome_unknown"): 1}
    hub[SMS].listing = lambda: None
    return announcement


@pytest.mark.parametrize("took", [True, False])
async def test_redriven_by_a_human_what_was_parked_is_looked_up_first(make_hub, gate, clerk, took):
    hub = await make_hub(SMS)
    announcement = await parked_out_of_doubt(hub, gate)
    hub[SMS].takes = lambda sent: took
    code, now = announcement.code, hub.clock.now()
    moved = await hub.write(lambda conn: redrive(conn, clerk, now, Choice(code)))
    assert moved.rows == 1
    assert await hub.states() == {"doubt": 1}
    hub.engine.changed()
    await hub.wait_out()
    await hub.ends(announcement)
    (row,) = await hub.rows()
    assert (row.state, row.crashes) == ("accepted", 0)
    assert len(hub[SMS].sent) == (1 if took else 2)
    assert all(sent.in_doubt for sent in hub[SMS].sent[1:])


async def test_redriven_what_failed_is_sent_in_a_round_of_its_own(make_hub, clerk):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    hub[SMS].answer = lambda sent: Retry(Reason.UNKNOWN)
    announcement = await hub.publish()
    for _ in range(5):
        await hub.idle(5)
        hub.clock.leap(4000)
    await hub.becomes(parked=1)
    hub[SMS].answer = lambda sent: Accepted("SM1")
    now, (before,) = hub.clock.now(), await hub.rows()
    await hub.write(lambda conn: redrive(conn, clerk, now, Choice(announcement.code)))
    hub.engine.changed()
    await hub.becomes(accepted=1)
    (row,) = await hub.rows()
    assert row.round == before.round + 2  # redriving is one: receipts of the first say nothing
    assert not hub[SMS].sent[-1].in_doubt


async def test_a_human_may_give_up_what_is_parked(make_hub, gate, clerk):
    hub = await make_hub(SMS)
    announcement = await parked_out_of_doubt(hub, gate)
    now = hub.clock.now()
    given_up = await hub.write(lambda conn: redrive(conn, clerk, now, Choice(abandon=True)))
    assert given_up.rows == 1
    assert await hub.reasons() == {("failed", "outcome_unknown"): 1}
    nothing = await hub.write(lambda conn: redrive(conn, clerk, now, Choice("nobody")))
    assert nothing.rows == 0
    await hub.ends(announcement)


# --------------------------------------------------------------------------- lost replies


async def test_a_reserve_whose_reply_was_lost_is_found_and_put_in_doubt(make_hub):
    hub = await make_hub(SMS, started=False)
    await hub.people([1, 2], SMS)
    announcement = await hub.publish()
    await hub.start()
    hub.engine.roads[SMS].pace.slow_down(hub.clock.monotonic(), 1e6)

    async def planned():
        return (await hub.states())["ready"] == 2

    await hub.until(planned)
    lost = ReserveWindow(1, hub.engine.tenure.id, 1, to_ms(hub.clock.now()))
    await hub.ledger.write(RESERVE, lost)
    await hub.engine.self_audit()
    assert (await hub.states())["reserved"] == 1  # once may be a window being filled
    await hub.engine.self_audit()
    assert (await hub.states())["doubt"] == 1
    hub.engine.roads[SMS].pace._not_before = 0.0
    hub.engine.roads[SMS].wake()
    await hub.wait_out()
    await hub.ends(announcement)
    assert await hub.states() == {"accepted": 2}
    assert len(hub[SMS].sent) == 2


async def test_the_self_audit_leaves_windows_and_flights_alone(make_hub, gate):
    hub = await make_hub(SMS, window=5, connections=2)
    await hub.people(range(1, 11), SMS)

    async def answer(sent):
        await gate.wait()
        return Accepted(f"sms-{sent.delivery}")

    hub[SMS].answer = answer
    announcement = await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 2)
    for _ in range(3):
        await hub.engine.self_audit()
    assert (await hub.states())["doubt"] == 0
    gate.set()
    await hub.ends(announcement)
    assert await hub.states() == {"accepted": 10}


async def test_a_row_that_cannot_be_written_harms_no_other_and_is_looked_up(make_hub):
    hub = await make_hub(SMS)
    await hub.people(range(1, 6), SMS)
    hub[SMS].answer = lambda sent: Accepted(b"no text" if sent.delivery == 1 else None)
    announcement = await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 5)
    await hub.until(lambda: not hub.engine._outcomes.deliveries)
    for _ in range(2):
        await hub.engine.self_audit()
    await hub.wait_out()
    await hub.ends(announcement)
    assert await hub.states() == {"accepted": 5}
    assert len(hub[SMS].sent) == 5


async def test_of_two_answers_with_one_reference_both_count_and_one_bears_it(make_hub):
    hub = await make_hub(SMS)
    await hub.people(range(1, 4), SMS)
    hub[SMS].answer = lambda sent: Accepted("SM1")
    await hub.ends(await hub.publish())
    assert await hub.states() == {"accepted": 3}
    assert sorted(str(row.ref) for row in await hub.rows()) == ["None", "None", "SM1"]


# --------------------------------------------------------------------------- the disk


async def shrink(hub, spare=0):
    """The disk is full: `spare` pages may be added, and none is free."""

    def limit(conn):
        conn.execute(text("CREATE TABLE filler (x BLOB)"))
        pages = conn.execute(text("PRAGMA page_count")).scalar_one()
        conn.exec_driver_sql(f"PRAGMA max_page_count={pages + spare}")

    await hub.write(limit)
    while not spare:
        try:
            await hub.write(
                lambda conn: conn.execute(text("INSERT INTO filler VALUES (zeroblob(900))"))
            )
        except LedgerFullError:
            return


async def grow(hub):
    # it may share its commit with an outcome that still finds no room; the pragma stands anyway
    with suppress(LedgerFullError):
        await hub.write(lambda conn: conn.exec_driver_sql("PRAGMA max_page_count=1000000"))


async def test_outcomes_wait_in_memory_while_the_disk_is_full(make_hub, gate):
    hub = await make_hub(SMS, connections=10, window=40)
    await hub.people(range(1, 41), SMS)

    async def answer(sent):
        await gate.wait()
        return Accepted(f"sms-{sent.delivery}-" + "long reference " * 50)

    hub[SMS].answer = answer
    announcement = await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 9)
    await shrink(hub)
    gate.set()
    await hub.until(lambda: hub.engine._outcomes.full, upkeep=False)
    sent = len(hub[SMS].sent)
    assert hub.engine._outcomes.deliveries
    await hub.idle(5)
    assert len(hub[SMS].sent) <= sent + 10  # no more than were past the look
    await grow(hub)
    for _ in range(5):
        hub.clock.leap(1.5)
        await hub.idle(5)
    await hub.ends(announcement)
    assert await hub.states() == {"accepted": 40}
    assert len(hub[SMS].sent) == 40


async def test_planning_goes_on_when_there_is_room_again(make_hub, logs):
    hub = await make_hub(SMS)
    await hub.people(range(1, 2001), SMS)
    await shrink(hub, spare=25)
    announcement = await hub.publish()
    await hub.until(lambda: any(line["event"] == "plan.page" for line in logs))
    assert len(await hub.rows()) < 2000
    await grow(hub)
    hub.clock.leap(6)
    await hub.until(lambda: _planned(hub, 2000))
    await hub.ends(announcement, 30)


async def _planned(hub, rows):
    return len(await hub.rows()) == rows


async def test_nothing_is_accepted_while_the_disk_is_full(make_hub):
    hub = await make_hub(EMAIL)
    await hub.people([1], EMAIL)
    await shrink(hub)
    with pytest.raises(LedgerFullError):
        await hub.publish(body="Un mot. " * 2000)
    await grow(hub)
    await hub.ends(await hub.publish(body="Un mot. " * 2000))


async def test_an_end_on_a_full_disk_does_not_wait_for_ever(make_hub, gate):
    hub = await make_hub(SMS, connections=10, window=40, drain=0.2)
    await hub.people(range(1, 41), SMS)

    async def answer(sent):
        await gate.wait()
        return Accepted("long reference " * 500 + f"{sent.delivery}")

    hub[SMS].answer = answer
    await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 9)
    await shrink(hub)
    gate.set()
    await hub.until(lambda: hub.engine._outcomes.full, upkeep=False)
    await hub.stop()
    assert (await hub.states())["reserved"]
    await grow(hub)


async def test_a_locked_ledger_delays_outcomes_and_loses_none(make_hub, gate, monkeypatch):
    monkeypatch.setattr("hub.ledger.database.BUSY_TIMEOUT_MS", 30)
    hub = await make_hub(SMS)
    await hub.people([1, 2], SMS)

    async def answer(sent):
        await gate.wait()
        return Accepted(f"sms-{sent.delivery}")

    hub[SMS].answer = answer
    announcement = await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 2)
    other = sqlite3.connect(hub.ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # the command line is at work, and takes its time
    gate.set()
    await hub.until(lambda: hub.engine._outcomes.full, upkeep=False)
    other.execute("ROLLBACK")
    other.close()
    hub.clock.leap(1.5)
    await hub.ends(announcement)
    assert await hub.states() == {"accepted": 2}
    assert len(hub[SMS].sent) == 2
