# SPDX-License-Identifier: EUPL-1.2
"""An administrator keeps the team of one town, never themselves, never without a successor."""

import re

import pytest
from door_rig import authority_of

from hub.flow.staff import officers, team
from hub.flow.staff.roles import EVERYTHING, Role
from hub.flow.staff.team import Steward
from hub.ledger import tables as ledger_tables

TEAM = "/admin/equipe"
PASSWORD = "une phrase de passe assez longue"


@pytest.fixture
async def chief(office):
    return await office.officer({Role.ADMIN: None}, name="Camille Martin")


def someone(**fields):
    given = {"name": "Jeanne Morel", "email": "Jeanne.Morel@example.org", **fields}
    return list(given.items())


def link_in(page):
    found = re.search(r'value="(http[^"]*/console/invitation/[^"]+)"', page.text)
    assert found is not None, page.text
    return "/" + found[1].split("/", 3)[3]


async def newcomer(office):
    return await office.officer(signed_in=False)


async def choose(browser, path, password=PASSWORD):
    page = await browser.get(path)
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found is not None, page.text
    reply = await browser.post(path, {"password": password}, csrf=found[1])
    await browser.refresh_csrf()
    return reply


async def load(office, number):
    return await office.door.hub.ledger.read(lambda conn: officers.load(conn, number))


async def test_only_an_administrator_opens_it(office):
    hand = await office.officer(dict.fromkeys(set(Role) - {Role.ADMIN}))
    assert (await hand.get(TEAM)).status == 403
    reply = await hand.post(f"{TEAM}/inviter", [*someone(), ("role", "admin")])
    assert reply.status == 403


async def test_an_invitation_is_shown_once_and_opens_the_account(office, chief, log):
    form = [*someone(), ("role", "write"), ("themes-write", "eau"), ("role", "contacts")]
    page = await chief.post(f"{TEAM}/inviter", form)
    assert page.status == 200
    path = link_in(page)
    assert path not in (await chief.get(TEAM)).text
    assert "Invitation en cours" in (await chief.get(TEAM)).text
    hers = await newcomer(office)
    shown = await hers.get(path)
    assert "Jeanne Morel" in shown.text
    assert (await choose(hers, path)).headers["Location"] == "/console"
    words = (await hers.get("/console/profil")).text
    assert "jeanne.morel@example.org" in words
    token = path.rpartition("/")[2]
    audit = await office.door.rows(ledger_tables.audit)
    assert token not in log.getvalue() + repr(audit)
    line = next(line for line in audit if line.verb == "invite")
    assert line.actor == f"officer:{chief.number}"
    assert line.detail == {"roles": {"write": ["eau"], "contacts": None}}
    assert "morel" not in repr(audit).lower()


async def test_what_is_missing_is_said_and_what_was_typed_is_kept(office, chief):
    await chief.post(f"{TEAM}/inviter", [*someone(), ("role", "read")])
    for form, sentence in (
        ([*someone(name=""), ("role", "read")], "Écrivez le nom"),
        ([*someone(email="jeanne"), ("role", "read")], "pas une adresse e-mail entière"),
        ([*someone(email=""), ("role", "read")], "Écrivez l’adresse"),
        (someone(), "au moins un rôle"),
        ([*someone(), ("role", "read"), ("themes-write", "eau")], "pas coché"),
        ([*someone(), ("role", "read")], "déjà celle d’un agent"),
    ):
        page = await chief.post(f"{TEAM}/inviter", form)
        assert page.status == 422
        assert sentence in page.text
        assert "Erreur" in re.search(r"<title>(.*?)</title>", page.text)[1]
    assert 'value="Jeanne Morel"' in page.text


async def test_roles_change_at_once_and_the_journal_says_from_what_to_what(office, chief):
    hand = await office.writer()
    page = await chief.get(f"{TEAM}/{hand.number}")
    assert re.search(r'id="role-write"[^>]* checked', page.text)
    form = [("role", "approve"), ("themes-approve", "eau"), ("themes-approve", "made-up")]
    reply = await chief.post(f"{TEAM}/{hand.number}", form)
    assert reply.headers["Location"] == TEAM
    who = await load(office, hand.number)
    assert who.grants == {Role.APPROVE: ("eau",)}
    line = (await office.door.rows(ledger_tables.audit))[-1]
    assert (line.verb, line.detail) == (
        "roles",
        {"before": {"write": None}, "roles": {"approve": ["eau"]}},
    )


async def test_a_closed_account_is_out_at_once_and_may_be_invited_again(office, chief):
    hand = await office.writer()
    assert (await chief.post(f"{TEAM}/{hand.number}/fermer")).headers["Location"] == TEAM
    assert (await hand.get("/console/profil")).status == 303
    assert (await hand.sign_in()).status == 422
    assert (await chief.get(f"{TEAM}/{hand.number}")).status == 404
    form = [("name", "De retour"), ("email", hand.email), ("role", "read")]
    path = link_in(await chief.post(f"{TEAM}/inviter", form))
    assert (await hand.sign_in()).status == 422, "the old password is no more"
    await choose(hand, path, "les saules du bord de l'Orne")
    assert (await load(office, hand.number)).grants == {Role.READ: None}


async def test_a_new_link_leaves_the_old_password_until_it_is_used(office, chief):
    hand = await office.writer()
    path = link_in(await chief.post(f"{TEAM}/{hand.number}/lien"))
    assert (await hand.sign_in()).status == 303
    assert (await choose(hand, path, "les saules du bord de l'Orne")).status == 303
    assert (await hand.sign_in()).status == 422


async def test_nobody_acts_on_themselves(office, chief):
    mine = f"{TEAM}/{chief.number}"
    before = await load(office, chief.number)
    for path, form in (
        (mine, [("role", "write")]),
        (f"{mine}/fermer", []),
        (f"{mine}/lien", []),
        (f"{mine}/preuve", []),
    ):
        assert (await chief.post(path, form)).status == 409, path
    assert await load(office, chief.number) == before
    page = (await chief.get(mine)).text
    assert "Personne ne change ses propres droits" in page
    assert "Fermer ce compte" not in page


async def test_a_town_keeps_an_administrator(office, chief):
    """From the shell, where there is nobody to be oneself; and when two close each other."""
    other = await office.officer({Role.ADMIN: None})
    ledger, now = office.door.hub.ledger, office.door.clock.now()
    one, two = await load(office, chief.number), await load(office, other.number)
    shell = Steward(one.authority, "root")

    await ledger.transact(lambda conn: team.disable(conn, Steward.of(one), two, now))
    with pytest.raises(team.NotEntitledError):
        await ledger.transact(lambda conn: team.disable(conn, Steward.of(two), one, now))
    with pytest.raises(team.LastAdministratorError):
        await ledger.transact(lambda conn: team.disable(conn, shell, one, now))
    with pytest.raises(team.LastAdministratorError):
        await ledger.transact(
            lambda conn: team.change_grants(conn, shell, one, {Role.WRITE: None}, now)
        )


async def test_another_town_has_a_team_of_its_own(office, chief):
    other = await office.officer(EVERYTHING, name="Zoé d'Autreville", authority="autreville")
    listed = (await chief.get(TEAM)).text
    assert "Autreville" not in listed
    assert "1 personne entre" in listed
    for path in (f"{TEAM}/{other.number}", f"{TEAM}/99999"):
        assert (await chief.get(path)).status == 404
        for what in ("", "/lien", "/preuve", "/fermer"):
            assert (await chief.post(path + what, [("role", "read")])).status == 404
    assert (await other.get("/console/profil")).status == 200
    hers = await office.door.hub.ledger.read(lambda conn: authority_of(conn, "autreville"))
    assert (await load(office, other.number)).authority == hers


# --------------------------------------------------------------------------- playing


async def test_in_the_sandbox_one_person_plays_every_part_and_the_journal_says_who(office):
    camille = await office.officer(name="Camille Martin")
    other = await office.approver(name="A. Diallo")
    page = await camille.get("/console/profil")
    assert "A. Diallo (validation)" in page.text
    reply = await camille.post("/console/jouer", {"officer": other.number})
    assert reply.headers["Location"] == "/console"
    assert (
        "A. Diallo"
        in re.search(r'<p class="lead">(.*?)<', (await camille.get("/console/profil")).text)[1]
    )
    line = (await office.door.rows(ledger_tables.audit))[-1]
    assert (line.actor, line.object) == (f"officer:{camille.number}", f"officer:{other.number}")
    assert line.detail == {"proof": "played"}


async def test_nobody_plays_an_officer_of_another_town(office):
    hand = await office.writer()
    other = await office.officer(EVERYTHING, authority="autreville")
    for asked in (other.number, 0, "x"):
        assert (await hand.post("/console/jouer", {"officer": asked})).status == 404


async def test_outside_the_sandbox_nobody_plays(make_door, make_office):
    email = {"host": "127.0.0.1", "port": 25, "sender": "ville@example.org"}
    office = make_office(await make_door(sandbox={"channels": ["sms"]}, channels={"email": email}))
    hand, other = await office.writer(), await office.writer()
    assert "/console/jouer" not in (await hand.get("/console/profil")).text
    assert (await hand.post("/console/jouer", {"officer": other.number})).status == 404
