# SPDX-License-Identifier: EUPL-1.2
"""A daemon's right to send: kept, run out while it stood still, or taken by one that waited."""

import asyncio
import sqlite3
from datetime import timedelta

import pytest

from channels.base import Accepted, ChannelName
from hub.flow.keep.standby import stand_by
from hub.flow.keep.tenure import lease_name
from hub.ledger import leases
from hub.ledger.leases import LeaseEndedError
from hub.ledger.lock import FolderLock, LedgerLockedError

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL


async def taken_by_another(hub):
    """Another hub's start on the same ledger: what the one that waits does, but for its wait."""
    lock = FolderLock.replace(hub.folder)

    def take(conn):
        leases.bury(conn)
        leases.recover(conn, hub.clock.now(), lambda run: 0)
        leases.take(conn, lease_name(1), hub.clock.now(), hub.engine.tenure.steady() + 60_000)

    await hub.write(take)
    return lock


async def test_a_lease_is_kept_alive_and_outlives_any_number_of_lengths(make_hub):
    hub = await make_hub(SMS, lease_seconds=60.0)
    first = hub.engine.tenure.id
    await hub.idle()
    for _ in range(20):
        hub.clock.leap(11)
        await hub.until(lambda: hub.engine.tenure.outlives(first, 49.0))
    assert hub.engine.tenure.id == first


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_jump_of_the_wall_clock_ends_no_lease(make_hub, hours):
    hub = await make_hub(SMS, lease_seconds=60.0)
    await hub.people([1], SMS)
    first = hub.engine.tenure.id
    hub.clock.wrong = timedelta(hours=hours)
    await hub.engine.tenure.renew()
    assert hub.engine.tenure.id == first
    await hub.publish()
    await hub.becomes(accepted=1)


async def test_a_message_does_not_leave_when_it_could_not_be_answered_in_time(make_hub):
    hub = await make_hub(SMS, started=False, lease_seconds=60.0, timeout=59.9)
    await hub.people([1], SMS)
    await hub.start()
    hub.clock.leap(0.2)
    await hub.publish()
    await hub.idle()
    assert hub[SMS].sent == []
    assert {row.reason for row in await hub.rows()} == {"lease_ended"}


async def test_after_a_long_sleep_nothing_under_the_old_lease_leaves_or_is_lost(make_hub, gate):
    hub = await make_hub(SMS, lease_seconds=60.0, connections=2, window=5)
    await hub.people(range(1, 6), SMS)
    hub[SMS].before_gate = gate.wait  # two have a connection, three wait in the window
    await hub.publish()
    await hub.until(lambda: len(hub.engine.roads[SMS].held) == 5)
    old = hub.engine.tenure.id
    hub.clock.leap(600)
    await hub.until(lambda: hub.engine.tenure.id != old)
    gate.set()
    await hub.becomes(accepted=5)
    assert {sent.round for sent in hub[SMS].sent} == {2}, "each was reserved again first"
    assert len(hub[SMS].sent) == 5
    assert all(row.crashes == 0 for row in await hub.rows()), "nobody was in doubt"


async def test_an_answer_that_comes_after_the_sleep_is_believed(make_hub, gate):
    hub = await make_hub(SMS, lease_seconds=60.0)
    await hub.people([1], SMS)

    async def late(sent):
        await gate.wait()
        return Accepted("late")

    hub[SMS].answer = late
    await hub.publish()
    await hub.until(lambda: hub[SMS].sent)
    old = hub.engine.tenure.id
    hub.clock.leap(600)
    await hub.until(lambda: hub.engine.tenure.id != old)
    gate.set()
    await hub.becomes(accepted=1)
    assert len(hub[SMS].sent) == 1


async def test_the_one_that_wakes_after_another_took_over_sends_and_writes_nothing(make_hub, gate):
    hub = await make_hub(SMS, lease_seconds=60.0, connections=2, window=5)
    await hub.people(range(1, 6), SMS)
    hub[SMS].before_gate = gate.wait
    await hub.publish()
    await hub.until(lambda: len(hub.engine.roads[SMS].held) == 5)
    lock = await taken_by_another(hub)
    hub.clock.leap(600)
    gate.set()
    async with asyncio.timeout(5):
        await hub.engine.tenure.lost.wait()
    before = await hub.rows()
    await hub.idle()
    assert hub[SMS].sent == []
    assert await hub.rows() == before
    assert await hub.states() == {"doubt": 5}
    with pytest.raises(LeaseEndedError):
        await hub.write(hub.engine.tenure.guarded(lambda conn: None))
    lock.close()


async def test_an_answer_the_old_sender_still_gets_is_written_for_the_new(make_hub, gate):
    hub = await make_hub(SMS, lease_seconds=60.0)
    await hub.people([1], SMS)

    async def late(sent):
        await gate.wait()
        return Accepted("late")

    hub[SMS].answer = late
    await hub.publish()
    await hub.until(lambda: hub[SMS].sent)
    lock = await taken_by_another(hub)
    hub.clock.leap(600)
    gate.set()
    try:
        await hub.becomes(accepted=1)
        assert {each.code for each in await hub.attempts()} == {"crashed", "late_accepted"}
    finally:
        lock.close()


async def test_who_starts_while_another_takes_the_folder_begins_nothing(make_hub):
    hub = await make_hub(SMS, started=False)
    lock = FolderLock.replace(hub.folder)
    with pytest.raises(LedgerLockedError):
        await hub.start()
    hub.engine = None
    lock.close()


# --------------------------------------------------------------------------- the one that waits


@pytest.fixture
def stop():
    """What ends a hub that waits."""
    return asyncio.Event()


async def test_it_waits_while_the_lease_of_the_other_is_good(make_hub, stop):
    hub = await make_hub(SMS, lease_seconds=60.0)
    waiting = asyncio.create_task(stand_by(hub.folder, hub.clock, stop))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    stop.set()
    assert await waiting is None


async def test_it_takes_the_folder_of_one_whose_lease_ran_out(make_hub, stop):
    hub = await make_hub(SMS, lease_seconds=60.0)
    hub.engine._tasks[2].cancel()  # it stands still, and keeps its lock
    hub.clock.leap(61)
    lock = await asyncio.wait_for(stand_by(hub.folder, hub.clock, stop), 5)
    assert lock.holds()
    assert not hub.ledger.ours()
    await hub.engine.tenure.renew()
    assert hub.engine.tenure.lost.is_set()
    lock.close()


async def test_it_takes_the_folder_of_one_that_ended_at_once(make_hub, stop):
    hub = await make_hub(SMS, lease_seconds=60.0)
    await hub.stop()
    hub.ledger.close()
    lock = await asyncio.wait_for(stand_by(hub.folder, hub.clock, stop), 1)
    lock.close()
    hub.open()


async def test_one_that_stopped_inside_a_transaction_is_waited_for(make_hub, stop, monkeypatch):
    monkeypatch.setattr("hub.ledger.database.BUSY_TIMEOUT_MS", 50)
    hub = await make_hub(SMS, lease_seconds=60.0)
    hub.engine._tasks[2].cancel()
    holding = sqlite3.connect(hub.folder / "ledger.sqlite3", isolation_level=None)
    holding.execute("BEGIN IMMEDIATE")
    hub.clock.leap(61)
    waiting = asyncio.create_task(stand_by(hub.folder, hub.clock, stop))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    assert hub.ledger.ours()
    holding.execute("ROLLBACK")
    holding.close()
    (await asyncio.wait_for(waiting, 5)).close()


async def test_it_leaves_alone_who_is_only_starting(make_hub, stop):
    hub = await make_hub(SMS, started=False)
    await hub.write(lambda conn: leases.take(conn, lease_name(1), hub.clock.now(), 1))
    waiting = asyncio.create_task(stand_by(hub.folder, hub.clock, stop))
    await asyncio.sleep(0.5)
    assert not waiting.done(), "the lease that ran out is not of whoever holds the lock"
    stop.set()
    await waiting
