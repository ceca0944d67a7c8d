# SPDX-License-Identifier: EUPL-1.2
"""`POST /hooks/{source}`: events signed per Standard Webhooks 1.0.0, one announcement each."""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from aiohttp import web
from sqlalchemy.exc import DatabaseError

from hub.flow.accept import payloads
from hub.flow.accept.credentials import source_of
from hub.flow.accept.mapped import submission_of
from hub.flow.accept.problems import ForbiddenError, Problem, RefusedError
from hub.flow.accept.submission import parse, read_json
from hub.ledger.database import LedgerFullError
from hub.web.bodies import read_body
from hub.web.desk import Desk, desk
from hub.web.problems import ProblemError
from hub.web.strangers import count_stranger

log = structlog.get_logger(__name__)

TOLERANCE: Final = timedelta(minutes=5)
_ID: Final = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,255}")  # visible ASCII without the full stop
_SAID: Final = 500
_STAMP: Final = re.compile(r"[0-9]{1,12}")


def routes() -> list[web.RouteDef]:
    """The door of every source."""
    return [web.post("/hooks/{source:[a-z0-9][a-z0-9-]{0,63}}", receive)]


async def receive(request: web.Request) -> web.Response:
    """Accept one event. Its `webhook-id` makes a second delivery of it the same announcement."""
    hub = desk(request)
    key = request.match_info["source"]
    raw = await read_body(request, hub.settings.limits.hook_body, ("application/json",))
    found = await hub.ledger.read(lambda conn: source_of(conn, key, hub.seal))
    try:
        if found is None:
            raise _unsigned()  # an unknown source and a wrong signature look alike
        identity = verify(request.headers, raw, found.secret, hub.clock.wall())
    except ProblemError:
        await count_stranger(request)
        raise
    await hub.limiter.admit("hook", key, hub.settings.limits.hook_per_minute)
    try:
        event = read_json(raw)
    except RefusedError as refused:
        await _keep(hub, key, raw, 400, said=_codes(refused))
        raise
    inside = submission_of(event, found.rules) if found.rules else _inside(event)
    try:
        accepted = await hub.intake.accept(parse(inside), found.principal, key=identity)
    except RefusedError as refused:  # its pointers lead into the event, not the announcement alone
        status = 403 if isinstance(refused, ForbiddenError) else 422
        await _keep(hub, key, raw, status, said=_codes(refused))
        if found.rules:  # a rule's name is more use than a place of an event in another form
            raise
        raise type(refused)([_in_event(each) for each in refused.problems]) from None
    await _keep(hub, key, raw, 202, code=accepted.announcement.code)
    shown = {"id": accepted.announcement.code, "state": accepted.announcement.state}
    return web.json_response(shown, status=202)


def _codes(refused: RefusedError) -> str:
    """Which fields, and what is wrong with each; never what they held."""
    return ", ".join(f"{each.pointer or '/'} {each.code}" for each in refused.problems)[:_SAID]


async def _keep(hub: Desk, key: str, raw: bytes, status: int, **came_to: str) -> None:
    """For the page of this source; whether it can be kept changes nothing of the answer."""
    now = hub.clock.now()
    try:
        await hub.ledger.transact(
            lambda c: payloads.keep(c, key, raw, now, status=status, **came_to)
        )
    except (LedgerFullError, DatabaseError):
        log.warning("hook.not_kept", source=key)


def _inside(event: Any) -> Any:
    """What the event carries: where there is nothing, `parse` says what it misses."""
    return event.get("data") if isinstance(event, dict) else None


def _in_event(problem: Problem) -> Problem:
    return replace(problem, pointer=f"/data{problem.pointer}")


def verify(headers: Mapping[str, str], body: bytes, secret: str, wall: datetime) -> str:
    """The event's id. Raises `ProblemError` 401: no signature of ours, or too old or too new."""
    identity = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    if not (_ID.fullmatch(identity) and _STAMP.fullmatch(stamp)):
        raise _unsigned()
    expected = sign(identity, stamp, body, secret).encode()
    given = headers.get("webhook-signature", "").split(" ")[:10]
    spelt = [each.encode("utf-8", "surrogateescape") for each in given]
    if not any([hmac.compare_digest(each, expected) for each in spelt]):  # noqa: C419 (constant time)
        raise _unsigned()
    if abs(int(stamp) - wall.timestamp()) > TOLERANCE.total_seconds():
        raise ProblemError(
            401,
            "clock_skew",
            fr="`webhook-timestamp` est à plus de cinq minutes de notre heure. Réglez l'horloge.",
            en="`webhook-timestamp` is more than five minutes off our time. Set the clock.",
        )
    return identity


def sign(identity: str, stamp: str, body: bytes, secret: str) -> str:
    """The `v1` signature: HMAC-SHA256 of ``id.timestamp.body`` (Standard Webhooks, "v1")."""
    text = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the secret is not base64") from None
    signed = f"{identity}.{stamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def _unsigned() -> ProblemError:
    return ProblemError(
        401,
        "unsigned",
        fr="La signature n'est pas valable pour cette source.",
        en="The signature is not valid for this source.",
    )
