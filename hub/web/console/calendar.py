# SPDX-License-Identifier: EUPL-1.2
"""`/console/calendrier`: what the town tells on which day, and where two announcements meet."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.office.agenda import Collision, Entry, agenda, collisions, day_bounds
from hub.flow.staff.roles import Role
from hub.flow.staff.scope import Scope, scope_of
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import show
from hub.web.console.titles import title_of
from hub.web.desk import desk
from hub.web.language import language_of

PATH: Final = "/console/calendrier"
_MONTH: Final = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
_MOST_DAYS: Final = 92
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The days [first, last) that are shown; `month` where it is one whole month."""

    first: date
    last: date
    month: bool

    @property
    def earlier(self) -> str:
        """The month before, as an address says it."""
        return f"{self.first - _DAY:%Y-%m}"

    @property
    def later(self) -> str:
        """The month after."""
        return f"{self.last:%Y-%m}"


def routes() -> list[web.RouteDef]:
    """The page."""
    return [web.get(PATH, show_calendar)]


@seated(Role.READ)
async def show_calendar(request: web.Request, seat: Seat) -> web.StreamResponse:
    """A month (`?mois=2026-11`, by default this one), or so many days from now (`?jours=7`)."""
    hub, language = desk(request), language_of(request)
    now, timezone = hub.clock.now(), seat.authority.timezone
    today = now.astimezone(ZoneInfo(timezone)).date()
    shown = _stretch(request.query, today)
    start, end = day_bounds(shown.first, shown.last, timezone)
    if not shown.month:  # as the home page counts: from this moment
        start, end = now, now + (shown.last - shown.first) * 1

    def read(conn: Connection) -> tuple[Scope, Sequence[Entry]]:
        scope = scope_of(conn, seat.officer, Role.READ)
        return scope, agenda(conn, scope, start, end, now)

    scope, found = await hub.ledger.read(read)
    met = collisions((each for each in found if each.day >= today), scope.catalogue)
    mine = [each for each in found if each.own and (shown.month or each.at >= now)]
    if not shown.month:
        mine = [each for each in mine if each.standing != "out"]
    return show(
        request,
        seat,
        "console/calendar.html",
        shown=shown,
        today=today,
        days=[
            (day, [_line(each, scope, language) for each in told])
            for day, told in groupby(mine, key=lambda each: each.day)
        ],
        total=len(mine),
        collisions=[_meeting(each, language) for each in met],
    )


def _stretch(query: Mapping[str, str], today: date) -> Stretch:
    days = query.get("jours", "")
    if days.isascii() and days.isdigit() and 0 < int(days[:4]) <= _MOST_DAYS:
        return Stretch(today, today + int(days[:4]) * _DAY, month=False)
    asked = _MONTH.fullmatch(query.get("mois", ""))
    first = date(int(asked[1]), int(asked[2]), 1) if asked else today.replace(day=1)
    return Stretch(first, (first + 31 * _DAY).replace(day=1), month=True)


def _line(entry: Entry, scope: Scope, language: str) -> dict[str, Any]:
    known = scope.catalogue
    return {
        "entry": entry,
        "title": title_of(entry.titles, language),
        "themes": [
            known.themes_by_key[k].name(language) for k in entry.themes if k in known.themes_by_key
        ],
        "zones": [
            known.zones_by_key[k].name(language) for k in entry.zones if k in known.zones_by_key
        ],
    }


def _meeting(met: Collision, language: str) -> dict[str, Any]:
    """`others` are those of departments whose announcements this officer is not shown."""
    mine = [(each, title_of(each.titles, language)) for each in met.entries if each.own]
    return {
        "day": met.day,
        "n": len(met.entries),
        "places": [zone.name(language) for zone in met.places],
        "mine": mine,
        "others": len(met.entries) - len(mine),
    }
