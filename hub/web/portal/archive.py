# SPDX-License-Identifier: EUPL-1.2
"""The archive: everything that was published, by theme and place, twenty a page."""

from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from hub.reports.picking import pick
from hub.web.language import language_of
from hub.web.portal.fresh import fresh
from hub.web.portal.threads import asked, board, row, wishes
from hub.web.showing import show as show_page

_A_PAGE: Final = 20


def routes() -> list[web.RouteDef]:
    """The archive."""
    return [web.get("/annonces", show)]


async def show(request: web.Request) -> web.Response:
    """The page asked for, or the nearest there is; its filters and its feed in its address."""
    town, language, chosen = await board(request), language_of(request), asked(request)
    found = pick(town.published.threads, chosen, town.catalogue)
    pages = max(1, -(-len(found) // _A_PAGE))
    number = min(max(1, _whole_number(request.query.get("page", ""))), pages)
    query = urlencode(chosen.query())
    page = show_page(
        request,
        "portal/archive.html",
        crowded=True,
        threads=[
            row(each, town, language) for each in found[(number - 1) * _A_PAGE : number * _A_PAGE]
        ],
        count=len(found),
        number=number,
        pages=pages,
        chosen=chosen,
        filtered=bool(query),
        address="?" + (f"{query}&" if query else "") + "page=",
        feed="/flux.atom" + (f"?{query}" if query else ""),
        agenda="/agenda.ics" + (f"?{query}" if query else ""),
        **wishes(town, language, chosen),
    )
    return fresh(request, page)


def _whole_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
