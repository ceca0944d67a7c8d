# SPDX-License-Identifier: EUPL-1.2
"""The web push road against a push service on loopback."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from py_vapid import Vapid02

from channels.base import (
    Accepted,
    ChannelDown,
    ChannelName,
    Lane,
    PushText,
    Reason,
    Recipient,
    Rejected,
    Rendered,
    Retry,
    SmsText,
)
from channels.webpush.keys import public_key


async def test_a_message_arrives_sealed_for_its_browser_with_its_own_token(town, service, browser):
    service.headers["Location"] = "/m/42"
    async with town.channel() as channel:
        assert await town.send(channel) == Accepted("/m/42")
    [(path, headers, body)] = service.messages
    assert path == "/push/lea"
    assert json.loads(browser.opened(body)) == {"title": "Eau coupée", "stop": "s" * 32}
    assert (headers["Content-Encoding"], headers["Topic"]) == ("aes128gcm", "topic-1")
    assert headers["Content-Type"] == "application/octet-stream"


async def test_a_message_is_signed_as_the_town_for_this_service(town, service, clock):
    async with town.channel() as channel:
        await town.send(channel)
    header = service.messages[0][1]["Authorization"]
    assert Vapid02.verify(header)
    assert header.endswith("k=" + public_key(town.key))
    assert service.claims == {
        "aud": service.url,
        "exp": int((clock.wall() + timedelta(hours=12)).timestamp()),
        "sub": "mailto:mairie@example.org",
    }


async def test_a_token_follows_the_world_s_clock_and_not_the_demo_s(town, service, clock):
    clock.moment += timedelta(days=300)
    async with town.channel() as channel:
        await town.send(channel)
    assert service.claims["exp"] == int((clock.world + timedelta(hours=12)).timestamp())


@pytest.mark.parametrize(
    ("passed", "renewed"),
    [
        (timedelta(0), False),
        (timedelta(hours=10, minutes=59), False),
        (timedelta(hours=11), True),
        (timedelta(hours=13), True),
        (timedelta(hours=-1), True),  # set back: the old token claims too far a future
    ],
)
async def test_a_token_serves_until_an_hour_before_its_end(town, service, clock, passed, renewed):
    async with town.channel() as channel:
        await town.send(channel)
        clock.world += passed
        await town.send(channel)
    first, second = (headers["Authorization"] for _, headers, _ in service.messages)
    assert (first != second) is renewed
    assert (
        timedelta(0)
        < timedelta(seconds=service.claims["exp"]) - timedelta(seconds=clock.world.timestamp())
        <= timedelta(hours=24)
    )


@pytest.mark.parametrize(
    ("left", "ttl"),
    [
        (None, 4 * 7 * 86400),
        (timedelta(weeks=9), 4 * 7 * 86400),
        (timedelta(minutes=90), 5400),
        (timedelta(seconds=-3), 1),
    ],
)
async def test_a_message_lives_as_long_as_the_announcement(town, service, clock, left, ttl):
    async with town.channel() as channel:
        await town.send(channel, expires=left and clock.now() + left)
    assert service.messages[0][1]["TTL"] == str(ttl)


@pytest.mark.parametrize(
    ("lane", "urgency"),
    [
        (Lane.VITAL, "high"),
        (Lane.TRANSACTIONAL, "normal"),
        (Lane.IMPORTANT, "normal"),
        (Lane.BULK, "low"),
    ],
)
async def test_only_what_is_vital_wakes_a_phone_at_once(town, service, lane, urgency):
    async with town.channel() as channel:
        await town.send(channel, lane=lane)
    assert service.messages[0][1]["Urgency"] == urgency


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (200, {}, Accepted()),
        (202, {"Location": "/m/1"}, Accepted("/m/1")),
        (204, {}, Accepted()),
        (201, {"X-WNS-Status": "received"}, Accepted()),
        (
            201,
            {"X-WNS-Status": "dropped"},
            Retry(Reason.UNREACHABLE, timedelta(minutes=10), code="201 wns"),
        ),
        (404, {}, Rejected(Reason.SUBSCRIPTION_GONE, contact_dead=True, code="404")),
        (410, {}, Rejected(Reason.SUBSCRIPTION_GONE, contact_dead=True, code="410")),
        (413, {}, Rejected(Reason.TOO_LONG, code="413")),
        (400, {}, Retry(Reason.UNKNOWN, code="400")),
        (307, {"Location": "https://example.org"}, Retry(Reason.UNKNOWN, code="307")),
        (
            429,
            {"Retry-After": "120"},
            Retry(Reason.RATE_LIMITED, after=timedelta(minutes=2), code="429"),
        ),
        (503, {}, Retry(Reason.PROVIDER_ERROR, maybe_sent=True, code="503")),
    ],
)
async def test_what_an_answer_means(town, service, status, headers, outcome):
    service.status, service.headers = status, headers
    async with town.channel() as channel:
        assert await town.send(channel) == outcome
    assert len(service.messages) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_never_yet_accepted_closes_the_road_when_refused(town, service, status):
    service.status = status
    async with town.channel() as channel:
        for _ in range(2):
            with pytest.raises(ChannelDown) as down:
                await town.send(channel)
    assert (down.value.reason, down.value.alarm) == (Reason.AUTHENTICATION, True)


async def test_a_false_subscription_cannot_silence_a_town_whose_key_is_good(town, service):
    async with town.channel() as channel:
        await town.send(channel)
        service.status = 403
        assert await town.send(channel) == Retry(Reason.AUTHENTICATION, code="403")


@pytest.mark.parametrize(
    "keys",
    [
        {"auth": ""},
        {"p256dh": ""},
        {"p256dh": "not on the curve"},
        {"auth": "c2hvcnQ"},
        {"p256dh": "A" * 87},
        {"p256dh": "Ao5TO2-gv3tGJbswZnwB-2B--fi4qA_vWzAGKHAxh7Kj"},  # compressed
        {"auth": "*"},
    ],
)
async def test_keys_that_cannot_seal_are_refused_here_and_suspend_nobody(
    town, service, browser, keys
):
    async with town.channel() as channel:
        outcome = await town.send(
            channel, to=Recipient(f"{service.url}/push/lea", browser.keys | keys)
        )
    assert outcome == Rejected(Reason.NO_SUCH_ADDRESS, code="keys")
    assert service.messages == []


async def test_an_endpoint_outside_the_fence_is_never_called(town, service, browser):
    asked = []
    async with town.channel(allow_loopback=False) as channel:
        outcome = await town.send(channel, gate=lambda: asked.append(1))
    assert outcome == Rejected(Reason.NO_SUCH_ADDRESS, code="endpoint")
    assert service.messages == asked == []


async def test_a_name_that_leads_inside_the_network_is_never_called(town, browser):
    """`localhost` is an allowed name here, but resolves to no public address."""
    inside = Recipient("https://localhost/push/lea", browser.keys)
    async with town.channel(allow_loopback=False, allowed_hosts=("localhost",)) as channel:
        assert await town.send(channel, to=inside) == Retry(Reason.NETWORK)


async def test_the_sandbox_may_be_called_by_name(town, service, browser):
    by_name = Recipient(service.url.replace("127.0.0.1", "localhost") + "/a", browser.keys)
    async with town.channel() as channel:
        assert isinstance(await town.send(channel, to=by_name), Accepted)


async def test_an_endpoint_is_called_as_the_browser_wrote_it(town, service, browser):
    endpoint = f"{service.url}/push/a%2Fb:c%20d?x=%3D"
    async with town.channel() as channel:
        await town.send(channel, to=Recipient(endpoint, browser.keys))
    assert service.messages[0][0] == "/push/a%2Fb:c%20d?x=%3D"


def test_a_payload_too_long_for_one_message_is_a_bug_of_the_words(town):
    channel = town.channel()
    fits = Rendered(ChannelName.WEBPUSH, "fr", "k", PushText("x" * channel.limit.single, "t"))
    assert channel.prepare(fits)
    with pytest.raises(ValueError, match="fit"):
        channel.prepare(replace(fits, text=PushText("x" * 3994, "t")))


def test_another_channel_s_text_is_a_bug_said_aloud(town):
    with pytest.raises(TypeError):
        town.channel().prepare(Rendered(ChannelName.SMS, "fr", "k", SmsText("x")))


async def test_check_tries_the_key_without_calling_anybody(town, service):
    async with town.channel() as channel:
        assert "signs and seals" in await channel.check()
    assert service.messages == []
