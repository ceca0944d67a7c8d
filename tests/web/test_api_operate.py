# SPDX-License-Identifier: EUPL-1.2
"""Operating over the API: parked messages, channels closed by hand, a ledger that is locked."""

import sqlite3

from channels.base import ChannelName, Reason, Urgency
from hub.delivery import REACHED, DeliveryState
from hub.ledger import deliveries, tables


async def ask(door, key, method, path):
    return await door.ask(method, f"/api/v1/{path}", headers={"Authorization": f"Bearer {key}"})


async def park(door, code, reason=Reason.BUDGET):
    """Set aside the first two SMS of an announcement."""

    def move(conn):
        rows = deliveries.rows_where(conn, tables.delivery.c.state.in_(REACHED), limit=2)
        deliveries.move(conn, rows, DeliveryState.PARKED, at=0, reason=reason)
        return len(rows)

    assert await door.hub.ledger.transact(move) == 2


async def test_what_is_parked_is_listed_with_its_reason_and_sent_again(door, news):
    key = await door.key()
    code = (await door.post(key, news | {"channels": ["sms"]})).json["id"]
    await door.settled(key, code)
    await park(door, code)
    listed = (await ask(door, key, "GET", "parked")).json["parked"]
    assert [(each["id"], each["reason"], each["count"]) for each in listed] == [(code, "budget", 2)]
    assert listed[0]["sentence_fr"] != listed[0]["sentence_en"]
    none = await ask(door, key, "POST", f"announcements/{code}/redrive?reason=network")
    assert none.json == {"rows": 0, "maybe_sent": 0}
    again = await ask(door, key, "POST", f"announcements/{code}/redrive")
    assert (again.status, again.json) == (200, {"rows": 2, "maybe_sent": 0})
    shown = await door.settled(key, code)
    assert "parked" not in shown["channels"][0]["states"]
    lines = await door.rows(tables.audit, tables.audit.c.verb == "redrive")
    assert [line.actor for line in lines] == ["opérateur"]


async def test_a_key_sees_and_redrives_only_what_it_may_publish(door, news):
    key = await door.key()
    other = await door.key("cantine", themes=("cantine",))
    meek = await door.key("agent", may_publish=False)
    code = (await door.post(key, news | {"channels": ["sms"]})).json["id"]
    await door.settled(key, code)
    await park(door, code)
    assert (await ask(door, other, "GET", "parked")).json == {"parked": []}
    assert (await ask(door, other, "POST", f"announcements/{code}/redrive")).status == 404
    assert (await ask(door, meek, "POST", f"announcements/{code}/redrive")).status == 403
    assert (await ask(door, "hub_nobody", "GET", "parked")).status == 401


async def test_a_channel_is_closed_and_opened_by_a_key_without_limits_only(door, news):
    key = await door.key()
    limited = await door.key("cantine", highest_urgency=Urgency.IMPORTANT)
    assert (await ask(door, limited, "POST", "channels/sms/pause")).status == 403
    closed = await ask(door, key, "POST", "channels/sms/pause")
    assert closed.json == {"channel": "sms", "paused": True, "changed": True}
    await door.until(lambda: not door.hub.engine.roads[ChannelName.SMS].open)
    shown = {c["channel"]: c for c in (await ask(door, key, "GET", "channels")).json["channels"]}
    assert shown["sms"]["state"] == "closed: channel_paused"
    assert shown["sms"]["paused_by"] == "opérateur"
    assert [p["state"] for p in shown["sms"]["providers"]] == ["open"]
    code = (await door.post(key, news | {"channels": ["sms"]})).json["id"]
    opened = await ask(door, key, "POST", "channels/sms/resume")
    assert opened.json == {"channel": "sms", "paused": False, "changed": True}
    shown = await door.settled(key, code)
    assert shown["state"] in ("running", "finished")


async def test_a_channel_carries_every_towns_messages_and_is_not_another_towns_to_close(door):
    ours, theirs = await door.key(), await door.key("voisine", authority="autreville")
    refused = await ask(door, theirs, "POST", "channels/sms/pause")
    assert (refused.status, refused.json["code"]) == (403, "not_the_hubs")
    assert (await ask(door, ours, "POST", "channels/sms/pause")).json["changed"]
    assert (await ask(door, theirs, "POST", "channels/sms/resume")).status == 403
    for key, who in ((ours, "opérateur"), (theirs, None)):
        shown = (await ask(door, key, "GET", "channels")).json["channels"]
        assert {c["channel"]: c["paused_by"] for c in shown}["sms"] == who


async def test_a_cancellation_says_what_had_already_left(door, news):
    key = await door.key()
    code = (await door.post(key, news | {"channels": ["sms"]})).json["id"]
    left = (await door.settled(key, code))["channels"][0]["states"]
    await park(door, code)
    told = (await ask(door, key, "POST", f"announcements/{code}/cancel")).json
    if told.get("state") == "cancelled":  # it may have finished first
        handed_over = left.get("accepted", 0) + left.get("delivered", 0)
        assert (told["already_left"], told["stopped"]) == (handed_over - 2, 2)


async def test_a_ledger_another_program_keeps_locked_is_503_and_accepts_nothing(door, news):
    key = await door.key()
    await door.hub.ledger.transact(lambda conn: conn.exec_driver_sql("PRAGMA busy_timeout=50"))
    before = await door.counts()
    other = sqlite3.connect(door.folder / "ledger.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        refused = await door.post(key, news)
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert (refused.status, refused.json["code"]) == (503, "busy")
    assert refused.headers["Retry-After"] == "5"
    assert await door.counts() == before
    assert (await door.post(key, news)).status == 202
