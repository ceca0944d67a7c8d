# SPDX-License-Identifier: EUPL-1.2
"""Operating over the API: what is parked, sending it again, closing and opening channels."""

from typing import Any, Final

from aiohttp import web

from channels.base import ChannelName, Reason
from hub.flow.accept.principal import Principal
from hub.flow.accept.submission import iso
from hub.flow.operating import Operating
from hub.flow.redrive import Choice
from hub.reports.parked import parked_groups
from hub.web.api.announcements import keyed, whole
from hub.web.desk import Desk, desk
from hub.web.problems import ProblemError
from hub.web.roads import described
from templates.pages.wording import reason_sentence

_FRESH: Final = {"Cache-Control": "no-store"}
_MOST: Final = 2**62


def routes() -> list[web.RouteDef]:
    """The API's routes."""
    channel = f"/api/v1/channels/{{channel:{'|'.join(ChannelName)}}}"
    return [
        web.get("/api/v1/parked", keyed(parked)),
        web.post(r"/api/v1/announcements/{code:[A-Za-z0-9]{1,12}}/redrive", keyed(redrive)),
        web.get("/api/v1/channels", keyed(channels)),
        web.post(channel + "/pause", keyed(pause)),
        web.post(channel + "/resume", keyed(resume)),
    ]


def _operating(hub: Desk) -> Operating:
    return Operating(hub.ledger, hub.clock, hub.engine.changed)


async def parked(request: web.Request, principal: Principal) -> web.Response:
    """What waits for a human, of the announcements this key may see."""
    hub = desk(request)
    groups = await hub.ledger.read(lambda conn: parked_groups(conn, principal.authority))
    mine = await _operating(hub).sees([each.code for each in groups], principal)
    shown = [
        {
            "id": each.code,
            "channel": each.channel,
            "reason": each.reason,
            "sentence_fr": reason_sentence(each.reason, "fr"),
            "sentence_en": reason_sentence(each.reason, "en"),
            "count": each.rows,
        }
        for each in groups
        if each.code in mine
    ]
    return web.json_response({"parked": shown}, headers=_FRESH)


async def redrive(request: web.Request, principal: Principal) -> web.Response:
    """Send again, or give up, what is parked of one announcement; only for a key that may publish
    it."""
    hub, asked = desk(request), request.query
    number = whole(request, "delivery", 0, range(_MOST))
    choice = Choice(
        code=request.match_info["code"],
        reason=_reason(asked.get("reason", "")),
        delivery=number or None,
        failed=_flag(request, "failed"),
        abandon=_flag(request, "abandon"),
    )
    moved = await _operating(hub).redrive(choice, principal)
    return web.json_response({"rows": moved.rows, "maybe_sent": moved.maybe_sent})


def _reason(named: str) -> Reason | None:
    if not named:
        return None
    try:
        return Reason(named)
    except ValueError:
        raise ProblemError(
            400,
            "unknown_reason",
            fr=f"Il n'y a pas de motif « {named} ».",
            en=f"There is no reason '{named}'.",
        ) from None


def _flag(request: web.Request, name: str) -> bool:
    match request.query.get(name, "false"):
        case "true":
            return True
        case "false":
            return False
        case _:
            raise ProblemError(
                400,
                f"bad_{name}",
                fr=f"`{name}` vaut true ou false.",
                en=f"`{name}` is true or false.",
            )


async def channels(request: web.Request, principal: Principal) -> web.Response:
    """How each channel and its providers are, and who paused which: a name that is told to the
    hub's own town alone."""
    hub = desk(request)
    ours = principal.authority == hub.authority
    switched, now = await _operating(hub).paused(), hub.clock.monotonic()
    shown = [
        described(road, now)
        | {
            "paused_at": iso(switched[name].at) if name in switched else None,
            "paused_by": switched[name].by if ours and name in switched else None,
        }
        for name, road in hub.engine.roads.items()
    ]
    return web.json_response({"channels": shown}, headers=_FRESH)


async def pause(request: web.Request, principal: Principal) -> web.Response:
    """Nothing leaves on this channel until it is resumed."""
    name = _channel_of(request, principal)
    turned = await _operating(desk(request)).pause([name], principal)
    return _turned(name, True, bool(turned))


async def resume(request: web.Request, principal: Principal) -> web.Response:
    """Messages leave on this channel again."""
    name = _channel_of(request, principal)
    turned = await _operating(desk(request)).resume([name], principal)
    return _turned(name, False, bool(turned))


def _channel_of(request: web.Request, principal: Principal) -> ChannelName:
    """The channel, for a key of the town that runs the hub. Raises `ProblemError` 403."""
    if principal.authority != desk(request).authority:
        raise ProblemError(
            403,
            "not_the_hubs",
            fr="Un canal porte les messages de toutes les communes : il faut une clé de celle "
            "qui tient le service.",
            en="A channel carries every town's messages: this takes a key of the one that runs "
            "the hub.",
        )
    return ChannelName(request.match_info["channel"])


def _turned(name: ChannelName, paused: bool, changed: bool) -> web.Response:
    told: dict[str, Any] = {"channel": name, "paused": paused, "changed": changed}
    return web.json_response(told)
