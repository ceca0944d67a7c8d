# SPDX-License-Identifier: EUPL-1.2
"""The stop page of every message: GET shows, POST acts; also the one-click target of RFC 8058.

The token is the authority: whoever holds the message may stop it, without signing in. The short
link of an SMS nobody can answer leads here too, and shows first what the SMS told.
"""

from typing import Any, Final

from aiohttp import web

from hub.flow.citizens.stopping import Stoppable, Stopping, look
from hub.flow.citizens.undoing import Undoing, opened, sealed
from hub.web.bodies import read_form
from hub.web.desk import Desk, desk
from hub.web.language import language_of
from hub.web.portal.announcement import article, is_public
from hub.web.portal.masking import masked
from hub.web.showing import show as show_page
from hub.web.strangers import count_stranger
from subscribers.tokens import StopToken
from templates.pages.pages import StopChoice
from templates.render import choose

_PATH: Final = "/stop/{token}"
_SHORT: Final = "/s/{short}"
_UNDO: Final = "undo"  # the field with what takes a stop back


def routes() -> list[web.RouteDef]:
    """GET and POST of the stop page, by either link."""
    return [each for path in (_PATH, _SHORT) for each in (web.get(path, show), web.post(path, act))]


async def show(request: web.Request) -> web.Response:
    """What can be stopped from here. Changes nothing, however often a scanner fetches it."""
    token, found = await _found(request)
    if token is None or found is None:
        return _page(request, state="gone", status=410)
    names = [theme.name(language_of(request)) for theme in found.themes]
    return _page(
        request,
        state="ask",
        themes=names,
        channel=token.channel,
        masked_contact=masked(token.channel, found.address),
        token_url=request.path,
        **(_news(request, found) if "short" in request.match_info else {}),
    )


async def act(request: web.Request) -> web.Response:
    """Stop what the form chose; a one-click POST (RFC 8058 section 3.2) means the theme."""
    hub = desk(request)
    token, found = await _found(request)
    form = await read_form(request)
    if token is None or found is None:
        return _page(request, state="gone", status=410)
    # by message, not by address: a mail provider's few machines stop for all its readers
    limit = hub.settings.limits.public_per_minute
    await hub.limiter.admit("stop", request.path, limit)
    if _UNDO in form:
        return await _undo(request, token, form[_UNDO])
    choice = _choice(form.get("choice", ""), found)
    stopping = Stopping(hub.ledger, hub.engine.wishes, hub.clock)
    ended = await stopping.stop(token, choice)
    stopped = () if ended is None else ended.themes
    themes = found.themes if choice is StopChoice.THEME and not stopped else stopped
    undo = "" if ended is None or not ended.taken.rows else sealed(_key(hub), ended.taken)
    return _page(
        request,
        state="done",
        themes=[theme.name(language_of(request)) for theme in themes],
        channel=token.channel,
        masked_contact=masked(token.channel, found.address),
        choice=choice,
        token_url=request.path,
        undo=undo,
    )


async def _undo(request: web.Request, token: StopToken, slip: str) -> web.Response:
    """Take back what this very link stopped; too late, and the page says how to subscribe."""
    hub, what = desk(request), opened(_key(desk(request)), slip)
    if what is None or what.person != token.subscriber:
        await count_stranger(request)
        return _page(request, state="late")
    back = await Undoing(hub.ledger, hub.engine.wishes, hub.clock).undo(what)
    if back is None:
        return _page(request, state="late")
    names = [theme.name(language_of(request)) for theme in back]
    return _page(request, state="undone", themes=names)


def _key(hub: Desk) -> bytes:
    return hub.asking.proofs.secret


def _choice(text: str, found: Stoppable) -> StopChoice:
    """What was chosen, else the least: the theme of the message, or its channel where the
    announcement or its themes are gone (a restored backup, a catalogue that changed)."""
    least = StopChoice.THEME if found.themes else StopChoice.CHANNEL
    chosen = StopChoice(text) if text in set(StopChoice) else least
    return least if chosen is StopChoice.THEME else chosen


async def _found(request: web.Request) -> tuple[StopToken | None, Stoppable | None]:
    hub: Desk = desk(request)
    short = request.match_info.get("short")
    read = hub.stops.read if short is None else hub.stops.read_short
    token = read(request.match_info["token"] if short is None else short)
    if token is None:
        await count_stranger(request)
        return None, None
    return token, await look(hub.ledger, token)


def _news(request: web.Request, found: Stoppable) -> dict[str, Any]:
    """What the message told, as the page shows it: one whole, several by their titles."""
    language, town = language_of(request), found.catalogue
    told = [each for each in found.told if is_public(each)]
    if len(told) == 1:
        shown = article(desk(request), told[0], (), town, language)
        del shown["themes"]  # the page's own, which the choices name
        return {**shown, "url": f"/a/{told[0].code}"}
    several = []
    for each in told:
        content = choose(each.contents, language, town.language)
        words = {"title": content.title, "content_language": content.language}
        several.append({**words, "url": f"/a/{each.code}", "published": each.published})
    return {"told": several} if several else {}


def _page(request: web.Request, *, status: int = 200, **context: Any) -> web.Response:
    return show_page(request, "stop.html", status=status, private=True, **context)
