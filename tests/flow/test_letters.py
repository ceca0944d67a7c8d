# SPDX-License-Identifier: EUPL-1.2
"""What officers are written leaves at least once, to whom it concerns and to nobody else."""

from datetime import timedelta

import pytest
from office_town import BOTH, appoint, compose, edit, publishing
from sqlalchemy import select, update

from channels.base import Accepted, ChannelDown, ChannelName, Reason, Rejected, Retry
from hub.flow.accept.principal import Principal
from hub.flow.send import switches
from hub.flow.staff import letters, links, officers
from hub.flow.staff.mailing import Mailing
from hub.flow.staff.roles import Role
from hub.ledger import letters as rows
from hub.ledger import office_tables, tables
from hub.ledger.office_tables import letter
from subscribers.proofs import Proofs

EMAIL = ChannelName.EMAIL
OPERATOR = Principal("cli", "operator", 1, may_publish=True)


@pytest.fixture
async def hub(make_hub):
    return await make_hub(EMAIL)


@pytest.fixture
async def read(hub):
    """The letters of this hub, by what its channel was handed: (to, subject, text)."""
    channel, prepare, texts = hub[EMAIL], hub[EMAIL].prepare, {}

    def kept(text):
        texts[text.key] = text.text
        return prepare(text)

    channel.prepare = kept

    def look():
        return [(s.to, texts[s.key].subject, texts[s.key].text) for s in channel.sent]

    return look


async def turn(hub, rounds=3):
    """Letters leave: those to whoever may approve find their readers first."""
    mailing = Mailing(hub.engine)
    for _ in range(rounds):
        await mailing.round()


async def asked(hub, author, **fields):
    written = await compose(hub, author, **{"channels": ["email"]} | fields)
    return await publishing(hub).submit(written.code, author)


async def states(hub):
    query = select(letter).order_by(letter.c.id)
    found = await hub.ledger.read(lambda conn: conn.execute(query).all())
    return [(row.kind, row.officer, row.state) for row in found]


def addressees(hub):
    return [sent.to for sent in hub[EMAIL].sent]


async def test_who_may_approve_is_asked_and_whoever_wrote_it_is_not(hub, read):
    morel, _ = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    await appoint(hub, "Roche", {Role.WRITE: None})
    await appoint(hub, "Cantine", {Role.APPROVE: ("cantine",)})
    await appoint(hub, "Loin", authority=2)
    found = await asked(hub, morel)
    await turn(hub)
    ((to, subject, text),) = read()
    assert to == "diallo@example.org"
    assert subject == "À valider\u00a0: Coupure d'eau jeudi"
    assert "Morel demande une validation" in text
    assert f"https://alerte.example.org/console/annonces/{found.code}/verifier" in text
    await turn(hub)
    assert len(read()) == 1


async def test_a_letter_is_in_the_language_of_who_reads_it(hub, read):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    english = update(office_tables.officer).where(office_tables.officer.c.id == diallo.id)
    await hub.write(lambda conn: conn.execute(english.values(language="en")))
    await asked(hub, morel, level="urgent")
    await turn(hub)
    ((_, subject, text),) = read()
    assert subject.startswith("URGENT, to approve: ")
    assert "Morel asks for approval of an urgent alert" in text


async def test_what_became_of_it_is_told_to_whoever_wrote_it(hub, read):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    office = publishing(hub)
    found = await asked(hub, morel)
    await turn(hub)
    await office.return_(found.code, diallo, "L'heure manque.")
    await turn(hub)
    to, subject, text = read()[-1]
    assert (to, subject) == ("morel@example.org", "À corriger\u00a0: Coupure d'eau jeudi")
    assert "Motif\u00a0: L'heure manque." in text
    assert f"/console/annonces/{found.code}/rediger" in text
    await edit(hub, found.code, morel, body="Jeudi dès 8 h.")
    await office.submit(found.code, morel)
    await office.approve(found.code, diallo)
    await turn(hub)
    assert read()[-1][1].startswith("À corriger"), "an approval may be taken back: it is not told"
    hub.clock.leap(31)
    await turn(hub)
    assert read()[-1][1] == "Validée\u00a0: Coupure d'eau jeudi"
    other = await asked(hub, morel)
    await office.reject(other.code, diallo, "Doublon.")
    await turn(hub)
    assert read()[-1][1] == "Rejetée\u00a0: Coupure d'eau jeudi"


async def test_what_is_decided_or_taken_back_is_asked_of_nobody(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    one, two, three = [await asked(hub, morel) for _ in range(3)]
    await publishing(hub).withdraw(one.code, morel)
    await publishing(hub).approve(two.code, diallo)
    await publishing(hub).undo(two.code, diallo)
    await publishing(hub).reject(three.code, diallo, "Non.")
    hub.clock.leap(31)
    await turn(hub, 4)
    assert [to for to in addressees(hub) if to.startswith("diallo")] == []
    assert len(addressees(hub)) == 1, "of the three, the refusal alone is told"


async def test_who_is_asked_by_name_is_asked_first_and_the_others_when_that_one_is_silent(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    await appoint(hub, "Roche")
    await asked(hub, morel, asked=str(diallo.id), level="urgent")
    await turn(hub)
    assert addressees(hub) == ["diallo@example.org"]
    hub.clock.leap(5 * 60 + 1)
    await turn(hub)
    assert addressees(hub) == ["diallo@example.org", "roche@example.org"]


async def test_nobody_who_was_shut_out_is_written_to(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    roche = await appoint(hub, "Roche")
    await asked(hub, morel)
    await turn(hub, 1)

    def change(conn):
        officers.disable(conn, diallo, actor="tests", now=hub.clock.now())
        fewer = update(office_tables.officer).where(office_tables.officer.c.id == roche.id)
        conn.execute(fewer.values(roles={"write": None}))

    await hub.write(change)
    await turn(hub)
    assert addressees(hub) == []
    assert {state for _, _, state in await states(hub)} == {"dropped"}


async def test_without_e_mail_nothing_is_written_to_anybody(make_hub):
    hub = await make_hub(ChannelName.SMS)
    await asked(hub, await appoint(hub, "Morel"), channels=["sms"])
    assert await states(hub) == []


@pytest.mark.parametrize("left", [False, True], ids=["before it left", "after it left"])
async def test_a_hub_that_dies_over_a_letter_sends_it_again_under_the_same_name(hub, left):
    morel, _ = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    await asked(hub, morel)
    await turn(hub, 1)
    keys, channel = [], hub[EMAIL]

    class Died(BaseException):
        pass

    async def dying(prepared, to, slip):
        keys.append(slip.message_key)
        if left:
            await type(channel).send(channel, prepared, to, slip)
        raise Died

    channel.send = dying
    with pytest.raises(Died):
        await turn(hub, 1)
    await hub.crash()

    async def alive(prepared, to, slip):
        keys.append(slip.message_key)
        return await type(channel).send(channel, prepared, to, slip)

    channel.send = alive
    await hub.start()
    await turn(hub, 1)
    assert len(keys) == 1, (
        "it is tried again after a pause, or a fault of ours would write on and on"
    )
    hub.clock.leap(31)
    await turn(hub, 2)
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert (await states(hub))[-1][2] == "sent"


async def test_a_server_in_trouble_is_tried_again_for_a_day_and_then_it_is_shown(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    await asked(hub, morel)
    tries = []
    hub[EMAIL].answer = lambda sent: tries.append(sent) or Retry(Reason.MAILBOX_FULL)
    await turn(hub)
    assert await hub.ledger.read(lambda conn: rows.standing(conn, 1)) == (1, [])
    for _ in range(30):
        hub.clock.leap(3601)
        await turn(hub, 1)
    assert 20 < len(tries) < 30
    again, lost = await hub.ledger.read(lambda conn: rows.standing(conn, 1))
    assert again == 0
    assert [(row.kind, row.officer, row.reason) for row in lost] == [
        ("approval", diallo.id, "mailbox_full")
    ]
    assert (await hub.ledger.read(lambda conn: rows.standing(conn, 2)))[1] == []


async def test_an_address_that_is_none_is_given_up_at_once(hub):
    morel, _ = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    await asked(hub, morel)
    hub[EMAIL].answer = lambda sent: Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True)
    await turn(hub)
    assert (await states(hub))[-1][2] == "failed"


async def test_a_closed_road_keeps_letters_and_spends_none_of_their_tries(hub):
    morel, _ = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    now = hub.clock.now()
    await hub.write(lambda conn: switches.pause(conn, [EMAIL], OPERATOR, now))
    await hub.engine.reload()
    await asked(hub, morel)
    await turn(hub)
    assert addressees(hub) == []
    await hub.write(lambda conn: switches.resume(conn, [EMAIL], OPERATOR, now))
    await hub.engine.reload()
    hub.clock.leap(31)
    await turn(hub)
    assert addressees(hub) == ["diallo@example.org"]


async def test_a_server_that_shuts_us_out_closes_the_road_for_everybody(hub):
    morel, _ = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    await asked(hub, morel)
    hub[EMAIL].answer = lambda sent: ChannelDown(Reason.AUTHENTICATION, alarm=True)
    await turn(hub)
    assert hub.engine.roads[EMAIL].closed_for is Reason.AUTHENTICATION
    hub[EMAIL].answer = lambda sent: Accepted("1")
    hub.clock.leap(700)
    await turn(hub)
    assert (await states(hub))[-1][2] == "sent"
    assert hub.engine.roads[EMAIL].open


async def test_no_count_of_citizens_and_no_delivery_knows_of_letters(hub):
    morel, _ = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    await asked(hub, morel)
    await turn(hub)
    assert addressees(hub)
    assert await hub.rows() == []
    runs = await hub.ledger.read(lambda conn: conn.execute(select(tables.run)).all())
    assert runs == []


SOURCE = Principal("hook:crues", "Vigicrues", 1)


async def test_what_a_source_asks_for_is_told_to_whoever_may_approve_it(hub, read):
    await appoint(hub, "Morel"), await appoint(hub, "Roche", {Role.WRITE: None})
    await hub.publish(SOURCE, channels=["email"])
    await turn(hub)
    ((to, _, text),) = read()
    assert to == "morel@example.org"
    assert "Vigicrues demande une validation" in text


async def test_a_source_that_runs_wild_fills_no_mailbox(hub):
    await appoint(hub, "Morel")
    for n in range(letters.MOST_CALLS + 3):
        await hub.publish(SOURCE, channels=["email"], title=f"Eau {n}")
    await hub.publish(SOURCE, channels=["email"], urgency="urgent")
    await turn(hub, 16)
    assert len(addressees(hub)) == letters.MOST_CALLS + 1


async def forget(hub, email):
    proofs, now = Proofs(b"p" * 32), hub.clock.now()
    await hub.write(lambda conn: letters.ask_password(conn, email, proofs, 1, now))


async def test_a_forgotten_password_is_a_link_that_works_once_for_an_hour(hub, read):
    diallo = await appoint(hub, "Diallo")
    for email in ("diallo@example.org", "nobody@example.org"):
        await forget(hub, email)
    assert await states(hub) == [], "who has no password yet has none to forget"
    kept = update(office_tables.officer).where(office_tables.officer.c.id == diallo.id)
    await hub.write(lambda conn: conn.execute(kept.values(password_hash="x")))
    for _ in range(5):
        await forget(hub, "Diallo@example.org ")
    await turn(hub)
    assert len(read()) == letters.MOST_RESETS
    tokens = [text.partition("/console/invitation/")[2].split()[0] for _, _, text in read()]

    def use(token):
        return lambda conn: links.use(conn, token, "new", hub.clock.now())

    assert await hub.write(use(tokens[0])) is not None
    assert [await hub.write(use(each)) for each in tokens] == [None] * 3, "one ends them all"
    hub.clock.leap(3601)
    await forget(hub, "diallo@example.org")
    hub.clock.leap(3601)
    await turn(hub)
    assert len(read()) == letters.MOST_RESETS, "a link that is over is not sent"
    whole = await hub.ledger.read(lambda conn: conn.execute(select(letter)).all())
    assert not any(token in str(whole) for token in tokens), "the ledger holds no token"


async def test_a_trial_is_the_e_mail_as_it_would_leave_with_links_that_open_nothing(hub, read):
    morel = await appoint(hub, "Morel", {Role.WRITE: None})
    loin = await appoint(hub, "Loin", BOTH, authority=2)
    written = await compose(
        hub, morel, channels=["email"], title_en="Water cut", body_en="On Thursday."
    )
    now = hub.clock.now()
    for who in (morel, loin):
        await hub.write(
            lambda conn, who=who: letters.ask_trial(conn, who, written.code, ["fr", "en"], now)
        )
    await turn(hub)
    assert {to for to, _, _ in read()} == {"morel@example.org"}, "another town's is nobody's"
    fr, en = sorted(read(), key=lambda each: "Water" in each[1])
    assert fr[1].startswith("[Test] ")
    assert "/stop/PersonalStopToken" in fr[2]
    assert "On Thursday." in en[2]


async def test_letters_that_are_over_are_erased_and_those_that_wait_are_not(hub):
    morel, _ = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    await asked(hub, morel)
    await turn(hub)
    await asked(hub, morel)
    now = hub.clock.now() + timedelta(days=31)
    assert await hub.write(lambda conn: rows.forget(conn, now, 100)) == 2
    assert [state for *_, state in await states(hub)] == ["waiting"]
