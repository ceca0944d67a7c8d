# SPDX-License-Identifier: EUPL-1.2
"""The JSON API: what each citizen received, waiting for more, faults, inbound, devices."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from channels.base import ChannelName
from hub.sandbox.api import normalised
from hub.sandbox.server import Sandbox

AMINA = "+33639980001"
MESSAGES = "/sandbox/api/messages"


async def add(sandbox: Sandbox, channel: ChannelName, to: str, **more: Any) -> None:
    await sandbox.effects.add(
        channel, to=to, sender="Valmont", text="Eau", ref=f"r{sandbox.effects.last}", state="sent",
        **more,
    )  # fmt: skip


async def got(http: aiohttp.ClientSession, **query: Any) -> tuple[list[str], int]:
    async with http.get(MESSAGES, params=query) as answer:
        assert answer.status == 200
        found = await answer.json()
    return [message["to"] for message in found["messages"]], found["next"]


async def test_messages_are_numbered_and_read_on_from_the_last(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    assert await got(http) == ([], 0)
    for number in range(3):
        await add(sandbox, ChannelName.SMS, f"+3363998000{number}")
    first, after = await got(http, limit=2)
    assert first == ["+33639980000", "+33639980001"]
    assert await got(http, since=after) == (["+33639980002"], 3)
    assert await got(http, since=3) == ([], 3)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"channel": "sms"}, [AMINA]),
        ({"channel": "twitter"}, ["public", "123"]),
        ({"channel": "x"}, ["public", "123"]),
        ({"channel": "push"}, ["v0001-1"]),
        ({"to": AMINA}, [AMINA]),
        ({"to": "06 39 98 00 01"}, [AMINA]),
        ({"to": "0033639980001"}, [AMINA]),
        ({"to": "Louis.3@Example.org"}, ["louis.3@example.org"]),
        ({"to": "@petit"}, ["123"]),
        ({"to": "v0001-1", "channel": "webpush"}, ["v0001-1"]),
        ({"to": "v0001-1", "channel": "sms"}, []),
    ],
)
async def test_messages_are_found_by_channel_and_by_person(
    sandbox: Sandbox, http: aiohttp.ClientSession, query: dict[str, str], expected: list[str]
) -> None:
    await add(sandbox, ChannelName.SMS, AMINA)
    await add(sandbox, ChannelName.EMAIL, "louis.3@example.org")
    await add(sandbox, ChannelName.X, "public")
    await add(sandbox, ChannelName.X, "123", extra={"handle": "petit"})
    await add(sandbox, ChannelName.WEBPUSH, "v0001-1")
    assert (await got(http, **query))[0] == expected


async def test_a_plus_sign_lost_in_the_url_is_understood(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    await add(sandbox, ChannelName.SMS, AMINA)
    async with http.get(f"{MESSAGES}?to=+33639980001") as answer:
        assert len((await answer.json())["messages"]) == 1
    assert normalised("Petit ") == "Petit"


async def test_waiting_ends_with_the_first_message_that_matches(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    waiting = asyncio.create_task(got(http, wait=10, to=AMINA))
    await got(http)  # the server has read the first request by now
    await add(sandbox, ChannelName.SMS, "+33639980002")
    await add(sandbox, ChannelName.SMS, AMINA)
    async with asyncio.timeout(2):
        assert await waiting == ([AMINA], 2)


async def test_waiting_in_vain_ends_in_time(http: aiohttp.ClientSession) -> None:
    began = time.monotonic()
    assert await got(http, wait=0.05) == ([], 0)
    assert 0.04 < time.monotonic() - began < 2


@pytest.mark.parametrize(
    "query",
    [
        {"since": "-1"},
        {"since": "x"},
        {"limit": "1001"},
        {"wait": "31"},
        {"wait": "soon"},
        {"wait": "nan"},
        {"channel": "pigeon"},
        {"chanel": "sms"},
    ],
)
async def test_a_bad_parameter_is_named(http: aiohttp.ClientSession, query: dict[str, str]) -> None:
    async with http.get(MESSAGES, params=query) as answer:
        assert answer.status == 400
        assert answer.content_type == "application/problem+json"
        problem = await answer.json()
    (name,) = query
    assert problem["status"] == 400
    assert problem["errors"][0]["pointer"] == f"#/{name}"


async def test_the_phones_can_be_emptied(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    await add(sandbox, ChannelName.SMS, AMINA)
    async with http.delete(MESSAGES) as answer:
        assert answer.status == 204
    assert await got(http) == ([], 1)


async def test_faults_are_switched_on_and_off(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    wanted = {"sms": {"rates": {"vanish": 0.5}, "dead": [AMINA]}, "email": {"latency": 2}}
    async with http.put("/sandbox/api/faults", json=wanted) as answer:
        assert answer.status == 200
    async with http.get("/sandbox/api/faults") as answer:
        now = await answer.json()
    assert now["sms"]["rates"] == {"vanish": 0.5}
    assert now["sms"]["dead"] == [AMINA]
    assert now["email"]["latency"] == 2
    async with http.put("/sandbox/api/faults", json={}) as answer:
        assert (await answer.json())["sms"]["rates"] == {}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"sms": {"rates": {"vanish": 2}}}, "/sms/rates/vanish"),
        ({"sms": {"speed": 2}}, "/sms/speed"),
        ({"sms": {"rates": {"vanish": 0.9, "error": 0.9}}}, "/sms"),
    ],
)
async def test_impossible_faults_are_refused(
    http: aiohttp.ClientSession, body: dict[str, Any], pointer: str
) -> None:
    async with http.put("/sandbox/api/faults", json=body) as answer:
        assert answer.status == 422
        assert (await answer.json())["errors"][0]["pointer"] == pointer


async def test_a_citizen_writes_back(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    stop = {"from": "06 39 98 00 01", "body": "STOP"}
    async with http.post("/sandbox/api/inbound", json=stop) as answer:
        assert answer.status == 202
        assert await answer.json() == {"webhook_status": None}
    assert sandbox.twilio._stopped == {AMINA}
    hello = {"channel": "x", "from": "@petit", "body": "code 4711"}
    async with http.post("/sandbox/api/inbound", json=hello) as answer:
        assert (await answer.json())["participant_id"].isdecimal()
    async with http.post("/sandbox/api/inbound", json=hello | {"channel": "email"}) as answer:
        assert answer.status == 422
    async with http.post("/sandbox/api/inbound", json={"body": "who?"}) as answer:
        assert (await answer.json())["errors"][0]["pointer"] == "/from"


async def test_only_json_is_taken(http: aiohttp.ClientSession) -> None:
    async with http.post("/sandbox/api/devices", data="name=amina") as answer:
        assert answer.status == 415
    async with http.post(
        "/sandbox/api/devices", data="{", headers={"Content-Type": "application/json"}
    ) as answer:
        assert answer.status == 422


async def test_a_device_is_registered_by_name(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    async with http.post("/sandbox/api/devices", json={"name": "v0001-1"}) as answer:
        assert answer.status == 201
        assert await answer.json() == sandbox.new_device("v0001-1")


async def test_the_daemon_can_serve_the_api_on_its_own_port(sandbox: Sandbox) -> None:
    app = web.Application()
    sandbox.routes(app)
    await add(sandbox, ChannelName.SMS, AMINA)
    async with TestClient(TestServer(app)) as client:
        answer = await client.get(MESSAGES)
        assert (await answer.json())["next"] == 1
        assert (await client.get("/2/users/me")).status == 404
