# SPDX-License-Identifier: EUPL-1.2
"""The public page of an announcement: `/a/{code}`, the address every message carries."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web
from markupsafe import Markup
from sqlalchemy import Connection

from hub.announcement import PUBLIC_STATES, Announcement
from hub.ledger import announcements
from hub.web.desk import Desk, desk
from hub.web.language import language_of
from hub.web.problems import not_found
from hub.web.showing import show as show_page
from subscribers.catalogue import Catalogue, load_catalogue
from templates import filters
from templates.render import choose


def routes() -> list[web.RouteDef]:
    """The page."""
    return [web.get("/a/{code:[A-Za-z0-9]{1,12}}", show)]


def is_public(announcement: Announcement) -> bool:
    """Whether it was ever published: a draft's address answers like one that does not exist."""
    return announcement.published is not None and announcement.state in PUBLIC_STATES


async def show(request: web.Request) -> web.Response:
    """The announcement, what became of it, and what was published about it since."""
    hub, code = desk(request), request.match_info["code"]

    def read(conn: Connection) -> tuple[Announcement, list[Announcement], Catalogue] | None:
        found = announcements.by_code(conn, code, hub.authority)
        if found is None or not is_public(found):
            return None
        related = [each for each in announcements.chain(conn, found) if is_public(each)]
        return found, related, load_catalogue(conn, found.authority)

    found = await hub.ledger.read(read)
    if found is None:
        raise not_found()
    announcement, related, catalogue = found
    language = language_of(request)
    others = [each for each in related if each.id != announcement.id]
    return show_page(
        request,
        "announcement.html",
        related=[
            {
                "kind": each.kind,
                "title": choose(each.contents, language, catalogue.language).title,
                "url": f"/a/{each.code}",
                "published": each.published,
            }
            for each in others
        ],
        **article(hub, announcement, others, catalogue, language),
    )


def article(
    hub: Desk,
    announcement: Announcement,
    others: Sequence[Announcement],
    catalogue: Catalogue,
    language: str,
) -> dict[str, Any]:
    """What ``article.html`` shows; `others` are the rest of its chain."""
    content = choose(announcement.contents, language, catalogue.language)
    themes, zones = catalogue.themes_by_key, catalogue.zones_by_key
    expires = announcement.expires
    return {
        "urgency": announcement.urgency,
        "kind": announcement.kind,
        "title": content.title,
        "body_html": Markup(filters.html(content.body)),  # noqa: S704 (sanitised by nh3)
        "content_language": content.language,
        "themes": [themes[key].name(language) for key in announcement.themes if key in themes],
        "zones": [zones[key].name(language) for key in announcement.zones if key in zones],
        "published": announcement.published,
        "updated": max((each.published for each in others if each.published), default=None),
        "expires": expires,
        "is_expired": expires is not None and expires <= hub.clock.now(),
        "is_cancelled": announcement.cancelled_at is not None,
        "link": content.link,
    }
