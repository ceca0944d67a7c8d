# SPDX-License-Identifier: EUPL-1.2
"""How a fault looks on an HTTP connection, whoever's protocol runs over it."""

from collections.abc import Awaitable, Callable
from typing import assert_never

from aiohttp import web

from channels.base import ChannelName, Clock
from hub.sandbox.faults import Fault, Faults

_PROXY_PAGE = "<html><head><title>Service Unavailable</title></head><body>\n</body></html>\n"

Act = Callable[[], Awaitable[web.Response]]
Refuse = Callable[[Fault], web.Response]


class Wire:
    """Stands between a provider's protocol and its client, and lets faults happen."""

    def __init__(self, channel: ChannelName, faults: Faults, clock: Clock) -> None:
        self._channel = channel
        self._faults = faults
        self._clock = clock

    async def answer(self, request: web.Request, act: Act, refuse: Refuse) -> web.StreamResponse:
        """Let `act` do what was asked and answer, unless a fault is drawn.

        `refuse` words the provider's own THROTTLE, ERROR and REJECT.
        """
        if latency := self._faults.of(self._channel).latency:
            await self._clock.sleep(latency)
        match fault := self._faults.draw(self._channel):
            case None:
                return await act()
            case Fault.THROTTLE | Fault.ERROR | Fault.REJECT:
                return self._refused(refuse(fault))
            case Fault.HTML_ERROR:
                return _proxy_page(503)
            case Fault.SILENCE:
                return await self._hang_up(request)
            case Fault.GARBAGE | Fault.VANISH | Fault.CUT | Fault.DRIP:
                whole = await act()
                try:
                    return await self._spoilt(request, fault, whole)
                except ConnectionResetError:  # whoever asked has left: killed, or out of patience
                    return whole
            case _:
                assert_never(fault)

    def _refused(self, response: web.Response) -> web.Response:
        if response.status == 429:
            response.headers["Retry-After"] = str(self._faults.of(self._channel).retry_after)
        return response

    async def _spoilt(
        self, request: web.Request, fault: Fault, whole: web.Response
    ) -> web.StreamResponse:
        match fault:
            case Fault.GARBAGE:
                return _proxy_page(200)
            case Fault.CUT:
                return await self._cut(request, whole)
            case Fault.DRIP:
                return await self._drip(request, whole)
            case _:
                return await self._hang_up(request)

    async def _hang_up(self, request: web.Request) -> web.StreamResponse:
        await self._clock.sleep(self._faults.of(self._channel).hang)
        _reset(request)
        return web.Response()

    async def _cut(self, request: web.Request, whole: web.Response) -> web.StreamResponse:
        body = _bytes(whole)
        stream = await _begin(request, whole, promised=len(body) + 1)
        await stream.write(body[: len(body) // 2])
        _reset(request)
        return stream

    async def _drip(self, request: web.Request, whole: web.Response) -> web.StreamResponse:
        body = _bytes(whole)
        stream = await _begin(request, whole, promised=len(body))
        for at in range(len(body)):
            await self._clock.sleep(1)
            await stream.write(body[at : at + 1])
        return stream


def _proxy_page(status: int) -> web.Response:
    return web.Response(status=status, text=_PROXY_PAGE, content_type="text/html")


def _bytes(whole: web.Response) -> bytes:
    return whole.body if isinstance(whole.body, bytes) else b""


async def _begin(request: web.Request, whole: web.Response, promised: int) -> web.StreamResponse:
    stream = web.StreamResponse(status=whole.status, headers=whole.headers)
    stream.content_length = promised
    await stream.prepare(request)
    return stream


def _reset(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
