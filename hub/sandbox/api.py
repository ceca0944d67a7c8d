# SPDX-License-Identifier: EUPL-1.2
"""The sandbox's JSON API: what each citizen received, and the levers of the demonstration."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from channels.base import ChannelName
from hub.sandbox.effects import Effect, Effects
from hub.sandbox.faults import ChannelFaults, Faults
from hub.sandbox.push import Push
from hub.sandbox.twilio import Twilio
from hub.sandbox.x import X

LONGEST_WAIT = 30.0
_MOST = 1_000
_ALIASES = {"twitter": "x", "push": "webpush"}
_FAULTS: TypeAdapter[dict[ChannelName, ChannelFaults]] = TypeAdapter(
    dict[ChannelName, ChannelFaults]
)
_PHONE = re.compile(r"[+\s]?[\d\s.\-]+")
_Act = Callable[[web.Request], Awaitable[web.Response]]
_Model = TypeVar("_Model", bound=BaseModel)


class _Problem(Exception):
    """A request that cannot be answered; becomes RFC 9457 problem JSON."""

    def __init__(self, status: int, title: str, detail: str, pointer: str = "") -> None:
        super().__init__(title)
        self.status = status
        self.body: dict[str, Any] = {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
        }
        if pointer:
            self.body["errors"] = [{"pointer": pointer, "detail": detail}]


class _Inbound(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sender: str = Field(alias="from", min_length=1, max_length=64)
    body: str = Field(max_length=10_000)
    channel: ChannelName = ChannelName.SMS
    to: str = Field(default="", max_length=64)


class _NewDevice(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)


def normalised(address: str) -> str:
    """A phone number in E.164 (French national numbers too), anything else as it is.

    A plus sign that a URL turned into a space is put back.
    """
    if not _PHONE.fullmatch(address):
        return address.strip()
    digits = re.sub(r"\D", "", address)
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    if digits.startswith("0") and len(digits) == 10:
        return f"+33{digits[1:]}"
    return f"+{digits}"


class Api:
    """Everything under /sandbox/api."""

    def __init__(
        self, effects: Effects, faults: Faults, *, twilio: Twilio, x: X, push: Push, sms_sender: str
    ) -> None:
        self._effects = effects
        self._faults = faults
        self._twilio = twilio
        self._x = x
        self._push = push
        self._sms_sender = sms_sender

    def routes(self) -> list[web.RouteDef]:
        """Serve these on any application, the daemon's included."""
        return [
            web.get("/sandbox/api/messages", self._answering(self._messages)),
            web.delete("/sandbox/api/messages", self._answering(self._clear)),
            web.get("/sandbox/api/faults", self._answering(self._faults_now)),
            web.put("/sandbox/api/faults", self._answering(self._put_faults)),
            web.post("/sandbox/api/inbound", self._answering(self._inbound)),
            web.post("/sandbox/api/devices", self._answering(self._new_device)),
        ]

    def _answering(self, act: _Act) -> _Act:
        async def answer(request: web.Request) -> web.Response:
            try:
                return await act(request)
            except _Problem as problem:
                return web.json_response(
                    problem.body, status=problem.status, content_type="application/problem+json"
                )

        return answer

    async def _messages(self, request: web.Request) -> web.Response:
        query = request.query
        known = {"since", "channel", "to", "wait", "limit"}
        if unknown := sorted(set(query) - known):
            raise _bad(unknown[0], f"no such parameter; there are {', '.join(sorted(known))}")
        since = _number(query, "since", 0, upto=2**63)
        limit = max(1, _number(query, "limit", 100, upto=_MOST))
        wait = _seconds(query)
        channel, addresses = _channel(query), _addresses(query.get("to"))

        def select() -> list[Effect]:
            return self._effects.select(
                since=since, channel=channel, addresses=addresses, limit=limit
            )

        found = select()
        if not found and wait:
            found = await self._awaited(select, wait)
        last = found[-1].seq if found else max(since, self._effects.last)
        return web.json_response({"messages": [effect.as_json() for effect in found], "next": last})

    async def _awaited(self, select: Callable[[], list[Effect]], wait: float) -> list[Effect]:
        found: list[Effect] = []
        try:
            async with asyncio.timeout(wait):
                while not found:
                    await self._effects.news()
                    found = select()
        except TimeoutError:
            return []
        return found

    async def _clear(self, _: web.Request) -> web.Response:
        self._effects.clear()
        return web.Response(status=204)

    async def _faults_now(self, _: web.Request) -> web.Response:
        return web.json_response(self._faults.as_json())

    async def _put_faults(self, request: web.Request) -> web.Response:
        body = await _json(request)
        try:
            self._faults.put_all(_FAULTS.validate_json(body))
        except ValidationError as error:
            raise _invalid(error) from None
        return web.json_response(self._faults.as_json())

    async def _inbound(self, request: web.Request) -> web.Response:
        said = _model(_Inbound, await _json(request))
        match said.channel:
            case ChannelName.SMS:
                status = await self._twilio.inbound(
                    normalised(said.sender), said.to or self._sms_sender, said.body
                )
                return web.json_response({"webhook_status": status}, status=202)
            case ChannelName.X:
                participant = self._x.inbound(said.sender, said.body)
                return web.json_response({"participant_id": participant}, status=202)
            case _:
                raise _bad("channel", "citizens write by sms or x", status=422)

    async def _new_device(self, request: web.Request) -> web.Response:
        wanted = _model(_NewDevice, await _json(request))
        return web.json_response(self._push.new_device(wanted.name), status=201)


def _number(query: Mapping[str, str], name: str, default: int, *, upto: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdecimal()) or int(text) > upto:
        raise _bad(name, f"a whole number from 0 to {upto}")
    return int(text)


def _seconds(query: Mapping[str, str]) -> float:
    try:
        wait = float(query.get("wait", "0"))
    except ValueError:
        wait = -1.0
    if not 0 <= wait <= LONGEST_WAIT:
        raise _bad("wait", f"seconds, from 0 to {LONGEST_WAIT:g}")
    return wait


def _channel(query: Mapping[str, str]) -> ChannelName | None:
    asked = query.get("channel")
    if not asked:
        return None
    try:
        return ChannelName(_ALIASES.get(asked, asked))
    except ValueError:
        raise _bad("channel", f"one of {', '.join(ChannelName)}") from None


def _addresses(asked: str | None) -> Callable[[Effect], bool] | None:
    if not asked:
        return None
    wanted = normalised(asked).removeprefix("@").casefold()

    def addresses(effect: Effect) -> bool:
        handle = effect.extra.get("handle", "")
        return wanted in {effect.to.casefold(), handle.casefold()}

    return addresses


async def _json(request: web.Request) -> str:
    # Any other type could be posted by a page of another site without asking first (CORS).
    if request.content_type != "application/json":
        raise _Problem(415, "Unsupported Media Type", "send application/json")
    return await request.text()


def _model(model: type[_Model], body: str) -> _Model:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> _Problem:
    first = error.errors()[0]
    pointer = "/" + "/".join(str(part) for part in first["loc"])
    return _Problem(422, "Unprocessable Content", first["msg"], pointer)


def _bad(name: str, detail: str, status: int = 400) -> _Problem:
    title = "Bad Request" if status == 400 else "Unprocessable Content"
    return _Problem(status, title, f"{name}: {detail}", f"#/{name}")
