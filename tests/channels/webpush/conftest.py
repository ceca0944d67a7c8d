# SPDX-License-Identifier: EUPL-1.2
"""A push service on loopback, a browser that can open what it gets, and a clock."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import http_ece
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from channels.base import (
    STOP_TOKEN_MARK,
    ChannelName,
    Lane,
    Outcome,
    PushText,
    Recipient,
    Rendered,
    Slip,
)
from channels.webpush.channel import WebPushChannel
from channels.webpush.keys import new_vapid_key
from channels.webpush.settings import WebPushSettings


@dataclass
class StillClock:
    """A clock that moves only when told to."""

    moment: datetime = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    world: datetime = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def wall(self) -> datetime:
        return self.world

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a channel never waits")


class Browser:
    """A browser's subscription, and its private half."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self._auth = b"sixteen bytes ok"
        self.keys = {"p256dh": _encoded(point), "auth": _encoded(self._auth)}

    def opened(self, body: bytes) -> str:
        plain = http_ece.decrypt(
            body, private_key=self._key, auth_secret=self._auth, version="aes128gcm"
        )
        return plain.decode()


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class PushService:
    """Takes messages, answering `status` and `headers`."""

    status: int = 201
    headers: dict[str, str] = field(default_factory=dict)
    messages: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        self.messages.append((request.raw_path, dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers=self.headers)

    @property
    def claims(self) -> dict[str, Any]:
        """What the last message's token claims."""
        token = self.messages[-1][1]["Authorization"].partition("t=")[2].partition(",")[0]
        payload = token.split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        assert isinstance(claims, dict)
        return claims


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    place = PushService()
    app = web.Application()
    app.router.add_post("/{tail:.*}", place.take)
    server = TestServer(app)
    await server.start_server()
    place.url = str(server.make_url("/")).rstrip("/")
    yield place
    await server.close()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def browser() -> Browser:
    return Browser()


LETTER = Rendered(
    ChannelName.WEBPUSH,
    "fr",
    "a1v1",
    PushText(payload=f'{{"title":"Eau coupée","stop":"{STOP_TOKEN_MARK}"}}', topic="topic-1"),
)


@dataclass
class Town:
    """Valmont-sur-Orne, which writes to one browser through the little push service."""

    clock: StillClock
    browser: Browser
    service: PushService
    key: str = field(default_factory=new_vapid_key)

    def channel(self, **changes: Any) -> WebPushChannel:
        usual = {
            "private_key": self.key,
            "sender": "mailto:mairie@example.org",
            "allow_loopback": True,
            "timeout": 2.0,
        }
        return WebPushChannel(WebPushSettings.model_validate(usual | changes), self.clock)

    async def send(
        self, channel: WebPushChannel, *, to: Recipient | None = None, **changes: Any
    ) -> Outcome:
        slip = Slip(
            delivery=1,
            round=1,
            lane=Lane.BULK,
            expires=None,
            in_doubt=False,
            stop_token="s" * 32,
            receipt_token="1.1.mac",
            message_key="key1",
        )
        to = to or Recipient(f"{self.service.url}/push/lea", self.browser.keys)
        return await channel.send(channel.prepare(LETTER), to, replace(slip, **changes))


@pytest.fixture
def town(clock: StillClock, browser: Browser, service: PushService) -> Town:
    return Town(clock, browser, service)
