# SPDX-License-Identifier: EUPL-1.2
"""Texts to begin from: twelve to start with, the town's own beside them, blanks filled in first."""

import re

from hub.flow.staff.roles import Role

WORDS = {"name": "Marché déplacé", "body": "Le marché est à {lieu}.", "themes": "culture"}


async def begin(hand, key):
    reply = await hand.post("/console/annonces/nouvelle", {"model": key})
    assert reply.status == 303
    return reply.headers["Location"]


async def test_a_town_begins_with_twelve_models_under_its_own_themes(office):
    hand = await office.writer()
    page = await hand.get("/console/modeles")
    assert len(re.findall("<h3>", page.text)) == 12
    assert "{rivière}" in page.text
    assert len(re.findall("<h3>", (await hand.get("/console/modeles")).text)) == 12


async def test_an_announcement_begun_from_a_model_waits_for_its_blanks(office):
    hand = await office.writer()
    await hand.get("/console/annonces/nouvelle")
    path = await begin(hand, "coupure-eau")
    page = await hand.get(path)
    assert 'value="coupures" checked' in page.text
    fields = {"version": "1", "title": "Coupure", "body": "À {lieu}.", "themes": "eau"}
    reply = await hand.post(path, fields | {"whole": "1", "channels": "sms", "do": "check"})
    assert reply.status == 422
    assert "Le texte contient un blanc à remplir\u00a0: {lieu}." in reply.text


async def test_a_model_of_ones_own_is_made_changed_put_away_and_taken_out(office):
    hand = await office.writer()
    await hand.get("/console/modeles")
    reply = await hand.post("/console/modeles/nouveau", WORDS)
    assert (reply.status, reply.headers["Location"]) == (303, "/console/modeles")
    page = await hand.get("/console/modeles/marche-deplace")
    assert "Le marché est à {lieu}." in page.text
    await hand.post("/console/modeles/marche-deplace", WORDS | {"name": "Le marché"})
    assert "Le marché</h3>" in (await hand.get("/console/modeles")).text
    await hand.post("/console/modeles/marche-deplace/ranger", {"away": "1"})
    assert "Le marché" not in (await hand.get("/console/annonces/nouvelle")).text
    await hand.post("/console/modeles/marche-deplace/ranger", {"away": "0"})
    assert "Le marché" in (await hand.get("/console/annonces/nouvelle")).text


async def test_two_models_may_have_one_name(office):
    hand = await office.writer()
    for _ in range(2):
        assert (await hand.post("/console/modeles/nouveau", WORDS)).status == 303
    assert (await hand.get("/console/modeles/marche-deplace-2")).status == 200


async def test_a_model_without_a_name_or_a_text_keeps_what_was_typed(office):
    hand = await office.writer()
    reply = await hand.post("/console/modeles/nouveau", {"name": "", "body": "", "short": "Court"})
    assert reply.status == 422
    for words in ('<a href="#name">', '<a href="#body">', "Court</textarea>", "<title>Erreur"):
        assert words in reply.text


async def test_what_was_written_becomes_a_model_without_its_places_and_dates(office):
    hand = await office.writer()
    reply = await hand.post("/console/annonces/nouvelle")
    code = reply.headers["Location"].split("/")[3]
    fields = {"version": "1", "title": "Coupure", "body": "Texte", "themes": "eau", "whole": "1"}
    await hand.post(f"/console/annonces/{code}/rediger", fields)
    page = await hand.get(f"/console/modeles/nouveau?depuis={code}")
    assert 'name="name" type="text" value="Coupure"' in page.text
    assert "Texte</textarea>" in page.text


async def test_another_towns_models_are_not_there_and_readers_change_none(office):
    hand = await office.writer()
    await hand.post("/console/modeles/nouveau", WORDS)
    elsewhere = await office.writer(authority="autreville")
    await elsewhere.get("/console/modeles")
    assert (await elsewhere.get("/console/modeles/marche-deplace")).status == 404
    for path in ("", "/ranger"):
        reply = await elsewhere.post(f"/console/modeles/marche-deplace{path}", WORDS)
        assert reply.status == 404
    reply = await elsewhere.post("/console/annonces/nouvelle", {"model": "marche-deplace"})
    assert reply.status == 404
    reader = await office.officer({Role.READ: None})
    page = await reader.get("/console/modeles")
    assert page.status == 200
    assert "/ranger" not in page.text
    assert (await reader.post("/console/modeles/nouveau", WORDS)).status == 403
