# SPDX-License-Identifier: EUPL-1.2
"""The sandbox as one thing to start: inside the daemon for a demo, or as its own process."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from channels.base import ChannelName, Clock
from hub.sandbox.api import Api
from hub.sandbox.bounces import Bounces
from hub.sandbox.credentials import Credentials
from hub.sandbox.effects import CALLER, Effects
from hub.sandbox.faults import Faults
from hub.sandbox.push import Push
from hub.sandbox.receipts import Receipts
from hub.sandbox.smtp import Smtp
from hub.sandbox.twilio import Twilio
from hub.sandbox.x import X

SEED = "valmont-sur-orne"
_MAX_REQUEST = 64 * 1024
_PACE = 2_000.0  # messages a second; nobody is billed here
_SMS_PRICE = 0.045  # euros a part: what officers train with where the town set none


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """Where the stand-ins listen and how they behave. Port 0 is any free port.

    `seed` settles credentials, devices and bad luck: the same seed, the same sandbox.
    `receipt_delay` is the seconds before each of Twilio's status callbacks.
    """

    host: str = "127.0.0.1"
    http_port: int = 0
    smtp_port: int = 0
    effects_log: Path | None = None
    seed: str = SEED
    receipt_delay: float = 0.2
    inbound_url: str = ""
    mailbox_port: int = 0
    bounce_domain: str = "retours.example.org"
    smtp_login: bool = False
    posts_per_window: int = 100
    messages_per_window: int = 15
    sms_sender: str = "VALMONT"
    email_sender: str = "mairie@example.org"
    x_handle: str = "VilleValmont"
    town: str = "Ville de Valmont-sur-Orne"


class Sandbox:
    """All stand-ins on one loopback address: an HTTP port and an SMTP port.

    Public parts: `effects` (what citizens received), `faults` (what goes wrong now), `twilio`,
    `x`, `push`. Enter it to listen; on leaving, everything is closed and the log complete.
    """

    def __init__(self, clock: Clock, settings: SandboxSettings | None = None) -> None:
        self.settings = settings = settings or SandboxSettings()
        self.credentials = Credentials.of(settings.seed)
        self.effects = Effects(clock, settings.effects_log)
        self.faults = Faults(settings.seed)
        keys, shared = self.credentials, (self.effects, self.faults, clock)
        sid, token = keys.account_sid, keys.auth_token
        delay = settings.receipt_delay
        self._receipts = Receipts(*shared, account_sid=sid, auth_token=token, delay=delay)
        self.twilio = Twilio(*shared, receipts=self._receipts, account_sid=sid, auth_token=token)
        self.twilio.inbound_url = settings.inbound_url
        self.x = X(
            *shared,
            keys=keys.x,
            handle=settings.x_handle,
            name=settings.town,
            posts_per_window=settings.posts_per_window,
            messages_per_window=settings.messages_per_window,
        )
        self.push = Push(*shared, seed=settings.seed)
        self.bounces = Bounces(port=settings.mailbox_port)
        self._smtp = Smtp(
            *shared,
            bounces=self.bounces,
            host=settings.host,
            port=settings.smtp_port,
            login=keys.smtp if settings.smtp_login else None,
        )
        self._api = Api(
            self.effects,
            self.faults,
            twilio=self.twilio,
            x=self.x,
            push=self.push,
            sms_sender=settings.sms_sender,
        )
        self._http_port = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.effects)
            await stack.enter_async_context(self._receipts)
            await stack.enter_async_context(self.bounces)
            await stack.enter_async_context(self._smtp)
            self._http_port = await self._listen(stack)
            self.push.origin = self.base_url
            self._open = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    async def _listen(self, stack: AsyncExitStack) -> int:
        app = web.Application(client_max_size=_MAX_REQUEST, middlewares=[_know_the_caller])
        for part in (self.twilio, self.x, self.push):
            app.add_routes(part.routes())
        self.routes(app)
        # A hung request must end with its client, not live on for a minute (faults.hang).
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, self.settings.host, self.settings.http_port)
        await site.start()
        return int(runner.addresses[0][1])

    @property
    def base_url(self) -> str:
        """Where Twilio, X, the push service and the JSON API answer."""
        return f"http://{self.settings.host}:{self._http_port}"

    @property
    def smtp_port(self) -> int:
        """Where the mail server answers."""
        return self._smtp.port

    def routes(self, app: web.Application) -> None:
        """Add /sandbox/api to an application, so that the daemon's own port serves it too."""
        app.add_routes(self._api.routes())

    def new_device(self, name: str) -> dict[str, Any]:
        """A push subscription, as a browser would send it: endpoint and keys."""
        return self.push.new_device(name)

    def channel_settings(self) -> dict[str, dict[str, Any]]:
        """The ``[channels.*]`` sections that point a daemon's ordinary channels here."""
        keys = self.credentials
        email = {
            "host": self.settings.host,
            "port": self.smtp_port,
            "security": "none",
            "sender": self.settings.email_sender,
            "sender_name": self.settings.town,
            "bounce_domain": self.settings.bounce_domain,
            "pace": _PACE,
        }
        if self.settings.smtp_login:
            email |= {"username": keys.smtp[0], "password": keys.smtp[1]}
        return {
            ChannelName.SMS.value: {
                "account_sid": keys.account_sid,
                "auth_token": keys.auth_token,
                "base_url": self.base_url,
                "sender": self.settings.sms_sender,
                "two_way": self.settings.sms_sender.isdecimal(),
                "price": _SMS_PRICE,
                "pace": _PACE,
            },
            ChannelName.EMAIL.value: email,
            ChannelName.X.value: {
                "sender": self.settings.x_handle,
                "consumer_key": keys.x.consumer_key,
                "consumer_secret": keys.x.consumer_secret,
                "access_token": keys.x.access_token,
                "access_token_secret": keys.x.access_token_secret,
                "base_url": self.base_url,
                "pace": _PACE,
            },
            ChannelName.WEBPUSH.value: {
                "private_key": keys.vapid,
                "sender": f"mailto:{self.settings.email_sender}",
                "allow_loopback": True,
                "pace": _PACE,
            },
        }


@web.middleware
async def _know_the_caller(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    if request.transport is not None:
        CALLER.set(request.transport.get_extra_info("peername")[1])
    return await handler(request)


async def main(clock: Clock, settings: SandboxSettings) -> None:
    """Serve until SIGTERM or SIGINT. One line of JSON on standard output says it is ready."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    async with Sandbox(clock, settings) as sandbox:
        ready = {
            "ready": True,
            "pid": os.getpid(),
            "base_url": sandbox.base_url,
            "smtp_port": sandbox.smtp_port,
            "channels": sandbox.channel_settings(),
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stop.wait()
