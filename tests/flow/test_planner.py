# SPDX-License-Identifier: EUPL-1.2
"""Run -> deliveries: page by page, once each, whoever plans and whatever comes between."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from channels.base import ChannelName
from hub.delivery import DeliveryState
from hub.flow.planning.plan import FIRST_PAGE, plan_page
from hub.ledger import deliveries, runs
from hub.ledger.runs import RunState
from hub.ledger.tables import announcement, delivery
from subscribers import tables as people
from subscribers.tables import to_ms
from templates.content import Content, Kind

_FRESH_EACH_TIME = HealthCheck.function_scoped_fixture  # the fixture makes a town when called
SMS, EMAIL, PUSH, X = ChannelName.SMS, ChannelName.EMAIL, ChannelName.WEBPUSH, ChannelName.X
S = DeliveryState


def told(rows):
    return [row.subscriber for row in rows]


def assert_counted(book):
    assert book.counted() == Counter((r.run, r.state, r.reason) for r in book.rows())


def test_a_page_is_at_most_so_many_people_in_their_order(book, pages_of):
    pages_of(10)
    book.people(book.conn, range(1, 36), SMS)
    _, (run,) = book.publish(SMS)
    assert book.plan(run) == [10, 10, 10, 5, 0]
    assert told(book.of(run)) == list(range(1, 36))
    planned = runs.by_id(book.conn, run.id)
    assert (planned.state, planned.planned, planned.cursor) == ("open", 35, 35)
    assert_counted(book)


def test_the_first_page_is_short_so_that_sending_begins_at_once(book):
    book.people(book.conn, range(1, 301), SMS)
    _, (run,) = book.publish(SMS)
    assert book.plan(run) == [FIRST_PAGE, 300 - FIRST_PAGE, 0]


def test_a_page_of_people_none_of_whom_can_be_reached_ends_no_plan(book, pages_of):
    pages_of(10)
    book.people(book.conn, range(1, 36), SMS)
    some = people.contact_point.c.subscriber.between(11, 20)
    book.conn.execute(update(people.contact_point).where(some).values(verified_at=None))
    _, (run,) = book.publish(SMS)
    assert book.plan(run) == [10, 0, 10, 5, 0]


def test_who_subscribes_after_the_announcement_is_not_in_it(book):
    book.people(book.conn, [1, 2], SMS)
    _, (run,) = book.publish(SMS)
    book.people(book.conn, [3], SMS)
    book.plan(run)
    assert told(book.of(run)) == [1, 2]


@settings(max_examples=15, deadline=None, suppress_health_check=[_FRESH_EACH_TIME])
@given(turns=st.lists(st.sampled_from(["a", "b", "see a", "see b"]), max_size=40))
def test_two_planners_never_plan_anybody_twice(make_book, turns):
    """Each keeps what it saw, for as long as it likes, while the other goes on."""
    book = make_book()
    book.people(book.conn, range(1, 30), SMS)
    _, (run,) = book.publish(SMS)
    seen = {"a": run, "b": run}
    planners = {"a": 1, "b": 2}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hub.flow.planning.plan.PAGE", 5)
        patch.setattr("hub.flow.planning.plan.FIRST_PAGE", 5)
        for turn in turns:
            who = turn[-1]
            if turn.startswith("see"):
                seen[who] = runs.by_id(book.conn, run.id)
            elif seen[who].state is RunState.PLANNING:
                plan_page(book.conn, seen[who], planners[who], book.now)
        assert_counted(book)
        book.plan(run)
    assert told(book.of(run)) == list(range(1, 30))
    assert runs.by_id(book.conn, run.id).planned == 29
    assert_counted(book)


def test_the_plan_of_what_is_over_stops(book):
    book.people(book.conn, [1], SMS)
    published, (run,) = book.publish(SMS)
    cancelled = announcement.c.id == published.id
    book.conn.execute(update(announcement).where(cancelled).values(cancelled_at=book.now))
    assert book.plan(run) == [0]
    assert book.rows() == []


def test_one_number_is_told_once_a_run_and_the_others_end_saying_so(book):
    book.people(book.conn, [1, 2, 3], SMS)
    shared = people.contact_point.c.subscriber.in_([1, 3])
    book.conn.execute(update(people.contact_point).where(shared).values(address="+33639980009"))
    _, (run,) = book.publish(SMS)
    book.plan(run)
    assert [(row.subscriber, row.state, row.reason) for row in book.of(run)] == [
        (1, "ready", ""),
        (2, "ready", ""),
        (3, "skipped", "same_address"),
    ]
    assert_counted(book)


def test_push_reaches_every_device_and_sms_one_number(book):
    book.people(book.conn, [1], SMS, PUSH)
    for channel, address in ((PUSH, "https://push.example.org/2"), (SMS, "+33639980002")):
        point = {"subscriber": 1, "channel": channel, "address": address, "position": 1}
        book.conn.execute(
            insert(people.contact_point).values(created=book.now, verified_at=book.now, **point)
        )
    _, (sms, push) = book.publish(SMS, PUSH)
    book.plan(sms)
    book.plan(push)
    assert (len(book.of(sms)), len(book.of(push))) == (1, 2)


@pytest.mark.parametrize(
    ("urgency", "state"),
    [
        ("information", "digest"),
        ("drill", "digest"),
        ("important", "ready"),
        ("urgent", "ready"),
    ],
)
def test_only_what_can_wait_is_born_for_the_digest(book, urgency, state):
    book.people(book.conn, [1], EMAIL, cadence="daily")
    book.people(book.conn, [2], EMAIL)
    _, (run,) = book.publish(EMAIL, urgency=urgency)
    book.plan(run)
    assert [row.state for row in book.of(run)] == [state, "ready"]


def test_each_post_of_a_thread_is_its_own_delivery_in_order(book):
    book.people(book.conn, [1], X)
    long = Content("fr", "Coupure d'eau", "Un mot de plus. " * 40)
    _, (run,) = book.publish(X, contents={"fr": long}, thread=True)
    assert run.parts >= 2
    book.plan(run)
    assert [row.part for row in book.of(run)] == list(range(run.parts))


# --------------------------------------------------------------------------- what follows


def follow(book, first, key, *channels, kind=Kind.CORRECTION, **changes):
    return book.publish(
        *channels, key=key, kind=kind, first=first.id, first_code=first.code, **changes
    )


@pytest.mark.parametrize("kind", [Kind.UPDATE, Kind.CORRECTION, Kind.ALL_CLEAR])
def test_a_follow_up_goes_to_those_who_got_or_will_get_the_first_and_nobody_else(book, kind):
    states = [S.READY, S.ACCEPTED, S.DELIVERED, S.DOUBT, S.PARKED, S.RESERVED]
    states += [S.SKIPPED, S.FAILED, S.EXPIRED, S.CANCELLED]
    book.people(book.conn, range(1, 11), SMS)
    first, (run,) = book.publish(SMS)
    book.plan(run)
    for row, state in zip(book.of(run), states, strict=True):
        deliveries.move(book.conn, [row], state, at=to_ms(book.now))
    book.people(book.conn, [11], SMS)  # subscribed since
    _, (later,) = follow(book, first, "2", SMS, kind=kind)
    book.plan(later)
    assert told(book.of(later)) == [1, 2, 3, 4, 5, 6]
    assert_counted(book)


def test_a_follow_up_reaches_people_who_unsubscribed_since_only_as_far_as_the_gate(book):
    book.people(book.conn, [1], SMS)
    first, (run,) = book.publish(SMS)
    book.plan(run)
    book.conn.execute(people.subscription.delete())
    _, (later,) = follow(book, first, "2", SMS)
    book.plan(later)
    assert [row.state for row in book.of(later)] == ["ready"]  # the gate asks them again


def test_who_waits_for_a_digest_gets_the_follow_up_in_it_too(book):
    book.people(book.conn, [1], EMAIL, cadence="daily")
    first, (run,) = book.publish(EMAIL)
    book.plan(run)
    for key, urgency, state in (("2", "information", "digest"), ("3", "urgent", "ready")):
        _, (later,) = follow(book, first, key, EMAIL, urgency=urgency)
        book.plan(later)
        assert [row.state for row in book.of(later)] == [state]


def test_a_follow_up_of_a_follow_up_reaches_each_person_once(book, pages_of):
    pages_of(4)
    book.people(book.conn, range(1, 11), SMS)
    first, (run,) = book.publish(SMS)
    book.plan(run)
    _, (second,) = follow(book, first, "2", SMS)
    book.plan(second)
    _, (third,) = follow(book, first, "3", SMS, kind=Kind.ALL_CLEAR)
    book.plan(third)
    assert told(book.of(third)) == list(range(1, 11))


def test_a_correction_overtaking_the_first_misses_nobody_who_will_still_get_it(book, pages_of):
    pages_of(10)
    book.people(book.conn, range(1, 51), SMS)
    first, (run,) = book.publish(SMS)
    assert plan_page(book.conn, run, 1, book.now) == 10  # four more pages to come
    _, (later,) = follow(book, first, "2", SMS, urgency="urgent")
    book.plan(later)
    assert told(book.of(later)) == list(range(1, 51))
    assert told(book.of(run)) == list(range(1, 51))
    assert_counted(book)


def test_a_follow_up_on_a_channel_the_first_did_not_use_reaches_nobody(book):
    book.people(book.conn, [1], SMS, EMAIL)
    first, (run,) = book.publish(SMS)
    book.plan(run)
    _, (sms, email) = follow(book, first, "2", SMS, EMAIL)
    book.plan(sms)
    book.plan(email)
    assert (len(book.of(sms)), len(book.of(email))) == (1, 0)


# --------------------------------------------------------------------------- the daemon's own


async def test_the_most_urgent_run_is_looked_for_again_before_every_page(make_hub, pages_of):
    pages_of(10)
    hub = await make_hub(SMS, started=False)
    await hub.people(range(1, 101), SMS)
    await hub.publish()
    alert = await hub.publish(urgency="urgent")
    await hub.start()
    await hub.ends(alert)
    first = [row.run for row in await hub.rows()][:100]
    assert set(first) == {2}


async def test_a_run_that_cannot_be_planned_lets_others_pass(make_hub, monkeypatch, logs):
    hub = await make_hub(SMS, started=False)
    await hub.people([1, 2], SMS)
    broken = await hub.publish(urgency="urgent")

    def plan(conn, seen, *more):
        if seen.announcement == broken.id:
            raise LookupError
        return plan_page(conn, seen, *more)

    monkeypatch.setattr("hub.flow.planning.plan.plan_page", plan)
    await hub.start()
    await hub.ends(await hub.publish())
    assert {line["run"] for line in logs if line["log_level"] == "error"} == {1}
    monkeypatch.undo()
    hub.clock.leap(6)
    await hub.ends(broken)
    assert len(await hub.rows(delivery.c.run == 1)) == 2
