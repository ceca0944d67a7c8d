# SPDX-License-Identifier: EUPL-1.2
"""Who writes down somebody else's address does not come to own their pages once it is proved."""

import re
from datetime import timedelta

import pytest
from citizen_rig import EMAIL, PROOFS, Citizen
from test_devices import add
from visiting import CSRF


async def _subscribe_them(door, stranger: Citizen, address: str) -> str:
    """A stranger writes an address down; the link its reader gets."""
    before = stranger.received(EMAIL, address)
    await stranger.subscribe("eau", by_email="1", email=address)
    return await stranger.link(address, before + 1)


async def _add(door, stranger: Citizen, name: str) -> int:
    answer = await add(door, stranger.cookies, name)
    for line in answer.headers.getall("Set-Cookie", []):
        stranger.cookies["visit"] = re.search(r"visit=([^;]+)", line)[1]
    return answer.status


async def test_a_draft_opens_nothing_once_somebody_else_proved_the_address(door):
    stranger, reader = Citizen(door), Citizen(door)
    link = await _subscribe_them(door, stranger, "lue@example.org")
    assert (await reader.ask("POST", link)).status == 303
    assert await _add(door, stranger, "etranger") == 403
    assert "visit" not in stranger.cookies


async def test_who_left_this_browser_is_not_come_back_as(door):
    zoe = Citizen(door)
    await zoe.subscribe("eau", by_sms="1", mobile="06 39 98 45 67")
    await zoe.prove(await zoe.code("+33639984567"))
    del zoe.cookies["visit"]
    assert await _add(door, zoe, "suivant") == 403


async def test_who_leaves_leaves_nothing_that_was_typed(door):
    zoe, number = Citizen(door), "06 39 98 45 67"
    await zoe.subscribe("eau", by_sms="1", mobile=number, by_email="1", email="zoe@example.org")
    await zoe.prove(await zoe.code("+33639984567"))
    kept = dict(zoe.cookies)
    assert "zoe@example.org" in (await zoe.get(PROOFS)).text
    token = CSRF.search((await zoe.get("/mes-alertes")).text)[1]
    assert (await zoe.ask("POST", "/mes-alertes/quitter", csrf=token)).status == 303
    assert not {"visit", "draft"} & set(zoe.cookies)
    zoe.cookies = kept  # a browser that keeps them all the same
    assert (await zoe.get(PROOFS)).status == 410


@pytest.mark.parametrize("known", [False, True])
async def test_a_visit_of_before_does_not_see_what_the_reader_of_a_link_joins(door, known):
    """A stranger proves a device, visits, gives the device away, and waits for a click."""
    if known:
        earlier = Citizen(door)
        await earlier.ask("POST", await _subscribe_them(door, earlier, "lue@example.org"))
        door.clock.leap(timedelta(minutes=10))
    first, stranger, reader = Citizen(door), Citizen(door), Citizen(door)
    await first.subscribe("eau", by_webpush="1")
    link = await _subscribe_them(door, stranger, "lue@example.org")
    assert await _add(door, stranger, "etranger") == 201
    assert (await stranger.get("/mes-alertes/donnees.json")).status == 200
    assert await _add(door, first, "etranger") == 201  # the same browser: its one holder now
    assert (await reader.ask("POST", link)).status == 303
    assert (await reader.get("/mes-alertes/donnees.json")).status == 200
    assert (await stranger.get("/mes-alertes/donnees.json")).status == 303


async def test_whoever_opens_a_link_reads_whom_else_the_same_answers_named(door):
    """They cannot know it was not somebody of their own household; they can know to stop."""
    stranger, reader = Citizen(door), Citizen(door)
    given = {"by_sms": "1", "mobile": "06 39 98 45 67", "by_email": "1", "email": "lue@example.org"}
    before = stranger.received(EMAIL, given["email"])
    await stranger.subscribe("eau", **given)
    page = await reader.get(await stranger.link(given["email"], before + 1))
    assert "par SMS 06\N{NO-BREAK SPACE}•• •• •• 67" in page.text
    assert "4567" not in page.text.replace(" ", "")
    alone = await reader.get(await _subscribe_them(door, Citizen(door), "seule@example.org"))
    assert "aussi prévenue" not in alone.text
