# SPDX-License-Identifier: EUPL-1.2
"""What the pages that write an announcement show: the draft, and what it would become."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from aiohttp import web
from sqlalchemy import Connection

from channels.base import Urgency
from hub.announcement import Announcement
from hub.flow.accept.intake import visible
from hub.flow.foresight.looking_ahead import Ahead, looking_ahead
from hub.flow.foresight.recalled import Recall
from hub.flow.foresight.small_numbers import Teller
from hub.flow.staff import officers
from hub.flow.staff.roles import Role
from hub.flow.staff.scope import Scope, scope_of
from hub.flow.writing import compositions
from hub.flow.writing.compositions import Composition
from hub.flow.writing.fields import Document, other_languages, text, texts
from hub.flow.writing.moments import Slip
from hub.flow.writing.outline import UnreadableOutlineError, circle, read_outline
from hub.flow.writing.reading import end_of, start_of
from hub.flow.writing.retold import Ground, as_announcement
from hub.tariff import prices_of
from hub.web.console.guard import HEADER, Seat
from hub.web.console.writing.checking import in_reserve
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.portal.map import draw, trace
from hub.web.portal.places import listed
from hub.web.problems import not_found
from subscribers.catalogue import Catalogue
from subscribers.geometry import PolygonProblem, read_area
from templates.completeness import completeness
from templates.content import Kind

log = structlog.get_logger(__name__)

RECALL: Final[web.AppKey[Recall]] = web.AppKey("recall", Recall)
"""Audiences counted a moment ago, for who is typing."""
CODE: Final = "{code:[A-Za-z0-9]{1,12}}"
"""An announcement's code in a path."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A composition with the document the page shows, which need not be the one that is saved.

    `first` is the announcement it is about; `ahead` what it would become, None where nothing is
    written yet or it could not be foreseen (`broken`). `names` are officers' by number.
    """

    composition: Composition
    document: Document
    catalogue: Catalogue
    scope: Scope
    approvers: Sequence[tuple[int, str]]
    names: dict[int, str]
    announcement: Announcement
    first: Announcement | None = None
    ahead: Ahead | None = None
    broken: bool = False

    @property
    def empty(self) -> bool:
        """Nothing to look at yet."""
        return not any(each.title or each.body for each in self.announcement.contents.values())


async def composition_of(request: web.Request, seat: Seat, *, dropped: bool = False) -> Composition:
    """The composition that the path names. Raises `ProblemError` 404 where it is not theirs, or
    was thrown away and nobody asks for `dropped` ones."""
    code = request.match_info["code"]
    found = await desk(request).ledger.read(
        lambda conn: compositions.load(conn, code, seat.officer, dropped=dropped)
    )
    if found is None:
        raise not_found()
    return found


async def draft_of(
    request: web.Request, seat: Seat, composition: Composition, document: Document | None = None
) -> Draft:
    """The draft with everything its page shows; `document` in the place of the saved one."""
    shown = composition.document if document is None else document
    found = await desk(request).ledger.read(
        lambda conn: _read(request, conn, seat, composition, shown)
    )
    return found if found.empty else await _foreseen(request, found)


def _read(
    request: web.Request, conn: Connection, seat: Seat, composition: Composition, shown: Document
) -> Draft:
    hub, officer = desk(request), seat.officer
    scope = scope_of(conn, officer, Role.WRITE)
    about = text(shown, "about")
    first = visible(conn, about, officer.principal(Role.READ)) if about else None
    ground = Ground(scope.catalogue, hub.intake.channels, hub.clock.now())
    people = [composition.changed_by, composition.author, composition.returned_by or 0]
    return Draft(
        composition,
        shown,
        scope.catalogue,
        scope,
        [(n, name) for n, name in _approvers(conn, officer.authority) if n != officer.id],
        dict(compositions.names_of(conn, people)),
        as_announcement(shown, composition.code, ground, first=first),
        first,
    )


def _approvers(conn: Connection, authority: int) -> list[tuple[int, str]]:
    found = officers.of_authority(conn, authority)
    return [(each.id, each.name) for each in found if each.may(Role.APPROVE)]


async def _foreseen(request: web.Request, draft: Draft) -> Draft:
    """The same with what it would become. A fault there must not keep anybody from writing."""
    hub, now = desk(request), desk(request).clock.now()
    prices = prices_of(hub.settings)
    recall = request.config_dict[RECALL] if HEADER in request.headers else None  # between two keys
    try:
        ahead = await hub.ledger.read(
            lambda conn: looking_ahead(
                conn,
                draft.announcement,
                draft.catalogue,
                hub.intake.press,
                prices=prices,
                now=now,
                recall=recall,
            )
        )
    except Exception:
        log.exception("preview_failed", announcement=draft.composition.code)
        return replace(draft, broken=True)
    return replace(draft, ahead=ahead)


# --------------------------------------------------------------------------- for the templates


def beside(request: web.Request, seat: Seat, draft: Draft, tab: str = "") -> dict[str, Any]:
    """What the live parts of the page need: previews, audience, costs, the six checks."""
    language = language_of(request)
    channels = [each.value for each in draft.announcement.channels]
    return {
        "code": draft.composition.code,
        "ahead": draft.ahead,
        "broken": draft.broken,
        "teller": Teller(seat.officer.may(Role.CONTACTS)),
        "zone_names": {z.key: z.name(language) for z in draft.catalogue.zones.values()},
        "spelling": [each.value for each in draft.announcement.spelling],
        "tab": tab if tab in channels else next(iter(channels), ""),
        "tabs": channels,
        "complete": complete(request, draft),
        "only": _only(draft, language),
        "aimed": _is_aimed(draft),
    }


def complete(request: web.Request, draft: Draft) -> Any:
    """Which of the six its words say, in the town's language; None while there are none, and of
    an all-clear, which asks nothing of anybody."""
    content = next(iter(draft.announcement.contents.values()))
    if draft.announcement.kind is Kind.ALL_CLEAR or not (content.title or content.body):
        return None
    catalogue, site = draft.catalogue, desk(request).site
    said = f"{catalogue.name}\n{content.title}\n{content.body}\n{site.page('x')}"
    places = [name for zone in catalogue.zones.values() for name in zone.names.values()]
    return completeness(said, sender=catalogue.name, places=places)


def _is_aimed(draft: Draft) -> bool:
    """Whether it says to whom: no place at all would be counted as the whole town."""
    found = draft.announcement
    somewhere = found.zones or found.polygon or text(draft.document, "whole")
    return bool(found.themes and somewhere)


def _only(draft: Draft, language: str) -> tuple[str, str]:
    """The themes and places whose people there may be none of."""
    found, catalogue = draft.announcement, draft.catalogue
    themes = [catalogue.themes_by_key[key].name(language) for key in found.themes]
    zones = [catalogue.zones_by_key[key].name(language) for key in found.zones]
    return ", ".join(themes), ", ".join(zones)


def around_the_form(request: web.Request, seat: Seat, draft: Draft) -> dict[str, Any]:
    """What the form itself needs."""
    language, document = language_of(request), draft.document
    console = desk(request).settings.console
    ticked = texts(document, "zones")
    _, tree = listed(draft.catalogue, language, ticked, "")
    main = draft.catalogue.language
    offered = "en" if main == "fr" else "fr"
    others = [each for each in other_languages(document) if each not in (main, offered)]
    return {
        "composition": draft.composition,
        "doc": document,
        "names": draft.names,
        "first": draft.first,
        "urgencies": [each.value for each in (*_LEVELS,)],
        "themes": themes_of(draft, language),
        "tree": tree,
        "drawing": draw(draft.catalogue, language, ticked),
        "traced": _traced(draft, language),
        "ways": [each.value for each in desk(request).intake.channels],
        "others": [offered, *others],
        "main_language": main,
        "twice": {
            "date": _is_twice(start_of(document), draft),
            "expires_date": _is_twice(end_of(document), draft),
        },
        "approvers": draft.approvers,
        "may_alone": seat.officer.may(Role.APPROVE)
        and not set(console.alone).isdisjoint(draft.catalogue.themes_by_key),
        "sandbox_alone": desk(request).sandbox,
        "reserve": in_reserve(desk(request), seat),
    }


_LEVELS: Final = (Urgency.INFORMATION, Urgency.IMPORTANT, Urgency.URGENT, Urgency.DRILL)


def themes_of(draft: Draft, language: str) -> list[tuple[str, str, bool]]:
    """The themes this officer writes under, and those ticked already: (key, name, whether it is
    part of the one above)."""
    catalogue, ticked = draft.catalogue, texts(draft.document, "themes")
    shown = {
        theme.id: theme
        for theme in catalogue.themes.values()
        if theme.key in ticked or (not theme.archived and draft.scope.sees([theme.key]))
    }
    found: list[tuple[str, str, bool]] = []

    def add(parent: int | None, *, below: bool) -> None:
        for theme in shown.values():
            above = theme.parent if theme.parent in shown else None
            if above == parent:
                found.append((theme.key, theme.name(language), below))
                add(theme.id, below=True)

    add(None, below=False)
    return found


def _is_twice(written: Any, draft: Draft) -> bool:
    """Whether the hour comes twice that day: then which of them is asked."""
    bare = replace(written, again="")
    return not written.blank and bare.moment(draft.catalogue.timezone) is Slip.TWICE


def _traced(draft: Draft, language: str) -> str:
    """The area that was drawn, on the map of the districts."""
    drawing = draw(draft.catalogue, language, ())
    written, centre = text(draft.document, "polygon"), text(draft.document, "circle_at")
    try:
        if written:
            area = read_area(read_outline(written))
        elif centre:
            area = read_area(circle(centre, text(draft.document, "circle_metres")))
        else:
            return ""
    except UnreadableOutlineError:
        return ""
    if drawing is None or isinstance(area, PolygonProblem):
        return ""
    return trace(drawing, area)
