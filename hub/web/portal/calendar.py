# SPDX-License-Identifier: EUPL-1.2
"""Announcements for people's own calendars: one, or all that a theme and a place hold."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web

from hub.announcement import Announcement
from hub.flow.site import Site
from hub.reports.picking import Pick, pick, places
from hub.reports.published import Thread
from hub.web.desk import desk
from hub.web.portal.fresh import SHARED, fresh
from hub.web.portal.threads import Board, as_plain, asked, board, marked, named, spoken, whole
from hub.web.problems import not_found
from templates import calendar
from templates.render import choose

_KEPT: Final = timedelta(days=90)
"""How long what is over stays in the town's calendar."""
_MOST: Final = 200


def routes() -> list[web.RouteDef]:
    """One announcement's event, and the town's calendar."""
    return [web.get("/a/{code:[A-Za-z0-9]{1,12}}.ics", one), web.get("/agenda.ics", several)]


def is_dated(thread: Thread) -> bool:
    """Whether it says until when it holds: only then has a calendar a place for it."""
    return _end(thread) is not None


def _end(thread: Thread) -> datetime | None:
    """Until when: as it says, but not beyond the all-clear, which says nothing of its own."""
    current = thread.current
    said = [card.expires for card in thread.cards if card.expires is not None]
    if thread.is_over and said:
        return min(said[-1], current.published)
    return current.expires


async def one(request: web.Request) -> web.Response:
    """The event of a thread, by the code of any of its messages; 404 for what has no end."""
    town = await board(request)
    thread = town.published.of_code.get(request.match_info["code"])
    if thread is None or not is_dated(thread):
        raise not_found()
    return await _answer(request, town, [thread], f"{thread.first.code}.ics", Pick())


async def several(request: web.Request) -> web.Response:
    """The dated ones of a theme and a place; drills only where they are asked for. 404 for a theme
    or a place the town does not have."""
    town, chosen = await board(request), asked(request)
    if not chosen.known(town.catalogue):
        raise not_found()
    found = [
        thread
        for thread in pick(town.published.threads, chosen, town.catalogue)
        if (end := _end(thread)) is not None
        and end > town.now - _KEPT
        and (not thread.is_drill or request.query.get("exercices") == "1")
    ]
    return await _answer(request, town, found[:_MOST], "agenda.ics", chosen)


async def _answer(
    request: web.Request, town: Board, threads: Sequence[Thread], name: str, chosen: Pick
) -> web.Response:
    words = await whole(request, [thread.current for thread in threads])
    language = spoken(request)
    hub = desk(request)
    events = [
        _event(thread, words[thread.current.id], town, hub.site, language) for thread in threads
    ]
    body = calendar.calendar(named(town, chosen, language), town.catalogue.timezone, events)
    response = web.Response(body=body, content_type=calendar.TYPE, charset="utf-8")
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    changed = max((thread.updated for thread in threads), default=None)
    return fresh(request, response, caching=SHARED, modified=changed)


def _event(
    thread: Thread, announcement: Announcement, town: Board, site: Site, language: str
) -> calendar.Event:
    """`sequence` counts what was published since, and what was withdrawn."""
    content = choose(announcement.contents, language, town.catalogue.language)
    themes, end = town.catalogue.themes_by_key, _end(thread)
    zones = places(announcement.zones, announcement.polygon, town.catalogue)
    assert end is not None
    return calendar.Event(
        uid=f"{thread.first.code}@{site.domain}",
        sequence=len(thread.cards)
        - 1
        + sum(card.cancelled_at is not None for card in thread.cards),
        summary=marked(content.title, thread, content.language),
        description=as_plain(content.body),
        language=content.language,
        url=site.page(thread.first.code),
        location=", ".join(zone.name(language) for zone in zones),
        categories=[themes[key].name(language) for key in announcement.themes if key in themes],
        start=thread.first.published,
        end=end,
        updated=thread.updated,
        cancelled=thread.is_withdrawn,
    )
