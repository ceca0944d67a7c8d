# SPDX-License-Identifier: EUPL-1.2
"""Evidence that comes late makes a row final once, and a reference stands on one row."""

import pytest

from hub.delivery import DeliveryState
from hub.ledger import deliveries, doubts, late, leases, receipts
from hub.ledger.deliveries import Reservation
from hub.ledger.late import ABSENT, CRASHED, FOUND, LATE, Listed
from hub.ledger.receipts import RECEIPT, Arrival
from subscribers.tables import from_ms

S = DeliveryState


def doubted(book, rows=1):
    """A run whose rows all timed out; their reservations."""
    taken = book.reserve(book.announce(rows=rows))
    book.settle(*(book.done(row, S.DOUBT, maybe=True, crashes=1, code="timeout") for row in taken))
    return taken


def claimed(book, row, ref, provider="sms"):
    """A look-up takes a row in doubt for this reference."""
    standing = doubts.standing(book.conn, row, book.now)
    return late.claim(book.conn, standing, [Listed(provider, ref)], book.now)


def codes(book, number=1):
    return [each.code for each in book.attempts() if each.delivery == number]


def told(book, rank, *, round_=1, ref=None):
    arrival = Arrival(1, round_, rank, "x", "unreachable", ref, book.now)
    RECEIPT.apply(book.conn, [arrival])


# --------------------------------------------------------------------------- whose a reference is


def test_an_answer_takes_its_reference_back_and_harms_no_neighbour(book):
    (wrong,) = doubted(book)
    assert claimed(book, wrong, "SM2")
    taken = book.reserve(book.announce(rows=4))
    book.later(seconds=1)
    done = [book.done(r, S.ACCEPTED, provider="sms", ref=f"SM{r.delivery}") for r in taken]
    assert book.settle(*done) == [True] * 4
    assert [(r.state, r.ref) for r in book.rows()] == [
        ("doubt", None),
        *((S.ACCEPTED, f"SM{number}") for number in (2, 3, 4, 5)),
    ]
    back = book.row(1)
    assert (back.due, back.maybe, back.reason) == (book.now + 30_000, 1, "outcome_unknown")
    book.assert_counted()


def test_a_late_answer_takes_its_reference_back_too(book):
    (wrong,) = doubted(book)
    (zombie,) = doubted(book)
    assert claimed(book, wrong, "SM9")
    assert book.settle(book.done(zombie, S.ACCEPTED, provider="sms", ref="SM9")) == [False]
    assert [(row.state, row.ref) for row in book.rows()] == [("doubt", None), ("accepted", "SM9")]
    book.assert_counted()


def test_a_claimant_that_ended_by_its_own_receipts_only_loses_the_name(book):
    (wrong,) = doubted(book)
    assert claimed(book, wrong, "SM9")
    told(book, receipts.DELIVERED)
    (owner,) = book.reserve(book.announce(rows=1))
    book.settle(book.done(owner, S.ACCEPTED, provider="sms", ref="SM9"))
    assert [(row.state, row.ref) for row in book.rows()] == [
        ("delivered", None),
        ("accepted", "SM9"),
    ]
    book.assert_counted()


def test_of_two_answers_of_one_name_in_one_group_both_count(book):
    taken = book.reserve(book.announce(rows=3))
    done = [book.done(row, S.ACCEPTED, provider="sms", ref="SM1") for row in taken]
    assert book.settle(*done) == [True] * 3
    assert [row.ref for row in book.rows()] == ["SM1", None, None]
    assert book.states() == {"accepted": 3}
    book.assert_counted()


def test_one_name_at_two_providers_is_two(book):
    one, two = book.reserve(book.announce(rows=2))
    book.settle(book.done(one, S.ACCEPTED, provider="sms", ref="17"))
    book.settle(book.done(two, S.ACCEPTED, provider="other", ref="17"))
    assert [row.ref for row in book.rows()] == ["17", "17"]


def test_a_look_up_takes_the_first_message_that_is_free(book):
    (owner,) = book.reserve(book.announce(rows=1))
    book.settle(book.done(owner, S.ACCEPTED, provider="sms", ref="SM1"))
    (row,) = doubted(book)
    standing = doubts.standing(book.conn, row, book.now)
    listed = [Listed("sms", "SM1"), Listed("sms", "SM2"), Listed("sms", "SM3")]
    assert late.claim(book.conn, standing, listed, book.now)
    assert (book.row(2).state, book.row(2).ref, book.row(2).crashes) == ("accepted", "SM2", 0)
    assert codes(book, 2) == ["timeout", FOUND]
    book.assert_counted()


def test_a_look_up_that_finds_only_what_is_known_finds_nothing(book):
    (row,) = doubted(book)
    told(book, receipts.FAILED, round_=0, ref="SM1")
    assert not claimed(book, row, "SM1")
    assert book.states() == {"doubt": 1}
    assert ABSENT not in codes(book)


# --------------------------------------------------------------------------- late and reserved


def reserved_again(book, state=S.ACCEPTED, ref="SM9"):
    """A late effect of round 1 while round 2 is on its way; the reservation of round 2."""
    (first,) = doubted(book)
    deliveries.move(book.conn, book.rows(), S.READY, at=book.now, due=book.now)
    (second,) = book.reserve(first.run)
    assert book.settle(book.done(first, state, provider="sms", ref=ref)) == [False]
    assert book.row(1).state == "reserved"
    return second


@pytest.mark.parametrize("end", [S.READY, S.DOUBT, S.FAILED, S.SKIPPED, S.CANCELLED, S.PARKED])
@pytest.mark.parametrize("state", [S.ACCEPTED, S.DELIVERED])
def test_the_holders_settle_makes_a_late_effect_final(book, end, state):
    second = reserved_again(book, state)
    assert book.settle(book.done(second, end, reason="network")) == [True]
    row = book.row(1)
    assert (row.state, row.ref, row.provider, row.reason) == (state, "SM9", "sms", "")
    book.assert_counted()


def test_recovery_makes_a_late_effect_final(book):
    reserved_again(book)
    leases.bury(book.conn)
    leases.recover(book.conn, from_ms(book.now), lambda run: 0)
    assert (book.row(1).state, book.row(1).ref) == ("accepted", "SM9")
    assert codes(book) == ["timeout", LATE, CRASHED]
    book.assert_counted()


def test_a_holder_that_ends_well_keeps_its_own_reference(book):
    second = reserved_again(book)
    book.settle(book.done(second, S.ACCEPTED, provider="sms", ref="SM10"))
    assert (book.row(1).state, book.row(1).ref) == ("accepted", "SM10")


def test_an_acceptance_never_overrides_that_copys_negative_receipt(book):
    second = reserved_again(book)
    told(book, receipts.FAILED, ref="SM9")
    book.settle(book.done(second, S.READY, reason="network"))
    assert book.row(1).state == "ready"
    book.assert_counted()


def test_a_delivered_copy_beats_an_accepted_one(book):
    (first,) = doubted(book)
    second = Reservation(**{n: getattr(first, n) for n in first.__slots__} | {"round": 2})
    deliveries.move(book.conn, book.rows(), S.READY, at=book.now, due=book.now, round=2)
    (third,) = book.reserve(first.run)
    for row, state in ((first, S.ACCEPTED), (second, S.DELIVERED)):
        book.settle(book.done(row, state, provider="sms", ref=f"SM{row.round}"))
    book.settle(book.done(third, S.FAILED, reason="network"))
    assert (book.row(1).state, book.row(1).ref) == ("delivered", "SM2")
    book.assert_counted()


def test_an_effect_told_twice_is_written_once(book):
    (first,) = doubted(book)
    for _ in range(2):
        book.settle(book.done(first, S.ACCEPTED, provider="sms", ref="SM9"))
    assert codes(book) == ["timeout", LATE]
    book.assert_counted()


# --------------------------------------------------------------------------- kept addresses


def test_an_address_is_kept_only_while_somebody_may_ask_for_it(book):
    first, second = book.reserve(book.announce(rows=2))
    for row in (first, second):
        book.conn.execute(
            doubts.kept_address.insert().values(
                delivery=row.delivery, address="+33639980001", language="fr"
            )
        )
    book.settle(book.done(first, S.DOUBT, maybe=True))
    assert doubts.forget_resolved(book.conn) == 0
    book.settle(book.done(second, S.ACCEPTED))
    assert doubts.forget_resolved(book.conn) == 1
    assert doubts.kept(book.conn, first.delivery) == ("+33639980001", "fr")
    assert doubts.kept(book.conn, second.delivery) is None
