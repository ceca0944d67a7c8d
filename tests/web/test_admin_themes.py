# SPDX-License-Identifier: EUPL-1.2
"""`/admin/themes`: added, ordered, changed, put away; never a cycle, never a key that changes."""

import pytest
from door_rig import authority_of

from hub.demo_town import town
from hub.flow.staff.roles import Role
from subscribers.catalogue import load_catalogue
from subscribers.catalogue_edit import Kind, followers

PATH = "/admin/themes"
SPORT = {"name_fr": "Sport & santé", "name_en": "Sport"}


@pytest.fixture
async def hand(office):
    return await office.officer({Role.ADMIN: None})


async def catalogue(office, authority=town.KEY):
    def read(conn):
        return load_catalogue(conn, authority_of(conn, authority))

    return await office.door.hub.ledger.read(read)


async def people(office, key):
    node = (await catalogue(office)).themes_by_key[key]
    return await office.door.hub.ledger.read(lambda conn: followers(conn, Kind.THEME, node))


async def test_a_theme_added_is_offered_at_once_and_named_in_the_journal(office, hand):
    reply = await hand.post(PATH, SPORT | {"about_fr": "<b>Stades</b>", "advised": "on"})
    assert reply.status == 303
    made = (await catalogue(office)).themes_by_key["sport-sante"]
    assert (made.names["en"], made.advised, made.about) == ("Sport", True, {"fr": "<b>Stades</b>"})
    portal = await hand.get("/abonnement/themes")
    assert "Sport &amp; santé" in portal.text
    assert "<b>Stades</b>" not in portal.text
    assert "Thème ou lieu ajouté" in (await hand.get("/admin/journal")).text


async def test_two_of_one_name_have_two_keys(office, hand):
    for _ in range(2):
        await hand.post(PATH, SPORT)
    assert {"sport-sante", "sport-sante-2"} <= set((await catalogue(office)).themes_by_key)


async def test_a_name_is_needed_in_both_languages(office, hand):
    reply = await hand.post(PATH, {"name_fr": "Sport", "name_en": " "})
    assert reply.status == 422
    assert 'value="Sport"' in reply.text
    assert "Erreur" in reply.text
    assert "sport" not in (await catalogue(office)).themes_by_key


async def test_a_theme_never_stands_below_itself(office, hand):
    fields = {"name_fr": "Eau", "name_en": "Water", "parent": "coupures"}
    assert (await hand.post(f"{PATH}/eau", fields)).status == 422
    assert (await hand.post(f"{PATH}/eau", fields | {"parent": "eau"})).status == 422
    assert (await hand.post(f"{PATH}/eau", fields | {"parent": "alertes"})).status == 303
    known = await catalogue(office)
    assert known.themes_by_key["eau"].parent == known.themes_by_key["alertes"].id


async def test_buttons_change_the_order(office, hand):
    def order(known):
        return [each.key for each in known.themes.values() if each.parent is None]

    before = order(await catalogue(office))
    await hand.post(f"{PATH}/{before[1]}/monter")
    assert order(await catalogue(office)) == [before[1], before[0], *before[2:]]
    await hand.post(f"{PATH}/{before[1]}/monter")  # it is first already
    await hand.post(f"{PATH}/{before[1]}/descendre")
    assert order(await catalogue(office)) == before
    page = (await hand.get(PATH)).text
    for key, up, down in (
        (before[0], False, True),
        (before[1], True, True),
        (before[-1], True, False),
    ):
        assert (f"{PATH}/{key}/monter" in page, f"{PATH}/{key}/descendre" in page) == (up, down)


async def test_who_chose_an_archived_theme_keeps_it_or_is_moved_as_was_said(office, hand):
    travaux, dechets = await people(office, "travaux"), await people(office, "dechets")
    assert travaux
    page = (await hand.get(f"{PATH}/travaux")).text
    assert f"{travaux} personne" in page
    assert (await hand.post(f"{PATH}/travaux/archiver", {"into": "dechets"})).status == 303
    assert await people(office, "travaux") == 0
    assert await people(office, "dechets") >= max(travaux, dechets)
    kept = await people(office, "culture")
    await hand.post(f"{PATH}/culture/archiver", {"into": ""})
    assert await people(office, "culture") == kept
    assert (await catalogue(office)).themes_by_key["culture"].archived
    await hand.post(f"{PATH}/culture/archiver", {"act": "back"})
    assert not (await catalogue(office)).themes_by_key["culture"].archived


async def test_what_holds_others_or_leads_nowhere_is_not_archived(office, hand):
    assert (await hand.post(f"{PATH}/eau/archiver", {"into": ""})).status == 422
    for nowhere in ("culture", "zzz"):
        reply = await hand.post(f"{PATH}/culture/archiver", {"into": nowhere})
        assert reply.status == 422
    assert not (await catalogue(office)).themes_by_key["culture"].archived


async def test_nobody_is_moved_away_from_what_is_still_to_be_told(office, hand):
    asked = {"title": "Marché", "body": "Samedi.", "themes": ["travaux"]}
    key = await office.door.key()
    assert (await office.door.post(key, asked | {"publish_at": "2026-11-25T08:00Z"})).status == 202
    refused = await hand.post(f"{PATH}/travaux/archiver", {"into": "dechets"})
    assert refused.status == 422
    assert "elles ne la recevraient pas" in refused.text
    assert (await hand.post(f"{PATH}/travaux/archiver", {"into": ""})).status == 303


async def test_another_towns_themes_are_nobodys(office, hand):
    await hand.post(PATH, SPORT)
    other = await office.officer({Role.ADMIN: None}, authority="autreville")
    assert "Sport" not in (await other.get(PATH)).text
    assert (await other.get(f"{PATH}/sport-sante")).status == 404
    for path in ("", "/monter", "/archiver"):
        assert (await other.post(f"{PATH}/sport-sante{path}", SPORT)).status == 404


async def test_themes_are_for_who_administers(office):
    other = await office.officer({Role.OPERATE: None, Role.APPROVE: None})
    assert (await other.get(PATH)).status == 403
    assert (await other.post(PATH, SPORT)).status == 403
