# SPDX-License-Identifier: EUPL-1.2
"""Where a channel is real so are the people: only who runs the hub sees their messages."""

from collections.abc import Awaitable, Callable
from functools import wraps
from urllib.parse import urlencode

from aiohttp import web

from hub.flow.staff import sessions
from hub.flow.staff.roles import Role
from hub.flow.staff.sessions import Stage
from hub.web import cookies
from hub.web.console.guard import COOKIE, SAFE, SIGN_IN, lacks_proof
from hub.web.desk import desk
from hub.web.sandbox.stage import stage_of
from hub.web.showing import see_other

Door = Callable[[web.Request], Awaitable[web.StreamResponse]]


def kept(door: Door) -> Door:
    """The same door, open to everybody where all is played, else to who administers or operates."""

    @wraps(door)
    async def opened(request: web.Request) -> web.StreamResponse:
        if stage_of(request).alone or await _runs_the_hub(request):
            return await door(request)
        if request.method not in SAFE:
            raise web.HTTPForbidden
        return see_other(f"{SIGN_IN}?{urlencode({'suite': request.path_qs})}")

    return opened


async def _runs_the_hub(request: web.Request) -> bool:
    hub, token = desk(request), cookies.read(request, COOKIE)
    if token is None:
        return False
    now = hub.clock.now()
    found = await hub.ledger.read(lambda conn: sessions.find(conn, token, now))
    if found is None or found.stage is not Stage.OPEN or lacks_proof(request, found.officer):
        return False
    who = found.officer
    return who.authority == hub.authority and (who.may(Role.ADMIN) or who.may(Role.OPERATE))
