# SPDX-License-Identifier: EUPL-1.2
"""The provider's later word: any order, twice, early, late, of an old round; counts follow."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert, select, update

from channels.base import ChannelName, Reason
from hub.delivery import DeliveryState
from hub.ledger import deliveries, late, leases, tables
from hub.ledger.receipts import DELIVERED, FAILED, RECEIPT, SENT, Arrival
from hub.ledger.refuted import reported_failed
from subscribers import tables as people
from subscribers.tables import from_ms

S = DeliveryState


@pytest.fixture
def desk(book):
    """The book, and what receipts need said shortly."""
    return Receiving(book)


class Receiving:
    def __init__(self, book):
        self.book = book

    def sent(self, state=S.ACCEPTED, *, channel=ChannelName.SMS, ref="SM1", **more):
        """One delivery that was reserved and settled so; its reservation."""
        of = self.book.announce(rows=1, channel=channel)
        (row,) = self.book.reserve(of)
        if state is not S.RESERVED:
            known = {"ref": ref, "provider": "sms"} if state in {S.ACCEPTED, S.DELIVERED} else {}
            self.book.settle(self.book.done(row, state, **known, **more))
        return row

    def comes(
        self, rank, *, row=1, round_=1, code="", ref="SM1", reason=Reason.UNKNOWN, dead=False
    ):
        arrival = Arrival(row, round_, rank, code, reason, ref, self.book.now, dead)
        (stored,) = RECEIPT.apply(self.book.conn, [arrival])
        self.book.assert_counted()
        return stored

    def state(self, row=1):
        return self.book.row(row).state

    def unfolded(self):
        table = tables.receipt
        return len(self.book.conn.execute(select(table).where(~table.c.folded)).all())

    def contact(self, number=1, *, verified=0, channel="sms"):
        """A person's contact point, both of that number, proved at that moment."""
        town = {"id": number, "key": f"a{number}", "name": "", "timezone": "UTC", "language": "fr"}
        self.book.conn.execute(insert(people.authority).values(town))
        own = {"id": number, "authority": number, "language": "fr", "timezone": "UTC"}
        own |= {"channel_order": [], "created": from_ms(0)}
        self.book.conn.execute(insert(people.subscriber).values(own))
        row = {"id": number, "subscriber": number, "channel": channel, "address": str(number)}
        moments = {"verified_at": from_ms(verified), "created": from_ms(0)}
        self.book.conn.execute(insert(people.contact_point).values(row | moments))

    def suspended(self, number=1):
        table = people.contact_point
        asked = select(table.c.suspended_reason).where(table.c.id == number)
        return self.book.conn.execute(asked).scalar_one()


# --------------------------------------------------------------------------- by rank, in any order


@pytest.mark.parametrize("order", list(permutations([SENT, FAILED, DELIVERED])))
def test_delivered_is_final_in_whatever_order_they_come(desk, order):
    desk.sent()
    for rank in order:
        desk.comes(rank, reason=Reason.UNREACHABLE if rank == FAILED else Reason.UNKNOWN)
    assert (desk.state(), desk.book.row(1).reason) == ("delivered", "")


@pytest.mark.parametrize("order", [(SENT, FAILED), (FAILED, SENT)])
def test_a_failure_outranks_sent(desk, order):
    desk.sent()
    for rank in order:
        desk.comes(rank, reason=Reason.UNREACHABLE)
    assert (desk.state(), desk.book.row(1).reason) == ("failed", "unreachable")


def test_the_same_receipt_twice_is_kept_once_and_changes_nothing(desk):
    desk.sent()
    for _ in range(3):
        desk.comes(DELIVERED)
        assert desk.state() == "delivered"
    assert len(desk.book.conn.execute(select(tables.receipt)).all()) == 1


def test_a_receipt_of_a_delivery_nobody_knows_is_dropped(desk):
    assert not desk.comes(DELIVERED, row=77).known
    assert desk.book.conn.execute(select(tables.receipt)).all() == []


def test_a_stored_receipt_says_whose_it_is(desk):
    desk.sent()
    assert desk.comes(SENT).subscriber == 1


@pytest.mark.parametrize(
    "state", [S.FAILED, S.CANCELLED, S.EXPIRED, S.SKIPPED, S.PARKED, S.DOUBT, S.READY, S.DIGEST]
)
def test_delivered_lifts_every_other_end(desk, state):
    desk.sent(state, reason="crashed")
    desk.comes(DELIVERED)
    assert (desk.state(), desk.book.row(1).ref) == ("delivered", "SM1")


@pytest.mark.parametrize(
    ("state", "becomes"),
    [(S.DOUBT, "accepted"), (S.READY, "accepted"), (S.PARKED, "accepted"), (S.DIGEST, "accepted")]
    + [(each, str(each)) for each in (S.ACCEPTED, S.FAILED, S.CANCELLED, S.EXPIRED, S.SKIPPED)],
)
def test_sent_proves_that_a_copy_left_and_ends_nothing_else(desk, state, becomes):
    desk.sent(state)
    desk.comes(SENT)
    assert desk.state() == becomes


@pytest.mark.parametrize(
    ("state", "becomes"),
    [(S.ACCEPTED, "failed"), (S.DOUBT, "failed"), (S.PARKED, "failed")]
    + [(each, str(each)) for each in (S.READY, S.DIGEST, S.DELIVERED, S.SKIPPED, S.EXPIRED)],
)
def test_a_failure_ends_only_what_was_under_way(desk, state, becomes):
    desk.sent(state)
    desk.comes(FAILED, reason=Reason.UNREACHABLE)
    assert desk.state() == becomes


# --------------------------------------------------------------------------- before the settle


@pytest.mark.parametrize(
    ("rank", "becomes"), [(SENT, "accepted"), (FAILED, "failed"), (DELIVERED, "delivered")]
)
def test_a_receipt_that_comes_before_the_settle_waits_for_it(desk, rank, becomes):
    row = desk.sent(S.RESERVED)
    desk.comes(rank, reason=Reason.UNREACHABLE)
    assert (desk.state(), desk.unfolded()) == ("reserved", 1)
    desk.book.settle(desk.book.done(row, S.ACCEPTED, ref="SM1", provider="sms"))
    assert (desk.state(), desk.unfolded()) == (becomes, 0)
    desk.book.assert_counted()


@pytest.mark.parametrize(
    ("rank", "becomes"), [(SENT, "accepted"), (FAILED, "failed"), (DELIVERED, "delivered")]
)
def test_recovery_finds_the_receipt_that_the_crash_left(desk, rank, becomes):
    desk.sent(S.RESERVED)
    desk.comes(rank, reason=Reason.UNREACHABLE)
    leases.bury(desk.book.conn)
    leases.recover(desk.book.conn, from_ms(desk.book.now), lambda run: 0)
    assert (desk.state(), desk.unfolded()) == (becomes, 0)
    desk.book.assert_counted()


def test_an_acceptance_that_arrives_late_does_not_override_its_copys_failure(desk):
    row = desk.sent(S.DOUBT)
    desk.comes(FAILED, reason=Reason.NOT_MOBILE)
    desk.book.settle(desk.book.done(row, S.ACCEPTED, ref="SM1", provider="sms"))
    assert desk.state() == "failed"


def test_a_settle_looks_for_receipts_in_one_statement(desk):
    row = desk.sent(S.RESERVED)
    said = []
    event.listen(desk.book.conn, "before_cursor_execute", lambda *told: said.append(told[2]))
    desk.book.settle(desk.book.done(row, S.ACCEPTED))
    assert [each for each in said if "receipt" in each] == [
        "SELECT 1 FROM receipt WHERE folded = 0 LIMIT 1"
    ]


# any order, in any portions: what the receipts of one copy come to is the same

WORD = st.tuples(
    st.sampled_from([SENT, FAILED, DELIVERED]), st.sampled_from(["", "30003", "30005"])
)


@settings(deadline=None, max_examples=60)
@given(
    words=st.lists(WORD, min_size=1, max_size=5, unique=True),
    order=st.randoms(use_true_random=False),
    state=st.sampled_from([S.ACCEPTED, S.DOUBT, S.PARKED, S.CANCELLED]),
)
def test_order_and_portions_change_nothing(fresh_book, words, order, state):
    def ends(portions):
        with fresh_book() as book:
            desk = Receiving(book)
            desk.sent(state)
            for portion in portions:
                came = [
                    Arrival(1, 1, rank, code, "unreachable", "SM1", book.now)
                    for rank, code in portion
                ]
                RECEIPT.apply(book.conn, came)
            book.assert_counted()
            return desk.state()

    shuffled = list(words)
    order.shuffle(shuffled)
    cut = order.randint(0, len(words))
    at_once = ends([words])
    assert ends([[word] for word in shuffled]) == at_once
    assert ends([part for part in (shuffled[:cut], shuffled[cut:]) if part]) == at_once


# --------------------------------------------------------------------------- rounds


def redriven(desk):
    """A delivery whose first copy was reported failed and that a human sends again."""
    desk.sent()
    desk.comes(FAILED, reason=Reason.UNREACHABLE)
    again = {"round": tables.delivery.c.round + 1, "ref": None, "due": desk.book.now}
    deliveries.move(desk.book.conn, desk.book.rows(), S.READY, at=desk.book.now, **again)


def test_a_failure_of_an_old_round_says_nothing_of_the_new_copy(desk):
    redriven(desk)
    (row,) = desk.book.reserve(1)
    desk.book.settle(desk.book.done(row, S.ACCEPTED, ref="SM2", provider="sms"))
    desk.comes(FAILED, code="30008", reason=Reason.UNKNOWN)
    assert desk.state() == "accepted"
    desk.comes(FAILED, round_=row.round, ref="SM2", reason=Reason.UNREACHABLE)
    assert desk.state() == "failed"


def test_a_failure_counts_where_its_reference_is_the_rows(desk):
    desk.sent(ref="SM1")
    desk.book.conn.execute(update(tables.delivery).values(round=3))
    desk.comes(FAILED, round_=1, ref="SM1", reason=Reason.UNREACHABLE)
    assert desk.state() == "failed"


def test_sent_of_a_copy_that_failed_keeps_nobody_from_the_redrive(desk):
    redriven(desk)
    desk.comes(SENT)
    assert desk.state() == "ready"


def test_delivered_of_an_old_round_ends_the_redriven_row(desk):
    redriven(desk)
    desk.comes(DELIVERED)
    assert desk.state() == "delivered"


def test_whether_a_copy_was_reported_failed_can_be_asked(desk):
    desk.sent()
    assert not reported_failed(desk.book.conn, 1, 1, "SM1")
    desk.comes(FAILED, reason=Reason.UNREACHABLE)
    assert reported_failed(desk.book.conn, 1, 1, None)
    assert reported_failed(desk.book.conn, 1, 5, "SM1")
    assert not reported_failed(desk.book.conn, 1, 5, "SM2")
    desk.comes(DELIVERED)
    assert not reported_failed(desk.book.conn, 1, 1, "SM1")


def test_a_proved_reference_stands_on_its_row_but_is_never_taken_twice(desk):
    desk.sent(ref="SM1")
    desk.sent(S.DOUBT)
    desk.comes(SENT, row=2, ref="SM1")  # both were answered with it: it names neither
    assert (desk.state(1), desk.book.row(1).ref) == ("accepted", "SM1")
    assert (desk.state(2), desk.book.row(2).ref) == ("accepted", None)


@pytest.mark.parametrize("mine", [S.DOUBT, S.CANCELLED])
def test_a_receipt_takes_its_reference_back_from_a_look_ups_mistake(desk, mine):
    desk.sent(S.DOUBT)
    (wrong,) = deliveries.rows_where(desk.book.conn, tables.delivery.c.id == 1, limit=1)
    assert late.claim(desk.book.conn, wrong, [late.Listed("sms", "SM7")], desk.book.now)
    desk.sent(mine)
    desk.comes(SENT, row=2, ref="SM7")
    assert (desk.state(1), desk.book.row(1).ref) == ("doubt", None)
    assert desk.state(2) == ("accepted" if mine is S.DOUBT else "cancelled")


# --------------------------------------------------------------------------- the address

DEAD = {"reason": Reason.NO_SUCH_ADDRESS, "code": "30005", "dead": True}


def test_a_dead_number_is_suspended_with_its_reason(desk):
    desk.contact()
    desk.sent()
    desk.comes(FAILED, **DEAD)
    assert (desk.state(), desk.suspended()) == ("failed", "no_such_address")


def test_a_reputation_problem_suspends_nobody(desk):
    desk.contact()
    desk.sent()
    desk.comes(FAILED, reason=Reason.REPUTATION, code="30007")
    assert (desk.book.row(1).reason, desk.suspended()) == ("reputation", None)


def test_a_success_lifts_what_a_failure_suspended(desk):
    desk.contact()
    desk.sent()
    desk.comes(FAILED, **DEAD)
    desk.comes(DELIVERED)
    assert (desk.state(), desk.suspended()) == ("delivered", None)


@pytest.mark.parametrize("reason", [Reason.COMPLAINT, Reason.OPTED_OUT])
def test_a_success_lifts_neither_a_complaint_nor_the_citizens_own_word(desk, reason):
    desk.contact()
    desk.sent()
    held = update(people.contact_point).values(suspended_at=from_ms(1), suspended_reason=reason)
    desk.book.conn.execute(held)
    desk.comes(FAILED, **DEAD)
    desk.comes(DELIVERED)
    assert desk.suspended() == reason


def test_a_complaint_proves_the_arrival_and_ends_the_use_of_the_address(desk):
    desk.contact()
    desk.sent()
    desk.comes(DELIVERED, code="complaint", reason=Reason.COMPLAINT, dead=True)
    assert (desk.state(), desk.suspended()) == ("delivered", "complaint")


def test_a_failure_after_the_delivery_suspends_nobody(desk):
    desk.contact()
    desk.sent()
    desk.comes(DELIVERED)
    desk.comes(FAILED, **DEAD)
    assert (desk.state(), desk.suspended()) == ("delivered", None)


def test_a_failure_of_an_old_round_suspends_nobody(desk):
    desk.contact()
    redriven(desk)
    desk.comes(FAILED, **DEAD)
    assert desk.suspended() is None


def test_an_address_proved_again_since_the_copy_left_is_not_punished(desk):
    desk.contact(verified=desk.book.now + 1)
    desk.sent()
    desk.comes(FAILED, **DEAD)
    assert (desk.state(), desk.suspended()) == ("failed", None)


def test_an_address_that_replaced_the_old_one_is_not_punished_for_it(desk):
    desk.contact(number=9)  # the new one: an address has a number of its own
    desk.sent()
    desk.comes(FAILED, **DEAD)
    assert desk.suspended(9) is None


def test_a_thousand_receipts_are_a_handful_of_statements(desk):
    of = desk.book.announce(rows=1000)
    rows = desk.book.reserve(of, 1000)
    desk.book.settle(*[desk.book.done(row, S.ACCEPTED) for row in rows])
    said = []
    event.listen(desk.book.conn, "before_cursor_execute", lambda *told: said.append(told[2]))
    now = desk.book.now
    came = [Arrival(row.delivery, 1, DELIVERED, "", "", f"SM{row.delivery}", now) for row in rows]
    RECEIPT.apply(desk.book.conn, came)
    assert len(said) <= 12
    assert desk.book.states() == {"delivered": 1000}
    desk.book.assert_counted()


def test_a_copy_taken_back_and_a_receipt_of_its_own_in_one_go_are_counted_once(desk):
    wrong, owner = desk.sent(S.DOUBT, ref=None), desk.sent(S.DOUBT, ref=None)
    conn, now = desk.book.conn, desk.book.now
    (row,) = deliveries.rows_where(conn, tables.delivery.c.id == wrong.delivery, limit=1)
    assert late.claim(conn, row, [late.Listed("sms", "SM2")], now)

    told = [
        Arrival(wrong.delivery, 1, DELIVERED, "", Reason.UNKNOWN, "SM1", now),
        Arrival(owner.delivery, 1, DELIVERED, "", Reason.UNKNOWN, "SM2", now),
    ]
    RECEIPT.apply(conn, told)

    assert (desk.state(wrong.delivery), desk.state(owner.delivery)) == (S.DELIVERED, S.DELIVERED)
    assert desk.book.row(wrong.delivery).ref == "SM1"
    desk.book.assert_counted()
