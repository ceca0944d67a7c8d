# SPDX-License-Identifier: EUPL-1.2
"""The stop page of every message: GET shows, POST acts; also the one-click target of RFC 8058.

The token is the authority: whoever holds the message may stop it, without signing in.
"""

from typing import Final

from aiohttp import web

from hub.flow.stopping import Stoppable, Stopping, look
from hub.web.bodies import read_form
from hub.web.desk import Desk, desk
from hub.web.language import language_of, remember
from hub.web.limiter import block, caller
from hub.web.portal.masking import masked
from subscribers.tokens import StopToken
from templates.pages.pages import StopChoice, page

_PATH: Final = "/stop/{token}"


def routes() -> list[web.RouteDef]:
    """GET and POST of the stop page."""
    return [web.get(_PATH, show), web.post(_PATH, act)]


async def show(request: web.Request) -> web.Response:
    """What can be stopped from here. Changes nothing, however often a scanner fetches it."""
    token, found = await _found(request)
    if token is None or found is None:
        return _page(request, state="gone", status=410)
    names = [theme.name(language_of(request)) for theme in found.themes]
    shown = _page(
        request,
        state="ask",
        themes=names,
        channel=token.channel,
        masked_contact=masked(token.channel, found.address),
        token_url=request.path,
    )
    return remember(request, shown)


async def act(request: web.Request) -> web.Response:
    """Stop what the form chose; a one-click POST (RFC 8058 section 3.2) means the theme."""
    hub = desk(request)
    limits = hub.settings.limits
    who = block(caller(request, hub.settings.server.trusted_proxies))
    await hub.limiter.admit("public", who, limits.public_per_minute)
    form = await read_form(request)
    token, found = await _found(request)
    if token is None or found is None:
        return _page(request, state="gone", status=410)
    choice = _choice(form.get("choice", StopChoice.THEME))
    stopping = Stopping(hub.ledger, hub.engine.wishes)
    stopped = await stopping.stop(token, choice, hub.clock.now(), hub.clock.monotonic())
    themes = found.themes if choice is StopChoice.THEME else stopped or ()
    return _page(
        request,
        state="done",
        themes=[theme.name(language_of(request)) for theme in themes],
        channel=token.channel,
        masked_contact=masked(token.channel, found.address),
        choice=choice,
    )


def _choice(text: str) -> StopChoice:
    try:
        return StopChoice(text)
    except ValueError:
        return StopChoice.THEME


async def _found(request: web.Request) -> tuple[StopToken | None, Stoppable | None]:
    hub: Desk = desk(request)
    token = hub.stops.read(request.match_info["token"])
    return token, None if token is None else await look(hub.ledger, token)


def _page(request: web.Request, *, status: int = 200, **context: object) -> web.Response:
    hub = desk(request)
    body = page(
        "stop.html",
        language_of(request),
        timezone=hub.settings.hub.timezone,
        authority=hub.authority_name,
        sandbox=hub.sandbox,
        **context,
    )
    # a personal page: kept by nobody on the way
    headers = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
    return web.Response(status=status, text=body, content_type="text/html", headers=headers)
