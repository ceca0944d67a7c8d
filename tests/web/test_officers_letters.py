# SPDX-License-Identifier: EUPL-1.2
"""Officers are written to by e-mail, and ask for a new password by themselves."""

import re

from channels.base import ChannelName
from hub.flow.staff import officers
from hub.flow.staff.letters import MOST_RESETS
from hub.flow.staff.roles import Role
from hub.flow.writing import compositions
from hub.ledger import tables
from hub.web.console.entering.forgotten import MOST_ASKED
from hub.web.console.writing.trial import MOST_TRIALS

FORGOTTEN = "/console/connexion/oubli"
OTHER = "les saules du bord de l'Orne"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


def mailbox(office, address):
    """What reached an address, oldest first."""
    letters = office.door.sandbox.effects.select(channel=ChannelName.EMAIL)
    return [each for each in letters if each.to == address]


async def arrived(office, address, number=1):
    await office.door.until(lambda: len(mailbox(office, address)) >= number)
    return mailbox(office, address)[number - 1]


async def ask(hand, email):
    page = await hand.get(FORGOTTEN)
    token = _CSRF.search(page.text)[1]
    return await hand.post(FORGOTTEN, {"email": email}, csrf=token)


async def follow(office, hand, letter):
    """The path of the link in a letter."""
    (link,) = re.findall(r"https?://[^\s/]+(/console/invitation/\S+)", letter.text)
    return link


async def test_a_forgotten_password_is_chosen_anew_by_a_link(office):
    hand = await office.writer(signed_in=False)
    assert f'href="{FORGOTTEN}"' in (await hand.get("/console/connexion")).text
    reply = await ask(hand, f" {hand.email.upper()} ")
    assert (reply.status, reply.headers["Location"]) == (303, "/console/connexion")
    letter = await arrived(office, hand.email)
    assert letter.subject == "Choisir un nouveau mot de passe"
    assert "List-Unsubscribe" not in letter.extra["headers"]
    path = await follow(office, hand, letter)
    page = await hand.get(path)
    assert page.status == 200
    chosen = await hand.post(path, {"password": OTHER}, csrf=_CSRF.search(page.text)[1])
    assert chosen.headers["Location"] == "/console"
    assert (await hand.get(path)).status == 404, "once"
    assert (await hand.sign_in(OTHER)).status == 303


async def test_the_answer_tells_nobody_who_has_an_account(office):
    hand = await office.writer(signed_in=False)
    gone = await office.writer(signed_in=False)

    def disable(conn):
        who = officers.load(conn, gone.number)
        officers.disable(conn, who, actor="tests", now=office.door.clock.now())

    await office.door.hub.ledger.transact(disable)
    said = set()
    for email in (hand.email, gone.email, "nobody@example.org"):
        reply = await ask(hand, email)
        page = await hand.get("/console/connexion")
        assert "Si cette adresse est celle d’un agent" in page.text
        shown = _CSRF.sub("", page.text)
        said.add((reply.status, reply.headers["Location"], shown))
    assert len(said) == 1
    await arrived(office, hand.email)
    assert mailbox(office, gone.email) == mailbox(office, "nobody@example.org") == []
    lines = await office.door.rows(tables.audit, tables.audit.c.verb == "ask_password")
    assert [line.object for line in lines] == [f"officer:{hand.number}", "console", "console"]
    assert "example.org" not in str(lines)
    wrong = await ask(hand, "not an address")
    assert wrong.status == 422


async def test_few_links_are_sent_to_one_account_and_few_asked_for_from_one_place(office):
    hand = await office.writer(signed_in=False)
    replies = [(await ask(hand, hand.email)).status for _ in range(MOST_ASKED + 2)]
    assert replies == [303] * MOST_ASKED + [429] * 2
    await arrived(office, hand.email, MOST_RESETS)
    assert len(mailbox(office, hand.email)) == MOST_RESETS


async def test_where_no_e_mail_leaves_no_link_is_offered(make_door, make_office):
    hall = make_office(await make_door(sandbox={"channels": ["sms"]}, channels={"email": None}))
    hand = await hall.writer(signed_in=False)
    assert (await hand.get(FORGOTTEN)).status == 404
    page = (await hand.get("/console/connexion")).text
    assert FORGOTTEN not in page
    assert "Un administrateur de la console vous donne un nouveau lien" in page


async def test_no_letter_no_address_and_no_link_of_one_is_in_the_log(office, log):
    hand = await office.writer(signed_in=False)
    await ask(hand, hand.email)
    letter = await arrived(office, hand.email)
    path = await follow(office, hand, letter)
    await hand.get(path)
    written = log.getvalue()
    assert hand.email not in written
    assert path.rpartition("/")[2] not in written


WATER = {
    "shape": "free",
    "level": "information",
    "title": "Coupure d'eau jeudi",
    "body": "La ville coupe l'eau jeudi dès 8 h.",
    "themes": ["eau"],
    "whole": "1",
    "channels": ["sms", "email"],
    "when": "now",
    "approval": "ask",
}


async def begun(office, hand, **fields):
    """Something this officer is writing."""

    def begin(conn):
        who = officers.load(conn, hand.number)
        return compositions.begin(conn, who, WATER | fields, office.door.clock.now()).code

    return await office.door.hub.ledger.transact(begin)


def flat(document):
    return [
        (name, each)
        for name, value in document.items()
        for each in (value if isinstance(value, list) else [value])
    ]


async def test_a_test_is_the_e_mail_that_the_preview_shows_but_for_its_mark(office):
    hand = await office.writer()
    code = await begun(office, hand, title_en="No water", body_en="On Thursday from 8 am.")
    here = f"/console/annonces/{code}"
    assert "M’envoyer un test" in (await hand.get(f"{here}/verifier")).text
    reply = await hand.post(f"{here}/test")
    assert reply.headers["Location"] == f"{here}/verifier"
    assert "Le test part vers votre adresse" in (await hand.get(f"{here}/verifier")).text
    await arrived(office, hand.email, 2)
    french, english = sorted(mailbox(office, hand.email), key=lambda each: "No water" in each.html)
    assert french.subject.startswith("[Test] ")
    assert "No water" in english.subject
    shown = (await hand.get(f"{here}/apercu-email")).text
    assert french.html.strip() == shown.strip()
    dead = re.search(r"/stop/[A-Za-z]{32}", french.text)
    assert dead is not None
    opened = await office.door.ask("POST", dead[0], data={"List-Unsubscribe": "One-Click"})
    assert opened.status >= 400
    lines = await office.door.rows(tables.audit, tables.audit.c.verb == "trial")
    assert [line.object for line in lines] == [f"announcement:{code}"]
    assert "example.org" not in str(lines)


async def test_what_is_typed_is_saved_before_its_test_leaves(office):
    hand = await office.writer()
    code = await begun(office, hand)
    here = f"/console/annonces/{code}"
    page = await hand.get(f"{here}/rediger")
    assert 'name="do" value="test"' in page.text
    version = re.search(r'name="version" value="(\d+)"', page.text)[1]
    typed = flat(WATER | {"title": "Eau rétablie"})
    fields = [*typed, ("version", version), ("do", "test")]
    reply = await hand.post(f"{here}/rediger", fields)
    assert reply.headers["Location"] == f"{here}/rediger"
    assert "Eau rétablie" in (await arrived(office, hand.email)).subject


async def test_a_test_is_for_those_who_see_the_draft_and_few_a_minute(office):
    hand = await office.writer()
    code = await begun(office, hand)
    others = [
        await office.officer({Role.WRITE: ("cantine",)}),
        await office.officer(authority="autreville"),
    ]
    for other in others:
        assert (await other.post(f"/console/annonces/{code}/test")).status == 404
    blank = await begun(office, hand, title="", body="")
    await hand.post(f"/console/annonces/{blank}/test")
    assert "écrivez un titre" in (await hand.get("/console/profil")).text
    for _ in range(MOST_TRIALS):
        await hand.post(f"/console/annonces/{code}/test")
    assert "Trop de tests" in (await hand.get("/console/profil")).text
    await arrived(office, hand.email, MOST_TRIALS - 1)
    for other in others:
        assert mailbox(office, other.email) == []


async def test_whoever_may_approve_is_written_to_when_it_is_asked_for(make_door, make_office):
    office = make_office(await make_door())
    morel, diallo = await office.writer(), await office.approver(signed_in=False)
    elsewhere = await office.officer(authority="autreville", signed_in=False)
    code = await begun(office, morel)
    here = f"/console/annonces/{code}/verifier"
    page = (await morel.get(here)).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    hidden.pop("csrf")
    reply = await morel.post(here, hidden | {"do": "ask"})
    assert reply.status == 303, reply.text
    letter = await arrived(office, diallo.email)
    assert letter.subject == "À valider\u00a0: Coupure d'eau jeudi"
    assert f"{office.door.hub.settings.hub.public_url}{here}" in letter.text
    assert mailbox(office, elsewhere.email) == mailbox(office, morel.email) == []
    assert letter.text.count(diallo.email) == 0


async def test_a_letter_that_never_arrived_is_shown_to_who_operates_in_its_town_alone(office):
    operator = await office.officer({Role.OPERATE: None})
    elsewhere = await office.officer({Role.OPERATE: None}, authority="autreville")
    diallo, morel = await office.approver(name="A. Diallo"), await office.writer()
    sandbox = office.door.sandbox
    sandbox.faults.set(ChannelName.EMAIL, dead={diallo.email})
    code = await begun(office, morel)
    await diallo.post(f"/console/annonces/{code}/test")
    path = "/admin/file"

    async def shown():
        return "Messages aux agents" in (await operator.get(path)).text

    await office.door.until(shown)
    page = (await operator.get(path)).text
    assert "<strong>A. Diallo</strong> test de l’e-mail" in page
    assert diallo.email not in page
    assert "Messages aux agents" not in (await elsewhere.get(path)).text


async def test_in_the_sandbox_the_letters_of_officers_have_a_page(office):
    hand = await office.writer(name="J. Morel", signed_in=False)
    elsewhere = await office.writer(authority="autreville", signed_in=False)
    assert "Personne n’a encore reçu de message." in (await hand.get("/sandbox/agents")).text
    for email in (hand.email, elsewhere.email):
        await ask(hand, email)
        await arrived(office, email)
    page = (await hand.get("/sandbox/agents")).text
    number = mailbox(office, hand.email)[0].seq
    assert f'<a href="/sandbox/emails/{number}">Choisir un nouveau mot de passe</a>' in page
    assert page.count("/sandbox/emails/") == 1
    assert "J. Morel" in page
    assert (await hand.get(f"/sandbox/emails/{number}")).status == 200


async def test_no_link_is_offered_that_only_the_stage_would_show(make_door, make_office):
    real = {"account_sid": "AC" + "0" * 32, "auth_token": "x" * 32, "sender": "+33639980000"}
    door = await make_door(sandbox={"channels": ["email"]}, channels={"sms": real})
    hand = await make_office(door).writer(signed_in=False)
    assert (await hand.get(FORGOTTEN)).status == 404
