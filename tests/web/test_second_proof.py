# SPDX-License-Identifier: EUPL-1.2
"""A password alone opens nothing to whoever set up a second proof, and each code opens once."""

import html
import re
from datetime import timedelta

import pyotp
import pytest

from hub.flow.staff.roles import Role
from hub.ledger import office_tables as tables
from hub.ledger import tables as ledger_tables
from hub.sandbox.server import Sandbox
from hub.web.console.guard import SECOND, SET_UP

PASSWORD = "une phrase de passe assez longue"
MINUTE = timedelta(seconds=60)


def read(page, name):
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return html.unescape(found[1])


async def set_up(desk, clock):
    """The secret, and the ten codes."""
    page = await desk.get(SET_UP)
    key = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
    assert key is not None
    secret = key[1].replace(" ", "")
    given = {"secret": read(page, "secret"), "current": PASSWORD, "code": now_of(secret, clock)}
    reply = await desk.post(SET_UP, given)
    assert reply.status == 200, reply.text
    codes = re.findall(r"<li><code>([a-z2-9-]+)</code>", reply.text)
    assert len(codes) == 10
    return secret, codes


def now_of(secret, clock):
    return pyotp.TOTP(secret).at(clock.now())


async def half_in(desk):
    """As far as the password leads."""
    reply = await desk.sign_in()
    assert reply.headers["Location"].startswith(SECOND)
    page = await desk.get(SECOND)
    desk.csrf = read(page, "csrf")
    return page


async def test_the_password_leads_to_the_code_and_the_code_to_a_new_session(office):
    hand, clock = await office.writer(), office.door.clock
    secret, _ = await set_up(hand, clock)
    clock.leap(MINUTE)
    await half_in(hand)
    cookie = {each.key: each.value for each in hand.session.cookie_jar}["office"]
    assert (await hand.get("/console/profil")).headers["Location"] == SECOND
    reply = await hand.post(SECOND, {"code": now_of(secret, clock), "suite": "/console/profil"})
    assert (reply.status, reply.headers["Location"]) == (303, "/console/profil")
    assert {each.key: each.value for each in hand.session.cookie_jar}["office"] != cookie
    assert (await hand.get("/console/profil")).status == 200


async def test_a_code_opens_once(office):
    hand, clock = await office.writer(), office.door.clock
    secret, _ = await set_up(hand, clock)
    await half_in(hand)
    assert (await hand.post(SECOND, {"code": now_of(secret, clock)})).status == 422, "set up by it"
    clock.leap(MINUTE)
    code = now_of(secret, clock)
    assert (await hand.post(SECOND, {"code": code})).status == 303
    await half_in(hand)
    assert (await hand.post(SECOND, {"code": code})).status == 422


async def test_the_fifth_wrong_code_ends_the_session(office):
    hand, clock = await office.writer(), office.door.clock
    secret, _ = await set_up(hand, clock)
    clock.leap(MINUTE)
    await half_in(hand)
    replies = [await hand.post(SECOND, {"code": "000 000"}) for _ in range(5)]
    assert [each.status for each in replies] == [422] * 4 + [303]
    assert "Il reste 1 essai" in replies[3].text
    assert (await hand.post(SECOND, {"code": now_of(secret, clock)})).status == 403
    assert "Trop de codes faux" in (await hand.get("/console/connexion")).text


async def test_nobody_guesses_on_by_signing_in_again(office):
    hand, clock = await office.writer(), office.door.clock
    secret, _ = await set_up(hand, clock)
    clock.leap(MINUTE)
    for _ in range(6):
        await half_in(hand)
        for _ in range(5):
            await hand.post(SECOND, {"code": "000000"})
    await half_in(hand)
    reply = await hand.post(SECOND, {"code": now_of(secret, clock)})
    assert reply.headers["Location"] == "/console/connexion"
    assert "Attendez une heure" in (await hand.get("/console/connexion")).text


async def test_a_recovery_code_opens_once_however_it_is_typed(office):
    hand, clock = await office.writer(), office.door.clock
    _, codes = await set_up(hand, clock)
    await half_in(hand)
    typed = codes[3].upper().replace("-", " ")
    assert (await hand.post(SECOND, {"code": typed})).status == 303
    page = await hand.get("/console/profil")
    assert "Il reste 9 codes de secours" in page.text
    assert "Ce code de secours a servi" in page.text
    await half_in(hand)
    assert (await hand.post(SECOND, {"code": codes[3]})).status == 422


async def test_other_codes_end_those_there_were(office):
    hand, clock = await office.writer(), office.door.clock
    _, codes = await set_up(hand, clock)
    assert (await hand.post(f"{SET_UP}/codes", {"current": "autre chose"})).status == 422
    page = await hand.post(f"{SET_UP}/codes", {"current": PASSWORD})
    others = re.findall(r"<li><code>([a-z2-9-]+)</code>", page.text)
    assert len(others) == 10
    assert not set(others) & set(codes)
    await half_in(hand)
    assert (await hand.post(SECOND, {"code": codes[0]})).status == 422
    assert (await hand.post(SECOND, {"code": others[0]})).status == 303


async def test_adding_or_removing_it_asks_for_the_password_and_ends_other_sessions(office):
    hand, clock = await office.writer(), office.door.clock
    other = await office.again(hand)
    page = await hand.get(SET_UP)
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)[1].replace(" ", "")
    given = {"secret": read(page, "secret"), "code": now_of(secret, clock)}
    refused = await hand.post(SET_UP, given | {"current": "autre chose"})
    assert refused.status == 422
    assert "Erreur" in re.search(r"<title>(.*?)</title>", refused.text)[1]
    assert (await other.get("/console/profil")).status == 200
    assert (await hand.post(SET_UP, given | {"current": PASSWORD})).status == 200
    assert (await other.get("/console/profil")).status == 303
    assert (await hand.post(f"{SET_UP}/retirer", {"current": "non"})).status == 422
    reply = await hand.post(f"{SET_UP}/retirer", {"current": PASSWORD})
    assert reply.headers["Location"] == "/console/profil"
    assert (await hand.sign_in()).headers["Location"] == "/console"


async def test_a_secret_shown_to_one_officer_is_nothing_in_anothers_form(office):
    hand, other, clock = await office.writer(), await office.writer(), office.door.clock
    page = await hand.get(SET_UP)
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)[1].replace(" ", "")
    given = {"secret": read(page, "secret"), "code": now_of(secret, clock), "current": PASSWORD}
    assert (await other.post(SET_UP, given)).status == 422


async def test_neither_secret_nor_code_is_in_a_log_the_audit_or_the_ledger(office, log):
    hand, clock = await office.writer(), office.door.clock
    secret, codes = await set_up(hand, clock)
    clock.leap(MINUTE)
    await half_in(hand)
    code = now_of(secret, clock)
    await hand.post(SECOND, {"code": code})
    for page in ("/console/profil", SET_UP):
        shown = (await hand.get(page)).text
        assert not any(each in shown for each in (secret, *codes))
    (kept,) = await office.door.rows(tables.officer, tables.officer.c.id == hand.number)
    audit = await office.door.rows(ledger_tables.audit)
    said = log.getvalue() + repr(kept) + repr(audit)
    assert not any(each in said for each in (secret, *codes, PASSWORD))
    assert not any(f"'{code}'" in repr(line.detail) for line in audit)
    entries = [line for line in audit if line.verb == "sign_in"]
    assert [line.detail for line in entries] == [{"proof": "password"}, {"proof": "code"}]


# --------------------------------------------------------------------------- who must have one


@pytest.fixture
async def mail_server(door_clock):
    async with Sandbox(door_clock) as server:
        yield server


@pytest.fixture
async def serious(make_door, make_office, mail_server):
    """A hub whose e-mail is real."""
    email = mail_server.channel_settings()["email"]
    door = await make_door(sandbox={"channels": ["sms"]}, channels={"email": email})
    return make_office(door)


async def test_outside_the_sandbox_whoever_approves_sets_it_up_before_anything_else(serious):
    hand = await serious.approver()
    for path in ("/console", "/console/profil", "/console/annonces"):
        assert (await hand.get(path)).headers["Location"] == SET_UP
    page = await hand.get(SET_UP)
    hand.csrf = read(page, "csrf")
    assert "Votre rôle demande une seconde preuve" in page.text
    assert (await hand.post("/console/profil/langue", {"language": "en"})).status == 403
    await set_up(hand, serious.door.clock)
    assert (await hand.get("/console/profil")).status == 200


async def test_who_only_writes_may_do_without_and_nobody_must_in_the_sandbox(serious, office):
    writer = await serious.writer()
    assert (await writer.get("/console/profil")).status == 200
    approver = await office.officer({Role.APPROVE: None, Role.ADMIN: None})
    assert (await approver.get("/console/profil")).status == 200


async def test_a_role_given_later_asks_for_it_at_once(serious):
    hand, chief = await serious.writer(), await serious.officer({Role.ADMIN: None})
    page = await chief.get(SET_UP)
    chief.csrf = read(page, "csrf")
    await set_up(chief, serious.door.clock)
    reply = await chief.post(f"/admin/equipe/{hand.number}", [("role", "approve")])
    assert reply.status == 303
    assert (await hand.get("/console/profil")).headers["Location"] == SET_UP
