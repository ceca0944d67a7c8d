# SPDX-License-Identifier: EUPL-1.2
"""The journey of an SMS after Twilio accepted it, told by signed status callbacks."""

import asyncio
import base64
import hashlib
import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from channels.base import ChannelName, Clock
from hub.sandbox.effects import Effect, Effects
from hub.sandbox.faults import Faults

_log = logging.getLogger(__name__)

CONCURRENT_POSTS = 32
UNKNOWN_HANDSET = 30005
UNREACHABLE_HANDSET = 30003
_LOOK = 1.0  # seconds between two looks at what waits for a phone
API_VERSION = "2010-04-01"


def sign(url: str, form: Mapping[str, str], auth_token: str) -> str:
    """Twilio's webhook signature: base64(HMAC-SHA1(token, URL + each sorted name and value))."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


@dataclass(slots=True)
class _Journey:
    effect: Effect
    callback: str
    ahead: list[str] = field(default_factory=list)  # states still to reach, first one last
    due: float = 0.0
    code: int = 0


class Receipts:
    """Moves each accepted SMS to ``sent`` then ``delivered`` or ``undelivered``.

    One `delay` in seconds lies before each step. As the real service, it posts every change
    once, whatever the answer.
    """

    def __init__(
        self,
        effects: Effects,
        faults: Faults,
        clock: Clock,
        *,
        account_sid: str,
        auth_token: str,
        delay: float,
    ) -> None:
        self._effects = effects
        self._faults = faults
        self._clock = clock
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._delay = delay
        self._queue: asyncio.Queue[_Journey] = asyncio.Queue()
        self._switched_off: list[_Journey] = []
        self._workers: list[asyncio.Task[None]] = []
        self._watch: asyncio.Task[None] | None = None
        faults.on_change(self._resume)

    async def __aenter__(self) -> Self:
        self._session = ClientSession(
            connector=TCPConnector(limit=CONCURRENT_POSTS),
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=15),  # what Twilio grants a webhook
        )
        self._workers = [asyncio.create_task(self._walk()) for _ in range(CONCURRENT_POSTS)]
        return self

    async def __aexit__(self, *exc: object) -> None:
        ours = [*self._workers, *([self._watch] if self._watch else [])]
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)
        await self._session.close()

    def begin(self, effect: Effect, callback: str) -> None:
        """Send one accepted SMS on its way; `callback` may be empty."""
        now = self._faults.of(ChannelName.SMS)
        journey = _Journey(effect, callback)
        if effect.to in now.dead:
            journey.code = UNKNOWN_HANDSET
        elif self._faults.happens(ChannelName.SMS, now.undelivered):
            journey.code = now.undelivered_code
        end = "undelivered" if journey.code else "delivered"
        unordered = self._faults.happens(ChannelName.SMS, now.unordered_receipts)
        journey.ahead = ["sent", end] if unordered else [end, "sent"]
        self._later(journey)

    async def post(self, url: str, form: Mapping[str, str]) -> int | None:
        """Post one signed webhook. Returns the HTTP status, or None where nobody answered."""
        told = await self.ask(url, form)
        return None if told is None else told[0]

    async def ask(self, url: str, form: Mapping[str, str]) -> tuple[int, str] | None:
        """The same, with the text of the answer."""
        headers = {
            "X-Twilio-Signature": sign(url, form, self._auth_token),
            "User-Agent": "TwilioProxy/1.1",
        }
        try:
            async with self._session.post(
                URL(url, encoded=True), data=form, headers=headers
            ) as answer:
                return answer.status, await answer.text(errors="replace")
        except (ClientError, TimeoutError) as error:
            _log.warning("sandbox: a callback was not taken: %s", type(error).__name__)
            return None

    def _later(self, journey: _Journey) -> None:
        journey.due = self._clock.monotonic() + self._delay
        self._queue.put_nowait(journey)

    def _resume(self) -> None:
        waiting, self._switched_off = self._switched_off, []
        for journey in waiting:
            self._queue.put_nowait(journey)

    async def _give_up(self) -> None:
        """Word that a phone was off for too long, by the town's clock: whoever puts that one
        forward sees it at once."""
        while self._switched_off:
            await self._clock.sleep(_LOOK)
            longest, now = self._faults.of(ChannelName.SMS).gives_up, self._clock.now()
            for journey in [*self._switched_off]:
                valid = journey.effect.extra.get("validity_period", longest)
                if (now - journey.effect.at).total_seconds() >= min(valid, longest):
                    self._switched_off.remove(journey)
                    journey.code, journey.ahead = UNREACHABLE_HANDSET, ["undelivered"]
                    self._queue.put_nowait(journey)

    async def _walk(self) -> None:
        while True:
            journey = await self._queue.get()
            wait = journey.due - self._clock.monotonic()
            if wait > 0:
                await self._clock.sleep(wait)
            await self._step(journey)

    async def _step(self, journey: _Journey) -> None:
        now = self._faults.of(ChannelName.SMS)
        state = journey.ahead[-1]
        if state == "delivered" and journey.effect.to in now.off:
            self._switched_off.append(journey)
            if self._watch is None or self._watch.done():
                self._watch = asyncio.create_task(self._give_up())
            return
        journey.ahead.pop()
        if journey.effect.state not in {"delivered", "undelivered"}:
            failure = {"error_code": journey.code} if state == "undelivered" else {}
            self._effects.mark(journey.effect, state, **failure)
        if journey.ahead:
            self._later(journey)
        if not journey.callback or self._faults.happens(ChannelName.SMS, now.lost_receipts):
            return
        form = self._form(journey, state)
        await self.post(journey.callback, form)
        if self._faults.happens(ChannelName.SMS, now.duplicate_receipts):
            await self.post(journey.callback, form)

    def _form(self, journey: _Journey, state: str) -> dict[str, str]:
        effect = journey.effect
        form = {
            "AccountSid": self._account_sid,
            "ApiVersion": API_VERSION,
            "From": effect.sender,
            "MessageSid": effect.ref,
            "MessageStatus": state,
            "SmsSid": effect.ref,
            "SmsStatus": state,
            "To": effect.to,
        }
        if service := effect.extra.get("messaging_service_sid"):
            form["MessagingServiceSid"] = service
        if state == "undelivered":
            form["ErrorCode"] = str(journey.code)
        return form
