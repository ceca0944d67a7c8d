# SPDX-License-Identifier: EUPL-1.2
"""The feeds: what was published of a theme or a place, for feed readers and other towns' sites."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from hub.announcement import Announcement
from hub.flow.site import Site
from hub.reports.picking import Pick, pick
from hub.reports.published import Thread
from hub.web.desk import desk
from hub.web.portal.fresh import SHARED, fresh
from hub.web.portal.threads import (
    Board,
    as_html,
    as_plain,
    asked,
    board,
    marked,
    named,
    spoken,
    whole,
)
from hub.web.problems import not_found
from templates import feeds, filters
from templates.render import choose

_LATEST: Final = 50
_SUMMARY: Final = 300
_SINCE: Final = "2026"  # the hub's first year: a feed's own identifier is of no day


@dataclass(frozen=True, slots=True)
class _Form:
    """One way of writing a feed."""

    media_type: str
    write: Callable[[feeds.Feed], bytes]


_FORMS: Final = {
    "atom": _Form(feeds.ATOM_TYPE, feeds.atom),
    "json": _Form(feeds.JSON_TYPE, feeds.json_feed),
}


def routes() -> list[web.RouteDef]:
    """The town's, a theme's and a place's, in both forms."""
    paths = ("/flux", "/flux/{theme}", "/flux/lieu/{zone}")
    return [web.get(f"{path}.{form}", show) for path in paths for form in _FORMS]


async def show(request: web.Request) -> web.Response:
    """The latest 50 threads; ``?theme=&lieu=`` narrow further, drills come with ``?exercices=1``.

    404 for a theme or a place the town does not have.
    """
    town, path, query = await board(request), request.match_info, asked(request)
    chosen = Pick(path.get("theme", query.theme), path.get("zone", query.place))
    if not chosen.known(town.catalogue):
        raise not_found()
    drills = request.query.get("exercices") == "1"
    found = pick(town.published.threads, chosen, town.catalogue)
    threads = [thread for thread in found if drills or not thread.is_drill][:_LATEST]
    words = await whole(request, [thread.current for thread in threads])
    form = _FORMS[request.path.rpartition(".")[2]]
    site, language = desk(request).site, spoken(request)
    more = [("exercices", "1")] if drills else []
    more += [("langue", language)] if "langue" in request.query else []
    narrowed = [] if path else chosen.query()
    feed = feeds.Feed(
        id=feeds.tag_uri(site.domain, _SINCE, _address("/flux", [*chosen.query(), *more])),
        title=named(town, chosen, language),
        language=language,
        author=town.catalogue.name,
        url=f"{site.public_url}{_address(request.path, [*narrowed, *more])}",
        home_url=f"{site.public_url}{_address('/annonces', chosen.query())}",
        entries=[_entry(each, words[each.current.id], town, site, language) for each in threads],
    )
    response = web.Response(body=form.write(feed), content_type=form.media_type, charset="utf-8")
    response.headers["Access-Control-Allow-Origin"] = "*"  # public, and read without a cookie
    return fresh(request, response, caching=SHARED, modified=feed.updated if threads else None)


def _entry(
    thread: Thread, announcement: Announcement, town: Board, site: Site, language: str
) -> feeds.Entry:
    content = choose(announcement.contents, language, town.catalogue.language)
    themes, code = town.catalogue.themes_by_key, thread.first.code
    summary = filters.compact(as_plain(content.body))
    cut = summary[:_SUMMARY].rpartition(" ")[0] + "…"
    return feeds.Entry(
        id=feeds.tag_uri(site.domain, f"{thread.first.published:%Y-%m-%d}", f"/a/{code}"),
        url=site.page(code),
        title=marked(content.title, thread, content.language),
        language=content.language,
        summary=summary if len(summary) <= _SUMMARY else cut,
        html=as_html(content.body),
        published=thread.first.published,
        updated=thread.updated,
        categories=[
            (key, themes[key].name(language)) for key in announcement.themes if key in themes
        ],
    )


def _address(path: str, query: list[tuple[str, str]]) -> str:
    return path + (f"?{urlencode(query)}" if query else "")
