# SPDX-License-Identifier: EUPL-1.2
"""`/console/annonces`: everything the town has written or received, found by a few filters."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from channels.base import Urgency
from hub.announcement import PUBLIC_STATES, State
from hub.flow.office.listed import Asked, Listed, listing
from hub.flow.staff.roles import Role
from hub.reports.published import published
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import show
from hub.web.console.titles import title_of
from hub.web.desk import desk
from hub.web.language import language_of
from subscribers.catalogue import Catalogue

PATH: Final = "/console/annonces"
_LONGEST: Final = 80  # characters of a search
_FILTERS: Final = ("etat", "niveau", "theme", "q")


def routes() -> list[web.RouteDef]:
    """The list."""
    return [web.get(PATH, show_list)]


@seated(Role.READ)
async def show_list(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Twenty-five a page. `etat` is a state, `niveau` an urgency, `theme` a key, `q` words of a
    title or a code; what is none of them is as if it had not been asked."""
    hub, language = desk(request), language_of(request)
    asked = _asked(request.query)
    given = request.query.get("page", "1")
    page = int(given) if given.isascii() and given.isdecimal() and len(given) < 7 else 1
    known = (await published(hub.ledger, seat.authority.id)).cards
    found = await hub.ledger.read(lambda conn: listing(conn, seat.officer, known, asked, page))
    chosen = {name: request.query[name] for name in _FILTERS if request.query.get(name)}
    query = urlencode(chosen)
    return show(
        request,
        seat,
        "console/following/announcements.html",
        lines=[_line(each, language, found.catalogue) for each in found.lines],
        found=found,
        asked=asked,
        states=list(State),
        levels=list(Urgency),
        themes=_themes(found.catalogue, language),
        address=f"?{query}&page=" if query else "?page=",
        filtered=bool(chosen),
        may_write=seat.officer.may(Role.WRITE),
    )


def _asked(query: Mapping[str, str]) -> Asked:
    state, level = query.get("etat", ""), query.get("niveau", "")
    return Asked(
        state=State(state) if state in tuple(State) else None,
        urgency=Urgency(level) if level in tuple(Urgency) else None,
        theme=query.get("theme", ""),
        text=" ".join(query.get("q", "")[:_LONGEST].split()),
    )


def _line(each: Listed, language: str, catalogue: Catalogue) -> dict[str, Any]:
    known = catalogue.themes_by_key
    return {
        "title": title_of(each.titles, language, catalogue.language),
        "url": f"{PATH}/{each.code}" + ("/rediger" if each.written else ""),
        "code": each.code,
        "state": each.state,
        "urgency": each.urgency,
        "kind": each.kind,
        "themes": [known[key].name(language) for key in each.themes if key in known],
        "at": each.at,
        "author": each.author,
        "public": each.state in PUBLIC_STATES and each.published,
    }


def _themes(catalogue: Catalogue, language: str) -> list[tuple[str, str]]:
    """Every theme of the town by its name, narrower ones with what they belong to."""
    found = []
    for theme in catalogue.themes.values():
        above = catalogue.themes.get(theme.parent) if theme.parent is not None else None
        name = theme.name(language)
        found.append((theme.key, f"{above.name(language)} – {name}" if above else name))
    return sorted(found, key=lambda each: each[1].casefold())
