# SPDX-License-Identifier: EUPL-1.2
"""Nothing leaves that nobody read: the check page, the decision of somebody else, taking back."""

import re
from datetime import timedelta

import pytest
from office_rig import Office

from channels.base import ChannelName
from hub.flow.staff import officers
from hub.flow.staff.roles import Role
from hub.flow.writing import attachments, compositions
from hub.ledger import announcements, audit
from hub.pricing import Prices

BOTH = {Role.WRITE: None, Role.APPROVE: None}
WATER = {
    "shape": "free",
    "level": "information",
    "title": "Coupure d'eau jeudi",
    "body": "La ville coupe l'eau jeudi dès 8 h, quartier des Tanneries. Faites des réserves.",
    "themes": ["eau"],
    "zones": [],
    "whole": "1",
    "channels": ["sms"],
    "when": "now",
    "approval": "ask",
}
REAL = {
    "sandbox": {"channels": ["sms"]},
    "channels": {"email": {"sender": "mairie@example.org", "host": "127.0.0.1", "port": 1}},
    "console": {"second_proof": "nobody"},
}
_ONE_SEND = 1.5  # euros: one of these texts costs 1.30 at `_dear` prices
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


async def written(office, desk, **fields):
    """Something this officer has written."""
    hub = office.door.hub

    def begin(conn):
        who = officers.load(conn, desk.number)
        return compositions.begin(conn, who, WATER | fields, office.door.clock.now()).code

    return await hub.ledger.transact(begin)


async def verify(desk, code):
    return await desk.get(f"/console/annonces/{code}/verifier")


async def decide(desk, code, page=None, **fields):
    """Send the form of the page that was shown, with these fields filled in."""
    page = page or await verify(desk, code)
    hidden = {name: value for name, value in _HIDDEN.findall(page.text) if name != "csrf"}
    return await desk.post(f"/console/annonces/{code}/verifier", hidden | fields)


async def asked(office, desk, **fields):
    code = await written(office, desk, **fields)
    reply = await decide(desk, code, do="ask")
    assert reply.status == 303, reply.text
    return code


async def state_of(office, code):
    found = await office.door.hub.ledger.read(lambda conn: announcements.by_code(conn, code))
    return None if found is None else str(found.state)


async def verbs(office, code):
    lines = await office.door.hub.ledger.read(
        lambda conn: audit.of_object(conn, f"announcement:{code}")
    )
    return [line["verb"] for line in lines]


@pytest.fixture
async def hall(make_door):
    """`await hall(console={...})`: a town hall with settings of its own."""
    made = []

    async def make(**sections):
        made.append(Office(await make_door(**sections)))
        return made[-1]

    yield make
    for each in made:
        await each.close()


@pytest.fixture
async def real(hall):
    """Not a training ground: e-mail is a real channel, so that four eyes are asked for."""
    return await hall(**REAL)


async def test_a_writer_asks_and_somebody_else_approves(real):
    office = real
    morel, diallo = await office.writer(name="J. Morel"), await office.approver(name="A. Diallo")
    code = await written(office, morel)
    page = await verify(morel, code)
    assert page.status == 200
    assert "Demander la validation" in page.text
    assert "Envoyer à" not in page.text
    reply = await decide(morel, code, page, do="ask")
    assert reply.headers["Location"] == f"/console/annonces/{code}/verifier"
    told = await verify(morel, code)
    assert "Il faut maintenant qu’une autre personne valide." in told.text
    assert "A. Diallo" in told.text
    page = await verify(diallo, code)
    people = re.search(r"Envoyer à (\d+) personnes", page.text)
    assert people is not None
    assert "La ville coupe l&#39;eau" in page.text
    reply = await decide(diallo, code, page, do="decide", decision="approve")
    assert reply.status == 303, reply.text
    assert await state_of(office, code) == "waiting"
    assert await verbs(office, code) == ["begin", "submit", "approve"]


async def test_nobody_approves_their_own_whatever_they_send(real):
    office = real
    morel, _ = await office.officer(BOTH, name="J. Morel"), await office.approver(name="A. Diallo")
    code = await asked(office, morel)
    page = await verify(morel, code)
    assert "Vous ne pouvez pas valider votre propre annonce." in page.text
    assert 'name="decision"' not in page.text
    reply = await decide(morel, code, page, do="decide", decision="approve")
    assert reply.status == 403
    assert "Demandez à A. Diallo." in reply.text
    assert await state_of(office, code) == "to_approve"


async def test_sending_back_and_rejecting_need_a_reason(real):
    office = real
    morel, diallo = await office.writer(), await office.approver()
    code = await asked(office, morel)
    for decision in ("return", "reject"):
        reply = await decide(diallo, code, do="decide", decision=decision)
        assert reply.status == 422
        assert 'href="#reason"' in reply.text
        assert f'value="{decision}" checked' in reply.text
    reply = await decide(diallo, code, do="decide")
    assert 'href="#decision"' in reply.text
    reply = await decide(diallo, code, do="decide", decision="return", reason="L'heure manque.")
    page = await diallo.get(reply.headers["Location"])
    assert "L’annonce est renvoyée" in page.text, "who only approves reads it where it stands"
    assert await state_of(office, code) == "draft"
    page = await verify(morel, code)
    assert "L&#39;heure manque." in page.text


async def test_what_changed_since_it_was_read_is_shown_and_asked_again(real):
    office = real
    morel, diallo, roche = await office.writer(), await office.approver(), await office.approver()
    code = await asked(office, morel)
    read = await verify(diallo, code)
    await decide(roche, code, do="decide", decision="return", reason="L'heure manque.")

    def edit(conn):
        who = officers.load(conn, morel.number)
        found = compositions.load(conn, code, who)
        other = dict(found.document) | {"title": "Coupure d'eau vendredi"}
        now = office.door.clock.now()
        compositions.save(conn, found, other, who, version=found.version, now=now)

    await office.door.hub.ledger.transact(edit)
    await decide(morel, code, do="ask")
    reply = await decide(diallo, code, read, do="decide", decision="approve")
    assert reply.status == 409
    assert "Le texte a changé depuis que vous l’avez lu. Rien n’est parti." in reply.text
    assert "Modifié depuis la demande" in reply.text
    assert re.search(r"<del>.*<ins>", reply.text)
    assert await state_of(office, code) == "to_approve"
    assert (await decide(diallo, code, do="decide", decision="approve")).status == 303


async def test_a_file_added_since_it_was_read_is_shown_before_it_leaves_unread(office):
    morel = await office.officer(BOTH)
    code = await written(office, morel)
    read = await verify(morel, code)
    await office.door.hub.ledger.transact(
        lambda conn: attachments.attach(
            conn,
            compositions.load(conn, code, officers.load(conn, morel.number)),
            officers.load(conn, morel.number),
            ("plan.pdf", b"%PDF-1.7", "Le plan des rues."),
            office.door.clock.now(),
        )
    )
    reply = await decide(morel, code, read, do="send")
    assert reply.status == 409
    assert "Rien n’est parti." in reply.text
    assert await state_of(office, code) is None
    assert (await decide(morel, code, do="send")).status == 303
    assert await state_of(office, code) == "waiting"


async def test_what_is_published_is_taken_back_until_it_leaves(real):
    office = real
    morel, diallo = await office.writer(), await office.approver()
    code = await asked(office, morel)
    await decide(diallo, code, do="decide", decision="approve")
    reply = await morel.post(f"/console/annonces/{code}/reprendre")
    page = await morel.get(reply.headers["Location"])
    assert page.headers["Location"] == f"/console/annonces/{code}/rediger"
    assert await state_of(office, code) == "draft"
    await decide(morel, code, do="ask")
    await decide(diallo, code, do="decide", decision="approve")
    office.door.clock.leap(timedelta(seconds=31))
    office.door.hub.engine.changed()

    async def left():
        await office.door.hub.engine.round()
        return await state_of(office, code) not in ("waiting", "draft")

    await office.door.until(left)
    reply = await morel.post(f"/console/annonces/{code}/reprendre")
    page = await morel.get(reply.headers["Location"])
    assert "Trop tard" in page.text


async def test_who_approves_after_the_time_it_was_to_leave_at_is_told_so(real):
    office = real
    morel, diallo = await office.writer(), await office.approver()
    code = await asked(office, morel, when="at", date="2026-11-24", time="11:00")
    assert "est passée" not in (await verify(diallo, code)).text
    office.door.clock.leap(timedelta(hours=3))
    page = (await verify(await office.approver(), code)).text  # the first one's session is over
    assert "L’heure prévue de l’envoi est passée" in page
    assert "Envoi prévu le" not in page


async def test_who_approves_an_update_is_told_that_the_all_clear_was_given_meanwhile(real):
    office = real
    morel, diallo = await office.writer(), await office.approver()
    key = await office.door.key()
    cut = {"urgency": "important", "themes": ["eau"], "title": "Coupure d'eau", "body": "Jeudi."}
    cut["channels"] = ["sms"]
    first = (await office.door.post(key, cut)).json["id"]
    await office.door.settled(key, first)  # who had it is who the update is for
    office.door.clock.leap(timedelta(seconds=5))
    code = await asked(office, morel, level="important", kind="update", about=first)
    assert "depuis que ce texte a été commencé" not in (await verify(diallo, code)).text
    office.door.clock.leap(timedelta(seconds=5))
    await office.door.post(key, cut | {"kind": "all_clear", "about": first})
    page = (await verify(diallo, code)).text
    assert "depuis que ce texte a été commencé" in page
    assert "Fin d’alerte" in page
    assert (await decide(diallo, code, do="decide", decision="approve")).status == 303


async def test_who_approves_what_comes_again_is_told_when_and_may_end_it(real):
    office = real
    morel, diallo = await office.writer(), await office.approver()
    weekly = {"when": "repeat", "every": "week", "weekdays": ["friday"], "repeat_at": "08:00"}
    code = await written(office, morel, **weekly, until="2027-01-08")
    for who in (morel, diallo):
        page = (await verify(who, code)).text
        assert "Elle se répète" in page
        assert "4 décembre" in page
        assert re.search(r"la dernière fois le <time[^>]*>vendredi 8 janvier 2027", page)
        await decide(morel, code, do="ask")
    await decide(diallo, code, do="decide", decision="approve")
    here = f"/console/annonces/{code}"
    page = (await diallo.get(here)).text
    assert "Elle se répète" in page
    assert "/ne-plus-repeter" not in page, "until it leaves it is taken back as a whole"
    office.door.clock.leap(timedelta(days=3))

    async def left():
        await office.door.hub.engine.round()
        return await state_of(office, code) == "running"

    await office.door.until(left)
    morel, diallo = await office.writer(), await office.approver()  # the sessions are over
    assert "/ne-plus-repeter" not in (await morel.get(here)).text
    assert (await morel.post(f"{here}/ne-plus-repeter")).status == 403
    assert "/ne-plus-repeter" in (await diallo.get(here)).text
    assert (await diallo.post(f"{here}/ne-plus-repeter")).status == 303
    page = (await diallo.get(here)).text
    assert "Elle ne se répète plus." in page
    assert "Elle se répète" not in page
    assert await state_of(office, code) == "running"
    assert "repeat_stop" in await verbs(office, code)


async def test_a_theme_that_needs_nobody_else_is_sent_by_its_author(hall):
    office = await hall(**REAL | {"console": {"second_proof": "nobody", "alone": ["eau"]}})
    morel = await office.officer(BOTH)
    code = await written(office, morel)
    page = await verify(morel, code)
    assert "Publication sans validation" in page.text
    assert (await decide(morel, code, page, do="send")).status == 303
    assert await verbs(office, code) == ["begin", "submit", "publish_alone"]
    told = (await morel.get(f"/console/annonces/{code}")).text
    assert "publiée sans validation" in told
    assert "validée par" not in told, "nobody else read it"


async def test_in_the_sandbox_one_sends_alone_and_is_told_how_it_really_is(office):
    morel = await office.officer(BOTH)
    code = await written(office, morel)
    page = await verify(morel, code)
    assert "En réel, une autre personne doit valider." in page.text
    assert (await decide(morel, code, page, do="send")).status == 303
    assert await state_of(office, code) == "waiting"


async def test_a_large_audience_is_typed_by_hand(hall):
    office = await hall(console={"type_people": 3})
    morel = await office.officer({**BOTH, Role.CONTACTS: None})
    code = await written(office, morel)
    page = await verify(morel, code)
    people = dict(_HIDDEN.findall(page.text))["people"]
    assert int(people) > 3
    for typed in ("", "3", "tous"):
        reply = await decide(morel, code, page, do="send", typed=typed)
        assert reply.status == 422
        assert 'href="#typed"' in reply.text
    assert (await decide(morel, code, page, do="send", typed=f" {people} ")).status == 303


async def test_one_subscriber_more_keeps_no_alert_back(hall, monkeypatch):
    monkeypatch.setattr(
        "hub.web.console.writing.checking._MOVED", 2
    )  # of a handful, one is more than 5 %
    office = await hall(console={"type_people": 3})
    morel = await office.officer({**BOTH, Role.CONTACTS: None})
    code = await written(office, morel)
    page = await verify(morel, code)
    seen = str(int(dict(_HIDDEN.findall(page.text))["people"]) - 1)  # as shown a moment before
    typed = {"people": seen, "typed": seen}
    assert (await decide(morel, code, page, do="send", **typed)).status == 303


async def test_another_number_of_people_than_was_shown_is_said_and_asked_again(office):
    morel = await office.officer({**BOTH, Role.CONTACTS: None})
    code = await written(office, morel)
    page = await verify(morel, code)
    people = int(dict(_HIDDEN.findall(page.text))["people"])
    reply = await decide(morel, code, page, do="send", people=str(people // 2))
    assert reply.status == 409
    assert "Le nombre de personnes a changé" in reply.text
    assert await state_of(office, code) is None
    assert (await decide(morel, code, reply, do="send")).status == 303


async def test_an_urgent_alert_that_leaves_something_out_is_acknowledged_and_leaves_at_once(office):
    morel = await office.officer(BOTH)
    code = await written(office, morel, level="urgent", title="Attention", body="Soyez prudents.")
    page = await verify(morel, code)
    assert "Ajoutez" in page.text
    reply = await decide(morel, code, page, do="send")
    assert reply.status == 422
    assert 'href="#acknowledged"' in reply.text
    assert (await decide(morel, code, page, do="send", acknowledged="1")).status == 303
    assert await state_of(office, code) in ("running", "finished")


async def test_an_all_clear_is_not_asked_what_an_alert_must_say(office):
    morel = await office.officer(BOTH)
    code = await written(office, morel, level="urgent")
    page = await verify(morel, code)
    assert (await decide(morel, code, page, do="send", acknowledged="1")).status == 303
    reply = await morel.post(f"/console/annonces/{code}/suite", {"kind": "all_clear"})
    over = reply.headers["Location"].split("/")[-2]
    writing = await morel.get(f"/console/annonces/{over}/rediger")
    assert "Répondre plutôt à six questions" not in writing.text
    page = await verify(morel, over)
    for told in (writing, page):
        assert "Message complet" not in told.text
    assert (await decide(morel, over, page, do="send")).status == 303


async def test_over_the_months_budget_only_what_is_urgent_leaves(hall, monkeypatch):
    monkeypatch.setattr("hub.tariff.prices_of", _dear)
    monkeypatch.setattr("hub.web.console.writing.checking.prices_of", _dear)
    office = await hall(console={"sms_month_budget": 0.01})
    morel = await office.officer(BOTH)
    code = await written(office, morel)
    reply = await decide(morel, code, do="send")
    assert reply.status == 422
    assert re.search(r"Budget SMS dépassé de \d+,\d\d\s€", reply.text)
    assert "Retirez un canal" in reply.text
    text = "La ville évacue la rue Basse dès 8 h, quartier des Tanneries. Quittez les lieux."
    code = await written(office, morel, level="urgent", body=text)
    page = await verify(morel, code)
    assert "Une alerte urgente part quand même." in page.text
    assert (await decide(morel, code, page, do="send", acknowledged="1")).status == 303


async def test_what_was_approved_and_has_not_left_counts_in_its_months_budget(hall, monkeypatch):
    monkeypatch.setattr("hub.tariff.prices_of", _dear)
    monkeypatch.setattr("hub.web.console.writing.checking.prices_of", _dear)
    office = await hall(console={"sms_month_budget": _ONE_SEND})
    morel = await office.officer(BOTH)
    tomorrow = {"when": "at", "date": "2026-11-25", "time": "08:00"}
    code = await written(office, morel, **tomorrow)
    assert (await decide(morel, code, do="send")).status == 303
    for other in ({}, {**tomorrow, "time": "09:00"}):
        reply = await decide(morel, await written(office, morel, **other), do="send")
        assert reply.status == 422
        assert "Budget SMS dépassé" in reply.text
    december = {"when": "at", "date": "2026-12-05", "time": "08:00"}
    reply = await decide(morel, await written(office, morel, **december), do="send")
    assert reply.status == 303, "another month has its own money"
    assert (await morel.post(f"/console/annonces/{code}/arreter")).status == 303
    assert (await decide(morel, await written(office, morel), do="send")).status == 303


async def test_two_who_approve_at_once_do_not_spend_the_same_money(hall, monkeypatch):
    monkeypatch.setattr("hub.tariff.prices_of", _dear)
    monkeypatch.setattr("hub.web.console.writing.checking.prices_of", _dear)
    office = await hall(console={"sms_month_budget": _ONE_SEND})
    morel = await office.officer(BOTH)
    codes = [await written(office, morel) for _ in range(2)]
    pages = [await verify(morel, code) for code in codes]
    monkeypatch.setattr("hub.web.console.writing.check.checking.over_budget", lambda found: 0)
    sent = [
        (await decide(morel, code, page, do="send")).status
        for code, page in zip(codes, pages, strict=True)
    ]
    assert sent == [303, 422], "both pages were shown before either was sent"


def _dear(settings):
    return {name: Prices(0.05, 0.05, "EUR") for name in ChannelName}


async def test_a_drill_says_so_on_its_button(office):
    morel = await office.officer(BOTH)
    code = await written(office, morel, level="drill")
    page = await verify(morel, code)
    assert "C’est un exercice" in page.text
    assert "Lancer l’exercice" in page.text


async def test_before_an_election_the_page_reminds_of_the_reserve(hall):
    days = {"reserve_from": "2026-11-23", "reserve_until": "2026-11-24"}
    office = await hall(console=days)
    morel = await office.officer(BOTH)
    code = await written(office, morel)
    assert "Période de réserve" in (await verify(morel, code)).text
    writing = await morel.get(f"/console/annonces/{code}/rediger")
    assert "Période de réserve" in writing.text
    office.door.clock.leap(timedelta(days=1))
    await morel.sign_in()
    assert "Période de réserve" not in (await verify(morel, code)).text


async def test_what_cannot_be_sent_yet_leads_back_to_writing(office):
    morel = await office.writer()
    code = await written(office, morel, title="")
    page = await verify(morel, code)
    assert "<title>Erreur" in page.text
    assert f'href="/console/annonces/{code}/rediger"' in page.text
    assert (await decide(morel, code, page, do="ask")).status == 422
    assert await state_of(office, code) is None


async def test_what_a_key_asked_for_is_decided_at_the_same_page(office):
    key = await office.door.key("Bibliothèque", may_publish=False)
    asked = {"title": "Fermeture", "body": "Samedi.", "themes": ["eau"], "channels": ["sms"]}
    code = (await office.door.post(key, asked)).json["id"]
    diallo, roche = await office.officer(BOTH), await office.approver()
    page = await verify(roche, code)
    assert 'value="take_up"' not in page.text, "who may not write corrects nothing"
    assert (await decide(roche, code, page, do="decide", decision="take_up")).status == 403
    page = await verify(diallo, code)
    assert 'value="take_up"' in page.text
    assert 'value="return"' not in page.text
    reply = await decide(diallo, code, page, do="decide", decision="take_up")
    assert reply.headers["Location"] == f"/console/annonces/{code}/rediger"
    await decide(diallo, code, do="ask")
    page = await verify(roche, code)
    assert 'value="take_up"' not in page.text
    assert (await decide(roche, code, page, do="decide", decision="approve")).status == 303
    assert await state_of(office, code) == "waiting"


async def test_another_town_finds_nothing_here(office):
    morel = await office.officer(BOTH)
    code, draft = await asked(office, morel), await written(office, morel)
    other = await office.officer(authority="autreville")
    for each in (code, draft):
        here = f"/console/annonces/{each}"
        assert (await other.get(f"{here}/verifier")).status == 404
        for path in ("verifier", "reprendre"):
            assert (await other.post(f"{here}/{path}", {"do": "decide"})).status == 404


async def test_what_was_decided_already_is_told_by_its_own_page(office):
    morel = await office.officer(BOTH)
    code = await written(office, morel)
    page = await verify(morel, code)
    await decide(morel, code, page, do="send")
    for reply in (await verify(morel, code), await decide(morel, code, page, do="send")):
        assert reply.status == 303
        assert reply.headers["Location"] == f"/console/annonces/{code}"
    assert (await verbs(office, code)).count("publish_alone") == 1
