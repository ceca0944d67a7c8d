# SPDX-License-Identifier: EUPL-1.2
"""A link opens somebody's own pages once; nobody learns from it who is known."""

import asyncio
import re
from datetime import timedelta

import pytest
from visiting import LINK, MOBILE, Browser

from channels.base import ChannelName, Recipient
from hub.ledger import tables
from subscribers import directory
from subscribers import tables as theirs

STRANGER = "+33639989999"


@pytest.fixture
def browser(door):
    return Browser(door)


async def link_to(door, browser, contact=MOBILE):
    await browser.post("/mes-alertes/lien", contact=contact)
    sent = door.sandbox.effects
    await door.until(lambda: any(LINK.search(e.text) for e in sent.to(ChannelName.SMS, contact)))
    found = [LINK.search(e.text) for e in sent.to(ChannelName.SMS, contact)]
    return "/l/" + [each[1] for each in found if each][-1]


async def test_without_a_visit_the_page_asks_for_a_contact(browser):
    for path in ("/mes-alertes", "/mes-alertes/themes", "/mes-alertes/donnees.json"):
        page = await browser.get(path)
        if page.status == 303:
            assert page.headers["Location"] == "/mes-alertes"
        else:
            assert 'name="contact"' in page.text
            assert page.headers["Cache-Control"] == "no-store"


async def test_known_and_unknown_are_answered_byte_for_byte_alike(door, browser):
    answers, pages = [], []
    for contact in (MOBILE, STRANGER):
        answers.append(await browser.post("/mes-alertes/lien", contact=contact))
        pages.append(await browser.get(answers[-1].headers["Location"]))
    one, other = (
        (
            each.status,
            each.raw,
            {k: v for k, v in each.headers.items() if k in ("Location", "Set-Cookie")},
        )
        for each in answers
    )
    assert one == other
    assert pages[0].raw == pages[1].raw
    assert "Si ce contact est connu, un lien vient de partir." in pages[0].text
    rows = await door.rows(theirs.challenge)
    assert [row.sent for row in rows] == [True, False]


async def test_a_contact_that_nobody_could_have_is_told_what_is_wrong(browser):
    page = await browser.post("/mes-alertes/lien", contact="06 12")
    assert page.status == 422
    assert "Écrivez un numéro de mobile" in page.text
    assert "ou une adresse e-mail." in page.text
    assert 'value="06 12"' in page.text
    assert "<title>Erreur :" in page.text.replace("\N{NO-BREAK SPACE}", " ")


async def test_asking_again_at_once_is_refused_the_same_for_everybody(browser):
    for contact in (MOBILE, STRANGER):
        assert (await browser.post("/mes-alertes/lien", contact=contact)).status == 303
        again = await browser.post("/mes-alertes/lien", contact=contact)
        assert again.status == 429
        assert "Un lien a été demandé il y a peu" in again.text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_scanner_opens_nothing_and_the_click_afterwards_works(door, browser, method):
    path = await link_to(door, browser)
    for _ in range(2):
        assert (await door.ask(method, path)).status == 200
    assert await door.rows(theirs.session) == []
    person = str(await door.person("v0001"))
    opened = await browser.post(path, person=person)
    assert (opened.status, opened.headers["Location"]) == (303, "/mes-alertes")
    assert "visit" in browser.cookies
    assert "Ouvrir mes préférences" not in (await browser.get("/mes-alertes")).text


async def test_a_link_opens_once_and_then_offers_a_new_one(door, browser):
    path = await browser.sign_in()
    used = await browser.get(path)
    assert used.status == 410
    assert "06\N{NO-BREAK SPACE}•• •• •• 01" in used.text
    assert "39980001" not in used.text
    again = await browser.post(path, person=str(await door.person("v0001")))
    assert again.status == 410
    door.clock.leap(timedelta(minutes=2))
    renewed = await browser.post(path, again="1")
    assert renewed.headers["Location"] == "/mes-alertes?envoye=1"
    await door.until(lambda: len(list(door.sandbox.effects.to(ChannelName.SMS, MOBILE))) == 2)


async def test_of_ten_presses_at_once_one_opens(door, browser):
    path, person = await link_to(door, browser), str(await door.person("v0001"))
    presses = (Browser(door).post(path, person=person) for _ in range(10))
    answers = await asyncio.gather(*presses)
    assert sorted(each.status for each in answers) == [303] + [410] * 9
    assert len(await door.rows(theirs.session)) == 1


async def test_a_link_is_over_after_twenty_minutes(door, browser):
    path = await link_to(door, browser)
    door.clock.leap(timedelta(minutes=20))
    assert (await browser.get(path)).status == 410
    assert (await browser.post(path, person=str(await door.person("v0001")))).status == 410


async def test_a_link_opens_for_nobody_it_was_not_sent_to(door, browser):
    path = await link_to(door, browser)
    other = str(await door.person("v0002"))
    answer = await browser.post(path, person=other)
    assert answer.headers["Location"] == path
    assert await door.rows(theirs.session) == []


async def test_what_is_no_link_of_ours_tells_nothing(browser):
    for token in ("x", "A" * 28, "%C3%A9" * 10):
        page = await browser.get(f"/l/{token}")
        assert page.status in (404, 410)


async def test_a_household_chooses_without_anybody_being_named(door, browser):
    other = await door.person("v0002")

    def share(conn):
        now = door.clock.now()
        point = directory.add_contact_point(conn, other, ChannelName.SMS, Recipient(MOBILE), now)
        directory.verify(conn, point, now)

    await door.hub.ledger.transact(share)
    page = await browser.get(await link_to(door, browser))
    people = re.findall(r'name="person" value="(\d+)"', page.text)
    assert sorted(map(int, people)) == sorted([await door.person("v0001"), other])
    assert "Lesquelles sont les vôtres" in page.text
    assert "39980001" not in page.text


async def test_an_address_nobody_confirmed_opens_nothing(door, browser):
    amina = await door.person("v0001")

    def add(conn):
        recipient = Recipient("+33639987777")
        directory.add_contact_point(conn, amina, ChannelName.SMS, recipient, door.clock.now())

    await door.hub.ledger.transact(add)
    await browser.post("/mes-alertes/lien", contact="+33639987777")
    (row,) = await door.rows(theirs.challenge)
    assert (row.subscriber, row.sent) == (None, False)


async def test_neither_token_nor_contact_is_kept_or_logged(door, browser, log):
    path = await browser.sign_in()
    token = path.removeprefix("/l/")
    for row in await door.rows(theirs.session) + await door.rows(theirs.challenge):
        assert token not in str(row)
        assert browser.cookies["visit"] not in str(row)
        assert MOBILE not in str(row)
    assert token not in log.getvalue()
    assert browser.cookies["visit"] not in log.getvalue()
    (line,) = await door.rows(tables.audit, tables.audit.c.verb == "sign_in")
    assert (line.actor, line.object) == ("citizen", f"subscriber:{await door.person('v0001')}")


async def test_a_visit_that_is_over_leads_back_to_the_way_in(door, browser):
    await browser.sign_in()
    door.clock.leap(timedelta(minutes=29))
    assert "Mes thèmes" in (await browser.get("/mes-alertes")).text
    door.clock.leap(timedelta(minutes=29))
    assert "Mes thèmes" in (await browser.get("/mes-alertes")).text
    door.clock.leap(timedelta(minutes=31))
    assert 'name="contact"' in (await browser.get("/mes-alertes")).text


async def test_leaving_ends_the_visit_everywhere(door, browser):
    await browser.sign_in()
    kept = dict(browser.cookies)
    left = await browser.submit("/mes-alertes/quitter")
    assert left.headers["Location"] == "/"
    assert "visit" not in browser.cookies
    browser.cookies = kept
    assert 'name="contact"' in (await browser.get("/mes-alertes")).text
    assert await door.rows(theirs.session) == []


async def test_a_form_of_another_visit_is_refused(door, browser):
    await browser.sign_in()
    for token in ("", "0" * 32, "é"):
        answer = await browser.post("/mes-alertes/pause", csrf=token, **{"for": "week"})
        assert answer.status == 403
    assert (await door.rows(theirs.subscriber))[0].paused_until is None
