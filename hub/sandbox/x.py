# SPDX-License-Identifier: EUPL-1.2
"""X's v2 API for one account, the town's: posts, its timeline, and direct messages."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from channels.base import ChannelName, Clock
from hub.sandbox.effects import Effects
from hub.sandbox.faults import Fault, Faults
from hub.sandbox.oauth import XKeys, is_signed
from hub.sandbox.wire import Act, Wire
from hub.sandbox.x_bodies import invalid, page, post_object, problem, timestamp

PUBLIC = "public"  # what a post is addressed to
_DUPLICATE_SPAN = timedelta(days=1)
_WINDOW_SECONDS = 900
_MAX_DM = 10_000
_EPOCH_MS = 1_288_834_974_657  # of X's identifiers, which hold the time
_DENIED_DM = "You do not have permission to DM one or more participants."
_DENIED_REPLY = "You attempted to reply to a Post that is deleted or not visible to you."
_DUPLICATE = "You are not allowed to create a Tweet with duplicate content."


def participant_id(handle: str) -> str:
    """The numeric id of a made-up citizen's account: always the same for the same handle."""
    digest = hashlib.sha256(handle.lstrip("@").lower().encode()).digest()
    return str(10**17 + int.from_bytes(digest[:7]))


@dataclass(slots=True)
class _Window:
    """One endpoint's quarter of an hour."""

    limit: int
    reset: int = 0
    used: int = 0

    def spend(self, now: int) -> bool:
        """Take one request; false where none is left."""
        if now >= self.reset:
            self.reset, self.used = now + _WINDOW_SECONDS, 0
        self.used += 1
        return self.used <= self.limit

    def headers(self) -> dict[str, str]:
        return {
            "x-rate-limit-limit": str(self.limit),
            "x-rate-limit-remaining": str(max(0, self.limit - self.used)),
            "x-rate-limit-reset": str(self.reset),
        }


class X:
    """The town's account and the people who wrote to it."""

    def __init__(
        self,
        effects: Effects,
        faults: Faults,
        clock: Clock,
        *,
        keys: XKeys,
        handle: str,
        name: str,
        posts_per_window: int = 100,
        messages_per_window: int = 15,
    ) -> None:
        self._effects = effects
        self._faults = faults
        self._clock = clock
        self._keys = keys
        self._handle = handle
        self._name = name
        self.account_id = participant_id(handle)
        self._wire = Wire(ChannelName.X, faults, clock)
        self._posts = _Window(posts_per_window)
        self._messages = _Window(messages_per_window)
        self._handles: dict[str, str] = {}  # those who wrote first, by id
        self._received: list[dict[str, Any]] = []
        self._last_id = 0

    def routes(self) -> list[web.RouteDef]:
        """The paths of X's API that a town calls."""
        return [
            web.post("/2/tweets", self._create_post),
            web.get("/2/users/me", self._me),
            web.get("/2/users/{id}/tweets", self._timeline),
            web.get("/2/users/by/username/{handle}", self._by_handle),
            web.post("/2/dm_conversations/with/{id}/messages", self._create_message),
            web.get("/2/dm_conversations/with/{id}/dm_events", self._events),
            web.get("/2/dm_events", self._events),
        ]

    def inbound(self, handle: str, body: str) -> str:
        """A citizen writes to the town, which may then answer. Returns their id."""
        sender = participant_id(handle)
        self._handles[sender] = handle.lstrip("@")
        self._received.append(self._event(self._next_id(), sender, sender, body, self._now()))
        return sender

    # ------------------------------------------------------------------- posts

    async def _create_post(self, request: web.Request) -> web.StreamResponse:
        async def act() -> web.Response:
            if refused := self._denied(request, self._posts):
                return refused
            body = await _json_object(request)
            text = body.get("text")
            reply = body.get("reply", {})
            if not isinstance(text, str) or not text.strip() or not isinstance(reply, dict):
                return invalid("text is required")
            if not _fits(text):
                return invalid("Your Post text is too long.", text=text)
            before = reply.get("in_reply_to_tweet_id")
            if before is not None and self._effects.by_ref(str(before)) is None:
                return problem(403, "Forbidden", _DENIED_REPLY)
            if self._is_duplicate(text):
                return problem(403, "Forbidden", _DUPLICATE)
            return await self._post(text, before)

        return await self._limited(request, self._posts, act)

    async def _post(self, text: str, reply: str | None) -> web.Response:
        extra = {"kind": "post"} | ({"in_reply_to": reply} if reply else {})
        effect = await self._effects.add(
            ChannelName.X,
            to=PUBLIC,
            sender=self._handle,
            text=text,
            ref=self._next_id(),
            state="public",
            extra=extra,
        )
        return web.json_response({"data": post_object(effect, frozenset())}, status=201)

    def _is_duplicate(self, text: str) -> bool:
        oldest = self._now() - _DUPLICATE_SPAN
        for post in self._effects.to(ChannelName.X, PUBLIC):
            if post.at < oldest:
                return False
            if post.text == text:
                return True
        return False

    async def _timeline(self, request: web.Request) -> web.StreamResponse:
        async def act() -> web.Response:
            if refused := self._denied(request):
                return refused
            if request.match_info["id"] != self.account_id:
                return problem(404, "Not Found Error")
            return self._timeline_page(request.query)

        return await self._wire.answer(request, act, self._refusal)

    def _timeline_page(self, query: Mapping[str, str]) -> web.Response:
        fields = frozenset(query.get("tweet.fields", "").split(","))
        try:
            size = int(query.get("max_results", "10"))
            first = datetime.fromisoformat(query.get("start_time", "1970-01-01T00:00:00Z"))
            since, below = int(query.get("since_id", "0")), int(query.get("pagination_token", "0"))
        except ValueError:
            return invalid("one of the parameters is malformed")
        if not 5 <= size <= 100:
            return invalid("max_results is not between 5 and 100", max_results=str(size))
        listed = self._faults.listed_until(ChannelName.X, self._now())
        posts = [
            post
            for post in self._effects.to(ChannelName.X, PUBLIC)
            if first <= post.at <= listed
            and int(post.ref) > since
            and (not below or int(post.ref) < below)
        ]
        return page([post_object(post, fields) for post in posts[:size]], len(posts) > size)

    # ------------------------------------------------------------------- direct messages

    async def _create_message(self, request: web.Request) -> web.StreamResponse:
        async def act() -> web.Response:
            if refused := self._denied(request, self._messages):
                return refused
            text = (await _json_object(request)).get("text")
            to = request.match_info["id"]
            if not isinstance(text, str) or not text.strip() or len(text) > _MAX_DM:
                return invalid("text is required, of 10,000 characters at most")
            if to not in self._handles or to in self._faults.of(ChannelName.X).dead:
                return problem(403, "Forbidden", _DENIED_DM)
            effect = await self._effects.add(
                ChannelName.X,
                to=to,
                sender=self._handle,
                text=text,
                ref=self._next_id(),
                state="received",
                extra={"kind": "message", "handle": self._handles[to]},
            )
            answer = {"dm_conversation_id": self._conversation(to), "dm_event_id": effect.ref}
            return web.json_response({"data": answer}, status=201)

        return await self._limited(request, self._messages, act)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        async def act() -> web.Response:
            if refused := self._denied(request):
                return refused
            only = request.match_info.get("id")
            below = request.query.get("pagination_token", "")
            listed = self._faults.listed_until(ChannelName.X, self._now())
            sent = [
                self._event(effect.ref, self.account_id, effect.to, effect.text, effect.at)
                for effect in self._effects.select(channel=ChannelName.X, limit=self._effects.last)
                if effect.to != PUBLIC and effect.at <= listed
            ]
            events = [
                event
                for event in sorted(sent + self._received, key=lambda event: -int(event["id"]))
                if only is None or event["dm_conversation_id"] == self._conversation(only)
                if not below.isdecimal() or int(event["id"]) < int(below)
            ]
            return page(events[:100], more=len(events) > 100)

        return await self._wire.answer(request, act, self._refusal)

    def _event(self, ref: str, sender: str, other: str, text: str, at: datetime) -> dict[str, Any]:
        return {
            "id": ref,
            "event_type": "MessageCreate",
            "text": text,
            "sender_id": sender,
            "dm_conversation_id": self._conversation(other),
            "created_at": timestamp(at),
        }

    def _conversation(self, other: str) -> str:
        return "-".join(sorted((other, self.account_id), key=int))

    # ------------------------------------------------------------------- people

    async def _me(self, request: web.Request) -> web.StreamResponse:
        async def act() -> web.Response:
            me = {"id": self.account_id, "name": self._name, "username": self._handle}
            return self._denied(request) or web.json_response({"data": me})

        return await self._wire.answer(request, act, self._refusal)

    async def _by_handle(self, request: web.Request) -> web.StreamResponse:
        async def act() -> web.Response:
            handle = request.match_info["handle"]
            found = {"id": participant_id(handle), "name": handle, "username": handle}
            return self._denied(request) or web.json_response({"data": found})

        return await self._wire.answer(request, act, self._refusal)

    # ------------------------------------------------------------------- common

    async def _limited(self, request: web.Request, window: _Window, act: Act) -> web.StreamResponse:
        response = await self._wire.answer(request, act, self._refusal)
        if not response.prepared:
            response.headers.update(window.headers())
        return response

    def _denied(self, request: web.Request, window: _Window | None = None) -> web.Response | None:
        if not is_signed(request, self._keys):
            return problem(401, "Unauthorized")
        if window is not None and not window.spend(self._wall()):
            return problem(429, "Too Many Requests")
        return None

    def _refusal(self, fault: Fault) -> web.Response:
        match fault:
            case Fault.THROTTLE:
                refused = problem(429, "Too Many Requests")
                wait = self._faults.of(ChannelName.X).retry_after
                self._posts.reset = self._messages.reset = self._wall() + wait
                return refused
            case Fault.REJECT:
                return problem(403, "Forbidden", "You are not permitted to perform this action.")
            case _:
                return problem(503, "Service Unavailable")

    def _next_id(self) -> str:
        elapsed = int(self._clock.wall().timestamp() * 1000) - _EPOCH_MS
        self._last_id = max(self._last_id + 1, elapsed << 22)
        return str(self._last_id)

    def _now(self) -> datetime:
        return self._clock.now()

    def _wall(self) -> int:
        return int(self._clock.wall().timestamp())


def _fits(text: str) -> bool:
    # Half a second to import: a daemon that sends to the real X never does.
    from twitter_text import parse_tweet  # type: ignore[import-untyped]  # noqa: PLC0415

    return bool(parse_tweet(text).valid)


async def _json_object(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.text())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
