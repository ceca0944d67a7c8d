# SPDX-License-Identifier: EUPL-1.2
"""`/admin/lieux` and its map: seen before it is written; `/admin/conservation` says what holds."""

import json
import re
from html import unescape

import aiohttp
import pytest
from door_rig import authority_of

from hub.demo_town import town
from hub.flow.keep.retention import Retiring, Rules
from hub.flow.staff.roles import Role
from hub.ledger import tables
from hub.reports.erasures import last_erasure
from subscribers.catalogue import load_catalogue

PATH = "/admin/lieux"
SQUARE = [[[-0.5, 48.8], [-0.4, 48.8], [-0.4, 48.9], [-0.5, 48.9], [-0.5, 48.8]]]
BOW = [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]


@pytest.fixture
async def hand(office):
    return await office.officer({Role.ADMIN: None})


async def zones(office):
    def read(conn):
        return load_catalogue(conn, authority_of(conn, town.KEY)).zones_by_key

    return await office.door.hub.ledger.read(read)


def feature(rings, **properties):
    area = {"type": "Polygon", "coordinates": rings}
    return {"type": "Feature", "properties": properties, "geometry": area}


async def send(hand, content, path=f"{PATH}/carte"):
    form = aiohttp.FormData()
    form.add_field("csrf", hand.csrf)
    form.add_field("file", content, filename="carte.geojson")
    return await hand.ask("POST", path, data=form)


async def test_a_street_is_added_in_its_district_and_never_holds_it(office, hand):
    street = {"name_fr": "Rue <Neuve>", "name_en": "New", "level": "street", "parent": "centre"}
    assert (await hand.post(PATH, street)).status == 303
    known = await zones(office)
    assert known["rue-neuve"].parent == known["centre"].id
    page = (await hand.get(PATH)).text
    assert "Rue &lt;Neuve&gt;" in page
    wrong = {"name_fr": "Centre", "name_en": "Centre", "level": "district", "parent": "rue-neuve"}
    assert (await hand.post(f"{PATH}/centre", wrong)).status == 422
    assert (await hand.post(PATH, street | {"level": "town"})).status == 422


async def test_the_town_itself_is_neither_archived_nor_made_a_street(office, hand):
    path = f"{PATH}/valmont-sur-orne"
    assert (await hand.post(f"{path}/archiver", {"into": ""})).status == 422
    await hand.post(path, {"name_fr": "Valmont", "name_en": "Valmont", "level": "street"})
    assert (await zones(office))["valmont-sur-orne"].level == "town"


async def test_a_map_is_judged_by_name_and_shown_before_it_is_written(office, hand):
    features = [
        feature(SQUARE, nom="CENTRE"),
        feature(SQUARE, name="Atlantide <b>"),
        feature(BOW, key="gare"),
        feature(SQUARE, key="centre"),
    ]
    before = (await zones(office))["centre"].area
    names = (await zones(office))["centre"].names
    features[0]["properties"]["nom"] = names["fr"].upper()
    judged = await send(hand, json.dumps({"features": features}))
    assert judged.status == 200
    for words in ("un autre contour remplace", "aucun lieu ne s’appelle", "se croise", "deux fois"):
        assert words in judged.text, words
    assert "Atlantide &lt;b&gt;" in judged.text
    assert (await zones(office))["centre"].area == before
    text = unescape(re.search(r'name="map" value="([^"]*)"', judged.text)[1])
    assert (await hand.post(f"{PATH}/carte/ecrire", {"map": text})).status == 303
    assert (await zones(office))["centre"].area["coordinates"] == SQUARE
    assert "Carte des lieux importée" in (await hand.get("/admin/journal")).text


@pytest.mark.parametrize("content", ["", "{", "[]", '{"features": 3}', "[" * 100_000])
async def test_what_is_no_map_is_refused_in_a_sentence(office, hand, content):
    reply = await send(hand, content)
    assert reply.status == 422
    assert "Erreur" in reply.text


async def test_a_name_that_several_places_have_draws_none_of_them_but_its_key_does(office, hand):
    for parent in ("centre", "gare"):
        street = {"name_fr": "Rue Jumelle", "name_en": "Twin", "level": "street", "parent": parent}
        await hand.post(PATH, street)
    features = [feature(SQUARE, name="rue jumelle !"), feature(SQUARE, key="rue-jumelle-2")]
    judged = await send(hand, json.dumps({"features": features}))
    assert "plusieurs lieux" in judged.text
    assert "1 contour serait écrit" in judged.text


async def test_a_large_map_is_shown_and_written_without_what_is_beside_its_outlines(office, hand):
    wide = feature(SQUARE, key="centre", said="é" * 400_000)
    wide["geometry"]["said"] = "beside"
    judged = await send(hand, json.dumps({"features": [wide]}, ensure_ascii=False))
    assert judged.status == 200
    text = unescape(re.search(r'name="map" value="([^"]*)"', judged.text)[1])
    form = aiohttp.FormData()
    form.add_field("csrf", hand.csrf)
    form.add_field("map", text, content_type="text/plain")
    written = await hand.ask("POST", f"{PATH}/carte/ecrire", data=form)
    assert written.status == 303
    assert (await zones(office))["centre"].area == {"type": "Polygon", "coordinates": SQUARE}


async def test_features_beyond_the_most_that_are_read_are_told(hand):
    many = [feature(SQUARE, name=f"Lieu {n}") for n in range(1_002)]
    judged = await send(hand, json.dumps({"features": many}))
    assert "2 objets n’ont pas été lus" in judged.text


async def test_streets_of_a_file_are_seen_then_added_in_their_district_once(office, hand):
    lines = "nom_voie;quartier\nRue <Longue>;Centre\nRue Courte;Lune\n"
    judged = await send(hand, lines, f"{PATH}/rues")
    assert "2 rues seraient ajoutées" in judged.text
    assert "Lune" in judged.text
    assert "rue-longue" not in await zones(office)
    shown = unescape(re.search(r"hidden>\n(.*?)</textarea>", judged.text, re.DOTALL)[1])
    for _ in range(2):
        assert (await hand.post(f"{PATH}/rues/ecrire", {"streets": shown})).status == 303
    known = await zones(office)
    assert known["rue-longue"].parent == known["centre"].id
    assert known["rue-courte"].parent == known["valmont-sur-orne"].id
    assert "rue-longue-2" not in known
    lines_of = tables.audit.c.verb == "catalogue_streets"
    assert [line.detail for line in await office.door.rows(tables.audit, lines_of)] == [
        {"places": 2}
    ]
    again = await send(hand, lines, f"{PATH}/rues")
    assert "2 y sont déjà" in again.text


async def test_a_town_of_many_streets_is_searched_and_its_lists_stay_short(office, hand):
    streets = "\n".join(f"Rue {n:04}\tcentre" for n in range(600))
    await hand.post(f"{PATH}/rues/ecrire", {"streets": streets})
    page = (await hand.get(PATH)).text
    assert "Rue 0001" not in page
    found = (await hand.get(f"{PATH}?q=rue+0001")).text
    assert f'<a href="{PATH}/rue-0001">Rue 0001</a>' in found
    assert '<option value="rue-0001">' in found  # a building may stand there
    assert page.count("<option") < 60
    assert 'value="rue-0002"' in (await hand.get(f"{PATH}/rue-0001")).text  # where they may move
    assert 'value="rue-0002"' not in (await hand.get(f"{PATH}/gare")).text


@pytest.mark.parametrize("content", ["", "a;b\n1;2\n"])
async def test_a_file_without_streets_is_refused_in_a_sentence(hand, content):
    reply = await send(hand, content, f"{PATH}/rues")
    assert (reply.status, 'id="file-error"' in reply.text) == (422, True)


async def test_periods_are_those_of_the_settings(office, hand):
    page = (await hand.get("/admin/conservation")).text
    for words in ("7 jours", "13 mois", "3 ans"):
        assert words.replace(" ", "\u00a0") in page
    assert "Rien n’a encore été effacé" in page


async def test_when_it_was_last_erased_is_told_with_how_much_of_each(office, hand):
    hub = office.door.hub
    rules = Rules(396, 180, 1096, 7, 1096, 30)
    gone = await Retiring(hub.ledger, rules, office.door.clock).erase()
    page = (await hand.get("/admin/conservation")).text
    assert "Dernier effacement le" in page
    assert page.count('data-label="Effacés au dernier passage"') == 6
    assert await hub.ledger.read(lambda conn: last_erasure(conn).gone) == gone


async def test_places_and_periods_are_for_who_administers(office):
    other = await office.officer({Role.OPERATE: None, Role.APPROVE: None})
    for path in (PATH, f"{PATH}/carte", f"{PATH}/rues", "/admin/conservation"):
        assert (await other.get(path)).status == 403
    assert (await send(other, "{}")).status == 403
