# SPDX-License-Identifier: EUPL-1.2
"""The public page of an announcement: `/a/{code}`, the address every message carries.

Every message of a chain opens the same page, what is true now on top, the rest below in order.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from babel import Locale, UnknownLocaleError

from hub.announcement import PUBLIC_STATES, Announcement
from hub.flow.writing.attachments import Attachment, of_codes
from hub.reports.picking import places
from hub.reports.published import Card, Thread
from hub.web.desk import Desk, desk
from hub.web.language import language_of
from hub.web.portal.calendar import is_dated
from hub.web.portal.fresh import fresh
from hub.web.portal.threads import Board, anchor, as_html, board, whole
from hub.web.problems import not_found
from hub.web.showing import show as show_page
from subscribers.catalogue import Catalogue
from templates.render import choose


def routes() -> list[web.RouteDef]:
    """The page."""
    return [web.get("/a/{code:[A-Za-z0-9]{1,12}}", show)]


def is_public(announcement: Announcement) -> bool:
    """Whether it was ever published: a draft's address answers like one that does not exist."""
    return announcement.published is not None and announcement.state in PUBLIC_STATES


async def show(request: web.Request) -> web.Response:
    """What is true now, and whatever else was published about it, each under its anchor."""
    hub, town = desk(request), await board(request)
    thread = town.published.of_code.get(request.match_info["code"])
    if thread is None:
        raise not_found()
    words = await whole(request, thread.cards)
    now = words[thread.current.id]
    language = language_of(request)
    wished = request.query.get("langue", "")
    read_in = wished if wished in now.contents else language
    head = hub.site.page(thread.first.code)
    page = show_page(
        request,
        "announcement.html",
        crowded=True,
        **{
            **article(hub, now, (), town.catalogue, language, read_in=read_in),
            "published": thread.first.published,
            "updated": thread.published if len(thread.cards) > 1 else None,
        },
        **_thread(thread, words, town, read_in),
        opened=next(card for card in thread.cards if card.code == request.match_info["code"]).id,
        canonical=head,
        languages=_languages(now, head, read_in),
        is_over=thread.is_over,
        pieces=await _pieces(request, thread),
        calendar=f"/a/{thread.first.code}.ics" if is_dated(thread) else "",
    )
    return fresh(request, page)


async def _pieces(request: web.Request, thread: Thread) -> list[Attachment]:
    """The files of every message of the chain, in its order."""
    codes = [card.code for card in thread.cards]
    found = await desk(request).ledger.read(lambda conn: of_codes(conn, codes))
    return [piece for code in codes for piece in found.get(code, ())]


def _thread(
    thread: Thread, words: Mapping[int, Announcement], town: Board, language: str
) -> dict[str, Any]:
    """What is true now by its number and place, and the other messages, newest first."""
    current = thread.current
    return {
        "current": current.id,
        "anchor": anchor(current),
        "related": [
            _step(card, words[card.id], town, language)
            for card in reversed(thread.cards)
            if card is not current
        ],
    }


def _step(card: Card, announcement: Announcement, town: Board, language: str) -> dict[str, Any]:
    content = choose(announcement.contents, language, town.catalogue.language)
    return {
        "id": card.id,
        "kind": card.kind,
        "title": content.title,
        "language": content.language,
        "url": f"/a/{card.code}",
        "anchor": anchor(card),
        "published": card.published,
        "is_cancelled": card.cancelled_at is not None,
        "body_html": as_html(content.body),
    }


def _languages(announcement: Announcement, head: str, read_in: str) -> list[dict[str, Any]]:
    """The languages it was written in, where there are several, each by its own name."""
    if len(announcement.contents) < 2:
        return []
    return [
        {"key": key, "name": _own_name(key), "url": f"{head}?langue={key}", "shown": key == read_in}
        for key in announcement.contents
    ]


def _own_name(language: str) -> str:
    """ "français", "English", "العربية"; the key itself where nobody knows it."""
    try:
        return Locale.parse(language, sep="-").get_display_name() or language
    except (UnknownLocaleError, ValueError):
        return language


def article(
    hub: Desk,
    announcement: Announcement,
    others: Sequence[Announcement],
    catalogue: Catalogue,
    language: str,
    *,
    read_in: str | None = None,
) -> dict[str, Any]:
    """What ``article.html`` shows; `others` are the rest of its chain, `read_in` the language of
    its words where that is another than the page's."""
    content = choose(announcement.contents, read_in or language, catalogue.language)
    themes = catalogue.themes_by_key
    zones = places(announcement.zones, announcement.polygon, catalogue)
    expires = announcement.expires
    return {
        "urgency": announcement.urgency,
        "kind": announcement.kind,
        "title": content.title,
        "body_html": as_html(content.body),
        "content_language": content.language,
        "themes": [themes[key].name(language) for key in announcement.themes if key in themes],
        "zones": [zone.name(language) for zone in zones],
        "published": announcement.published,
        "updated": max((each.published for each in others if each.published), default=None),
        "expires": expires,
        "is_expired": expires is not None and expires <= hub.clock.now(),
        "is_cancelled": announcement.cancelled_at is not None,
        "link": content.link,
    }
