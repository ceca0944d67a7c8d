# SPDX-License-Identifier: EUPL-1.2
"""A push service of Firefox's kind on loopback: the browser's WebSocket, the hub's RFC 8030 door.

The wire is Mozilla's autopush: JSON over a WebSocket the browser keeps open, and one push
resource for each subscription. It cannot read what passes through it, as no push service can.
"""

import base64
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer


@dataclass(slots=True)
class Pushed:
    """One message the hub posted: its headers, its sealed bytes, and whether it was acked."""

    channel: str
    headers: dict[str, str]
    body: bytes
    version: str
    acked: bool = False


@dataclass(slots=True)
class Autopush:
    """The service: `keys` holds the application server key of every live subscription."""

    origin: str = ""
    keys: dict[str, str | None] = field(default_factory=dict)
    pushed: list[Pushed] = field(default_factory=list)
    browsers: list[web.WebSocketResponse] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    @property
    def socket_url(self) -> str:
        """What the browser's `dom.push.serverURL` is set to."""
        return self.origin.replace("http://", "ws://", 1) + "/"

    async def talk(self, request: web.Request) -> web.StreamResponse:
        """One browser, for as long as it stays."""
        socket = web.WebSocketResponse(protocols=("push-notification",))
        await socket.prepare(request)
        self.browsers.append(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    answer = self._answer(json.loads(message.data))
                    if answer is not None:
                        await socket.send_json(answer)
        finally:
            self.browsers.remove(socket)
        return socket

    def _answer(self, said: dict[str, Any]) -> dict[str, Any] | None:
        match said.get("messageType", "ping"):
            case "ping":  # an empty object, either way
                return {}
            case "hello":
                name = said.get("uaid")
                if name not in self.known:  # then the browser gives up all its subscriptions
                    name = uuid.uuid4().hex
                    self.known.add(name)
                welcome = {"uaid": name, "status": 200, "broadcasts": {}}
                return {"messageType": "hello", "use_webpush": True, **welcome}
            case "register":
                channel = said["channelID"]
                self.keys[channel] = said.get("key")
                endpoint = {"pushEndpoint": f"{self.origin}/wpush/{channel}"}
                return {
                    "messageType": "register",
                    "channelID": channel,
                    "status": 200,
                    **endpoint,
                }
            case "unregister":
                self.keys.pop(said["channelID"], None)
                return {
                    "messageType": "unregister",
                    "channelID": said["channelID"],
                    "status": 200,
                }
            case "ack":
                versions = {each["version"] for each in said["updates"]}
                for each in self.pushed:
                    each.acked = each.acked or each.version in versions
        return None

    async def forget(self) -> None:
        """Lose every subscription, as such services do now and then; browsers learn it when they
        come back."""
        self.known.clear()
        self.keys.clear()
        for browser in list(self.browsers):
            await browser.close()

    async def take(self, request: web.Request) -> web.StreamResponse:
        """RFC 8030 section 5: a message for one subscription."""
        channel = request.match_info["channel"]
        if channel not in self.keys:
            return web.json_response({"code": 410, "errno": 106}, status=410)
        if "TTL" not in request.headers:
            return web.json_response({"code": 400, "errno": 111}, status=400)
        body = await request.read()
        pushed = Pushed(channel, dict(request.headers), body, uuid.uuid4().hex)
        self.pushed.append(pushed)
        sealed = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
        for browser in self.browsers:
            await browser.send_json(
                {
                    "messageType": "notification",
                    "channelID": channel,
                    "version": pushed.version,
                    "data": sealed,
                    "headers": {"encoding": request.headers["Content-Encoding"]},
                }
            )
        location = f"{self.origin}/m/{pushed.version}"
        return web.Response(
            status=201, headers={"Location": location, "TTL": request.headers["TTL"]}
        )


@asynccontextmanager
async def autopush() -> AsyncIterator[Autopush]:
    """The service on a free port of this machine."""
    service = Autopush()
    app = web.Application()
    app.add_routes([web.get("/", service.talk), web.post("/wpush/{channel}", service.take)])
    async with TestServer(app) as server:
        service.origin = str(server.make_url("")).rstrip("/")
        yield service
