# SPDX-License-Identifier: EUPL-1.2
"""An announcement's one page: where it stands, what may be done, and for whom it does not exist."""

import re
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from hub.flow.staff import officers
from hub.flow.staff.roles import Role
from hub.flow.writing.four_eyes import Terms
from hub.flow.writing.publishing import Publishing
from hub.ledger import deliveries, runs, tables
from hub.ledger.counting import Moves, apply_moves
from hub.web.references import Kind
from templates.pages.wording import channel_name, translations

WORDS = translations("fr").gettext
CUT = {
    "urgency": "information",
    "themes": ["eau"],
    "title": "Coupure d'eau jeudi",
    "body": "De 8 h à 12 h.",
}


async def posted(door, payload=None, **scope):
    """The code of an announcement, and the key it came with."""
    key = await door.key(f"clé {len(scope)}", **scope)
    reply = await door.post(key, payload or CUT)
    assert reply.status == 202, reply.text
    return reply.json["id"], key


def cells(page: str, row: str) -> list[int]:
    """The numbers of one line of the table of counts."""
    found = re.search(rf'<tr id="canal-{row}">(.*?)</tr>', page, re.DOTALL)
    assert found is not None, page
    numbers = re.findall(r'<td class="number"[^>]*>(?:<[^>]*>)?([\d\u202f\u00a0–]+)', found[1])
    return [0 if n == "–" else int(re.sub(r"\D", "", n)) for n in numbers]


async def test_a_finished_announcement_shows_its_counts_and_they_add_up(office):
    hand = await office.officer({Role.READ: None})
    code, key = await posted(office.door)
    shown = await office.door.settled(key, code)
    page = (await hand.get(f"/console/annonces/{code}")).text
    assert "Coupure d&#39;eau jeudi" in page
    for run in shown["channels"]:
        if run["planned"]:
            total, answered, *_ = cells(page, run["channel"])
            assert total == run["planned"]
            assert answered == sum(run["states"].get(s, 0) for s in ("accepted", "delivered"))


async def test_a_send_is_suspended_resumed_and_stopped_by_whoever_may_approve(office):
    hand, reader = await office.approver(), await office.officer({Role.READ: None})
    code, _ = await posted(office.door, CUT | {"publish_at": "2026-11-26T08:00:00+01:00"})
    here = f"/console/annonces/{code}"
    assert WORDS("life.scheduled") in (await reader.get(here)).text
    for act in ("suspendre", "relancer", "arreter", "suite", "redistribuer", "abandonner"):
        assert (await reader.post(f"{here}/{act}")).status == 403, act
    assert (await hand.post(f"{here}/suspendre")).status == 409
    page = await hand.get(f"{here}/arreter")
    assert page.status == 200
    assert (await hand.post(f"{here}/arreter")).status == 303
    page = (await hand.get(here)).text
    assert WORDS("life.cancelled") in page
    assert WORDS("flash.stopped") in page
    assert WORDS("did.cancel") in page
    assert "Agent 1" in page


async def test_another_towns_announcement_does_not_exist_at_any_of_its_doors(office):
    other = await office.officer(authority="autreville")
    code, key = await posted(office.door)
    await office.door.settled(key, code)
    here = f"/console/annonces/{code}"
    for path in ("", "/flux", "/suite", "/arreter", "/destinataires", "/rapport"):
        assert (await other.get(here + path)).status == 404, path
    for path in ("suspendre", "relancer", "arreter", "suite", "dupliquer", "redistribuer"):
        assert (await other.post(f"{here}/{path}")).status == 404, path
    listed = (await other.get("/console/annonces")).text
    assert code not in listed
    assert WORDS("Write one") in listed, "as if there were none"


async def test_an_officer_of_another_theme_finds_nothing(office):
    mine = await office.officer({Role.APPROVE: ("eau",)})
    theirs = await office.officer({Role.APPROVE: ("culture",)})
    code, _ = await posted(office.door)
    assert (await theirs.get(f"/console/annonces/{code}")).status == 404
    assert code not in (await theirs.get("/console/annonces")).text
    assert code in (await mine.get("/console/annonces")).text


async def test_the_list_is_found_by_state_level_theme_and_words(office):
    hand = await office.writer()
    code, key = await posted(office.door)
    await office.door.settled(key, code)
    other = await office.door.post(
        key, CUT | {"title": "Fête de la musique", "themes": ["culture"], "urgency": "important"}
    )
    fair = other.json["id"]

    async def found(query):
        page = (await hand.get(f"/console/annonces?{query}")).text
        return {each for each in (code, fair) if f"/console/annonces/{each}" in page}

    assert await found("") == {code, fair}
    assert await found("niveau=important") == {fair}
    assert await found("theme=eau") == {code}
    assert await found("q=fete") == {fair}
    assert await found(f"q={code.lower()}") == {code}
    assert await found("etat=to_approve") == set()
    assert await found("etat=nonsense&page=abc") == {code, fair}


async def test_a_follow_up_begins_from_the_words_of_the_first(office):
    hand = await office.writer()
    code, key = await posted(office.door)
    await office.door.settled(key, code)
    here = f"/console/annonces/{code}"
    wrong = await hand.post(f"{here}/suite", {"kind": "nonsense"})
    assert wrong.status == 422
    assert "<title>Erreur\u00a0: " in wrong.text
    reply = await hand.post(f"{here}/suite", {"kind": "correction"})
    assert reply.status == 303
    assert reply.headers["Location"].endswith("/rediger")
    page = await hand.get(reply.headers["Location"].removesuffix("/rediger"))
    assert page.headers["Location"] == reply.headers["Location"], "it is being written"


async def test_an_announcement_is_duplicated_as_a_draft(office):
    hand = await office.writer()
    code, key = await posted(office.door)
    await office.door.settled(key, code)
    reply = await hand.post(f"/console/annonces/{code}/dupliquer")
    made = reply.headers["Location"].split("/")[3]
    assert made != code
    assert made in (await hand.get("/console/annonces?etat=draft")).text


@pytest.mark.parametrize("path", ["", "/flux", "/destinataires"])
async def test_nobody_sees_it_without_signing_in(office, path):
    code, _ = await posted(office.door)
    reply = await office.door.ask("GET", f"/console/annonces/{code}{path}")
    assert reply.status == 303


async def test_addresses_are_masked_until_somebody_entitled_asks_and_the_journal_says_so(office):
    reader = await office.officer({Role.READ: None})
    clerk = await office.officer({Role.READ: None, Role.CONTACTS: None}, name="C. Roche")
    code, key = await posted(office.door)
    await office.door.settled(key, code)
    log = f"/console/annonces/{code}/destinataires"
    page = (await reader.get(f"{log}?canal=sms&etat=remis")).text
    assert "•• •• ••" in page
    assert "+33639" not in page
    number = re.search(rf"{log}/(\w{{8}})", page)[1]
    assert (await reader.post(f"{log}/{number}")).status == 403
    masked = (await clerk.get(f"{log}/{number}")).text
    assert "06\u00a039\u00a098" not in masked
    shown = await clerk.post(f"{log}/{number}")
    assert "06\u00a039\u00a098" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    lines = await office.door.rows(tables.audit, tables.audit.c.verb == "reveal")
    assert [(each.actor, each.detail["message"]) for each in lines] == [("C. Roche", number)]
    assert "39" not in str(lines[0].detail).replace(number, "")
    journal = (await reader.get(f"/console/annonces/{code}")).text
    assert WORDS("did.reveal") in journal


async def test_the_log_of_another_announcement_or_town_is_not_found(office):
    hand = await office.officer()
    other = await office.officer(authority="autreville")
    code, key = await posted(office.door)
    await office.door.settled(key, code)
    second = (await office.door.post(key, CUT | {"title": "Autre"})).json["id"]
    page = (await hand.get(f"/console/annonces/{code}/destinataires")).text
    number = re.search(r"destinataires/(\w{8})", page)[1]
    assert (await hand.get(f"/console/annonces/{second}/destinataires/{number}")).status == 404
    for ask in (other.get, other.post):
        assert (await ask(f"/console/annonces/{code}/destinataires/{number}")).status == 404
    assert not await office.door.rows(tables.audit, tables.audit.c.verb == "reveal")


async def test_the_pages_of_the_log_hold_everybody_once(office):
    hand = await office.officer()
    code, key = await posted(
        office.door, CUT | {"themes": ["eau", "travaux", "culture", "alertes"]}
    )
    await office.door.settled(key, code)
    path, seen = f"/console/annonces/{code}/destinataires?etat=remis", []
    while path:
        page = (await hand.get(path)).text
        seen += re.findall(r'<th scope="row"><a href="[^"]*/destinataires/(\w{8})"', page)
        older = re.search(r'<a href="([^"]*apres=[^"]*)"', page)
        path = older and older[1].replace("&amp;", "&")
    rows = await office.door.rows(
        tables.delivery, tables.delivery.c.state.in_(["accepted", "delivered", "failed"])
    )
    assert sorted(seen) == sorted(office.door.called(Kind.MESSAGE, row.id) for row in rows)


async def test_the_log_is_looked_through_by_the_minute_on_the_towns_clock(office):
    hand = await office.officer()
    code, key = await posted(office.door)
    await office.door.settled(key, code)
    number = await office.door.announcement_id(code)
    runs = {
        each.id for each in await office.door.rows(tables.run, tables.run.c.announcement == number)
    }
    moved = [each.at for each in await office.door.rows(tables.delivery) if each.run in runs]
    log = f"/console/annonces/{code}/destinataires"

    async def found(**asked):
        page = (await hand.get(f"{log}?{urlencode(asked)}")).text
        total = re.search(r"<caption>([\d\u202f]+)", page)
        return int(total[1]) if total else 0, page.count('<th scope="row"')

    def minute(ms, by=0):
        at = datetime.fromtimestamp(ms / 1000, ZoneInfo("Europe/Paris")) + timedelta(minutes=by)
        return f"{at:%Y-%m-%dT%H:%M}"

    all_ = await found()
    assert all_[0] == len(moved) > 5
    first, last = min(moved), max(moved)
    assert await found(du=minute(first), au=minute(last)) == all_
    assert await found(du=minute(last, 1)) == (0, 0)
    assert await found(au=minute(first, -1)) == (0, 0)
    for nonsense in ("hier", "9999-12-31T23:59", "0001-01-01T00:00", "2026-02-31T08:00"):
        assert (await found(au=nonsense, etat="remis"))[0] in {0, (await found(etat="remis"))[0]}


async def test_the_report_its_file_and_the_api_tell_the_same(office):
    hand = await office.officer({Role.READ: None})
    code, key = await posted(office.door)
    shown = await office.door.settled(key, code)
    here = f"/console/annonces/{code}"
    page = (await hand.get(here)).text
    assert 'id="bilan"' in page
    empty = await hand.post(f"{here}/rapport.csv", {"reason": " "})
    assert empty.status == 422
    assert not await office.door.rows(tables.audit, tables.audit.c.verb == "export")
    reply = await hand.post(f"{here}/rapport.csv", {"reason": "Conseil municipal"})
    assert reply.kind == "text/csv"
    told = [line.split(";") for line in reply.raw.decode("utf-8-sig").splitlines()[1:]]
    figures = {(each[2], each[3]): each[5] for each in told if not each[4]}
    for run in shown["channels"]:
        name = channel_name(run["channel"], "fr")
        if run["planned"]:
            total, answered, *_ = cells(page, run["channel"])
            assert int(figures[name, "À envoyer"]) == run["planned"] == total
            assert int(figures[name, "Remis"]) == answered
    people = int(figures["", "Personnes"])
    assert f"sur {people}" in page
    (line,) = await office.door.rows(tables.audit, tables.audit.c.verb == "export")
    assert line.detail["reason"] == "Conseil municipal"


async def parked(door, code):
    """Two of its messages, set aside for a human."""
    number = await door.announcement_id(code)

    def set_aside(conn):
        (sms,) = [r for r in runs.of_announcement(conn, number) if r.channel == "sms"]
        mine = (tables.delivery.c.run == sms.id, tables.delivery.c.state == "delivered")
        rows = deliveries.rows_where(conn, *mine, limit=2)
        conn.execute(
            tables.delivery.update()
            .where(tables.delivery.c.id.in_([row.id for row in rows]))
            .values(state="parked", reason="outcome_unknown", maybe=False)
        )
        moved = {(sms.id, "delivered", ""): -2, (sms.id, "parked", "outcome_unknown"): 2}
        apply_moves(conn, Moves(moved))

    await door.hub.ledger.transact(set_aside)


async def test_what_is_parked_is_decided_by_whoever_operates_and_by_nobody_else(office):
    approver = await office.approver()
    operator = await office.officer({Role.READ: None, Role.OPERATE: None}, name="N. Lefort")
    code, key = await posted(office.door)
    await office.door.settled(key, code)
    await parked(office.door, code)
    here = f"/console/annonces/{code}"
    page = (await approver.get(here)).text
    assert WORDS("heap.parked.says") in page
    assert "redistribuer" not in page
    for act in ("redistribuer", "abandonner"):
        assert (await approver.post(f"{here}/{act}")).status == 403
    assert "redistribuer" in (await operator.get(here)).text
    assert (await operator.post(f"{here}/redistribuer")).status == 303
    page = (await operator.get(here)).text
    assert WORDS("flash.redriven") in page
    assert WORDS("did.redrive") in page
    assert "N. Lefort" in page
    await office.door.settled(key, code)
    assert (await operator.post(f"{here}/abandonner")).status == 303
    assert WORDS("flash.nothing_parked") in (await operator.get(here)).text
    await parked(office.door, code)
    await operator.post(f"{here}/abandonner")
    page = (await operator.get(here)).text
    assert WORDS("flash.abandoned") in page
    assert WORDS("heap.failed.says") in page


async def test_what_waits_for_its_undo_delay_says_for_how_long_and_is_taken_back(
    make_door, make_office
):
    door = await make_door(console={"undo_seconds": 300})
    hall = make_office(door)
    reader, approver = await hall.officer({Role.READ: None}), await hall.approver()
    key = await door.key("agent", may_publish=False)
    code = (await door.post(key, CUT)).json["id"]
    here = f"/console/annonces/{code}"
    page = (await reader.get(here)).text
    assert WORDS("life.to_approve") in page
    assert WORDS("Read the request") in page
    assert WORDS("Read and decide") in (await approver.get(here)).text
    terms = Terms(undo=timedelta(seconds=300))
    office_of = Publishing(door.hub.intake, terms)
    who = await door.hub.ledger.read(lambda conn: officers.load(conn, approver.number))
    await office_of.approve(code, who)
    page = (await reader.get(here)).text
    assert re.search(r"Envoi dans (300|295)\u00a0s\.", page)
    assert f"{here}/reprendre" not in page, "only for whoever may"
    assert f"{here}/reprendre" in (await approver.get(here)).text
    assert (await approver.post(f"{here}/reprendre")).status == 303
    assert WORDS("life.to_approve") in (await reader.get(here)).text
