# SPDX-License-Identifier: EUPL-1.2
"""Twilio's status callbacks: signed over the public address, kept before the answer."""

import asyncio
import socket

import pytest

from hub.flow.send.slips import Slips
from hub.incoming import with_callbacks
from hub.ledger import tables
from hub.sandbox.receipts import sign
from hub.web.callbacks.twilio import STATUS
from subscribers import tables as people
from subscribers.tokens import StopTokens

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def caller(make_door):
    """Twilio, which has taken one SMS and has said nothing of it yet."""
    door = await make_door()
    door.sandbox.faults.set("sms", lost_receipts=1.0)
    key = await door.key()
    said = {"title": "Eau", "body": "Jeudi.", "themes": ["eau"], "channels": ["sms"]}
    code = (await door.post(key, said)).json["id"]
    await door.settled(key, code)
    return Caller(door)


class Caller:
    def __init__(self, door):
        self.door = door
        self.slips = Slips(door.keys.slips, StopTokens([door.keys.stops]))

    async def row(self):
        return (await self.door.rows(tables.delivery, tables.delivery.c.round > 0))[0]

    async def says(
        self, status, *, token=None, secret=None, base=None, error="", through=None, **form
    ):
        """Post a status of the first SMS, as Twilio does."""
        row = await self.row()
        token = self.slips.receipt_token(row.id, row.round) if token is None else token
        path = f"{STATUS}?token={token}"
        told = {"MessageSid": row.ref, "MessageStatus": status, "To": "+33639980001"} | form
        told |= {"ErrorCode": error} if error else {}
        secret = secret or self.door.sandbox.credentials.auth_token
        signature = sign((base or self.door.hub.base_url) + path, told, secret)
        headers = {"X-Twilio-Signature": signature} | (through or {})
        return await self.door.ask("POST", path, data=told, headers=headers)


async def test_an_sms_goes_from_accepted_to_delivered(door, news):
    key = await door.key()
    code = (await door.post(key, news | {"channels": ["sms"]})).json["id"]
    await door.settled(key, code)

    async def arrived():
        return {row.state for row in await door.rows(tables.delivery)} == {"delivered"}

    await door.until(arrived)


async def test_the_answer_comes_once_it_is_kept(caller):
    answer = await caller.says("sent")
    assert (answer.status, answer.raw) == (204, b"")
    (kept,) = await caller.door.rows(tables.receipt)
    row = await caller.row()
    assert (kept.delivery, kept.rank, kept.folded, row.state) == (row.id, 1, True, "accepted")


async def test_any_order_and_any_number_of_times_end_delivered(caller):
    for status in ("delivered", "sent", "queued", "delivered", "undelivered"):
        assert (await caller.says(status)).status == 204
    assert (await caller.row()).state == "delivered"
    assert len(await caller.door.rows(tables.receipt)) == 3


async def test_a_dead_number_is_suspended_and_the_gate_knows_at_once(caller):
    before = caller.door.clock.monotonic()
    assert (await caller.says("undelivered", error="30005")).status == 204
    row = await caller.row()
    assert (row.state, row.reason) == ("failed", "no_such_address")
    points = people.contact_point
    (point,) = await caller.door.rows(points, points.c.id == row.contact_point)
    assert point.suspended_reason == "no_such_address"
    assert caller.door.hub.engine.wishes.since(row.subscriber, before)


async def test_a_filtered_message_costs_nobody_their_address(caller):
    assert (await caller.says("undelivered", error="30007")).status == 204
    row = await caller.row()
    points = people.contact_point
    (point,) = await caller.door.rows(points, points.c.id == row.contact_point)
    assert (row.state, row.reason, point.suspended_at) == ("failed", "reputation", None)


@pytest.mark.parametrize(
    "forgery",
    [
        {"secret": "another account's token"},
        {"base": "https://elsewhere.example.org"},
        {"token": "1.1.00000000000000000000"},
        {"token": "9" * 400},
        {"token": "%C3%A9.1.x"},
    ],
)
async def test_a_forgery_is_refused_and_looks_like_any_other(caller, forgery):
    answer = await caller.says("undelivered", error="30005", **forgery)
    assert (answer.status, answer.codes()) == (403, {"unsigned"})
    assert await caller.door.rows(tables.receipt) == []
    assert (await caller.row()).state == "accepted"


async def test_a_delivery_that_was_forgotten_is_thanked_for(caller):
    token = caller.slips.receipt_token(4_000_000, 1)
    assert (await caller.says("delivered", token=token)).status == 204
    assert await caller.door.rows(tables.receipt) == []


async def test_strangers_are_counted_by_block_of_addresses(make_door):
    door = await make_door(limits={"public_per_minute": 3})
    got = [(await door.ask("POST", STATUS, data=b"a=b", headers=FORM)).status for _ in range(5)]
    assert got == [403, 403, 403, 429, 429]


async def test_the_configured_address_is_what_is_verified(caller):
    """Whatever host and scheme a proxy made of it on the way."""
    through = {"Host": "10.0.0.7:81", "X-Forwarded-Host": "evil.example.org"}
    assert (await caller.says("delivered", through=through)).status == 204


@pytest.mark.parametrize(
    ("public", "own", "asked"),
    [
        ("https://alertes.example.org", "", f"https://alertes.example.org{STATUS}"),
        ("http://127.0.0.1:8080", "", ""),
        (
            "https://alertes.example.org",
            "https://relais.example.org/t",
            "https://relais.example.org/t",
        ),
    ],
)
def test_receipts_are_asked_for_where_twilio_can_reach_us(door_settings, public, own, asked):
    sms = {"account_sid": "AC1", "auth_token": "t", "sender": "Valmont"}
    settings = door_settings(
        hub={"public_url": public}, channels={"sms": sms | {"status_callback_url": own}}
    )
    with socket.socket() as server:
        chosen = with_callbacks(settings, server, sandboxed=False)
    assert chosen.channels.sms.status_callback_url == asked


async def test_a_body_that_never_ends_is_given_up(caller, monkeypatch):
    monkeypatch.setattr("hub.web.callbacks.twilio._PATIENCE", 0.05)

    async def dribble():
        yield b"MessageStatus="
        await asyncio.sleep(5)
        yield b"sent"

    answer = await caller.door.ask("POST", STATUS, data=dribble(), headers=FORM)
    assert (answer.status, answer.codes()) == (408, {"too_slow"})


async def test_no_token_and_no_number_stands_in_the_log(caller, log):
    await caller.says("undelivered", error="30005")
    await caller.says("delivered", secret="another")
    row = await caller.row()
    written = log.getvalue()
    assert "/callbacks/twilio/status" in written
    for secret in (caller.slips.receipt_token(row.id, row.round), "33639980001", row.ref):
        assert secret not in written
