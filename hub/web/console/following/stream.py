# SPDX-License-Identifier: EUPL-1.2
"""A page that stays true while somebody looks at it: its parts, sent again as they change.

The contract is UX.md 4.2: events `snapshot`, `fragment`, `done` and `ping`, at most one fragment a
second for each part, made by the template that the page includes. `live.js` is the other end.
"""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from hub.flow.staff import sessions
from hub.flow.staff.officers import Officer
from hub.flow.staff.sessions import Stage
from hub.web import cookies
from hub.web.console.guard import COOKIE, Seat
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.problems import ProblemError, not_found
from hub.web.showing import PRIVATE
from templates.pages.pages import page

MOST_EACH: Final = 6
"""Streams of one officer: a browser opens no more to one host over HTTP/1.1."""
MOST: Final = 200
"""Streams in all."""
_PATIENCE: Final = 20.0  # seconds a browser may take to read what it asked for
_HEADERS: Final = {
    **PRIVATE,
    "Content-Type": "text/event-stream; charset=utf-8",
    "X-Accel-Buffering": "no",  # nginx would keep it until it ends
}


@dataclass(frozen=True, slots=True)
class Shown:
    """The live parts of a page as they are now, by the id of their element. `done`: they will not
    change any more."""

    parts: Mapping[str, str]
    done: bool = False

    @property
    def stamp(self) -> str:
        """Changes with any of them."""
        told = json.dumps(dict(self.parts), sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


Look = Callable[[Officer], Awaitable[Shown | None]]
"""What this officer may see of it now; None where it is not theirs (any more)."""


@dataclass(slots=True)
class Streams:
    """Who is looking; `pace` and `quiet` are seconds between two looks, and two words at least."""

    pace: float = 1.0
    quiet: float = 15.0
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    watching: Counter[int] = field(default_factory=Counter)

    @contextmanager
    def one_of(self, officer: int) -> Iterator[None]:
        """A stream of this officer's. Raises `ProblemError` 429 where there are enough: the page
        then asks again by itself, as it does without a stream."""
        if self.watching[officer] >= MOST_EACH or self.watching.total() >= MOST:
            raise ProblemError(
                429,
                "too_many_streams",
                fr="Trop de pages suivent un envoi. Fermez-en une.",
                en="Too many pages are following something. Close one.",
                headers={"Retry-After": "30"},
            )
        self.watching[officer] += 1
        try:
            yield
        finally:
            self.watching[officer] -= 1

    async def waits(self) -> bool:
        """One pace on; False where the hub closes its doors."""
        try:
            async with asyncio.timeout(self.pace):
                await self.closing.wait()
        except TimeoutError:
            return True
        return False


STREAMS: Final[web.AppKey[Streams]] = web.AppKey("streams", Streams)


def install(app: web.Application) -> None:
    """Give an application its streams; they end when it closes its doors, and keep none open."""
    streams = app[STREAMS] = Streams()

    async def close(_app: web.Application) -> None:
        streams.closing.set()

    app.on_shutdown.append(close)


def part(request: web.Request, seat: Seat, name: str, **context: Any) -> str:
    """One live part of a page, from the template that the page includes for it."""
    return page(
        name,
        language_of(request),
        timezone=seat.authority.timezone,
        authority=seat.authority.name,
        seat=seat,
        **context,
    )


async def stream(request: web.Request, seat: Seat, look: Look) -> web.StreamResponse:
    """Send what `look` shows, whole, then each part that changed, until it is done, the session is
    over, it is no longer theirs to see, or the hub stops. Raises `ProblemError` 404 and 429."""
    shown = await look(seat.officer)
    if shown is None:
        raise not_found()

    async def again() -> Shown | None:
        officer = await _still_there(request)
        return None if officer is None else await look(officer)

    return await follow(request, seat.officer.id, shown, again)


async def follow(
    request: web.Request, who: int, shown: Shown, again: Callable[[], Awaitable[Shown | None]]
) -> web.StreamResponse:
    """The same for anybody: `who` counts whose streams these are, `again` looks once more and is
    None where there is nothing to see any more. Raises `ProblemError` 429."""
    streams = request.config_dict[STREAMS]
    with streams.one_of(who):
        response = web.StreamResponse(headers=_HEADERS)
        await response.prepare(request)
        with suppress(ConnectionError, TimeoutError):  # they looked elsewhere
            await _follow(request, response, streams, shown, again)
    return response


async def _follow(
    request: web.Request,
    response: web.StreamResponse,
    streams: Streams,
    shown: Shown,
    again: Callable[[], Awaitable[Shown | None]],
) -> None:
    await _say(response, b"retry: 3000\n\n")
    if request.headers.get("Last-Event-ID") != shown.stamp:
        whole = [{"id": name, "html": html} for name, html in shown.parts.items()]
        await _say(response, _event("snapshot", whole, shown.stamp))
    silent = 0.0
    while not shown.done and await streams.waits():
        fresh = await again()
        if fresh is None:
            return
        words = _changes(shown, fresh)
        silent = 0.0 if words else silent + streams.pace
        if silent >= streams.quiet:
            words, silent = _event("ping", {}), 0.0
        shown = fresh
        await _say(response, words)
    if shown.done:
        await _say(response, _event("done", {}))


async def _still_there(request: web.Request) -> Officer | None:
    """Who holds this session now, with the roles they have now. Looking is not using: a page left
    open keeps no session alive."""
    hub, token = desk(request), cookies.read(request, COOKIE) or ""
    now = hub.clock.now()
    found = await hub.ledger.read(lambda conn: sessions.find(conn, token, now))
    return found.officer if found is not None and found.stage is Stage.OPEN else None


def _changes(before: Shown, after: Shown) -> bytes:
    """The parts that are new; the last carries the stamp, so that one lost halfway is made good."""
    changed = [
        {"id": name, "html": html}
        for name, html in after.parts.items()
        if before.parts.get(name) != html
    ]
    last = len(changed) - 1
    return b"".join(
        _event("fragment", each, after.stamp if n == last else "") for n, each in enumerate(changed)
    )


def _event(name: str, said: Any, stamp: str = "") -> bytes:
    head = f"id: {stamp}\n" if stamp else ""
    return f"{head}event: {name}\ndata: {json.dumps(said)}\n\n".encode()


async def _say(response: web.StreamResponse, words: bytes) -> None:
    if words:
        async with asyncio.timeout(_PATIENCE):
            await response.write(words)
