# SPDX-License-Identifier: EUPL-1.2
"""Reserve and settle: fenced by lease, round and state, counted by the rows that really changed."""

import pytest
from sqlalchemy import event, insert, select, update

from channels.base import Reason
from hub.delivery import DeliveryState
from hub.ledger import deliveries, leases
from hub.ledger.deliveries import SETTLE
from hub.ledger.late import LATE
from hub.ledger.tables import announcement, delivery, run
from subscribers import tables as people
from subscribers.tables import from_ms

S = DeliveryState


# --------------------------------------------------------------------------- reserve


def test_a_window_holds_the_oldest_due_rows_in_order(book):
    of = book.announce()
    book.add(of, 1, due=book.now + 1)
    book.add(of, 2, due=book.now)
    book.add(of, 2, due=book.now - 5)
    assert [row.delivery for row in book.reserve(of, 3)] == [4, 5, 2]
    assert [row.delivery for row in book.reserve(of, 9)] == [3]
    book.later(milliseconds=1)
    assert [row.delivery for row in book.reserve(of, 9)] == [1]
    book.assert_counted()


def test_reserving_raises_the_round_and_remembers_the_first_time(book):
    of = book.announce(rows=1)
    (row,) = book.reserve(of)
    first = book.now
    assert (row.round, row.lease, book.row(1).since) == (1, book.lease, first)
    book.settle(book.done(row, S.READY))
    book.later(minutes=1)
    (row,) = book.reserve(of)
    assert (row.round, book.row(1).since) == (2, first)


def test_no_row_is_reserved_twice(book):
    of = book.announce(rows=3)
    assert len(book.reserve(of, 2)) == 2
    assert len(book.reserve(of, 2)) == 1
    assert book.reserve(of, 2) == []


@pytest.mark.parametrize(
    ("change", "still"),
    [
        (update(run).values(paused=True), 0),
        (update(announcement).values(cancelled_at=from_ms(1)), 0),
        (update(announcement).values(expires=from_ms(1795428000000)), 0),  # this very moment
        (update(announcement).values(expires=from_ms(1795428000001)), 3),
        (update(leases.lease).values(dead=True), 0),
        (update(leases.lease).values(id=77), 0),
    ],
)
def test_the_statement_itself_refuses_what_may_not_leave(book, change, still):
    assert book.now == 1795428000000
    of = book.announce(rows=3)
    book.conn.execute(change)
    assert len(book.reserve(of)) == still
    book.assert_counted()


def test_only_rows_of_the_run_that_was_asked_for_come(book):
    first, second = book.announce(rows=1), book.announce(rows=2)
    assert {row.run for row in book.reserve(second)} == {second}
    assert [row.state for row in book.rows(delivery.c.run == first)] == ["ready"]


# --------------------------------------------------------------------------- settle


def test_settling_ends_the_reservation(book):
    of = book.announce(rows=2)
    one, two = book.reserve(of)
    assert book.settle(
        book.done(one, S.ACCEPTED, provider="sms", ref="SM1"),
        book.done(two, S.READY, reason="network", due=book.now + 5, tries=1, code="x"),
    ) == [True, True]
    first, second = book.rows()
    assert (first.state, first.lease, first.provider, first.ref) == (
        "accepted",
        None,
        "sms",
        "SM1",
    )
    assert (second.state, second.due, second.tries, second.reason) == (
        "ready",
        book.now + 5,
        1,
        "network",
    )
    assert [(each.delivery, each.code, each.detail) for each in book.attempts()] == [
        (2, "x", "network")
    ]
    book.assert_counted()


@pytest.mark.parametrize("state", [S.READY, S.FAILED, S.DOUBT, S.SKIPPED])
def test_a_settle_from_another_lease_or_round_changes_nothing(book, state):
    of = book.announce(rows=1)
    (row,) = book.reserve(of)
    other = leases.take(book.conn, "other", from_ms(book.now))
    for wrong in ({"lease": other}, {"round": 2}, {"round": 0}):
        stale = type(row)(**{name: getattr(row, name) for name in row.__slots__} | wrong)
        assert book.settle(book.done(stale, state)) == [False]
    assert book.row(1).state == "reserved"
    assert book.attempts() == []
    book.assert_counted()


@pytest.mark.parametrize(
    "done",
    [
        {"state": S.ACCEPTED, "ref": "r"},
        {"state": S.DELIVERED},
        {"state": S.FAILED, "reason": "unreachable"},
        {"state": S.DOUBT, "maybe": True, "crashes": 1},
        {"state": S.READY, "tries": 1},
    ],
)
def test_a_settle_repeated_because_its_reply_was_lost_changes_nothing(book, done):
    of = book.announce(rows=1)
    (row,) = book.reserve(of)
    once = book.done(row, **done)
    assert book.settle(once) == [True]
    before, attempts = book.rows(), book.attempts()
    book.later(seconds=1)
    assert book.settle(once) == [False]
    assert (book.rows(), book.attempts()) == (before, attempts)
    book.assert_counted()


def test_two_rounds_of_one_row_in_one_group_are_told_apart(book):
    of = book.announce(rows=1)
    (first,) = book.reserve(of)
    book.settle(book.done(first, S.DOUBT, maybe=True, crashes=1))
    deliveries.move(book.conn, book.rows(), S.READY, at=book.now, due=book.now)
    (second,) = book.reserve(of)
    assert book.settle(
        book.done(first, S.ACCEPTED, ref="one"), book.done(second, S.ACCEPTED, ref="two")
    ) == [False, True]
    assert (book.row(1).state, book.row(1).ref) == ("accepted", "two")
    assert [(each.round, each.code, each.ref) for each in book.attempts()][1:] == [(1, LATE, "one")]
    book.assert_counted()


def test_in_doubt_once_is_remembered_for_good(book):
    of = book.announce(rows=1)
    (row,) = book.reserve(of)
    book.settle(book.done(row, S.DOUBT, maybe=True, crashes=1))
    deliveries.move(book.conn, book.rows(), S.READY, at=book.now, due=book.now)
    (row,) = book.reserve(of)
    assert (row.maybe, row.crashes) == (True, 1)
    book.settle(book.done(row, S.ACCEPTED))
    assert (book.row(1).maybe, book.row(1).crashes) == (1, 0)


def test_a_dead_contact_is_suspended_only_where_the_settle_holds(book):
    town = {"id": 1, "key": "v", "name": "V", "timezone": "Europe/Paris", "language": "fr"}
    book.conn.execute(insert(people.authority).values(town))
    person = {"id": 1, "authority": 1, "language": "fr", "timezone": "Europe/Paris"}
    book.conn.execute(
        insert(people.subscriber).values(channel_order=[], created=from_ms(book.now), **person)
    )
    point = {"id": 1, "subscriber": 1, "channel": "sms", "address": "+33639980001"}
    book.conn.execute(insert(people.contact_point).values(created=from_ms(book.now), **point))
    (row,) = book.reserve(book.announce(rows=1))
    dead = book.done(row, S.FAILED, reason="no_such_address", dead=Reason.NO_SUCH_ADDRESS)
    stale = type(row)(**{name: getattr(row, name) for name in row.__slots__} | {"round": 9})
    suspended = select(people.contact_point.c.suspended_reason)
    book.settle(book.done(stale, S.FAILED, dead=Reason.NO_SUCH_ADDRESS))
    assert book.conn.execute(suspended).scalar_one() is None
    book.settle(dead)
    assert book.conn.execute(suspended).scalar_one() == "no_such_address"


# --------------------------------------------------------------------------- late effects


def late(book, state=None, *, reserved=False):
    """A row whose holder lost it, now in `state`; and the holder's reservation."""
    (row,) = book.reserve(book.announce(rows=1))
    moved = {S.DOUBT: {"reason": "crashed"}}.get(state, {})
    deliveries.move(book.conn, book.rows(), state or S.READY, at=book.now, due=book.now, **moved)
    if reserved:
        book.reserve(row.run)
    return row


@pytest.mark.parametrize(
    "state", [S.READY, S.DOUBT, S.PARKED, S.FAILED, S.SKIPPED, S.EXPIRED, S.CANCELLED, S.DIGEST]
)
@pytest.mark.parametrize("end", [S.ACCEPTED, S.DELIVERED])
def test_a_late_effect_makes_the_row_final(book, state, end):
    row = late(book, state)
    assert book.settle(book.done(row, end, provider="sms", ref="SM9")) == [False]
    now = book.row(1)
    assert (now.state, now.reason, now.ref, now.provider) == (end, "", "SM9", "sms")
    assert [(each.round, each.code, each.ref) for each in book.attempts()] == [(1, LATE, "SM9")]
    book.assert_counted()


def test_a_late_effect_of_a_row_reserved_again_is_left_to_its_holder(book):
    row = late(book, reserved=True)
    book.settle(book.done(row, S.ACCEPTED, ref="SM9"))
    assert book.row(1).state == "reserved"
    assert [each.code for each in book.attempts()] == [LATE]
    book.assert_counted()


@pytest.mark.parametrize("state", [S.ACCEPTED, S.DELIVERED])
def test_a_second_copy_of_what_ended_well_is_written_down_and_changes_nothing(book, state):
    row = late(book, state)
    before = book.rows()
    for _ in range(2):  # and repeating it writes no second line
        book.settle(book.done(row, S.ACCEPTED, ref="the other copy"))
    assert book.rows() == before
    assert [(each.code, each.ref) for each in book.attempts()] == [(LATE, "the other copy")]


@pytest.mark.parametrize("end", [S.FAILED, S.READY, S.DOUBT, S.SKIPPED])
def test_a_late_failure_says_nothing_of_another_round(book, end):
    row = late(book, S.DOUBT)
    before = book.rows()
    book.settle(book.done(row, end, reason="network", code="x"))
    assert (book.rows(), book.attempts()) == (before, [])


def test_a_late_effect_without_a_reference_keeps_the_one_that_is_known(book):
    (row,) = book.reserve(book.announce(rows=1))
    known = {"provider": "sms", "ref": "SM1"}
    deliveries.move(book.conn, book.rows(), S.DOUBT, at=book.now, **known)
    book.settle(book.done(row, S.ACCEPTED))
    assert (book.row(1).state, book.row(1).ref) == ("accepted", "SM1")


# --------------------------------------------------------------------------- leases


def test_recovery_puts_the_rows_of_the_dead_in_doubt_and_no_others(book):
    of = book.announce(rows=3)
    one, two = book.reserve(of, 2)
    book.settle(book.done(one, S.ACCEPTED))
    leases.bury(book.conn)
    new = leases.take(book.conn, "next", from_ms(book.now))
    book.reserve(of, 1, lease=new)
    book.later(seconds=3)
    assert leases.recover(book.conn, from_ms(book.now), lambda run: 30_000) == 1
    doubtful = book.row(two.delivery)
    assert (doubtful.state, doubtful.lease, doubtful.reason) == ("doubt", None, "crashed")
    assert (doubtful.due, doubtful.crashes, doubtful.maybe) == (book.now + 30_000, 1, 1)
    assert book.states() == {"accepted": 1, "doubt": 1, "reserved": 1}
    assert leases.recover(book.conn, from_ms(book.now), lambda run: 0) == 0
    book.assert_counted()


def test_a_buried_lease_reserves_nothing(book):
    of = book.announce(rows=1)
    leases.bury(book.conn)
    assert book.reserve(of) == []


def test_a_stray_is_doubted_only_where_it_still_stands_as_it_was_found(book):
    of = book.announce(rows=3)
    one, two, three = book.reserve(of)
    found = leases.strays(book.conn, book.lease, held={three.delivery})
    assert found == {(one.delivery, 1), (two.delivery, 1)}
    book.settle(book.done(one, S.READY))
    book.reserve(of)  # the first again: another round
    now = from_ms(book.now)
    assert leases.doubt_strays(book.conn, book.lease, found, now, lambda run: 0) == 1
    assert [row.state for row in book.rows()] == ["reserved", "doubt", "reserved"]
    book.assert_counted()


# --------------------------------------------------------------------------- moves and reading


def test_moving_nothing_is_nothing(book):
    deliveries.move(book.conn, [], S.CANCELLED, at=book.now)
    assert book.rows() == []


def test_the_next_due_row_of_a_run_is_known(book):
    of = book.announce()
    assert deliveries.next_due(book.conn, of) is None
    book.add(of, 1, due=book.now + 9)
    book.add(of, 1, due=book.now + 4)
    assert deliveries.next_due(book.conn, of) == book.now + 4


def test_a_page_of_deliveries_is_read_by_number_and_state(book):
    of, other = book.announce(rows=4), book.announce(rows=1)
    (row, *_) = book.reserve(of, 1)
    book.settle(book.done(row, S.FAILED))
    read = lambda *more: [each["id"] for each in deliveries.page(book.conn, [of], *more)]  # noqa: E731
    assert read(0, 10) == [1, 2, 3, 4]
    assert read(2, 1) == [3]
    assert read(0, 10, ["failed"]) == [1]
    assert [each["id"] for each in deliveries.page(book.conn, [of, other], 4, 9)] == [5]


def test_settling_a_window_is_one_statement_whatever_its_size(book):
    """Beside a busy event loop a statement a row is forty times slower."""
    of = book.announce(rows=50)
    rows = book.reserve(of)
    statements = []
    event.listen(book.conn, "before_cursor_execute", lambda *said: statements.append(said[2]))
    SETTLE.apply(book.conn, [book.done(row, S.ACCEPTED, ref=str(row.delivery)) for row in rows])
    assert len(statements) == 6  # the rows in a savepoint, their counts, digests, receipts
