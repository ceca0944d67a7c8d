# SPDX-License-Identifier: EUPL-1.2
"""Each announcement that ended is measured beside the engine, and one that fails keeps no other."""

import pytest
from sqlalchemy import select

from channels.base import ChannelName
from hub.flow.keep.measuring import EVERY, Measuring
from hub.ledger import measures
from hub.ledger.database import LedgerFullError
from hub.ledger.measures import Measure, Told
from hub.ledger.office_tables import measure as table

SMS = ChannelName.SMS


def taker(hub, failing=()):
    """Measures as the reports would, but for what is `failing`."""
    asked = []

    def take(conn, number):
        asked.append(number)
        if number in failing:
            raise ZeroDivisionError
        told = {SMS: Told(1, 1, 0, 0, 0, 1, None)}
        return Measure(number, 1, hub.clock.now(), 1, 1, None, None, told, {None: 1})

    return take, asked


async def kept(hub):
    query = select(table.c.announcement).order_by(table.c.announcement)
    return await hub.ledger.read(lambda conn: list(conn.execute(query).scalars()))


async def sent(hub, times):
    """So many announcements that ended."""
    await hub.people([1], SMS)
    told = [await hub.publish(urgency="important", channels=["sms"]) for _ in range(times)]
    for each in told:
        await hub.ends(each)
    return [each.id for each in told]


async def test_what_ended_is_measured_by_the_next_minute(make_hub):
    hub = await make_hub(SMS)
    take, _ = taker(hub)
    async with Measuring(hub.ledger, take, hub.clock):
        numbers = await sent(hub, 1)
        hub.clock.leap(EVERY)

        async def measured():
            hub.clock.leap(1)
            return await kept(hub) == numbers

        await hub.until(measured)


async def test_one_it_fails_for_keeps_no_other_and_is_not_asked_for_ever(make_hub, logs):
    hub = await make_hub(SMS)
    first, second = await sent(hub, 2)
    take, asked = taker(hub, failing=(first,))
    measuring = Measuring(hub.ledger, take, hub.clock)
    assert await measuring.round() == 2
    assert await kept(hub) == [second]
    assert await measuring.round() == 0
    assert asked == [first, second]
    assert [line["announcement"] for line in logs if line["event"] == "measuring.one"] == [first]


async def test_what_a_full_disk_kept_from_being_written_is_measured_once_there_is_room(
    make_hub, monkeypatch
):
    hub = await make_hub(SMS)
    (number,) = await sent(hub, 1)
    take, _ = taker(hub)
    measuring = Measuring(hub.ledger, take, hub.clock)
    with monkeypatch.context() as full:

        def refuse(*_):
            raise LedgerFullError

        full.setattr(measures, "keep", refuse)
        with pytest.raises(LedgerFullError):
            await measuring.round()
    assert await measuring.round() == 1
    assert await kept(hub) == [number]


async def test_a_round_that_fails_is_tried_again(make_hub, logs, monkeypatch):
    hub = await make_hub(SMS)
    (number,) = await sent(hub, 1)
    take, _ = taker(hub)
    due, failed = measures.due, []

    def once(*given):
        if not failed:
            failed.append(True)
            raise OSError
        return due(*given)

    monkeypatch.setattr(measures, "due", once)
    async with Measuring(hub.ledger, take, hub.clock):

        async def measured():
            hub.clock.leap(EVERY)
            return await kept(hub) == [number]

        await hub.until(measured)
    assert any(line["event"] == "measuring.bug" for line in logs)
