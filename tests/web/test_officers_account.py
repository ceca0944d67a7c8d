# SPDX-License-Identifier: EUPL-1.2
"""An officer keeps their own account; a link lets one choose a password, once."""

import re
from datetime import timedelta

import pytest

from hub.flow.keep.retention import Retiring, Rules
from hub.flow.staff import links, passwords
from hub.flow.staff.links import Purpose
from hub.flow.staff.roles import Role
from hub.web.desk import DESK

PASSWORD = "une phrase de passe assez longue"
OTHER = "les saules du bord de l'Orne"


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("saules Orne", "short"),
        ("é" * 12, "easy"),
        ("motdepasse1234", "easy"),
        ("Motdepasse123456!", "easy"),
        ("AzertyUiop1234", "easy"),
        ("Jeanne.Morel-2026", "easy"),
        ("jeanne.morel@example.org", "easy"),
        ("x" * 1001, "long"),
        (OTHER, None),
        ("correct horse battery", None),
        ("Xq7!vB2#kLm9", None),
    ],
)
def test_a_password_is_long_and_not_what_anybody_tries_first(password, fault):
    assert passwords.fault(password, "Jeanne Morel", "jeanne.morel@example.org") == fault


def test_letters_are_the_same_however_the_keyboard_composes_them():
    assert passwords.plain("e\u0301te\u0301") == "été"


async def test_the_account_says_in_words_what_one_may_do(office):
    hand = await office.officer({Role.WRITE: ("eau",), Role.CONTACTS: None})
    page = (await hand.get("/console/profil")).text
    words = re.sub(r"<[^>]+>", "", page)
    assert re.search(r"Rédaction\s+\(Eau[^)]*\)", words)
    assert "Abonnés" in words


async def test_another_password_asks_for_the_old_one_and_ends_other_sessions(office):
    hand = await office.writer()
    other = await office.again(hand)
    page = (await hand.get("/console/profil")).text
    assert "dans 1 autre navigateur" in page
    path = "/console/profil/mot-de-passe"
    wrong = await hand.post(path, {"current": "non", "password": "court"})
    assert wrong.status == 422
    assert wrong.text.count('<li><a href="#') == 2
    assert 'value="court"' not in wrong.text
    reply = await hand.post(path, {"current": PASSWORD, "password": OTHER})
    assert reply.headers["Location"] == "/console/profil"
    assert (await other.get("/console/profil")).status == 303
    assert "Votre mot de passe est changé" in (await hand.get("/console/profil")).text
    assert (await hand.sign_in(PASSWORD)).status == 422
    assert (await hand.sign_in(OTHER)).status == 303


async def test_other_sessions_end_when_asked(office):
    hand = await office.writer()
    other = await office.again(hand)
    await hand.post("/console/profil/sessions")
    assert (await other.get("/console/profil")).status == 303
    assert "Aucune autre session" in (await hand.get("/console/profil")).text


async def test_a_language_is_kept_and_comes_with_whoever_signs_in(office):
    hand = await office.writer()
    await hand.post("/console/profil/langue", {"language": "en"})
    assert "My account" in (await hand.get("/console/profil")).text
    other = await office.again(hand)
    assert "My account" in (await other.get("/console/profil")).text
    await hand.post("/console/profil/langue", {"language": "tlh"})
    assert "My account" in (await hand.get("/console/profil")).text


# --------------------------------------------------------------------------- links


async def link_of(office, hand, purpose=Purpose.RESET, now=None):
    now = now or office.door.clock.now()
    token = await office.door.hub.ledger.transact(
        lambda conn: links.issue(conn, hand.number, purpose, now)
    )
    return f"/console/invitation/{token}"


async def take_up(hand, path, password=OTHER):
    page = await hand.get(path)
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    return await hand.post(path, {"password": password}, csrf=found[1] if found else "")


async def test_a_link_works_once_and_opening_it_changes_nothing(office):
    hand = await office.writer()
    path = await link_of(office, hand)
    other = await office.officer(signed_in=False)
    for _ in range(3):
        assert (await other.get(path)).status == 200
    assert (await hand.get("/console/profil")).status == 200
    assert (await take_up(other, path, "court")).status == 422
    assert (await take_up(other, path)).headers["Location"] == "/console"
    assert (await hand.get("/console/profil")).status == 303, "their sessions ended"
    assert (await other.get(path)).status == 404
    assert (await hand.sign_in(PASSWORD)).status == 422
    assert (await hand.sign_in(OTHER)).status == 303


async def test_a_link_lives_its_hours_and_ends_with_the_next(office):
    hand = await office.writer()
    first = await link_of(office, hand)
    second = await link_of(office, hand)
    assert (await hand.get(first)).status == 404
    assert (await hand.get(second)).status == 200
    office.door.clock.leap(links.LIVES[Purpose.RESET] + timedelta(seconds=1))
    assert (await hand.get(second)).status == 404


async def test_a_link_is_not_taken_up_by_a_form_of_elsewhere(office):
    hand = await office.writer()
    path = await link_of(office, hand)
    await hand.get(path)
    assert (await hand.post(path, {"password": OTHER}, csrf="made up")).status == 403


async def test_made_up_links_are_few_a_minute(make_door, make_office):
    office = make_office(await make_door(limits={"public_per_minute": 5}))
    hand = await office.officer(signed_in=False)
    replies = [await hand.get(f"/console/invitation/{'x' * 43}") for _ in range(6)]
    assert [each.status for each in replies] == [404] * 5 + [429]


async def test_a_token_is_in_no_log_and_kept_as_a_hash(office, log):
    hand = await office.writer()
    path = await link_of(office, hand)
    await take_up(hand, path)
    token = path.rpartition("/")[2]
    assert token not in log.getvalue()
    assert token not in repr(await office.door.rows(links.table))


async def test_sessions_and_links_that_are_over_are_erased_with_the_daily_round(office):
    hand, door = await office.writer(), office.door
    await link_of(office, hand)
    rules = Rules(**door.app[DESK].settings.retention.model_dump())
    retiring = Retiring(door.hub.ledger, rules, door.clock)
    assert not {"officers_sessions", "officers_links"} & set(await retiring.erase())
    door.clock.leap(timedelta(days=2))
    gone = await retiring.erase()
    assert (gone["officers_sessions"], gone["officers_links"]) == (1, 1)


# --------------------------------------------------------------------------- passkeys


@pytest.fixture
async def named(make_door, make_office):
    """The town hall of a hub at a name: browsers make no passkeys for a number."""
    return make_office(await make_door(hub={"public_url": "http://localhost"}))


async def test_whatever_is_posted_in_an_answers_place_the_door_stays_shut(named):
    hand = await named.writer(signed_in=False)
    page = await hand.get("/console/connexion")
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]
    asked = await hand.post("/console/connexion/cle/defi", csrf=token)
    assert asked.json["userVerification"] == "required"
    for answer in ("", "{}", '{"id": "AAAA"}', "x" * 500):
        reply = await hand.post("/console/connexion/cle", {"credential": answer}, csrf=token)
        assert reply.headers["Location"] == "/console/connexion"
    assert (await hand.get("/console/profil")).status == 303
    assert (await hand.post("/console/connexion/cle/defi", csrf="made up")).status == 403


async def test_a_passkey_comes_after_a_second_proof_and_another_officers_is_not_there(named):
    hand = await named.writer()
    reply = await hand.post("/console/profil/cles", {"current": PASSWORD})
    assert reply.headers["Location"] == "/console/profil"
    reply = await hand.post("/console/profil/cles/garder", {"credential": "{}"})
    assert "n’a pas été gardée" in (await hand.get("/console/profil")).text
    assert (await hand.post("/console/profil/cles/1/retirer")).status == 404


async def test_where_browsers_make_none_none_is_offered(office):
    hand = await office.writer()
    assert "passkey" not in (await hand.get("/console/connexion")).text
    assert (await hand.get("/console/profil/cles")).status == 404
