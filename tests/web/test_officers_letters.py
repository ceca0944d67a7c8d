# SPDX-License-Identifier: EUPL-1.2
"""Officers are written to by e-mail, and ask for a new password by themselves."""

import re

from channels.base import ChannelName
from hub.flow.office import officers
from hub.flow.office.letters import MOST_RESETS
from hub.ledger import tables
from hub.web.console.forgotten import MOST_ASKED

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
