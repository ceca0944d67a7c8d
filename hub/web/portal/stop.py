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
from hub.web.portal.masking import masked
from hub.web.strangers import count_stranger
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
    token, found = await _found(request)
    form = await read_form(request)
    if token is None or found is None:
        return _page(request, state="gone", status=410)
    # by message, not by address: a mail provider's few machines stop for all its readers
    limit = hub.settings.limits.public_per_minute
    await hub.limiter.admit("stop", request.match_info["token"], limit)
    choice = _choice(form.get("choice", ""), found)
    stopping = Stopping(hub.ledger, hub.engine.wishes, hub.clock)
    stopped = await stopping.stop(token, choice)
    themes = found.themes if choice is StopChoice.THEME and not stopped else stopped or ()
    return _page(
        request,
        state="done",
        themes=[theme.name(language_of(request)) for theme in themes],
        channel=token.channel,
        masked_contact=masked(token.channel, found.address),
        choice=choice,
    )


def _choice(text: str, found: Stoppable) -> StopChoice:
    """What was chosen, else the least: the theme of the message, or its channel where the
    announcement or its themes are gone (a restored backup, a catalogue that changed)."""
    least = StopChoice.THEME if found.themes else StopChoice.CHANNEL
    chosen = StopChoice(text) if text in set(StopChoice) else least
    return least if chosen is StopChoice.THEME else chosen


async def _found(request: web.Request) -> tuple[StopToken | None, Stoppable | None]:
    hub: Desk = desk(request)
    token = hub.stops.read(request.match_info["token"])
    if token is None:
        await count_stranger(request)
        return None, None
    return token, await look(hub.ledger, token)


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
