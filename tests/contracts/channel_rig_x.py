# SPDX-License-Identifier: EUPL-1.2
"""The X channel against an X on loopback: direct messages, so that each has its own person."""

from aiohttp import web
from channel_wire import HttpRig, Letter, StillClock

from channels.base import ChannelName, PostText, Recipient, Rendered
from channels.twitter.channel import TwitterChannel
from channels.twitter.settings import TwitterSettings


class Rig(HttpRig):
    """X answers 201 with a document."""

    name = "x"
    personal = False
    rendered = Rendered(ChannelName.X, "fr", "eau-1", PostText(("Coupure d'eau rue des Tilleuls",)))
    words = ("Tilleuls", "consumer-key", "consumer-secret", "access-token", "access-secret")

    def _created(self, request, body):
        if request.method == "GET":
            return web.json_response({"data": {"id": "1", "username": "ValmontSurOrne"}})
        made = {"dm_event_id": str(len(self.letters)), "dm_conversation_id": "1-2"}
        return web.json_response({"data": made}, status=201)

    @property
    def letters(self):
        sent = [request for request, body in self.provider.requests if body]
        return [Letter(request.path.split("/")[4], "") for request in sent]

    def channel(self, url=None):
        settings = TwitterSettings(
            consumer_key="consumer-key",
            consumer_secret="consumer-secret",
            access_token="access-token",
            access_token_secret="access-secret",
            direct_messages=True,
            base_url=url or self.provider.url,
            timeout=self.timeout,
            connections=20,
        )
        return TwitterChannel(settings, StillClock())

    def recipient(self, number):
        return Recipient(f"9000{number:04d}")
