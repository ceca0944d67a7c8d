# SPDX-License-Identifier: EUPL-1.2
"""`/console/aide`: short pages for officers, in both languages, in the order they are needed."""

import asyncio
from typing import Final

from aiohttp import web

from hub.web.console.guard import Seat, seated
from hub.web.console.showing import show
from hub.web.language import language_of
from hub.web.problems import not_found
from templates.pages.texts import text

PATH: Final = "/console/aide"
PAGES: Final = (
    *("publier", "urgence", "valider", "corriger"),
    *("etats", "sms", "exercices", "loi"),
)
"""Each `texts/<language>/console/<name>.md`, at `/console/aide/<name>`."""


def routes() -> list[web.RouteDef]:
    """The list, and each page."""
    return [web.get(PATH, show_list), web.get(PATH + "/{name}", show_page)]


@seated()
async def show_list(request: web.Request, seat: Seat) -> web.StreamResponse:
    """What there is to read."""
    language = language_of(request)
    found = [await asyncio.to_thread(text, f"console/{name}", language, {}) for name in PAGES]
    titles = [(name, each.title) for name, each in zip(PAGES, found, strict=True)]
    return show(request, seat, "console/help.html", titles=titles, text=None)


@seated()
async def show_page(request: web.Request, seat: Seat) -> web.StreamResponse:
    """One of them."""
    name = request.match_info["name"]
    if name not in PAGES:
        raise not_found()
    found = await asyncio.to_thread(text, f"console/{name}", language_of(request), {})
    return show(request, seat, "console/help.html", titles=(), text=found)
