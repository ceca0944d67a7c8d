# SPDX-License-Identifier: EUPL-1.2
"""The web push channel against a push service on loopback."""

import json
from base64 import urlsafe_b64encode

import http_ece
from aiohttp import web
from channel_wire import HTTP_TROUBLES, HttpRig, Letter, Mood, StillClock, closed_port
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from channels.base import (
    STOP_TOKEN_MARK,
    Accepted,
    ChannelName,
    PushText,
    Recipient,
    Rendered,
)
from channels.webpush.channel import WebPushChannel
from channels.webpush.keys import new_vapid_key
from channels.webpush.settings import WebPushSettings

BROWSER = ec.generate_private_key(ec.SECP256R1())
POINT = BROWSER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
SECRET = b"sixteen bytes ok"
KEYS = {
    "p256dh": urlsafe_b64encode(POINT).rstrip(b"=").decode(),
    "auth": urlsafe_b64encode(SECRET).rstrip(b"=").decode(),
}
PRIVATE = new_vapid_key()


class Rig(HttpRig):
    """A push service answers 201 with a Location; its status alone counts, not its body."""

    name = "webpush"
    personal = True
    check_asks_the_provider = False  # a push service can be asked nothing without a subscription
    rendered = Rendered(
        ChannelName.WEBPUSH,
        "fr",
        "eau-1",
        PushText(json.dumps({"title": "Rue des Tilleuls", "stop": STOP_TOKEN_MARK}), "topic-1"),
    )
    words = ("Tilleuls", PRIVATE, *KEYS.values())
    expected = HTTP_TROUBLES | {Mood.GARBAGE: Accepted()}

    _elsewhere = None  # where the endpoints are, when not at the provider

    def _created(self, request, body):
        return web.Response(status=201, headers={"Location": f"/m/{len(self.letters)}"})

    @property
    def letters(self):
        return [
            Letter(f"{self.provider.url}{request.path}", self._token(body))
            for request, body in self.provider.requests
        ]

    def _token(self, body):
        plain = http_ece.decrypt(body, private_key=BROWSER, auth_secret=SECRET, version="aes128gcm")
        return json.loads(plain)["stop"]

    def channel(self, url=None):
        self._elsewhere = url
        settings = WebPushSettings(
            private_key=PRIVATE,
            sender="mailto:mairie@example.org",
            allow_loopback=True,
            timeout=self.timeout,
        )
        return WebPushChannel(settings, StillClock())

    def unreachable(self):
        return self.channel(f"http://127.0.0.1:{closed_port()}")

    def recipient(self, number):
        return Recipient(f"{self._elsewhere or self.provider.url}/push/citizen{number:02d}", KEYS)
