# SPDX-License-Identifier: EUPL-1.2
"""The SMS channel against a Twilio on loopback."""

from urllib.parse import parse_qs

from aiohttp import web
from channel_wire import HttpRig, Letter, StillClock

from channels.base import (
    SHORT_STOP_MARK,
    ChannelName,
    Recipient,
    Rendered,
    SmsText,
)
from channels.sms.channel import SmsChannel
from channels.sms.settings import SmsSettings


class Rig(HttpRig):
    """Twilio answers 201 with a sid."""

    name = "sms"
    personal = True
    body = "Valmont : coupure d'eau rue des Tilleuls. Arret : example.org/s/"
    rendered = Rendered(ChannelName.SMS, "fr", "eau-1", SmsText(body + SHORT_STOP_MARK))
    words = ("Tilleuls", "AC0123456789", "auth-token-secret")

    def _created(self, request, body):
        if request.method == "GET":
            return web.json_response({"sid": "AC0123456789", "status": "active"})
        return web.json_response(
            {"sid": f"SM{len(self.letters):032d}", "status": "queued"}, status=201
        )

    @property
    def letters(self):
        forms = [parse_qs(body.decode()) for _, body in self.provider.requests if body]
        return [Letter(form["To"][0], form["Body"][0].removeprefix(self.body)) for form in forms]

    def channel(self, url=None):
        settings = SmsSettings(
            account_sid="AC0123456789",
            auth_token="auth-token-secret",
            sender="VALMONT",
            base_url=url or self.provider.url,
            timeout=self.timeout,
        )
        return SmsChannel(settings, StillClock())

    def recipient(self, number):
        return Recipient(f"+336399800{number:02d}")
