# SPDX-License-Identifier: EUPL-1.2
"""A disk without room: nothing half accepted, said plainly, and all goes on when there is room."""

import json
import sqlite3

from sqlalchemy import event

from channels.base import ChannelName
from hub.ledger import tables
from hub.web.hooks.standard import sign

ROOMY = 1_073_741_823  # SQLite's own default


async def fill(door, spare=0):
    """No page more than the ledger has now, as if the disk ended there."""
    await room(door, 1)  # SQLite rounds this up to the present size
    if spare:
        pages = await door.hub.ledger.transact(
            lambda conn: conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        )
        await room(door, pages + spare)


async def room(door, pages):
    await door.hub.ledger.transact(
        lambda conn: conn.exec_driver_sql(f"PRAGMA max_page_count={pages}").scalar_one()
    )


def long(news):
    """A text that needs pages of its own."""
    return news | {"body": "Coupure d'eau. " * 1_200, "short": "Coupure.", "channels": ["email"]}


async def test_a_full_disk_accepts_nothing_and_then_again(door, news):
    key = await door.key()
    await fill(door)
    before = await door.counts()
    answer = await door.post(key, long(news), **{"Idempotency-Key": "k"})
    assert (answer.status, answer.json["code"]) == (507, "disk_full")
    assert int(answer.headers["Retry-After"]) > 0
    assert "rien n'a été accepté" in answer.json["detail_fr"]
    assert await door.counts() == before
    assert (await door.ask("GET", "/")).status == 200
    await room(door, ROOMY)
    again = await door.post(key, long(news), **{"Idempotency-Key": "k"})
    assert again.status == 202
    assert "Idempotency-Replayed" not in again.headers
    shown = await door.settled(key, again.json["id"])
    assert sum(channel["planned"] for channel in shown["channels"]) > 0


async def test_however_little_room_there_is_all_or_nothing_is_accepted(door, news):
    key, statuses = await door.key(), []
    for spare in range(1, 9):
        await fill(door, spare)
        statuses.append((await door.post(key, long(news))).status)
        await room(door, ROOMY)
        announcements = await door.rows(tables.announcement)
        runs = await door.rows(tables.run)
        lines = await door.rows(tables.audit, tables.audit.c.verb == "publish")
        assert len(announcements) == len(runs) == len(lines) == statuses.count(202)
    assert set(statuses) == {202, 507}


async def test_a_webhook_is_told_to_come_again(door, news):
    secret = await door.source()
    body, stamp = json.dumps({"data": long(news)}).encode(), str(int(door.clock.wall().timestamp()))
    headers = {
        "Content-Type": "application/json",
        "webhook-id": "evt_1",
        "webhook-timestamp": stamp,
        "webhook-signature": sign("evt_1", stamp, body, secret),
    }
    await fill(door)
    refused = await door.ask("POST", "/hooks/vigicrues", data=body, headers=headers)
    assert (refused.status, refused.json["code"]) == (507, "disk_full")
    await room(door, ROOMY)
    assert (await door.ask("POST", "/hooks/vigicrues", data=body, headers=headers)).status == 202


async def test_a_citizen_may_stop_on_a_full_disk_or_is_told_it_did_not(door):
    token = door.stop_token(ChannelName.SMS, await door.person("v0001"), 999)
    await fill(door)
    answer = await door.ask("POST", f"/stop/{token}", data={"choice": "all"})
    assert answer.status in (200, 507)
    await room(door, ROOMY)
    assert (await door.ask("POST", f"/stop/{token}", data={"choice": "all"})).status == 200


async def test_a_hub_whose_ledger_takes_no_commit_is_not_ready(door):
    def fail(connection):
        connection.exec_driver_sql("ROLLBACK")  # as SQLite does itself when a COMMIT fails
        full = sqlite3.OperationalError("database or disk is full")
        full.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise full

    engine = door.hub.ledger._write_engine
    event.listen(engine, "commit", fail)
    try:
        answer = await door.ask("GET", "/readyz")
    finally:
        event.remove(engine, "commit", fail)
    assert answer.status == 503
    assert answer.json["status"] == "ledger full"
    assert (await door.ask("GET", "/readyz")).status == 200
