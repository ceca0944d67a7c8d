# SPDX-License-Identifier: EUPL-1.2
"""What is looked at when a message leaves: the citizen's wishes, pause, cancellation, validity."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from channels.base import Accepted, ChannelName, Reason, Rejected
from subscribers import directory, privacy
from subscribers.subscriptions import stop_all
from subscribers.tables import subscription, to_ms

SMS, EMAIL, PUSH, X = ChannelName.SMS, ChannelName.EMAIL, ChannelName.WEBPUSH, ChannelName.X


@pytest.fixture
async def planned(make_hub):
    """Three people, planned and waiting: the run is paused until `go` resumes it."""
    hub = await make_hub(SMS)
    await hub.people([1, 2, 3], SMS)
    await hub.write(lambda conn: None)
    announcement = await hub.publish(publish_at=(hub.clock.now() + timedelta(hours=1)).isoformat())
    hub.clock.leap(3600)
    await hub.stop()
    await hub.start()
    hub.engine.roads[SMS].pace.slow_down(hub.clock.monotonic(), 1e6)  # nothing leaves yet
    await hub.until(lambda: _planned(hub, 3))

    async def go():
        hub.engine.roads[SMS].pace._not_before = 0.0
        hub.engine.roads[SMS].wake()

    return hub, announcement, go


async def _planned(hub, rows):
    return len(await hub.rows()) == rows


async def test_a_stop_between_plan_and_send_is_kept(planned):
    hub, announcement, go = planned
    await hub.write(lambda conn: stop_all(conn, 2, hub.clock.now()))
    await go()
    await hub.ends(announcement)
    assert await hub.reasons() == {("accepted", ""): 2, ("skipped", "unsubscribed"): 1}
    assert "+33639980002" not in hub[SMS].numbers


async def test_the_erased_are_skipped(planned):
    hub, announcement, go = planned
    await hub.write(lambda conn: privacy.erase_person(conn, 2, hub.clock.now()))
    await go()
    await hub.ends(announcement)
    assert await hub.reasons() == {("accepted", ""): 2, ("skipped", "erased"): 1}


async def test_a_suspended_address_is_skipped(planned):
    hub, announcement, go = planned
    (row,) = [r for r in await hub.rows() if r.subscriber == 2]
    now = hub.clock.now()
    await hub.write(
        lambda conn: directory.suspend(conn, row.contact_point, Reason.NO_SUCH_ADDRESS, now)
    )
    await go()
    await hub.ends(announcement)
    assert await hub.reasons() == {("accepted", ""): 2, ("skipped", "suspended"): 1}


async def test_who_turned_to_a_digest_after_the_plan_waits_for_the_digest(planned):
    hub, announcement, go = planned
    daily = update(subscription).where(subscription.c.subscriber == 2).values(cadence="daily")
    await hub.write(lambda conn: conn.execute(daily))
    await go()
    await hub.becomes(accepted=2, digest=1)
    assert await hub.reasons() == {("accepted", ""): 2, ("digest", "digest"): 1}
    assert (await hub.announcement(announcement)).state == "running", "until its digest left"


async def test_a_stop_committed_while_the_connection_is_awaited_is_kept(make_hub, gate):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    hub[SMS].before_gate = gate.wait
    announcement = await hub.publish()
    await hub.until(lambda: hub.engine.roads[SMS]._flying)
    await hub.write(lambda conn: stop_all(conn, 1, hub.clock.now()))
    hub.engine.wishes.changed(1, hub.clock.monotonic())
    gate.set()
    await hub.ends(announcement)
    assert hub[SMS].sent == []
    assert await hub.reasons() == {("skipped", "unsubscribed"): 1}


async def test_what_was_read_of_a_citizen_is_never_older_than_two_seconds(make_hub, gate):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    hub[SMS].before_gate = gate.wait
    announcement = await hub.publish()
    await hub.until(lambda: hub.engine.roads[SMS]._flying)
    await hub.write(lambda conn: stop_all(conn, 1, hub.clock.now()))  # another process did it
    hub.clock.leap(2.1)
    gate.set()
    await hub.ends(announcement)
    assert hub[SMS].sent == []


async def test_a_pause_while_the_connection_is_awaited_holds_the_message(make_hub, gate, clerk):
    hub = await make_hub(SMS)
    await hub.people([1, 2], SMS)
    hub[SMS].before_gate = gate.wait
    announcement = await hub.publish()
    await hub.until(lambda: len(hub.engine.roads[SMS]._flying) == 2)
    await hub.intake.pause(announcement.code, clerk)
    await hub.until(lambda: all(r.paused for r in hub.engine._queue.runs()))
    gate.set()
    await hub.becomes(ready=2)
    assert hub[SMS].sent == []
    assert {(row.tries, row.crashes, row.maybe) for row in await hub.rows()} == {(0, 0, False)}
    await hub.intake.resume(announcement.code, clerk)
    await hub.ends(announcement)
    assert len(hub[SMS].sent) == 2


async def test_a_paused_run_keeps_nothing_reserved(make_hub, gate, clerk):
    hub = await make_hub(SMS, window=10, connections=1)
    await hub.people(range(1, 21), SMS)

    async def answer(sent):
        await gate.wait()
        return Accepted(f"sms-{sent.delivery}")

    hub[SMS].answer = answer
    announcement = await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 1)
    await hub.intake.pause(announcement.code, clerk)
    await hub.until(lambda: all(r.paused for r in hub.engine._queue.runs()))
    gate.set()
    await hub.becomes(accepted=1, ready=19)
    await hub.intake.resume(announcement.code, clerk)
    await hub.ends(announcement)


async def test_what_is_paused_while_the_last_message_flies_still_finishes(make_hub, gate, clerk):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)

    async def answer(sent):
        await gate.wait()
        return Accepted(f"sms-{sent.delivery}")

    hub[SMS].answer = answer
    announcement = await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 1)
    await hub.intake.pause(announcement.code, clerk)
    gate.set()
    await hub.becomes(accepted=1)
    await hub.idle()
    await hub.intake.resume(announcement.code, clerk)
    await hub.ends(announcement)


async def test_what_is_cancelled_leaves_no_more(make_hub, gate, clerk):
    hub = await make_hub(SMS, window=10, connections=1)
    await hub.people(range(1, 31), SMS)

    async def answer(sent):
        await gate.wait()
        return Accepted(f"sms-{sent.delivery}")

    hub[SMS].answer = answer
    announcement = await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 1)
    await hub.intake.cancel(announcement.code, clerk)
    await hub.until(lambda: all(r.cancelled for r in hub.engine._queue.runs()))
    gate.set()
    await hub.becomes(accepted=1, cancelled=29)
    assert (await hub.announcement(announcement)).state == "cancelled"
    await hub.until(lambda: not hub.engine._queue.runs())


@pytest.mark.parametrize("paused", [False, True])
async def test_what_is_cancelled_or_expired_is_closed_paused_or_not(make_hub, clerk, paused):
    hub = await make_hub(SMS)
    await hub.people(range(1, 31), SMS)
    hub.engine.roads[SMS].pace.slow_down(hub.clock.monotonic(), 1e6)
    until = hub.clock.now() + timedelta(hours=1)
    announcement = await hub.publish(expires=until.isoformat())
    await hub.until(lambda: _planned(hub, 30))
    if paused:
        await hub.intake.pause(announcement.code, clerk)
    hub.clock.leap(3601)
    await hub.becomes(expired=30)
    await hub.until(lambda: not hub.engine._queue.runs())
    if paused:
        await hub.intake.resume(announcement.code, clerk)
    await hub.ends(announcement)


async def test_nothing_leaves_at_the_very_moment_validity_ends(make_hub, gate):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    hub[SMS].before_gate = gate.wait
    until = hub.clock.now() + timedelta(hours=1)
    announcement = await hub.publish(expires=until.isoformat())
    await hub.until(lambda: hub.engine.roads[SMS]._flying)
    hub.clock.leap(3600)
    gate.set()
    await hub.ends(announcement)
    assert hub[SMS].sent == []
    assert await hub.reasons() == {("expired", "expired"): 1}


async def test_quiet_hours_hold_until_they_end(make_hub):
    hub = await make_hub(SMS)  # 11 h in Valmont
    await hub.people([1, 2], SMS, quiet_start=10 * 60, quiet_end=12 * 60)
    await hub.people([3], SMS)
    announcement = await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 1)
    await hub.becomes(accepted=1, ready=2)
    held = [row for row in await hub.rows() if row.state == "ready"]
    noon = to_ms(datetime(2026, 11, 23, 11, 0, tzinfo=UTC))  # 12 h in Valmont
    assert {(row.due, row.reason, row.tries) for row in held} == {(noon, "quiet_hours", 0)}
    await hub.idle()
    assert len(hub[SMS].sent) == 1
    hub.clock.leap(3600)
    await hub.ends(announcement)
    assert len(hub[SMS].sent) == 3


async def test_only_an_alert_breaks_quiet_hours_and_only_where_they_agreed(make_hub):
    hub = await make_hub(SMS)
    hours = {"quiet_start": 10 * 60, "quiet_end": 12 * 60}
    await hub.people([1], SMS, urgent_breaks_quiet=True, **hours)
    await hub.people([2], SMS, urgent_breaks_quiet=False, **hours)
    await hub.publish(urgency="urgent")
    await hub.becomes(accepted=1, ready=1)
    assert hub[SMS].numbers == ["+33639980001"]


async def test_a_clock_set_back_does_not_hold_a_message_for_ever(make_hub):
    hub = await make_hub(SMS)
    await hub.people([1], SMS, quiet_start=10 * 60, quiet_end=12 * 60)
    announcement = await hub.publish()
    await hub.becomes(ready=1)
    hub.clock.wrong = timedelta(hours=2)  # somebody sets the clock forward: it is past noon
    for _ in range(8):
        hub.clock.leap(5)
        await hub.idle(2)
    await hub.ends(announcement)


async def test_a_dead_number_is_suspended_with_the_row_that_told_us(make_hub):
    hub = await make_hub(SMS)
    await hub.people([1, 2], SMS)
    hub[SMS].answer = lambda sent: Rejected(
        Reason.NO_SUCH_ADDRESS, contact_dead=sent.to.endswith("1"), code="21211"
    )
    await hub.ends(await hub.publish())
    assert await hub.reasons() == {("failed", "no_such_address"): 2}

    def points(conn):
        return [directory.contact_points(conn, n)[0].suspended_reason for n in (1, 2)]

    assert await hub.ledger.read(points) == ["no_such_address", None]
    hub[SMS].sent.clear()
    await hub.ends(await hub.publish(title="Encore"))
    assert hub[SMS].numbers == ["+33639980002"]


async def test_a_paused_run_leaves_the_way_to_others(make_hub, clerk):
    hub = await make_hub(SMS)
    await hub.people(range(1, 11), SMS)
    hub.engine.roads[SMS].pace.slow_down(hub.clock.monotonic(), 1e6)
    first = await hub.publish(urgency="urgent")
    await hub.intake.pause(first.code, clerk)
    second = await hub.publish()
    hub.engine.roads[SMS].pace._not_before = 0.0
    await hub.ends(second)
    assert {sent.key for sent in hub[SMS].sent} == {second.code}


async def test_an_alert_over_but_not_yet_swept_does_not_stand_in_the_way(make_hub, clerk):
    hub = await make_hub(SMS)
    hub.engine._ticks.pause()
    await hub.people(range(1, 11), SMS)
    await hub.publish(expires=(hub.clock.now() + timedelta(hours=1)).isoformat(), urgency="urgent")
    hub.engine.roads[SMS].pace.slow_down(hub.clock.monotonic(), 1e6)
    await hub.until(lambda: _planned(hub, 10), upkeep=False)
    hub.clock.leap(3601)
    hub.engine.roads[SMS].pace._not_before = 0.0
    await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 10, upkeep=False)
