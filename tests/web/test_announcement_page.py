# SPDX-License-Identifier: EUPL-1.2
"""An announcement's one page: where it stands, what may be done, and for whom it does not exist."""

import re

import pytest

from hub.flow.office.roles import Role
from templates.pages.wording import translations

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
    assert "<title>Erreur : " in wrong.text
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
