# SPDX-License-Identifier: EUPL-1.2
"""The HTTP roads' common ground: one session a channel, the gate, and what an answer means.

The one question that matters here is "may it have left?". A request crosses the gate between
having its connection and its first byte; whatever fails before is simply tried again, whatever
fails after leaves the message in doubt.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import inf
from typing import TYPE_CHECKING, Any, assert_never

import aiohttp
from aiohttp.abc import AbstractResolver

from channels.base import ChannelDown, Outcome, Reason, Rejected, Retry

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

# A provider's wish is honoured up to a day; beyond, a broken header would silence a town.
LONGEST_WAIT = timedelta(days=1)

# What a request can fail with before there is an answer. ssl.SSLError is an OSError.
NETWORK_ERRORS = (aiohttp.ClientError, TimeoutError, OSError)


@dataclass(slots=True)
class Crossing:
    """One message's way through its gate. `crossed` means: from here on it may have left."""

    gate: Callable[[], None] = field(repr=False)
    crossed: bool = False

    def ask(self) -> None:
        """Ask the gate. Raises `Withheld` where it says so."""
        self.gate()
        self.crossed = True


_crossing: ContextVar[Crossing | None] = ContextVar("crossing", default=None)


@contextmanager
def crossing(gate: Callable[[], None]) -> Iterator[Crossing]:
    """Have `gate` asked by the next request of this task, once its connection is in hand."""
    way = Crossing(gate)
    token = _crossing.set(way)
    try:
        yield way
    finally:
        _crossing.reset(token)


class GatedConnector(aiohttp.TCPConnector):
    """A connection pool that asks the message's gate before it hands a connection over.

    This is the last moment at which a message can be kept back: aiohttp writes next. A refused
    connection goes back to the pool, unused.
    """

    async def connect(
        self,
        req: "ClientRequest",
        traces: list["Trace"],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 (aiohttp's signature)
    ) -> "Connection":
        connection = await super().connect(req, traces, timeout)
        way = _crossing.get()
        if way is not None:
            try:
                way.ask()
            except BaseException:
                connection.release()
                raise
        return connection


def open_session(
    *, connections: int, timeout: float, resolver: AbstractResolver | None = None
) -> aiohttp.ClientSession:
    """A session for one channel: at most `connections` at a time, `timeout` seconds in all.

    The time-out is total (waiting for a connection, connecting, writing, reading) and exact:
    aiohttp would round it up to a whole second, and a lease is checked against it (ENGINE.md 4.5).
    The environment's proxies are not read, cookies are not kept. Call inside a running loop.
    """
    return aiohttp.ClientSession(
        connector=GatedConnector(limit=connections, resolver=resolver),
        timeout=aiohttp.ClientTimeout(total=timeout, ceil_threshold=inf),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: kept whole, because the SDKs lose the headers and stumble over HTML."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def document(self) -> dict[str, Any] | None:
        """The JSON object in the body, or None where there is no such thing."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None


class Refused(Exception):
    """An answer that is not the 2xx with a JSON object that was hoped for. Its text says nothing
    of the address, the body or the URL."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"refused with HTTP {answer.status}")
        self.answer = answer


async def fetch(session: aiohttp.ClientSession, method: str, url: Any, **options: Any) -> Answer:
    """One request, one answer; redirects are answers. Raises one of `NETWORK_ERRORS`."""
    async with session.request(method, url, allow_redirects=False, **options) as response:
        return Answer(response.status, response.headers, await response.read())


async def fetch_document(
    session: aiohttp.ClientSession, method: str, url: Any, **options: Any
) -> Answer:
    """As `fetch`, for an API that speaks JSON: raises `Refused` unless 2xx with an object."""
    answer = await fetch(session, method, url, **options)
    if not answer.ok or answer.document() is None:
        raise Refused(answer)
    return answer


def lost(error: BaseException, way: Crossing) -> Retry:
    """The outcome of a request that one of `NETWORK_ERRORS` ended without an answer."""
    reason = Reason.PROVIDER_TIMEOUT if isinstance(error, TimeoutError) else Reason.NETWORK
    return Retry(reason, maybe_sent=way.crossed)


# How far a provider's clock may be from ours when its list is read: ours may have been an hour
# wrong when the message left. Too much of it harms nothing, the ledger knows whose the older
# copies are; too little would miss the copy and send another.
CLOCK_SKEW = timedelta(hours=2)
MOST_PAGES = 50  # a provider that lists more than that for one address is taken for broken
LISTING_CONNECTIONS = 4  # of their own: a slow listing takes no message's connection


@contextmanager
def listing(rule: Callable[[Answer], Outcome]) -> Iterator[None]:
    """Ask a provider what it took: whatever keeps it from telling becomes `ChannelDown`.

    `rule` says what its refusals mean; the lists are read by SDKs, which stumble over bad ones.
    """
    try:
        yield
    except Refused as refusal:
        match rule(refusal.answer):
            case Retry(reason, after, _, code):
                raise ChannelDown(reason, after=after, code=code) from None
            case Rejected(reason, _, code):
                raise ChannelDown(reason, code=code) from None
            case _:
                raise ChannelDown(Reason.UNKNOWN, code=str(refusal.answer.status)) from None
    except NETWORK_ERRORS as error:
        timeout = isinstance(error, TimeoutError)
        raise ChannelDown(Reason.PROVIDER_TIMEOUT if timeout else Reason.NETWORK) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        raise ChannelDown(Reason.PROVIDER_ERROR, code="unreadable") from None


def answered(answer: Answer, wall: datetime) -> Retry:
    """What an answer means where the provider's own codes say nothing more.

    `wall` is the world's time, for a Retry-After that names a date. A 2xx comes here only when it
    could not be understood: it and a 5xx may have taken effect, so the message is in doubt.
    Raises `ChannelDown` on 401 and 403: a wrong key is nobody's letter's fault.
    """
    code, after = str(answer.status), retry_after(answer.headers, wall)
    match answer.status:
        case 401 | 403:
            raise ChannelDown(Reason.AUTHENTICATION, after=after, alarm=True, code=code)
        case 429:
            return Retry(Reason.RATE_LIMITED, after=after, code=code)
        case status if status >= 500 or answer.ok:
            return Retry(Reason.PROVIDER_ERROR, after=after, maybe_sent=True, code=code)
        case _:
            return Retry(Reason.UNKNOWN, after=after, code=code)


@dataclass(frozen=True, slots=True)
class Closed:
    """A row of a provider's code table that closes the road, not the letter."""

    reason: Reason
    after: timedelta | None = None
    alarm: bool = False


Verdict = Retry | Rejected | Closed


def ruled(verdict: Verdict, code: str, after: timedelta | None = None) -> Retry | Rejected:
    """A table's row as the outcome of one message, with the provider's `code` and wish.

    Raises `ChannelDown` where the row is `Closed`.
    """
    match verdict:
        case Retry():
            return replace(verdict, after=after or verdict.after, code=code)
        case Rejected():
            return replace(verdict, code=code)
        case Closed(reason, usual, alarm):
            raise ChannelDown(reason, after=after or usual, alarm=alarm, code=code)
        case _:
            assert_never(verdict)


def retry_after(headers: Mapping[str, str], wall: datetime) -> timedelta | None:
    """The wait a provider asks for (RFC 9110 section 10.2.3): seconds, or an HTTP date.

    None where there is no such header or it makes no sense; never negative, at most a day.
    """
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return bounded(timedelta(seconds=int(value)))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return bounded((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - wall)


def bounded(wait: timedelta) -> timedelta:
    """`wait`, but never negative and at most a day."""
    return min(max(wait, timedelta(0)), LONGEST_WAIT)
