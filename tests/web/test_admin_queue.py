# SPDX-License-Identifier: EUPL-1.2
"""`/admin/file`: what is parked is told in a sentence and sent again once, or given up with why."""

from datetime import timedelta

import pytest
from door_rig import START, authority_of

from channels.base import Reason
from hub.delivery import REACHED, DeliveryState
from hub.flow.staff.roles import Role
from hub.ledger import deliveries, hold, tables

DECIDE = "/admin/file/decider"
NEWS = {"title": "Piscine", "body": "Fermée lundi.", "themes": ["eau"], "channels": ["sms"]}


@pytest.fixture
async def hand(office):
    return await office.officer({Role.OPERATE: None})


async def sent(door, key=None):
    key = key or await door.key()
    code = (await door.post(key, NEWS)).json["id"]
    await door.settled(key, code)
    return key, code


async def park(door, count=2, reason=Reason.BUDGET, maybe=False):
    def move(conn):
        rows = deliveries.rows_where(conn, tables.delivery.c.state.in_(REACHED), limit=count)
        fields = {"at": 0, "reason": reason, "maybe": maybe}
        deliveries.move(conn, rows, DeliveryState.PARKED, **fields)
        return [row.id for row in rows]

    return await door.hub.ledger.transact(move)


async def test_an_empty_queue_says_so(office, hand):
    page = (await hand.get("/admin/file")).text
    assert "La file est vide" in page
    assert "Rien n’attend de décision" in (await hand.get(DECIDE)).text


async def test_what_is_parked_is_told_by_reason_and_each_goes_out_once_more(office, hand):
    key, code = await sent(office.door)
    parked = await park(office.door)
    page = (await hand.get("/admin/file")).text
    assert "Le crédit ou le quota du canal est épuisé" in page
    asked = f"{DECIDE}?annonce={code}&motif=budget"
    assert asked.replace("&", "&amp;") in page
    assert "2 messages attendent" in (await hand.get(asked)).text
    before = {row.id: row.round for row in await office.door.rows(tables.delivery)}
    fields = {"annonce": code, "motif": "budget", "what": "again"}
    assert (await hand.post(DECIDE, fields)).headers["Location"] == "/admin/file"
    assert "Les messages repartent" in (await hand.get("/admin/file")).text
    await office.door.settled(key, code)
    again = {
        row.id for row in await office.door.rows(tables.delivery) if row.round != before[row.id]
    }
    assert again == set(parked)
    assert "La file est vide" in (await hand.get("/admin/file")).text
    await hand.post(DECIDE, fields)
    assert "Il n’y avait plus rien à décider" in (await hand.get("/admin/file")).text


async def test_giving_up_needs_a_reason_and_the_journal_keeps_it(office, hand):
    _, code = await sent(office.door)
    await park(office.door)
    fields = {"annonce": code, "motif": "budget", "what": "abandon"}
    refused = await hand.post(DECIDE, fields)
    assert (refused.status, "Erreur : " in refused.text.replace("\u00a0", " ")) == (422, True)
    assert (await hand.post(DECIDE, fields | {"why": "Trop tard"})).status == 303
    (line,) = await office.door.rows(tables.audit, tables.audit.c.verb == "abandon")
    assert (line.detail["why"], line.detail["rows"]) == ("Trop tard", 2)
    failed = await office.door.rows(tables.delivery, tables.delivery.c.state == "failed")
    assert len(failed) == 2


async def test_what_had_failed_already_is_not_sent_again_with_what_is_parked(office, hand):
    key, code = await sent(office.door)
    await park(office.door)

    def fail(conn):
        rows = deliveries.rows_where(conn, tables.delivery.c.state.in_(REACHED), limit=1)
        deliveries.move(conn, rows, DeliveryState.FAILED, at=0, reason=Reason.BUDGET)

    await office.door.hub.ledger.transact(fail)
    await hand.post(DECIDE, {"annonce": code, "motif": "budget", "what": "again"})
    await office.door.settled(key, code)
    assert len(await office.door.rows(tables.delivery, tables.delivery.c.state == "failed")) == 1


async def test_what_may_have_left_is_said_before_it_is_decided(office, hand):
    await sent(office.door)
    await park(office.door, reason=Reason.OUTCOME_UNKNOWN, maybe=True)
    page = (await hand.get(DECIDE)).text
    assert "2 sont peut-être déjà partis" in page


async def test_a_hold_after_a_restore_is_released_here(office, hand):
    door = office.door
    before = START - timedelta(hours=1)
    await door.hub.ledger.transact(lambda conn: hold.begin(conn, door.clock.now(), before))
    assert "Une sauvegarde a été restaurée" in (await hand.get("/admin/file")).text
    assert (await hand.post("/admin/file/relacher")).status == 303
    assert "Les envois reprennent" in (await hand.get("/admin/file")).text
    assert await door.hub.ledger.read(hold.current) is None
    await hand.post("/admin/file/relacher")
    assert "Rien n’était retenu" in (await hand.get("/admin/file")).text


async def test_a_hold_is_every_towns_and_released_by_the_one_that_runs_the_hub(office):
    door = office.door
    other = await office.officer({Role.OPERATE: None}, authority="autreville")
    before = START - timedelta(hours=1)
    await door.hub.ledger.transact(lambda conn: hold.begin(conn, door.clock.now(), before))
    page = (await other.get("/admin/file")).text
    assert "Une sauvegarde a été restaurée" in page
    assert "/relacher" not in page
    assert (await other.post("/admin/file/relacher", {"send_again": "on"})).status == 404
    assert await door.hub.ledger.read(hold.current) is not None


async def test_the_other_towns_parked_messages_are_neither_counted_nor_decided(office, hand):
    door = office.door
    await sent(door)

    def annex(conn):
        """What was sent becomes the other town's."""
        other = authority_of(conn, "autreville")
        for table in (tables.announcement, tables.run):
            conn.execute(table.update().values(authority=other))

    await park(door)
    (row,) = await door.rows(tables.announcement)
    await door.hub.ledger.transact(annex)
    assert "La file est vide" in (await hand.get("/admin/file")).text
    assert (await hand.get(f"{DECIDE}?annonce={row.code}&motif=budget")).status == 404
    for code in (row.code, ""):
        assert (await hand.post(DECIDE, {"annonce": code, "what": "again"})).status == 303
    assert len(await door.rows(tables.delivery, tables.delivery.c.state == "parked")) == 2


async def test_the_queue_is_for_who_operates(office):
    other = await office.officer({Role.ADMIN: None, Role.APPROVE: None})
    assert (await other.get("/admin/file")).status == 403
    assert (await other.post(DECIDE, {"what": "again"})).status == 403
    assert (
        await (await office.officer({Role.OPERATE: None})).get(f"{DECIDE}?motif=rien")
    ).status == 404
