# SPDX-License-Identifier: EUPL-1.2
"""A thread as lists show it: its level, title, themes, places, dates, and what followed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from aiohttp import web
from markupsafe import Markup
from sqlalchemy import Connection

from hub.announcement import Announcement
from hub.ledger import announcements
from hub.reports.picking import Pick, places
from hub.reports.published import Card, Published, Thread, published
from hub.web.desk import desk
from subscribers.catalogue import Catalogue, load_catalogue
from templates import filters
from templates.pages.wording import LANGUAGES, offered, translations

_OFFERED: Final = ("town", "district")
"""The levels of places that are few enough to choose from in a list."""


@dataclass(frozen=True, slots=True)
class Board:
    """What the town has published, the catalogue it is named by, and the moment it is read."""

    published: Published
    catalogue: Catalogue
    now: datetime


async def board(request: web.Request) -> Board:
    """Of the town this instance shows, and of no other."""
    hub = desk(request)
    found = await published(hub.ledger, hub.authority)
    catalogue = await hub.ledger.read(lambda conn: load_catalogue(conn, hub.authority))
    return Board(found, catalogue, hub.clock.now())


async def whole(request: web.Request, cards: Sequence[Card]) -> Mapping[int, Announcement]:
    """These announcements with their words, by number."""
    ids = [card.id for card in cards]

    def read(conn: Connection) -> Mapping[int, Announcement]:
        return announcements.by_ids(conn, ids)

    return await desk(request).ledger.read(read) if ids else {}


def asked(request: web.Request) -> Pick:
    """The theme and the place of an address: ``?theme=eau&lieu=tanneries``."""
    return Pick(request.query.get("theme", ""), request.query.get("lieu", ""))


def title(card: Card, language: str, catalogue: Catalogue) -> tuple[str, str]:
    """Its title in the nearest language, and which one that is; as `choose` does for words."""
    wished = (language, catalogue.language, "fr", *card.titles)
    spoken = next(each for each in wished if each in card.titles)
    return card.titles[spoken], spoken


@lru_cache(maxsize=500)
def as_html(body: str) -> Markup:
    """Words as safe HTML. Everybody reads the same few: each is set once."""
    return Markup(filters.html(body))  # noqa: S704 (sanitised by nh3)


@lru_cache(maxsize=500)
def as_plain(body: str) -> str:
    """Words as plain text, likewise."""
    return filters.plain(body)


def marked(words: str, thread: Thread, language: str) -> str:
    """A title as it stands alone, in a feed or a calendar: never without what changes its sense."""
    say = translations(offered(language)).gettext
    marks = [say("urgency.drill")] if thread.is_drill else []
    marks += [say("Cancelled")] if thread.is_withdrawn else []
    return "".join(f"{mark}{say(':')} " for mark in marks) + words


def named(town: Board, chosen: Pick, language: str) -> str:
    """What a feed or a calendar is called: the town, then the theme and the place it is of."""
    themes, zones = town.catalogue.themes_by_key, town.catalogue.zones_by_key
    names = [themes[chosen.theme].name(language)] if chosen.theme in themes else []
    names += [zones[chosen.place].name(language)] if chosen.place in zones else []
    say = translations(offered(language)).gettext
    return " – ".join([town.catalogue.name, *(names or [say("Announcements")])])


def spoken(request: web.Request) -> str:
    """The language of what no cookie may change: ``?langue=``, else the town's."""
    wished = request.query.get("langue", "")
    return wished if wished in LANGUAGES else desk(request).settings.hub.language


def anchor(card: Card) -> str:
    """Where it stands on its thread's page. A code may begin with a figure, a name may not."""
    return f"m-{card.code}"


def row(thread: Thread, town: Board, language: str) -> dict[str, Any]:
    """What ``portal/rows.html`` shows of a thread."""
    current, catalogue = thread.current, town.catalogue
    words, spoken = title(current, language, catalogue)
    address = f"/a/{thread.first.code}"
    themes = catalogue.themes_by_key
    return {
        "title": words,
        "language": spoken,
        "url": address,
        "urgency": current.urgency,
        "kind": current.kind,
        "themes": [themes[key].name(language) for key in current.themes if key in themes],
        "zones": [
            zone.name(language) for zone in places(current.zones, current.polygon, catalogue)
        ],
        "published": thread.first.published,
        "updated": thread.published if len(thread.cards) > 1 else None,
        "expires": current.expires,
        "is_expired": thread.is_expired(town.now),
        "is_cancelled": thread.is_withdrawn,
        "is_over": thread.is_over,
        "earlier": [
            _step(card, address, town, language)
            for card in reversed(thread.cards)
            if card is not current
        ],
    }


def _step(card: Card, address: str, town: Board, language: str) -> dict[str, Any]:
    words, spoken = title(card, language, town.catalogue)
    return {
        "title": words,
        "language": spoken,
        "kind": card.kind,
        "url": f"{address}#{anchor(card)}",
        "published": card.published,
        "is_cancelled": card.cancelled_at is not None,
    }


def wishes(town: Board, language: str, chosen: Pick) -> dict[str, Any]:
    """The (key, name) a reader may choose from; narrower ones behind their parents, with a dash.

    What is archived, and streets, of which there are thousands, are offered only where they are
    what was asked for.
    """
    catalogue = town.catalogue
    zones = {
        number: zone
        for number, zone in catalogue.zones.items()
        if zone.level in _OFFERED or zone.key == chosen.place
    }
    return {
        "themes": _tree(catalogue.themes, language, chosen.theme),
        "places": _tree(zones, language, chosen.place),
    }


def _tree(nodes: Mapping[int, Any], language: str, chosen: str) -> list[tuple[str, str]]:
    below: dict[int | None, list[Any]] = {}
    for node in nodes.values():
        below.setdefault(node.parent, []).append(node)
    found: list[tuple[str, str]] = []

    def walk(parent: int | None, depth: int) -> None:
        for node in below.get(parent, ()):
            if not node.archived or node.key == chosen:
                dashes = "–\N{NO-BREAK SPACE}" * depth
                found.append((node.key, f"{dashes}{node.name(language)}"))
            walk(node.id, depth + 1)

    walk(None, 0)
    return found
