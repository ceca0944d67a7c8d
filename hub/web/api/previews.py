# SPDX-License-Identifier: EUPL-1.2
"""What an announcement would become, over the API: its texts and cost, or its audience alone.

The same room as the console's compose page. Nothing is written; only `POST` can carry a body.
"""

from dataclasses import asdict
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from hub.announcement import Announcement
from hub.flow.accept.principal import Principal
from hub.flow.accept.submission import iso, parse_json
from hub.flow.foresight.audience_ahead import Audience, Going, audience_of
from hub.flow.foresight.looking_ahead import Ahead, Leaving, Respelt, completeness_of, looking_ahead
from hub.flow.foresight.small_numbers import Teller
from hub.flow.send.budget import MILLION
from hub.tariff import prices_of
from hub.web.api.announcements import keyed
from hub.web.bodies import read_body
from hub.web.desk import desk
from subscribers.catalogue import load_catalogue

_TELLER: Final = Teller(exactly=False)
"""A key belongs to a program: counts that point at somebody are not told to it."""
_NO_STORE: Final = {"Cache-Control": "no-store"}


def routes() -> list[web.RouteDef]:
    """The API's routes."""
    return [
        web.post("/api/v1/previews", keyed(preview)),
        web.post("/api/v1/audience", keyed(count)),
    ]


async def preview(request: web.Request, principal: Principal) -> web.Response:
    """Every text as it would leave, with people and cost; refused as `POST` would refuse it."""
    hub = desk(request)
    announcement = await _checked(request, principal)
    prices, now = prices_of(hub.settings), hub.clock.now()

    def read(conn: Connection) -> dict[str, Any]:
        catalogue = load_catalogue(conn, principal.authority)
        press = hub.intake.press
        ahead = looking_ahead(conn, announcement, catalogue, press, prices=prices, now=now)
        return {
            **audience_shown(ahead.audience),
            "texts": [_text(each) for each in ahead.leaving],
            "costs": _costs(ahead),
            "says": {
                language: {str(element): said for element, said in found.items()}
                for language, found in completeness_of(ahead, catalogue).items()
            },
        }

    return web.json_response(await hub.ledger.read(read), headers=_NO_STORE)


async def count(request: web.Request, principal: Principal) -> web.Response:
    """How many it would reach, and how many not, and why."""
    hub = desk(request)
    announcement = await _checked(request, principal)

    def read(conn: Connection) -> dict[str, Any]:
        catalogue = load_catalogue(conn, principal.authority)
        return audience_shown(audience_of(conn, announcement, catalogue, hub.clock.now()))

    return web.json_response(await hub.ledger.read(read), headers=_NO_STORE)


async def _checked(request: web.Request, principal: Principal) -> Announcement:
    hub = desk(request)
    raw = await read_body(request, hub.settings.limits.api_body, ("application/json",))
    return await hub.intake.check(parse_json(raw), principal)


def audience_shown(audience: Audience) -> dict[str, Any]:
    """Counts; null stands for "fewer than 5"."""
    return {
        "at": iso(audience.at),
        "people": _TELLER.count(audience.people),
        "channels": {each.channel: _going(each) for each in audience.going},
        "zones": {key: _TELLER.count(n) for key, n in audience.by_zone.items()},
    }


def _going(each: Going) -> dict[str, Any]:
    counts = {"messages": each.messages, "held": each.held, "in_a_digest": each.digested}
    lost = {**asdict(each.missed), "paused": each.paused, "same_address": each.same_address}
    return {
        **{name: _TELLER.count(n, each.channel) for name, n in counts.items()},
        "not_reached": {name: _TELLER.count(n) for name, n in lost.items()},
    }


def _text(each: Leaving) -> dict[str, Any]:
    assert each.preview is not None  # `Intake.check` printed it a moment ago
    hidden = _TELLER.count(each.copies, each.channel) is None
    return {
        "channel": each.channel,
        "language": each.language,
        "messages": _TELLER.count(each.copies, each.channel),
        "cost": None if each.cost is None or hidden else each.cost / MILLION,
        "currency": each.currency,
        "figures": asdict(each.preview.figures),
        "text": asdict(each.preview.rendered.text),
        "cheaper": [_respelt(other, hidden=hidden) for other in each.cheaper],
    }


def _respelt(other: Respelt, *, hidden: bool) -> dict[str, Any]:
    return {
        "sms_spelling": list(other.families),
        "body": other.body,
        "segments": asdict(other.segments),
        "cost": None if other.cost is None or hidden else other.cost / MILLION,
    }


def _costs(ahead: Ahead) -> dict[str, float | None]:
    """By currency; null where it would tell a count that is not told."""
    hidden = {
        each.currency
        for each in ahead.leaving
        if each.cost is not None and _TELLER.count(each.copies, each.channel) is None
    }
    return {
        currency: None if currency in hidden else cost / MILLION
        for currency, cost in ahead.costs.items()
    }
