# SPDX-License-Identifier: EUPL-1.2
"""What the channel rigs share: a provider on loopback that can misbehave in every way, and a clock.

A rig is one channel set up against such a provider. The suite asks of it what `Rig` says; an
HTTP channel inherits `HttpRig` and fills in what its provider's answers look like.
"""

import asyncio
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Protocol

from aiohttp import web

from channels.base import (
    STOP_TOKEN_LENGTH,
    Channel,
    Lane,
    Outcome,
    Reason,
    Recipient,
    Rendered,
    Retry,
    Slip,
    always_open,
)


class Mood(Enum):
    """How the provider feels about the next message."""

    GOOD = auto()
    SILENT = auto()  # takes the message, never answers
    RESET = auto()  # hangs up in the middle of its answer
    BUSY = auto()  # too many: 429 with "Retry-After: 7", or the like
    BROKEN = auto()  # 5xx with a page for people
    GARBAGE = auto()  # says yes, in words nobody understands
    WRONG_KEY = auto()


class StillClock:
    """A clock that stands still: 21 November 2026, noon in UTC."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def wall(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a channel never waits")


@dataclass(frozen=True)
class Letter:
    """One message as the provider took it: to whom, and whose stop token it carried ("" where
    the channel carries none)."""

    address: str
    token: str


class Rig(Protocol):
    """One channel against a provider of its own. `expected` is what each mood must come to; the
    value for GOOD and WRONG_KEY is not looked at."""

    name: str
    timeout: float  # seconds, of the channels made from now on; the suite sets it
    rendered: Rendered
    personal: bool  # each message carries its citizen's stop token
    check_asks_the_provider: bool  # `check` needs the provider, and not only the settings
    words: tuple[str, ...]  # that must never be seen: texts, keys
    expected: dict[Mood, Outcome]
    mood: Mood
    connections: int  # made to the provider so far
    letters: list[Letter]  # taken by the provider so far, in order

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def channel(self) -> Channel:
        """A new channel of this kind, pointing at the provider."""
        ...

    def unreachable(self) -> Channel:
        """The same, pointing at a port where nobody listens."""
        ...

    def recipient(self, number: int) -> Recipient: ...


HTTP_TROUBLES = {
    Mood.SILENT: Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True),
    Mood.RESET: Retry(Reason.NETWORK, maybe_sent=True),
    Mood.BUSY: Retry(Reason.RATE_LIMITED, after=timedelta(seconds=7), code="429"),
    Mood.BROKEN: Retry(Reason.PROVIDER_ERROR, maybe_sent=True, code="503"),
    Mood.GARBAGE: Retry(Reason.PROVIDER_ERROR, maybe_sent=True, code="200"),
}


def slip(number: int = 0, gate=always_open, **changes) -> Slip:
    """The slip of delivery `number`, with tokens of its own."""
    token = f"token{number:04d}".ljust(STOP_TOKEN_LENGTH, "x")
    return Slip(
        **{
            "delivery": number,
            "round": 1,
            "lane": Lane.IMPORTANT,
            "expires": None,
            "in_doubt": False,
            "stop_token": token,
            "receipt_token": f"{number}.1.receiptmac",
            "message_key": f"key{number:04d}",
            "gate": gate,
        }
        | changes
    )


def closed_port() -> int:
    """A port of loopback where nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class HttpProvider:
    """A provider that speaks HTTP on loopback, in the mood it is told to be in."""

    def __init__(self, success) -> None:
        self._success = success  # the request and its body -> web.Response
        self.mood = Mood.GOOD
        self.connections = 0
        self.requests: list[tuple[web.BaseRequest, bytes]] = []
        self.url = ""

    async def start(self) -> None:
        server = web.Server(self._answer, access_log=None)
        make = server.__call__

        def counted():
            self.connections += 1
            return make()

        self._hung_up = asyncio.Event()
        self._server = server
        self._socket = await asyncio.get_running_loop().create_server(counted, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._socket.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._hung_up.set()
        self._socket.close()
        await self._server.shutdown(0.05)
        await self._socket.wait_closed()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        self.requests.append((request, body))
        match self.mood:
            case Mood.GOOD:
                return self._success(request, body)
            case Mood.SILENT:
                await self._hung_up.wait()
                return web.Response(status=500)
            case Mood.RESET:
                request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")
                await asyncio.sleep(0)
                request.transport.abort()
                return web.Response()
            case Mood.BUSY:
                return web.Response(status=429, headers={"Retry-After": "7"}, text="later")
            case Mood.BROKEN:
                return web.Response(status=503, content_type="text/html", text="<h1>Oops</h1>")
            case Mood.GARBAGE:
                return web.Response(status=200, content_type="text/html", text="<h1>Hello</h1>")
            case Mood.WRONG_KEY:
                return web.Response(status=401, content_type="text/html", text="who are you?")


class HttpRig:
    """The half of a rig that every HTTP channel shares; a subclass says what its provider's yes
    looks like (`_created`), who it wrote to (`letters`) and how to make its channel."""

    expected = HTTP_TROUBLES
    check_asks_the_provider = True

    def __init__(self) -> None:
        self.provider = HttpProvider(self._created)
        self.start, self.stop = self.provider.start, self.provider.stop

    @property
    def connections(self) -> int:
        return self.provider.connections

    @property
    def mood(self) -> Mood:
        return self.provider.mood

    @mood.setter
    def mood(self, mood: Mood) -> None:
        self.provider.mood = mood

    def unreachable(self) -> Channel:
        return self.channel(f"http://127.0.0.1:{closed_port()}")
