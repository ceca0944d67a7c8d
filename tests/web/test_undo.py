# SPDX-License-Identifier: EUPL-1.2
"""A stop from a message can be taken back for half an hour, by the very page that told of it."""

import re
from datetime import timedelta

import pytest

from channels.base import ChannelName
from hub.ledger import tables
from hub.ledger.journal import Journal
from subscribers import tables as theirs

SLIP = re.compile(r'name="undo" value="([^"]+)"')


@pytest.fixture
async def link(door, news):
    """Amina's stop link by SMS, of an announcement that reached her."""
    key = await door.key()
    code = (await door.post(key, news | {"channels": ["sms"]})).json["id"]
    await door.settled(key, code)
    amina = await door.person("v0001")
    return f"/stop/{door.stop_token(ChannelName.SMS, amina, await door.announcement_id(code))}"


async def rows(door):
    amina = await door.person("v0001")
    return [
        await door.rows(table, table.c.subscriber == amina)
        for table in (theirs.subscription, theirs.consent)
    ]


async def stopped(door, link, choice):
    page = await door.ask("POST", link, data={"choice": choice})
    return SLIP.search(page.text)[1]


@pytest.mark.parametrize("choice", ["theme", "channel", "all"])
async def test_exactly_what_was_stopped_comes_back(door, link, choice):
    before = await rows(door)
    slip = await stopped(door, link, choice)
    assert await rows(door) != before
    page = await door.ask("POST", link, data={"undo": slip}, headers={"Accept-Language": "fr"})
    assert "Tout continue comme avant" in page.text
    assert await rows(door) == before
    (line,) = await door.rows(tables.audit, tables.audit.c.verb == "undo_stop")
    assert line.actor == "citizen"
    *_, written = Journal.beside(door.hub.ledger.path).entries()
    assert (written.verb, written.person) == ("start", await door.person("v0001"))
    assert len(written.rows) == len(set(written.rows)) > 0


async def test_undoing_twice_is_harmless(door, link):
    before = await rows(door)
    slip = await stopped(door, link, "all")
    for _ in range(2):
        assert (await door.ask("POST", link, data={"undo": slip})).status == 200
    assert await rows(door) == before


async def test_after_half_an_hour_it_is_too_late(door, link):
    slip = await stopped(door, link, "all")
    door.clock.leap(timedelta(minutes=31))
    page = await door.ask("POST", link, data={"undo": slip}, headers={"Accept-Language": "fr"})
    assert "trop tard" in page.text
    assert (await rows(door))[0] == []


async def test_a_choice_made_since_stands(door, link):
    slip = await stopped(door, link, "channel")
    again = {"choice": "all"}
    await door.ask("POST", link, data=again)
    await door.ask("POST", link, data={"undo": slip})
    left, _ = await rows(door)
    assert {row.channel for row in left} == {"sms"}


@pytest.mark.parametrize("change", ["flip", "nothing", "é", "other"])
async def test_a_slip_that_is_not_ours_takes_nothing_back(door, link, change):
    slip = await stopped(door, link, "all")
    given, where = slip, link
    match change:
        case "flip":
            given = ("A" if slip[10] != "A" else "B").join([slip[:10], slip[11:]])
        case "nothing":
            given = ""
        case "other":  # somebody else's link
            where = f"/stop/{door.stop_token(ChannelName.SMS, await door.person('v0002'), 1)}"
        case _:
            given = change
    page = await door.ask("POST", where, data={"undo": given})
    assert page.status == 200
    assert (await rows(door))[0] == []


async def test_one_click_needs_no_page_and_offers_the_way_back(door, link):
    """RFC 8058 section 3.2: the answer is 200 without redirect or cookie."""
    page = await door.ask("POST", link, data={"List-Unsubscribe": "One-Click"})
    assert page.status == 200
    assert "Set-Cookie" not in page.headers
    assert SLIP.search(page.text)
