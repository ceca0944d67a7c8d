# SPDX-License-Identifier: EUPL-1.2
"""An urgent message that does not arrive goes out on the citizen's next channel; nobody who does
not want it is told, and nobody twice."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, update

from channels.base import Accepted, ChannelName, Reason, Rejected
from hub.flow.foresight.looking_ahead import looking_ahead
from hub.ledger import audit, receipts, stand_ins
from hub.ledger.tables import delivery
from hub.pricing import Prices
from hub.reports.log import delivery_page
from hub.reports.summary import summary
from subscribers import tables
from subscribers.catalogue import load_catalogue
from templates.content import Kind
from tests.flow.conftest import ADDRESS, START

SMS, EMAIL, PUSH = ChannelName.SMS, ChannelName.EMAIL, ChannelName.WEBPUSH
DEAD = Rejected(Reason.NO_SUCH_ADDRESS)


async def reachable(hub, numbers, *channels, **more):
    """Contact points on channels they asked nothing on."""
    rows = [
        {"subscriber": n, "channel": channel, "address": ADDRESS[channel].format(n)}
        | {"verified_at": START, "created": START}
        | more
        for n in numbers
        for channel in channels
    ]
    await hub.write(lambda conn: conn.execute(insert(tables.contact_point), rows))


@pytest.fixture
async def hub(make_hub):
    """One citizen who asked for SMS, and can also be reached by e-mail."""
    hub = await make_hub(SMS, EMAIL, answering=[SMS])
    await hub.people([1], SMS)
    await reachable(hub, [1], EMAIL)
    hub[SMS].answer = lambda sent: DEAD
    return hub


async def alert(hub, **more):
    return await hub.publish(**({"urgency": "urgent", "channels": ["sms"]} | more))


async def test_what_fails_goes_out_on_the_next_channel_and_the_report_says_so(hub):
    of = await alert(hub)
    await hub.until(lambda: hub[EMAIL].sent)
    failed, stands_in = await hub.rows()
    assert (failed.state, stands_in.fallback_of) == ("failed", failed.id)
    assert hub[EMAIL].numbers == ["p1@example.org"]
    assert hub[EMAIL].sent[0].lane == 0
    assert await hub.ledger.read(lambda conn: stand_ins.how_many(conn, of.id)) == 1
    lines = await hub.ledger.read(lambda conn: audit.of_object(conn, f"announcement:{of.code}"))
    assert [line["detail"] for line in lines if line["verb"] == "fallback"] == [
        {"channel": "email", "people": 1}
    ]
    await hub.idle()
    assert len(await hub.rows()) == 2


async def test_what_shows_no_receipt_in_time_goes_out_on_the_next_channel(hub):
    hub[SMS].answer = lambda sent: Accepted("one")
    of = await alert(hub)
    await hub.becomes(accepted=1)
    hub.clock.leap(200)
    await hub.idle()
    assert hub[EMAIL].sent == []
    assert (await hub.announcement(of)).state == "running"
    hub.clock.leap(101)
    await hub.until(lambda: hub[EMAIL].sent)


async def test_a_receipt_in_time_leaves_it_at_that(hub):
    hub[SMS].answer = lambda sent: Accepted("one")
    of = await alert(hub)
    await hub.becomes(accepted=1)
    await arrives(hub)
    await hub.ends(of)
    hub.clock.leap(600)
    await hub.idle()
    assert hub[EMAIL].sent == []


async def test_a_receipt_after_the_second_message_changes_nothing_for_it(hub):
    hub[SMS].answer = lambda sent: Accepted("one")
    of = await alert(hub)
    await hub.becomes(accepted=1)
    hub.clock.leap(301)
    await hub.until(lambda: hub[EMAIL].sent)
    await arrives(hub)
    await hub.becomes(delivered=1, accepted=1)
    await hub.ends(of)
    assert len(hub[EMAIL].sent) == 1


async def arrives(hub):
    """The phone has it, the provider says."""
    (row,) = await hub.rows(delivery.c.ref == "one")

    def write(conn):
        told = receipts.Arrival(row.id, row.round, receipts.DELIVERED, "delivered", "", "one", 1)
        receipts.RECEIPT.apply(conn, [told])

    await hub.write(write)


async def test_where_no_receipts_come_silence_says_nothing(make_hub):
    hub = await make_hub(SMS, EMAIL)
    await hub.people([1], SMS)
    await reachable(hub, [1], EMAIL)
    await hub.ends(await alert(hub))
    hub.clock.leap(600)
    await hub.idle()
    assert hub[EMAIL].sent == []


async def test_who_is_told_there_anyway_is_not_told_twice(make_hub):
    hub = await make_hub(SMS, EMAIL)
    await hub.people([1], SMS, EMAIL)
    hub[SMS].answer = lambda sent: DEAD
    await hub.ends(await alert(hub, channels=["sms", "email"]))
    assert len(hub[EMAIL].sent) == 1
    assert len(await hub.rows()) == 2


@pytest.mark.parametrize("urgency", ["important", "information", "drill"])
async def test_only_an_urgent_message_looks_for_another_way(hub, urgency):
    await hub.ends(await alert(hub, urgency=urgency))
    await hub.idle()
    assert await hub.states() == {"failed": 1}


@pytest.mark.parametrize(
    "change",
    [
        delete(tables.subscription),
        delete(tables.subscriber),
        update(tables.subscriber).values(
            paused_until=START + timedelta(days=9), pause_keeps_urgent=False
        ),
        update(tables.contact_point)
        .where(tables.contact_point.c.channel == "email")
        .values(suspended_at=START),
        update(tables.contact_point)
        .where(tables.contact_point.c.channel == "email")
        .values(verified_at=None),
    ],
    ids=["stopped", "erased", "away", "suspended", "unverified"],
)
async def test_nobody_is_told_who_does_not_want_it_or_cannot_be(hub, gate, change):
    async def late(sent):
        await hub.write(lambda conn: conn.execute(change))
        return DEAD

    hub[SMS].answer = late
    await hub.ends(await alert(hub))
    assert await hub.states() == {"failed": 1}


async def test_a_stop_between_the_two_is_heard(hub, gate):
    hub[EMAIL].before_gate = gate.wait
    of = await alert(hub)
    await hub.becomes(failed=1, reserved=1)
    await hub.write(lambda conn: conn.execute(delete(tables.subscription)))
    hub.engine.wishes.changed(1, hub.clock.monotonic())
    gate.set()
    await hub.ends(of)
    assert hub[EMAIL].sent == []
    assert ("skipped", "unsubscribed") in await hub.reasons()


async def test_the_order_a_person_wants_decides_and_the_way_goes_on_to_its_end(make_hub):
    hub = await make_hub(SMS, EMAIL, PUSH)
    await hub.people([1], SMS, channel_order=["sms", "webpush"])
    await reachable(hub, [1], PUSH, EMAIL)
    for each in hub.channels.values():
        each.answer = lambda sent: DEAD
    await hub.ends(await alert(hub))
    sms, push, email = await hub.rows()
    assert (push.fallback_of, email.fallback_of) == (sms.id, push.id)
    assert await hub.states() == {"failed": 3}


async def test_every_device_is_told_and_a_shared_mailbox_once(make_hub):
    hub = await make_hub(SMS, EMAIL, PUSH)
    await hub.people([1, 2, 3], SMS)
    await reachable(hub, [1, 2], EMAIL, address="household@example.org")
    await reachable(hub, [3], PUSH)
    await reachable(hub, [3], PUSH, address="https://push.example.org/other")
    hub[SMS].answer = lambda sent: DEAD
    await hub.ends(await alert(hub))
    assert hub[EMAIL].numbers == ["household@example.org"]
    assert len(hub[PUSH].sent) == 2
    assert (await hub.reasons())["skipped", "same_address"] == 1


async def test_one_that_is_over_sends_nobody_anywhere(hub, gate):
    async def late(sent):
        await gate.wait()
        return DEAD

    hub[SMS].answer = late
    expires = (START + timedelta(minutes=10)).isoformat()
    of = await alert(hub, expires=expires)
    await hub.until(lambda: hub[SMS].sent)
    hub.clock.leap(601)
    gate.set()
    await hub.ends(of)
    assert await hub.states() == {"failed": 1}


async def test_a_crash_between_the_failure_and_the_next_channel_loses_nobody(hub):
    await alert(hub)
    await hub.until(lambda: hub[SMS].sent, upkeep=False)
    await hub.until(failed_once(hub), upkeep=False)
    await hub.crash()
    await hub.start()
    await hub.until(lambda: hub[EMAIL].sent)
    await hub.idle()
    assert len(hub[EMAIL].sent) == 1


def failed_once(hub):
    async def so():
        return (await hub.states())["failed"] == 1

    return so


async def test_what_follows_reaches_them_the_same_way(hub):
    first = await alert(hub)
    await hub.ends(first)
    await hub.ends(await alert(hub, kind="all_clear", about=first.code))
    assert hub[EMAIL].numbers == ["p1@example.org"] * 2
    assert len(hub[SMS].sent) == 1


async def test_what_follows_is_foreseen_where_it_will_leave(hub):
    first = await alert(hub)
    await hub.ends(first)
    follows = {"kind": Kind.ALL_CLEAR, "first": first.id, "first_code": first.code}
    drafted = replace(await hub.announcement(first), id=0, code="7Kq2ab", **follows)
    prices = dict.fromkeys(ChannelName, Prices(0.05, 0.05, "EUR"))

    def look(conn):
        town, now = load_catalogue(conn, 1), hub.clock.now()
        return looking_ahead(conn, drafted, town, hub.intake.press, prices=prices, now=now)

    found = await hub.ledger.read(look)
    assert found.audience.people == 1
    assert [(each.channel, each.copies) for each in found.leaving] == [(SMS, 0), (EMAIL, 1)]
    await hub.ends(await alert(hub, kind="all_clear", about=first.code))
    assert (len(hub[SMS].sent), len(hub[EMAIL].sent)) == (1, 2)


async def test_counts_are_rows_and_what_is_planned_is_their_sum(hub):
    await hub.ends(await alert(hub))
    rows = await hub.rows()
    counts = await hub.counts()
    assert sum(counts.values()) == len(rows) == 2


async def test_the_report_says_how_many_and_whose_place_each_takes(hub):
    of = await alert(hub)
    await hub.ends(of)
    told = await hub.ledger.read(lambda conn: summary(conn, of.id, hub.clock.now()))
    assert told.elsewhere == 1
    first, second = await hub.ledger.read(lambda conn: delivery_page(conn, of.id, 0, 10))
    assert (first.fallback_of, second.fallback_of) == (None, first.id)


async def test_many_without_another_channel_keep_nobody_waiting_who_has_one(make_hub):
    hub = await make_hub(SMS, EMAIL, answering=[SMS])
    await hub.people(range(1, 1001), SMS)
    await hub.people([1001], SMS)
    await reachable(hub, [1001], EMAIL)
    await alert(hub)
    await hub.becomes(accepted=1001)

    hub.clock.leap(301)
    await hub.engine.round()

    assert [row.subscriber for row in await hub.rows(delivery.c.fallback_of.is_not(None))] == [1001]
