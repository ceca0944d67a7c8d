# SPDX-License-Identifier: EUPL-1.2
"""What sign-ups and visits leave behind goes by itself, and nothing that somebody still needs."""

from datetime import timedelta

import pytest
from visiting import Browser

from hub.flow.keep.retention import Rules, erase_pages
from hub.ledger import tables
from subscribers import drafts
from subscribers import tables as theirs

RULES = Rules(deliveries=396, attempts=180, audit=1096, unverified=7, consents=1096, backups=30)
LEFT = (theirs.challenge, theirs.session, theirs.draft)


@pytest.fixture
async def left(door):
    """A visit, a draft, and the challenge, announcement, run and delivery of a link."""
    browser = Browser(door)
    await browser.sign_in()

    def keep(conn):
        return drafts.keep(conn, 1, None, {"contact": "06 39 98 00 01"}, door.clock.now())

    await door.hub.ledger.transact(keep)
    await door.until(lambda: finished(door))
    return browser


async def finished(door):
    (note,) = await door.rows(tables.announcement)
    return note.state == "finished"


async def after(door, **age):
    now = door.clock.now() + timedelta(**age)
    return await door.hub.ledger.transact(lambda conn: dict(erase_pages(conn, RULES, now)))


async def test_nothing_goes_while_it_serves(door, left):
    assert await after(door, minutes=5) == {}
    assert "Mes thèmes" in (await left.get("/mes-alertes")).text


async def test_drafts_and_visits_go_once_they_are_over(door, left):
    assert await after(door, hours=2) == {"drafts": 1, "visits": 1}


async def test_what_was_asked_goes_after_two_days(door, left):
    gone = await after(door, days=2, minutes=1)
    assert gone == {"challenges": 1, "drafts": 1, "visits": 1}
    assert [await door.rows(table) for table in LEFT] == [[], [], []]


async def test_a_note_goes_whole_with_its_delivery(door, left):
    gone = await after(door, days=397)
    assert gone["deliveries"] == 1
    assert gone["notes"] == 1
    for table in (tables.announcement, tables.run, tables.delivery, tables.delivery_count):
        assert await door.rows(table) == []
