# SPDX-License-Identifier: EUPL-1.2
"""How many people are told of what; one of them found by an exact address, every look noted."""

import re

from hub.flow.staff.roles import Role
from hub.ledger import tables
from hub.web.references import Kind
from subscribers import tables as people_tables

AMINA = "06 39 98 00 01"


async def counted(door):
    """People with a subscription in the demo town, its own account apart."""
    rows = await door.rows(people_tables.subscription)
    crier = {
        row.subscriber
        for row in await door.rows(people_tables.contact_point)
        if row.address == "public"
    }
    return len({row.subscriber for row in rows} - crier)


async def test_everybody_counts_once_in_all_and_a_place_counts_whom_it_reaches(office):
    hand = await office.officer()
    page = await hand.get("/console/abonnes")
    assert page.status == 200
    total = await counted(office.door)
    assert re.search(rf"<dd>{total}</dd>", page.text)
    place = await hand.get("/console/abonnes?lieu=tanneries")
    (fewer,) = re.findall(r"<dd>(\d+)</dd>", place.text)
    assert 0 < int(fewer) < total


async def test_few_people_are_told_as_fewer_than_five_to_who_may_not_see_contacts(office):
    reader, knower = await office.officer({Role.READ: None}), await office.officer()
    assert "moins de 5" in (await reader.get("/console/abonnes")).text
    assert "moins de 5" not in (await knower.get("/console/abonnes")).text


async def test_somebody_is_found_by_their_exact_address_and_the_look_is_noted(office):
    hand, door = await office.officer(), office.door
    found = await hand.post("/console/abonnes/chercher", {"contact": AMINA})
    assert found.status == 303
    page = await hand.get(found.headers["Location"])
    assert page.status == 200
    assert "639980001" not in page.text
    assert "•• •• •• 01" in page.text
    lines = await door.rows(tables.audit, tables.audit.c.verb == "look_up")
    assert len(lines) == 1
    assert lines[0].object.startswith("subscriber:")
    assert "39980001" not in str(lines[0])


async def test_a_part_of_an_address_finds_nobody(office):
    hand = await office.officer()
    reply = await hand.post("/console/abonnes/chercher", {"contact": "@example.org"})
    assert reply.status == 422
    reply = await hand.post("/console/abonnes/chercher", {"contact": "personne@example.org"})
    assert reply.headers["Location"] == "/console/abonnes"
    assert "Personne n’a exactement cette adresse" in (await hand.get("/console/abonnes")).text


async def test_nobody_leafs_through_people_by_number(office):
    hand, door = await office.officer(), office.door
    who = door.called(Kind.PERSON, (await door.rows(people_tables.subscriber))[0].id)
    page = await hand.get(f"/console/abonnes/{who}")
    assert "Ouvrir la fiche" in page.text
    assert "Coordonnées" not in page.text
    assert not await door.rows(tables.audit, tables.audit.c.verb == "look_up")
    opened = await hand.post(f"/console/abonnes/{who}/ouvrir")
    assert "Coordonnées" in (await hand.get(opened.headers["Location"])).text
    assert len(await door.rows(tables.audit, tables.audit.c.verb == "look_up")) == 1
    other = await office.officer()
    assert "Coordonnées" not in (await other.get(opened.headers["Location"])).text


async def test_another_towns_people_and_whoever_may_not_see_contacts_find_nobody(office):
    door = office.door
    who = door.called(Kind.PERSON, (await door.rows(people_tables.subscriber))[0].id)
    there = await office.officer(authority="autreville")
    assert (await there.get(f"/console/abonnes/{who}")).status == 404
    assert (await there.post(f"/console/abonnes/{who}/ouvrir")).status == 404
    assert "0 abonné" in (await there.get("/console/abonnes")).text
    found = await there.post("/console/abonnes/chercher", {"contact": AMINA})
    assert found.headers["Location"] == "/console/abonnes"
    reader = await office.officer({Role.READ: None})
    assert (await reader.get(f"/console/abonnes/{who}")).status == 403
    assert (await reader.post("/console/abonnes/chercher", {"contact": AMINA})).status == 403


async def test_an_officer_stops_for_somebody_who_asked_and_says_how(office):
    hand, door = await office.officer(), office.door
    found = (await hand.post("/console/abonnes/chercher", {"contact": AMINA})).headers["Location"]
    who, key = re.fullmatch(r"/console/abonnes/(\w{8})\?cle=(\w+)", found).groups()
    form = {"cle": key, "what": "all", "why": ""}
    refused = await hand.post(f"/console/abonnes/{who}/arreter", form)
    assert refused.status == 422
    assert "Choisissez comment la demande est arrivée." in refused.text
    done = await hand.post(f"/console/abonnes/{who}/arreter", {**form, "why": "telephone"})
    assert done.headers["Location"] == found
    table = people_tables.subscription
    (line,) = await door.rows(tables.audit, tables.audit.c.verb == "stop")
    number = int(line.object.partition(":")[2])
    assert door.called(Kind.PERSON, number) == who
    assert not await door.rows(table, table.c.subscriber == number)
    assert line.detail["why"] == "telephone"
    assert "Aucun\xa0: plus rien ne lui parvient" in (await hand.get(found)).text
