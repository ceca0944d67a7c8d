# SPDX-License-Identifier: EUPL-1.2
"""`/admin/etat`: what is well is told as well, and what somebody must see to is told so."""

import os
from datetime import timedelta

import pytest
from door_rig import START

from hub import __version__
from hub.flow.staff.roles import Role
from hub.ledger import hold

PAGE = "/admin/etat"


@pytest.fixture
async def hand(office):
    return await office.officer({Role.OPERATE: None})


def back_up(door, age):
    """A file as `hub backup` leaves it, made that long ago."""
    folder = door.folder / "backups"
    folder.mkdir(exist_ok=True)
    file = folder / "hub-20261124T080000Z.zip"
    file.touch()
    made = (door.clock.now() - age).timestamp()
    os.utime(file, (made, made))


async def test_a_hub_without_a_backup_says_so_and_one_with_a_fresh_one_is_well(office, hand):
    page = (await hand.get(PAGE)).text
    assert "hub backup en fait une" in page
    assert __version__ in page
    assert "Europe/Paris" in page
    assert page.count("À voir") == 1
    back_up(office.door, timedelta(hours=3))
    assert "À voir" not in (await hand.get(PAGE)).text
    back_up(office.door, timedelta(days=3))
    assert "À voir" in (await hand.get(PAGE)).text


async def test_a_closed_channel_and_a_hold_are_to_be_seen_to(office, hand):
    back_up(office.door, timedelta(hours=3))
    await hand.post("/admin/canaux/sms/suspendre")
    assert (await hand.get(PAGE)).text.count("À voir") == 1
    before = START - timedelta(hours=1)
    await office.door.hub.ledger.transact(lambda conn: hold.begin(conn, START, before))
    assert "une sauvegarde a été restaurée" in (await hand.get(PAGE)).text


async def test_health_is_for_who_operates_the_hub(office):
    assert (await (await office.officer({Role.ADMIN: None})).get(PAGE)).status == 403
    theirs = await office.officer({Role.OPERATE: None}, authority="autreville")
    assert (await theirs.get(PAGE)).status == 404
