# SPDX-License-Identifier: EUPL-1.2
"""A list of people from a file: judged line by line, then written on the officer's word."""

import re

import aiohttp

from hub.flow.staff.roles import Role
from hub.ledger import tables
from subscribers import tables as people_tables

HEAD = "ref;phone;email;themes;zones;consent_source;consent_date;consent_text_version\n"
GOOD = "n1;06 39 98 77 01;;eau;tanneries;formulaire papier;2026-11-02;2026-01\n"
OTHER = "n2;;nouvelle@example.org;eau travaux;;formulaire papier;2026-11-02;2026-01\n"
BAD = "n3;12;;eau;;formulaire papier;2026-11-02;2026-01\n"


async def hand_in(hand, content, **more):
    form = aiohttp.FormData()
    form.add_field("csrf", hand.csrf)
    for name, value in more.items():
        form.add_field(name, value)
    form.add_field("file", content.encode(), filename="liste.csv", content_type="text/csv")
    return await hand.ask("POST", "/console/abonnes/import", data=form)


async def people(door):
    return len(await door.rows(people_tables.subscriber))


async def test_nobody_is_written_before_the_verdicts_were_seen_and_everybody_after(office):
    hand, door = await office.officer(), office.door
    before = await people(door)
    reply = await hand_in(hand, HEAD + GOOD + OTHER + BAD, proof="1", verified="1")
    assert reply.status == 303
    sheet = reply.headers["Location"]
    page = await hand.get(sheet)
    assert "Rien n’est encore inscrit." in page.text
    assert "Inscrire 2 personnes" in page.text
    assert "1 ligne à regarder" in page.text
    assert await people(door) == before
    written = await hand.post(sheet)
    assert written.headers["Location"] == sheet
    page = await hand.get(sheet)
    assert "2 personnes ont été inscrites" in page.text
    assert await people(door) == before + 2
    assert (await hand.post(sheet)).status == 303, "a second word writes nothing"
    assert await people(door) == before + 2
    (line,) = await door.rows(tables.audit, tables.audit.c.verb == "import")
    assert (line.detail["created"], line.detail["updated"]) == (2, 0)
    again = await hand.get((await hand_in(hand, HEAD + GOOD, proof="1")).headers["Location"])
    assert "Personne ne changerait." in again.text


async def test_refused_lines_are_taken_away_by_number_without_anybodys_address(office):
    hand = await office.officer()
    sheet = (await hand_in(hand, HEAD + GOOD + BAD, proof="1")).headers["Location"]
    file = await hand.get(sheet + "/verdicts.csv")
    assert file.kind == "text/csv"
    assert re.search(r"3;refused;.*numéro de mobile", file.text)
    assert "639987701" not in file.text.replace(" ", "")


async def test_without_the_proof_of_consent_nothing_is_read(office):
    hand = await office.officer()
    reply = await hand_in(hand, HEAD + GOOD)
    assert reply.status == 422
    assert "Cochez que vous détenez la preuve" in reply.text
    assert "Erreur :" in reply.text.replace("\xa0", " ")


async def test_a_file_that_cannot_be_read_says_why(office):
    hand = await office.officer()
    sheet = (await hand_in(hand, "nom;prénom\nA;B\n", proof="1")).headers["Location"]
    page = await hand.get(sheet)
    assert "Rien de ce fichier ne peut être lu." in page.text
    assert "Colonnes inconnues" in page.text


async def test_the_example_can_be_imported_as_it_is(office):
    hand = await office.officer()
    example = await hand.get("/console/abonnes/import/exemple.csv")
    sheet = (await hand_in(hand, example.text, proof="1")).headers["Location"]
    assert "Inscrire 1 personne" in (await hand.get(sheet)).text


async def test_a_file_is_its_officers_alone(office):
    hand, other = await office.officer(), await office.officer()
    reader = await office.officer({Role.READ: None})
    sheet = (await hand_in(hand, HEAD + GOOD, proof="1")).headers["Location"]
    assert (await other.get(sheet)).status == 404
    assert (await other.post(sheet)).status == 404
    assert (await reader.get("/console/abonnes/import")).status == 403
