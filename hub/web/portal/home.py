# SPDX-License-Identifier: EUPL-1.2
"""The home page: what is going on now, and the latest announcements."""

from typing import Any, Final

from aiohttp import web

from hub.announcement import Announcement
from hub.web.language import language_of
from hub.web.portal.fresh import fresh
from hub.web.portal.threads import Board, as_html, as_plain, board, row, whole
from hub.web.showing import show as show_page
from templates.render import choose

_LATEST: Final = 10
_WHOLE: Final = 1_500
"""Characters of an alert's words shown at once; of a longer one, its beginning."""


def routes() -> list[web.RouteDef]:
    """The home page."""
    return [web.get("/", show)]


async def show(request: web.Request) -> web.Response:
    """Urgent alerts that are still valid first, with what to do; then the latest ten."""
    town, language = await board(request), language_of(request)
    alerts = town.published.alerts(town.now)[:_LATEST]
    others = [thread for thread in town.published.threads if thread not in alerts]
    words = await whole(request, [thread.current for thread in alerts])
    page = show_page(
        request,
        "portal/home.html",
        crowded=True,
        alerts=[
            {**row(each, town, language), **_advice(words[each.current.id], town, language)}
            for each in alerts
        ],
        latest=[row(each, town, language) for each in others[:_LATEST]],
        more=len(others) > _LATEST,
        now=town.now.replace(second=0, microsecond=0),  # the page tells the minute
    )
    return fresh(request, page)


def _advice(announcement: Announcement, town: Board, language: str) -> dict[str, Any]:
    """What to do, whole where it is short: nobody should have to open a second page at night."""
    content = choose(announcement.contents, language, town.catalogue.language)
    if len(content.body) <= _WHOLE:
        return {"body_html": as_html(content.body), "cut": False}
    return {"body_html": as_plain(content.body)[:_WHOLE].rpartition(" ")[0] + "…", "cut": True}
