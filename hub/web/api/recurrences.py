# SPDX-License-Identifier: EUPL-1.2
"""What comes again, over the API: list it, stop it. It is asked for as `repeat` of a submission."""

from typing import Any, Final

from aiohttp import web

from hub.flow.accept.principal import Principal
from hub.flow.accept.repeating import listed, stop
from hub.flow.accept.submission import iso
from hub.ledger.recurrences import Recurrence
from hub.web.api.announcements import keyed
from hub.web.desk import desk

_BASE: Final = "/api/v1/recurrences"


def routes() -> list[web.RouteDef]:
    """The API's routes."""
    return [
        web.get(_BASE, keyed(show)),
        web.post(_BASE + r"/{code:[A-Za-z0-9]{1,12}}/stop", keyed(end)),
    ]


async def show(request: web.Request, principal: Principal) -> web.Response:
    """Every recurrence this key may see, the newest first."""
    found = await desk(request).ledger.read(lambda conn: listed(conn, principal))
    body = {"recurrences": [shown(each) for each in found]}
    return web.json_response(body, headers={"Cache-Control": "no-store"})


async def end(request: web.Request, principal: Principal) -> web.Response:
    """It comes no more; only for a key that may publish it."""
    hub, code = desk(request), request.match_info["code"]
    now = hub.clock.now()
    ended = await hub.ledger.transact(lambda conn: stop(conn, code, principal, now), hurry=True)
    return web.json_response(shown(ended))


def shown(each: Recurrence) -> dict[str, Any]:
    """One recurrence; `id` is that of its first announcement."""
    return {
        "id": each.code,
        "title": each.document["title"],
        "themes": list(each.document["themes"]),
        "repeat": dict(each.rule),
        "next": iso(each.next),
        "created": iso(each.created),
        "ended": iso(each.ended),
    }
