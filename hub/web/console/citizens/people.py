# SPDX-License-Identifier: EUPL-1.2
"""`/console/abonnes`: how many people are told of what, where and how; nobody's name or address."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from channels.base import ChannelName
from hub.flow.foresight.small_numbers import Teller
from hub.flow.office.attending import Attending
from hub.flow.staff.roles import Role
from hub.reports.headcount import Headcount, headcount
from hub.web.console.citizens.person import page_of
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import Desk, desk
from hub.web.language import language_of
from hub.web.references import Kind
from subscribers.addresses import AddressProblem, normalise_email, normalise_phone
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.figures import People
from subscribers.wording import Sentence

PATH: Final = "/console/abonnes"
_INVALID: Final = 422
_SPANS: Final = (7, 30, 365)
Count = int | None
"""None: fewer than five."""


@dataclass(frozen=True, slots=True)
class Line:
    """A theme, a place or a channel: how many follow it, and of a theme by which channels. `depth`
    is how far below the top it stands."""

    name: str
    n: Count
    cells: Sequence[Count] = ()
    depth: int = 0


def routes() -> list[web.RouteDef]:
    """The counts, and the search."""
    return [web.get(PATH, show_people), web.post(f"{PATH}/chercher", search)]


@seated(Role.READ, Role.CONTACTS)
async def show_people(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Everybody, or (`?lieu=`) those whom an announcement for a place would reach."""
    return await _page(request, seat)


@seated(Role.CONTACTS)
async def search(request: web.Request, seat: Seat) -> web.StreamResponse:
    """By one exact mobile number or e-mail address; written down in the journal."""
    hub, given = desk(request), seat.text("contact").strip()
    if "@" in given:
        channel, address = ChannelName.EMAIL, normalise_email(given)
    else:
        regions = hub.settings.people.phone_regions
        channel, address = ChannelName.SMS, normalise_phone(given, regions)
    if isinstance(address, AddressProblem):
        return await _page(request, seat, given, address.sentence)
    found = await attending(hub).find(seat.officer, channel, address)
    if not found:
        return see_other(request, PATH, "nobody_found")
    people = [hub.references.of(Kind.PERSON, each) for each in found]
    return see_other(request, page_of(seat, people))


def attending(hub: Desk) -> Attending:
    """What an officer may do for a citizen."""
    return Attending(hub.ledger, hub.engine.wishes, hub.clock)


# --------------------------------------------------------------------------- the page


async def _page(
    request: web.Request, seat: Seat, given: str = "", fault: Sentence | None = None
) -> web.Response:
    hub, language = desk(request), language_of(request)
    asked = request.query.get("lieu", "")
    town, counted = await _counted(hub, seat, asked)
    found = counted.people
    tell = Teller(seat.officer.may(Role.CONTACTS)).count
    return show(
        request,
        seat,
        "console/citizens/people.html",
        status=_INVALID if fault else 200,
        given=given,
        errors={"contact": getattr(fault, language)} if fault else {},
        total=tell(found.total),
        counted=counted.at if counted.is_kept else None,
        channels=_ways(found),
        themes=_themes(town, found, language, tell),
        zones=_zones(town, found, language, tell),
        by=[Line(str(each), tell(found.channels[each])) for each in _ways(found)],
        growth=[
            (days, tell(each.joined), tell(each.left))
            for days, each in zip(_SPANS, counted.growth, strict=True)
        ],
        place=asked if asked in town.zones_by_key else "",
        places=[
            (zone.key, zone.name(language))
            for zone in town.zones.values()
            if zone.level in ("district", "town") and not zone.archived
        ],
    )


async def _counted(hub: Desk, seat: Seat, asked: str) -> tuple[Catalogue, Headcount]:
    """The town, and its people (of a place, where one is `asked` for)."""
    now = hub.clock.now().astimezone(ZoneInfo(seat.authority.timezone))
    town = await hub.ledger.read(lambda conn: load_catalogue(conn, seat.authority.id))
    place = town.zones_by_key.get(asked)
    number = None if place is None else place.id
    return town, await headcount(hub.ledger, town, number, _SPANS, now)


def _ways(found: People) -> Sequence[ChannelName]:
    return [name for name in ChannelName if name in found.channels]


def _themes(
    town: Catalogue, found: People, language: str, tell: Callable[[int], Count]
) -> list[Line]:
    ways = _ways(found)
    return [
        Line(
            theme.name(language),
            tell(found.themes.get(theme.id, 0)),
            [tell(found.by_channel.get((theme.id, way), 0)) for way in ways],
            len(town.theme_lineage([theme.id])) - 1,
        )
        for theme in town.themes.values()
        if not theme.archived or found.themes.get(theme.id)
    ]


def _zones(
    town: Catalogue, found: People, language: str, tell: Callable[[int], Count]
) -> list[Line]:
    lines = [Line("", tell(found.zones.get(None, 0)))]
    return lines + [
        Line(zone.name(language), tell(found.zones[zone.id]))
        for zone in town.zones.values()
        if zone.id in found.zones
    ]
