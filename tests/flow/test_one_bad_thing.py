# SPDX-License-Identifier: EUPL-1.2
"""One thing that fails, once or for ever, stops nothing else and loses nothing."""

import asyncio

from sqlalchemy import insert, update
from sqlalchemy.exc import OperationalError

from channels.base import ChannelName, Lane
from hub.delivery import DeliveryState
from hub.flow.send.outcomes import Outcomes
from hub.ledger.database import LedgerFullError, open_writer
from hub.ledger.deliveries import Reservation, Settlement
from hub.ledger.tables import announcement, channel_switch
from hub.queue.embedded import EmbeddedQueue
from tests.flow.conftest import START, LeapClock

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL


def unreadable(hub, monkeypatch, what):
    """From now on the ledger refuses to read `what`, until the list that is returned is empty."""
    read, times = hub.ledger.read, []

    async def refuse(work):
        if times and what in work.__qualname__:
            times.pop()
            raise OperationalError("", {}, OSError("no file descriptor is left"))
        return await read(work)

    monkeypatch.setattr(hub.ledger, "read", refuse)
    return times


async def test_a_ledger_that_cannot_be_read_for_a_moment_does_not_end_planning(
    make_hub, monkeypatch
):
    hub = await make_hub(SMS)
    await hub.people(range(1, 4), SMS)
    unreadable(hub, monkeypatch, "_most_urgent").append(1)

    told = await hub.publish()
    await asyncio.sleep(0.05)
    hub.clock.leap(10)

    await hub.ends(told)
    assert await hub.states() == {"accepted": 3}


async def test_a_road_that_trips_over_a_bug_goes_on(make_hub, monkeypatch):
    hub = await make_hub(SMS)
    await hub.people(range(1, 4), SMS)
    choose, bugs = EmbeddedQueue.next, [1]

    def trip(*asked):
        if bugs:
            raise KeyError(bugs.pop())
        return choose(*asked)

    monkeypatch.setattr(EmbeddedQueue, "next", trip)
    told = await hub.publish()
    await asyncio.sleep(0.1)
    hub.clock.leap(10)

    await hub.ends(told)
    assert await hub.states() == {"accepted": 3}


async def test_whoever_was_reserved_and_could_not_be_read_goes_back_undoubted(
    make_hub, monkeypatch, logs
):
    hub = await make_hub(SMS)
    await hub.people(range(1, 4), SMS)
    refusals = unreadable(hub, monkeypatch, "people_of")
    refusals.append(1)

    told = await hub.publish()
    await hub.until(lambda: not refusals)
    await asyncio.sleep(0.05)
    hub.clock.leap(5)

    await hub.ends(told)
    assert await hub.states() == {"accepted": 3}
    assert {(row.crashes, row.maybe) for row in await hub.rows()} == {(0, False)}


async def test_people_who_cannot_be_read_again_wait_instead_of_being_asked_for_on_and_on(
    make_hub, monkeypatch, logs
):
    hub = await make_hub(SMS, connections=1)
    await hub.people(range(1, 4), SMS)
    refusals = unreadable(hub, monkeypatch, "people_of")

    def grow_old():
        """Everybody read so far is stale, and for a while nobody can be read again."""
        if not hub[SMS].sent:
            refusals.extend([1] * 1_000_000)
            hub.clock.leap(3)

    hub[SMS].before_gate = grow_old
    told = await hub.publish()
    await hub.until(lambda: refusals)
    hub[SMS].before_gate = lambda: None
    await asyncio.sleep(0.5)
    assert 1_000_000 - len(refusals) < 20

    refusals.clear()
    hub.clock.leap(5)
    await hub.ends(told)
    assert await hub.states() == {"accepted": 3}


async def _belongs_to_nobody(hub, one):
    move = update(announcement).where(announcement.c.id == one.id).values(authority=99)
    await hub.write(lambda conn: conn.execute(move))


async def test_a_scheduled_announcement_that_cannot_be_published_keeps_no_other(make_hub):
    hub = await make_hub(SMS)
    await hub.people(range(1, 4), SMS)
    noon = START.replace(hour=12).isoformat()
    broken = await hub.publish(publish_at=noon)
    sound = await hub.publish(publish_at=noon)
    await _belongs_to_nobody(hub, broken)

    hub.clock.leap(2 * 3600 + 60)

    await hub.ends(sound)
    assert (await hub.announcement(broken)).state == "scheduled"


async def test_what_another_process_wrote_while_the_hub_was_starting_is_noticed(make_hub):
    hub = await make_hub(SMS)
    other = open_writer(hub.folder / "ledger.sqlite3")
    with other.begin() as conn:
        conn.execute(insert(channel_switch).values(channel=SMS, paused_at=START, paused_by="ops"))
    other.dispose()

    await hub.until(lambda: hub.engine.roads[SMS].switched_off, seconds=3, upkeep=False)


class Refusing:
    """A ledger that answers what it is told to."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def write(self, kind, change, *, hurry=False):
        told = asyncio.get_running_loop().create_future()
        answer = self.answers.pop(0)
        told.set_exception(answer) if answer else told.set_result(True)
        return told


async def test_a_row_that_cannot_be_written_after_a_full_disk_does_not_close_the_roads_for_ever():
    clock = LeapClock()
    outcomes = Outcomes(Refusing(LedgerFullError(), ValueError("a bug")), clock, lambda _: None)
    row = Reservation(1, 1, 1, 1, 0, 1, 1, 0, 0, False, "")
    outcomes.put(Settlement(row, DeliveryState.ACCEPTED, 0), Lane.BULK)
    await asyncio.sleep(0.01)
    assert outcomes.full

    clock.leap(2)
    await asyncio.sleep(0.01)

    assert not outcomes.deliveries
    assert not outcomes.full
