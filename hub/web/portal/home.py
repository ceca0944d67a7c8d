# SPDX-License-Identifier: EUPL-1.2
"""The home page: what is going on now, and the latest announcements."""

from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from channels.base import Urgency
from hub.announcement import Announcement
from hub.ledger import announcements
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.portal.announcement import is_public
from hub.web.showing import show as show_page
from templates.render import choose

_LATEST: Final = 10


def routes() -> list[web.RouteDef]:
    """The home page."""
    return [web.get("/", show)]


async def show(request: web.Request) -> web.Response:
    """Urgent alerts that are still valid first, then the latest ten."""
    hub, language = desk(request), language_of(request)

    def read(conn: Connection) -> list[Announcement]:
        found = announcements.latest(conn, hub.authority, 5 * _LATEST)
        return [each for each in found if is_public(each)]

    found = await hub.ledger.read(read)
    now = hub.clock.now()
    alerts = [
        each
        for each in found
        if each.urgency is Urgency.URGENT
        and each.cancelled_at is None
        and (each.expires is None or each.expires > now)
    ]

    def line(each: Announcement) -> dict[str, object]:
        content = choose(each.contents, language, hub.settings.hub.language)
        return {
            "title": content.title,
            "url": f"/a/{each.code}",
            "urgency": each.urgency,
            "kind": each.kind,
            "published": each.published,
            "language": content.language,
        }

    return show_page(
        request,
        "home.html",
        alerts=[line(each) for each in alerts[:_LATEST]],
        latest=[line(each) for each in found[:_LATEST]],
        now=now,
    )
