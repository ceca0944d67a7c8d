# SPDX-License-Identifier: EUPL-1.2
"""Who signed in to the console and may see contacts needs no key at the desk, and is named."""

from hub.flow.staff.roles import EVERYTHING, Role
from hub.ledger import tables
from subscribers import tables as people

FORM = {
    "mobile": "06 39 98 77 01",
    "theme-eau": "1",
    "zone-tanneries": "1",
    "consent": "1",
    "given": "present",
    "checked": "document",
    "reason": "téléphone à la maison",
    "language": "fr",
    "cadence": "now",
}


async def test_what_an_officer_notes_bears_their_name(office):
    hand = await office.officer({Role.CONTACTS: None}, name="C. Roche")
    page = (await hand.get("/guichet")).text
    assert 'name="key"' not in page
    assert "C. Roche" in page
    assert "/guichet/fermer" not in page
    reply = await hand.post("/guichet", FORM)
    assert reply.status == 303, reply.text
    assert (await hand.get(reply.headers["Location"])).status == 200
    audit = await office.door.rows(tables.audit, tables.audit.c.verb == "enrol")
    assert [line.actor for line in audit] == [f"officer:{hand.number}"]
    kept = (await office.door.rows(people.consent))[-1]
    assert kept.recorded_by == "C. Roche (console)"


async def test_the_leaflet_is_for_who_noted_it(office):
    hand = await office.officer({Role.CONTACTS: None})
    other = await office.officer({Role.CONTACTS: None})
    reply = await hand.post("/guichet", FORM)
    assert (await other.get(reply.headers["Location"])).status == 404


async def test_a_form_of_another_session_notes_nobody(office):
    hand = await office.officer({Role.CONTACTS: None})
    before = await office.door.counts()
    assert (await hand.post("/guichet", FORM, csrf="made up")).status == 403
    assert await office.door.counts() == before


async def test_without_that_role_or_of_another_town_the_key_is_asked_for(office):
    for hand in (
        await office.officer(dict.fromkeys(set(Role) - {Role.CONTACTS})),
        await office.officer(EVERYTHING, authority="autreville"),
    ):
        assert 'name="key"' in (await hand.get("/guichet")).text
        assert (await hand.post("/guichet", FORM)).status == 403
