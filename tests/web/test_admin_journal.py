# SPDX-License-Identifier: EUPL-1.2
"""`/admin/journal`: a town's own lines, in words, and a file of them for a reason that is kept."""

from door_rig import START, authority_of

from hub.demo_town import town
from hub.flow.staff.roles import Role
from hub.ledger import audit
from hub.web.references import Kind


async def lines(office, *written, authority=town.KEY):
    def write(conn):
        number = authority_of(conn, authority)
        for actor, verb, thing, detail in written:
            audit.record(conn, START, actor, verb, thing, authority=number, detail=detail)

    await office.door.hub.ledger.transact(write)


async def test_lines_are_told_in_words_newest_first(office):
    hand = await office.officer({Role.ADMIN: None}, name="Camille")
    await lines(office, ("api", "publish", "announcement:abc", {"source": "api:3"}))
    await lines(office, (f"officer:{hand.number}", "revoke", "key:piscine", {}))
    page = (await hand.get("/admin/journal")).text
    assert page.index("Clé ou source révoquée") < page.index("api:3")
    assert "Camille" in page


async def test_another_towns_lines_are_never_shown_nor_offered_as_a_choice(office):
    hand = await office.officer({Role.OPERATE: None})
    await lines(office, ("Voisine", "voisiner", "key:voisin", {}), authority="autreville")
    assert "oisin" not in (await hand.get("/admin/journal")).text
    assert "voisin" not in (await hand.get("/admin/journal?qui=Voisine")).text.replace(
        'value="Voisine"', ""
    )
    reply = await hand.post("/admin/journal.csv", {"reason": "audit", "qui": ""})
    assert "oisin" not in reply.text


async def test_fifty_a_page_and_the_next_goes_on(office):
    hand = await office.officer({Role.ADMIN: None})
    await lines(office, *(("A", "issue", f"key:k{n:03}", {}) for n in range(60)))
    first = (await hand.get("/admin/journal?objet=key:k")).text
    assert first.count("key:k0") == 50
    assert "key:k059" in first
    older = first.split('class="pages"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert "key:k000" in (await hand.get(older)).text


async def test_people_are_called_by_their_reference_and_found_by_it_alone(office):
    hand = await office.officer({Role.ADMIN: None})
    twelve, more = (office.door.called(Kind.PERSON, number) for number in (12, 123))
    await lines(office, *(("A", "stop", f"subscriber:{n}", {}) for n in (12, 123)))
    page = (await hand.get("/admin/journal")).text
    assert f"subscriber:{twelve}" in page
    assert f"subscriber:{more}" in page
    assert "subscriber:12" not in page
    for asked in (f"subscriber:{twelve}", f"subscriber:{twelve.lower()}"):
        found = (await hand.get(f"/admin/journal?objet={asked}")).text
        assert f">subscriber:{twelve}<" in found
        assert f"subscriber:{more}" not in found
    assert f"subscriber:{more}" in (await hand.get("/admin/journal?objet=subscriber:")).text
    nobody = (await hand.get("/admin/journal?objet=subscriber:12")).text
    assert "Rien sur cette période" in nobody
    file = await hand.post("/admin/journal.csv", {"reason": "Contrôle"})
    assert f"subscriber:{twelve}" in file.text
    assert "subscriber:12" not in file.text


async def test_a_file_needs_a_reason_which_stays_in_the_journal(office):
    hand = await office.officer({Role.ADMIN: None})
    await lines(office, ("=1+1", "issue", "key:a", {"note": "@x"}))
    refused = await hand.post("/admin/journal.csv", {"reason": " "})
    assert refused.status == 422
    assert "à quoi servira" in refused.text
    taken = await hand.post("/admin/journal.csv", {"reason": "Contrôle annuel"})
    assert taken.headers["Content-Type"].startswith("text/csv")
    assert "'=1+1" in taken.text
    assert "Contrôle annuel" in (await hand.get("/admin/journal")).text


LAST = "au=9999-12-31"  # no day follows it


async def test_days_and_verbs_filter_and_nonsense_asks_nothing(office):
    hand = await office.officer({Role.ADMIN: None})
    await lines(office, ("A", "issue", "key:a", {}), ("A", "revoke", "key:b", {}))
    assert "key:b" not in (await hand.get("/admin/journal?verbe=issue")).text
    assert "key:a" in (await hand.get("/admin/journal?du=2026-11-24&au=2026-11-24")).text
    empty = (await hand.get("/admin/journal?du=2026-11-25")).text
    assert "key:a" not in empty
    for odd in ("du=demain", "avant=x", "avant=99999999999999999999", "du=0001-01-01", LAST):
        assert (await hand.get(f"/admin/journal?{odd}")).status == 200


async def test_the_journal_is_for_who_administers_or_operates(office):
    hand = await office.writer()
    assert (await hand.get("/admin/journal")).status == 403
