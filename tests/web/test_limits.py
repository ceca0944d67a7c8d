# SPDX-License-Identifier: EUPL-1.2
"""How much one caller may ask: counted by key, source and message; strangers by address."""

import ipaddress
import json

import pytest
from aiohttp.test_utils import make_mocked_request

from channels.base import ChannelName
from hub.web.hooks.standard import sign
from hub.web.limiter import block, caller

PATH = "/api/v1/announcements"
JSON = "application/json"


def is_too_many(answer):
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 0
    return True


async def test_a_key_has_its_rate_and_another_key_its_own(make_door, news):
    door = await make_door(limits={"api_per_minute": 3})
    busy, calm = await door.key("bavard"), await door.key("calme")
    answers = [await door.with_key(busy, "GET", "zzzzzz") for _ in range(4)]
    assert [answer.status for answer in answers] == [404, 404, 404, 429]
    assert is_too_many(answers[-1])
    assert answers[-1].json["code"] == "too_many_requests"
    assert "3 par minute" in answers[-1].json["detail_fr"]
    assert (await door.post(busy, news)).status == 429
    assert (await door.post(calm, news)).status == 202


async def test_a_source_has_its_rate(make_door, news):
    door = await make_door(limits={"hook_per_minute": 2})
    secret = await door.source()
    statuses = []
    for n in range(3):
        body, stamp = json.dumps({"data": news}).encode(), str(int(door.clock.wall().timestamp()))
        headers = {
            "Content-Type": JSON,
            "webhook-id": f"e{n}",
            "webhook-timestamp": stamp,
            "webhook-signature": sign(f"e{n}", stamp, body, secret),
        }
        answer = await door.ask("POST", "/hooks/vigicrues", data=body, headers=headers)
        statuses.append(answer.status)
    assert statuses == [202, 202, 429]
    assert is_too_many(answer)


@pytest.mark.parametrize(
    ("method", "path", "refusal"),
    [
        ("POST", PATH, 401),
        ("GET", f"{PATH}/zzzzzz", 401),
        ("POST", "/hooks/inconnu", 401),
        ("GET", "/stop/" + "x" * 32, 410),
        ("POST", "/stop/" + "x" * 32, 410),
    ],
)
async def test_who_proves_nothing_is_soon_sent_away_and_nobody_else(
    make_door, news, method, path, refusal
):
    door = await make_door(limits={"public_per_minute": 2})
    headers = {"Content-Type": JSON, "webhook-id": "e", "webhook-timestamp": "1"}
    answers = [await door.ask(method, path, headers=headers, data=b"{}") for _ in range(3)]
    assert [answer.status for answer in answers] == [refusal, refusal, 429]
    assert is_too_many(answers[-1])
    assert (await door.post(await door.key(), news)).status == 202  # from the very same address
    assert (await door.ask("GET", "/")).status == 200


async def test_stops_are_counted_by_message_not_by_address(make_door):
    """One mail provider's machines unsubscribe all its readers: none may be turned away."""
    door = await make_door(limits={"public_per_minute": 2})
    people = [await door.person(f"v{n:04d}") for n in range(1, 8)]
    for person in people:
        token = door.stop_token(ChannelName.EMAIL, person, 999)
        assert (await door.ask("POST", f"/stop/{token}")).status == 200
    answers = [await door.ask("POST", f"/stop/{token}") for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 429]
    assert is_too_many(answers[-1])
    assert answers[-1].kind == "text/html"


# --------------------------------------------------------------------------- sizes


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_refused_even_without_a_length(make_door, news, chunked):
    door = await make_door(limits={"api_body": 2_000, "hook_body": 2_000})
    key = await door.key()
    large = json.dumps(news | {"body": "x" * 5_000}).encode()
    token = door.stop_token(ChannelName.SMS, await door.person("v0001"), 999)
    for path, kind, body in (
        (PATH, JSON, large),
        ("/hooks/vigicrues", JSON, large),
        (f"/stop/{token}", "application/x-www-form-urlencoded", b"choice=" + b"x" * 70_000),
    ):
        sent = pieces(body) if chunked else body
        headers = {"Authorization": f"Bearer {key}", "Content-Type": kind}
        answer = await door.ask("POST", path, data=sent, headers=headers)
        assert answer.status == 413, path
    assert (await door.post(key, json.dumps(news).encode())).status == 202


async def pieces(body):
    """A body sent in chunks, its length unsaid."""
    for at in range(0, len(body), 1_000):
        yield body[at : at + 1_000]


async def test_a_body_of_exactly_the_limit_is_taken(make_door, news):
    body = json.dumps(news).encode()
    door = await make_door(limits={"api_body": len(body)})
    key = await door.key()
    assert (await door.post(key, body)).status == 202
    assert (await door.post(key, body + b" ")).status == 413


# --------------------------------------------------------------------------- whose address


def asked(remote, *forwarded, trusted=()):
    headers = [("X-Forwarded-For", each) for each in forwarded]
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=remote)
    return caller(request, [ipaddress.ip_network(each) for each in trusted])


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "who"),
    [
        ("203.0.113.9", ["198.51.100.1"], [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], ["10.0.0.0/8"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1"], ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.66, 198.51.100.1"], ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.66,198.51.100.1 , 10.2.0.7"], ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.66", "198.51.100.1"], ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", ["nonsense"], ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, nonsense"], ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", [], ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2"], ["10.0.0.0/8"], "10.0.0.1"),
        ("::1", ["2001:db8::5"], ["::1/128"], "2001:db8::5"),
        (None, ["198.51.100.1"], ["10.0.0.0/8"], ""),
    ],
)
def test_only_a_trusted_proxy_is_believed(remote, forwarded, trusted, who):
    assert asked(remote, *forwarded, trusted=trusted) == who


@pytest.mark.parametrize(
    ("address", "shared"),
    [
        ("198.51.100.77", "198.51.100.0/24"),
        ("2001:db8:1:22ff::5", "2001:db8:1:2200::/56"),
        ("", ""),
    ],
)
def test_a_block_is_what_one_line_commands(address, shared):
    assert block(address) == shared


async def test_a_forged_forwarding_does_not_multiply_a_stranger(make_door):
    door = await make_door(limits={"public_per_minute": 2})
    statuses = [
        (await door.ask("POST", PATH, headers={"X-Forwarded-For": f"198.51.100.{n}"})).status
        for n in range(3)
    ]
    assert statuses == [401, 401, 429]
    behind = await make_door(
        limits={"public_per_minute": 2}, server={"trusted_proxies": ["127.0.0.1/32"]}
    )
    statuses = [
        (await behind.ask("POST", PATH, headers={"X-Forwarded-For": f"198.51.{n}.1"})).status
        for n in range(3)
    ]
    assert statuses == [401, 401, 401]


async def test_no_door_at_all_takes_more_than_the_servers_limit(make_door):
    door = await make_door(server={"client_max_size": 1_000})
    headers = {"Content-Type": JSON}
    path = "/sandbox/api/inbound"
    answer = await door.ask("POST", path, data=b" " * 2_000, headers=headers)
    assert (answer.status, answer.kind) == (413, "application/problem+json")
    assert answer.json["code"] == "request_entity_too_large"
    assert "trop grosse" in answer.json["detail_fr"]
