# SPDX-License-Identifier: EUPL-1.2
"""One e-mail as it was received: its headers, its text, and its HTML in a frame that is shut in."""

import re
from typing import Final

from aiohttp import web

from channels.base import ChannelName
from hub.sandbox.effects import Effect
from hub.web.desk import desk
from hub.web.sandbox.shown import message_of
from hub.web.sandbox.stage import phones_of, stage_of
from hub.web.showing import PRIVATE, show

_SHUT_IN: Final = {
    # a letter is somebody's words in a browser: no script, no form, nothing fetched from elsewhere;
    # a link that is clicked opens in the place of the page around it
    "Content-Security-Policy": "sandbox allow-top-navigation-by-user-activation; "
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'",
    **PRIVATE,
}

_HEAD: Final = re.compile(r"<head\b[^>]*>", re.IGNORECASE)


def routes() -> list[web.RouteDef]:
    """The page, and what its frame holds."""
    letter = "/sandbox/emails/{number:[0-9]{1,15}}"
    return [web.get(letter, show_letter), web.get(f"{letter}/html", show_html)]


def _letter(request: web.Request) -> Effect:
    number = int(request.match_info["number"])
    found = phones_of(request).effects.select(since=number - 1, channel=ChannelName.EMAIL, limit=1)
    if not found or found[0].seq != number:
        raise web.HTTPNotFound
    return found[0]


async def show_letter(request: web.Request) -> web.Response:
    """The letter as a mail program shows it, its text beside it."""
    letter = _letter(request)
    return show(
        request,
        "sandbox_letter.html",
        message=message_of(letter, stage_of(request).faults, whole=True),
        to=letter.to,
        headers=letter.extra.get("headers", {}),
        html_url=f"/sandbox/emails/{letter.seq}/html" if letter.html else "",
        now=desk(request).clock.now(),
    )


async def show_html(request: web.Request) -> web.Response:
    """The HTML part alone, as it came but for one tag: its links leave the frame."""
    letter = _letter(request)
    if not letter.html:
        raise web.HTTPNotFound
    drawn = _HEAD.sub(lambda head: head[0] + '<base target="_top">', letter.html, count=1)
    return web.Response(text=drawn, content_type="text/html", headers=_SHUT_IN)
