# SPDX-License-Identifier: EUPL-1.2
"""Codes and links cost the town: asked for within limits, guessed five times, spent once."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from channels.base import ChannelName, Reason
from hub.flow.citizens.asking import Asking, AskLimits, Refusal, Verdict
from hub.ledger.tables import announcement
from subscribers import directory
from subscribers.challenges import Purpose
from subscribers.proofs import Proofs
from subscribers.suppression import SuppressionReason, suppress
from subscribers.tables import challenge, contact_point
from templates.content import NoteKind

SMS = ChannelName.SMS
LIMITS = AskLimits(60, 5, 10, 20, 30, 40)
PROOFS = Proofs(b"p" * 32)
NUMBER = "+3363998{:04d}"


@pytest.fixture
async def desk(make_hub):
    """A hub that stands still, and its asking."""
    hub = await make_hub(SMS, started=False)
    await hub.people(range(1, 60), SMS)
    asking = Asking(hub.ledger, hub.clock, lambda: None, PROOFS, b"k" * 32, LIMITS)
    return hub, asking


def ask(asking, person, origin="198.51.100.0/24", number=None, known=True):
    def work(conn):
        number_ = number or NUMBER.format(person)
        points = directory.contact_points(conn, person) if known else []
        return asking.ask(
            *(conn, 1, Purpose.CONFIRM, NoteKind.CODE, SMS),
            asking.asker(SMS, number_, origin),
            person=person if known else None,
            contact_point=points[0].id if known else None,
        )

    return asking.transact(work)


async def notes(hub):
    """How many messages were put on their way."""
    query = select(announcement).where(announcement.c.source == "note")
    return len(await hub.ledger.read(lambda conn: conn.execute(query).all()))


async def test_a_second_code_waits_a_minute_then_two_then_five(desk):
    hub, asking = desk
    waits = []
    for _ in range(4):
        asked = await ask(asking, 1)
        assert asked.refusal is None
        waits.append((asked.until - hub.clock.now()).total_seconds())
        assert (await ask(asking, 1)).refusal is Refusal.TOO_SOON
        hub.clock.leap(waits[-1] + 1)
    assert [round(each, -1) for each in waits] == [60, 120, 300, 300]


async def test_five_a_day_to_one_number_whoever_asks(desk):
    hub, asking = desk
    for n in range(5):
        assert (await ask(asking, 1, origin=f"198.51.{n}.0/24")).refusal is None
        hub.clock.leap(600)
    refused = await ask(asking, 1, origin="203.0.113.0/24")
    assert refused.refusal is Refusal.TOO_MANY
    hub.clock.leap((refused.until - hub.clock.now()).total_seconds() + 1)
    assert (await ask(asking, 1)).refusal is None


async def test_ten_an_hour_from_one_block_of_addresses(desk):
    _, asking = desk
    found = [await ask(asking, n, number=f"+33639{n:02d}0001") for n in range(1, 13)]
    assert Counter(each.refusal for each in found) == {None: 10, Refusal.TOO_MANY: 2}


async def test_twenty_an_hour_to_neighbouring_numbers(desk):
    hub, asking = desk
    found = [await ask(asking, n, origin=f"198.51.{n}.0/24") for n in range(1, 31)]
    assert Counter(each.refusal for each in found) == {None: 20, Refusal.TOO_MANY: 10}
    assert await notes(hub) == 20


async def test_the_towns_budget_of_a_day_is_a_hard_stop(desk):
    hub, asking = desk
    for n in range(1, 36):
        await ask(asking, n, origin=f"198.51.{n}.0/24", number=f"+33639{n:02d}0001")
    assert await notes(hub) == LIMITS.sms_per_day


async def test_nobody_known_counts_the_same_and_is_sent_nothing(desk):
    hub, asking = desk
    known = [(await ask(asking, 1)).refusal for _ in range(2)]
    nobody = [
        (await ask(asking, 2, known=False, origin="203.0.113.0/24")).refusal for _ in range(2)
    ]
    assert known == nobody == [None, Refusal.TOO_SOON]
    assert await notes(hub) == 1


@pytest.mark.parametrize("why", [Reason.COMPLAINT, Reason.OPTED_OUT, "do not contact"])
async def test_who_told_us_to_stay_away_is_sent_nothing_and_the_answer_is_the_same(desk, why):
    hub, asking = desk

    def refuse(conn):
        if why == "do not contact":
            hashed = asking.asker(SMS, NUMBER.format(1), "").contact_hash
            return suppress(
                conn, SMS, hashed, SuppressionReason.DO_NOT_CONTACT, now=hub.clock.now()
            )
        first = contact_point.c.subscriber == 1
        return conn.execute(update(contact_point).where(first).values(suspended_reason=why.value))

    await hub.write(refuse)
    assert (await ask(asking, 1)).refusal is None
    assert await notes(hub) == 0


# --------------------------------------------------------------------------- answering


async def test_five_guesses_are_looked_at_and_the_right_code_after_them_is_not(desk):
    hub, asking = desk
    asked = (await ask(asking, 1)).challenge
    right = PROOFS.code(asked.id, asked.nonce)
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    found = [
        await hub.write(lambda conn: asking.answer_code(conn, asked.id, wrong)) for _ in range(5)
    ]
    assert [each.left for each in found] == [4, 3, 2, 1, 0]
    assert [each.verdict for each in found] == [Verdict.WRONG] * 4 + [Verdict.SPENT]
    after = await hub.write(lambda conn: asking.answer_code(conn, asked.id, right))
    assert after.verdict is Verdict.SPENT


async def test_a_right_code_is_taken_once_spaces_forgiven(desk):
    hub, asking = desk
    asked = (await ask(asking, 1)).challenge
    code = PROOFS.code(asked.id, asked.nonce)
    typed = f" {code[:3]} {code[3:]} "
    verdicts = [
        (await hub.write(lambda conn: asking.answer_code(conn, asked.id, typed))).verdict
        for _ in range(2)
    ]
    assert verdicts == [Verdict.RIGHT, Verdict.USED]


async def test_a_newer_code_ends_the_one_before_and_time_ends_both(desk):
    hub, asking = desk
    first = (await ask(asking, 1)).challenge
    hub.clock.leap(61)
    second = (await ask(asking, 1)).challenge

    async def answer(asked):
        code = PROOFS.code(asked.id, asked.nonce)
        return (await hub.write(lambda conn: asking.answer_code(conn, asked.id, code))).verdict

    assert await answer(first) is Verdict.USED
    hub.clock.leap(timedelta(minutes=10).total_seconds())
    assert await answer(second) is Verdict.EXPIRED


async def test_a_link_is_looked_at_for_ever_and_spent_once(desk):
    hub, asking = desk
    asked = (await ask(asking, 1)).challenge
    token = PROOFS.link(asked.id, asked.nonce)
    for _ in range(3):
        looked = await hub.ledger.read(lambda conn: asking.look(conn, token))
        assert looked.verdict is Verdict.RIGHT
    spent = [
        (await hub.write(lambda conn: asking.answer_link(conn, token))).verdict for _ in range(2)
    ]
    assert spent == [Verdict.RIGHT, Verdict.USED]


@pytest.mark.parametrize("token", ["", "x", "A" * 28, "é" * 28, "A" * 27 + "!", "-" * 28])
async def test_what_is_no_link_of_ours_opens_nothing(desk, token):
    hub, asking = desk
    await ask(asking, 1)
    answered = await hub.write(lambda conn: asking.answer_link(conn, token))
    assert answered.verdict is Verdict.UNKNOWN


async def test_neither_code_nor_link_nor_address_is_in_the_ledger(desk):
    hub, asking = desk
    asked = (await ask(asking, 1)).challenge
    secrets = (
        PROOFS.code(asked.id, asked.nonce),
        PROOFS.link(asked.id, asked.nonce),
        NUMBER.format(1),
    )
    rows = await hub.ledger.read(lambda conn: conn.execute(select(challenge)).all())
    announced = await hub.ledger.read(lambda conn: conn.execute(select(announcement)).all())
    written = repr([*rows, *announced])
    assert not [each for each in secrets if each in written]
