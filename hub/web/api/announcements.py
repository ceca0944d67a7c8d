# SPDX-License-Identifier: EUPL-1.2
"""Announcements over the API: post one, see what became of it, cancel it."""

import re
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from hub.announcement import Announcement
from hub.delivery import DeliveryState
from hub.flow.accept.credentials import principal_of_key
from hub.flow.accept.principal import Principal
from hub.flow.accept.submission import iso, parse_json
from hub.reports.log import LoggedDelivery, delivery_page
from hub.reports.progress import ChannelProgress, progress
from hub.reports.summary import sent_elsewhere
from hub.web.bodies import read_body
from hub.web.desk import desk
from hub.web.problems import ProblemError
from hub.web.references import Kind, References
from hub.web.strangers import count_stranger

_BASE: Final = "/api/v1/announcements"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_PAGE: Final = 500

Handler = Callable[[web.Request, Principal], Awaitable[web.Response]]


def routes() -> list[web.RouteDef]:
    """The API's routes."""
    one = _BASE + r"/{code:[A-Za-z0-9]{1,12}}"
    return [
        web.post(_BASE, keyed(post)),
        web.get(one, keyed(show)),
        web.get(one + "/deliveries", keyed(deliveries)),
        web.post(one + "/cancel", keyed(cancel)),
        web.post(one + "/approve", keyed(approve)),
    ]


def keyed(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Only for who holds a living key, within its rate."""

    @wraps(handler)
    async def guarded(request: web.Request) -> web.Response:
        hub = desk(request)
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        principal = None
        if scheme.lower() == "bearer" and key:
            principal = await hub.ledger.read(lambda conn: principal_of_key(conn, key.strip()))
        if principal is None:
            await count_stranger(request)
            raise ProblemError(
                401,
                "unauthorised",
                fr="Donnez une clé d'API valable : `Authorization: Bearer hub_…`.",
                en="Give a valid API key: `Authorization: Bearer hub_…`.",
                headers={"WWW-Authenticate": 'Bearer realm="hub"'},
            )
        await hub.limiter.admit("api", principal.source, hub.settings.limits.api_per_minute)
        return await handler(request, principal)

    return guarded


async def post(request: web.Request, principal: Principal) -> web.Response:
    """Accept an announcement: 202 once the ledger has it, and never before."""
    hub = desk(request)
    key = _idempotency_key(request)
    raw = await read_body(request, hub.settings.limits.api_body, ("application/json",))
    accepted = await hub.intake.accept(parse_json(raw), principal, key=key)
    announcement = accepted.announcement
    headers = {"Location": f"{_BASE}/{announcement.code}"}
    if accepted.repeated:
        headers["Idempotency-Replayed"] = "true"
    return web.json_response(_shown(announcement, hub.site.page), status=202, headers=headers)


def _idempotency_key(request: web.Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise ProblemError(
            400,
            "bad_idempotency_key",
            fr="Idempotency-Key : de 1 à 255 caractères ASCII visibles.",
            en="Idempotency-Key: from 1 to 255 visible ASCII characters.",
        )
    return key


async def _found(request: web.Request, principal: Principal) -> Announcement:
    return await desk(request).intake.find(request.match_info["code"], principal)


async def show(request: web.Request, principal: Principal) -> web.Response:
    """One announcement with its counts as they are now."""
    hub = desk(request)
    announcement = await _found(request, principal)

    def read(conn: Connection) -> dict[str, Any]:
        counted = [_counted(run) for run in progress(conn, announcement.id)]
        elsewhere = sent_elsewhere(conn, announcement.id)
        return {"channels": counted, "sent_by_another_channel": elsewhere}

    shown = _shown(announcement, hub.site.page) | await hub.ledger.read(read)
    return web.json_response(shown, headers={"Cache-Control": "no-store"})


async def deliveries(request: web.Request, principal: Principal) -> web.Response:
    """Its deliveries, by page: `after` is the last `id` seen. No address is ever shown."""
    names = desk(request).references
    announcement = await _found(request, principal)
    after = _after(request, names)
    limit = whole(request, "limit", 100, range(1, _PAGE + 1))
    states = [each for each in request.query.get("state", "").split(",") if each]
    if unknown := [each for each in states if each not in set(DeliveryState)]:
        raise ProblemError(
            400,
            "unknown_state",
            fr=f"Il n'y a pas d'état « {unknown[0]} ».",
            en=f"There is no state '{unknown[0]}'.",
        )

    def read(conn: Connection) -> list[dict[str, Any]]:
        wanted = [DeliveryState(each) for each in states]
        page = delivery_page(conn, announcement.id, after, limit, wanted)
        return [_row(each, names) for each in page]

    rows = await desk(request).ledger.read(read)
    following = rows[-1]["id"] if len(rows) == limit else None
    body = {"deliveries": rows, "next": following}
    return web.json_response(body, headers={"Cache-Control": "no-store"})


async def cancel(request: web.Request, principal: Principal) -> web.Response:
    """Stop what has not left. What was handed to a provider cannot be called back."""
    hub = desk(request)
    moved = await hub.intake.cancel(request.match_info["code"], principal)
    runs = await hub.ledger.read(lambda conn: progress(conn, moved.id))
    told = {
        "already_left": sum(run.handed_over for run in runs),
        "may_be_leaving": sum(run.in_flight for run in runs),
        "stopped": sum(run.waiting + run.parked - run.in_flight for run in runs),
    }
    return web.json_response(_shown(moved, hub.site.page) | told)


async def approve(request: web.Request, principal: Principal) -> web.Response:
    """Publish what waits for approval; only for a key that may publish."""
    hub = desk(request)
    moved = await hub.intake.approve(request.match_info["code"], principal)
    return web.json_response(_shown(moved, hub.site.page), status=202)


def whole(request: web.Request, name: str, default: int, allowed: range) -> int:
    """A whole number of the query. Raises `ProblemError` for anything else."""
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) in allowed):
        raise ProblemError(
            400,
            f"bad_{name}",
            fr=f"`{name}` est un nombre entier de {allowed[0]} à {allowed[-1]}.",
            en=f"`{name}` is a whole number from {allowed[0]} to {allowed[-1]}.",
        )
    return int(text)


def _shown(announcement: Announcement, page_url: Callable[[str], str]) -> dict[str, Any]:
    first = next(iter(announcement.contents.values()))
    return {
        "id": announcement.code,
        "state": announcement.state,
        "urgency": announcement.urgency,
        "kind": announcement.kind,
        "about": announcement.first_code,
        "title": first.title,
        "languages": list(announcement.contents),
        "themes": list(announcement.themes),
        "zones": list(announcement.zones),
        "page_url": page_url(announcement.code),
        "created": iso(announcement.created),
        "publish_at": iso(announcement.publish_at),
        "published": iso(announcement.published),
        "expires": iso(announcement.expires),
        "cancelled_at": iso(announcement.cancelled_at),
    }


def _counted(run: ChannelProgress) -> dict[str, Any]:
    reasons = [
        {"state": state, "reason": reason, "count": n}
        for (state, reason), n in sorted(run.reasons.items())
    ]
    return {
        "channel": run.channel,
        "planned": run.total,
        "states": {str(state): n for state, n in sorted(run.states.items())},
        "reasons": reasons,
    }


def _after(request: web.Request, names: References) -> int:
    given = request.query.get("after", "")
    after = names.number(Kind.MESSAGE, given)
    if given and not after:
        raise ProblemError(
            400,
            "bad_after",
            fr="`after` est l'`id` du dernier envoi reçu, tel que `next` le donne.",
            en="`after` is the `id` of the last delivery seen, as `next` gives it.",
        )
    return after


def _row(row: LoggedDelivery, names: References) -> dict[str, Any]:
    other = row.fallback_of
    return {
        "id": names.of(Kind.MESSAGE, row.id),
        "channel": row.channel,
        "state": row.state,
        "reason": row.reason,
        "round": row.round,
        "tries": row.tries,
        "maybe_sent": row.maybe_sent,
        "due": iso(row.due),
        "fallback_of": None if other is None else names.of(Kind.MESSAGE, other),
        "at": iso(row.at),
    }
