# SPDX-License-Identifier: EUPL-1.2
"""What the statistics show: the figures of a stretch of months, gathered and drawn."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Final, Self
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Connection

from channels.base import ChannelName
from hub.flow.accept.scrutiny import within
from hub.flow.foresight.small_numbers import told
from hub.flow.office.assuming import supposed
from hub.flow.staff.roles import Role
from hub.ledger.assumptions import Assumptions
from hub.reports.coming_and_going import Movement, caused, drafting, movements
from hub.reports.costs import besides
from hub.reports.months import Month, last
from hub.reports.published import Card
from hub.reports.returns import (
    Figures,
    Gathered,
    Line,
    Paper,
    Tallies,
    against_paper,
    by_month,
    figures,
    gather,
    handed_over,
)
from hub.web.console.guard import Seat
from hub.web.desk import desk
from subscribers.catalogue import Catalogue, load_catalogue
from templates.pages.charts import Bar, Bars, Series, Steps
from templates.pages.moments import month_name
from templates.pages.wording import channel_name

Write = Callable[[int], str]
"""A number as the reader's language writes it."""
YEAR: Final = 12
SPANS: Final = (1, YEAR)
_OFFERED: Final = 36  # months one may look back to


@dataclass(frozen=True, slots=True)
class Asked:
    """`count` months, `month` being the last; `now` is the town's current one."""

    month: Month
    count: int
    now: Month

    @classmethod
    def read(cls, query: Mapping[str, str], now: datetime, zone: ZoneInfo) -> Self:
        """Of an address; what it does not say, or says wrongly, is this month alone."""
        current = Month.of(now, zone)
        month = Month.read(query.get("mois", "")) or current
        month = min(max(month, current.plus(1 - _OFFERED)), current)
        asked = query.get("periode", "")
        return cls(month, YEAR if asked == str(YEAR) else 1, current)

    @property
    def query(self) -> str:
        """As an address says it."""
        return f"mois={self.month}&periode={self.count}"

    def offered(self) -> list[Month]:
        """The months to choose from, newest first."""
        return [self.now.plus(-i) for i in range(_OFFERED)]


@dataclass(frozen=True)
class View:
    """Twelve months of an officer's announcements, of which `asked` are the ones told about."""

    asked: Asked
    months: tuple[Month, ...]
    catalogue: Catalogue
    gathered: Gathered
    monthly: tuple[tuple[Line, ...], ...]
    tallies: Tallies
    movements: tuple[Movement, ...]
    beside: Mapping[ChannelName, int]
    supposed: Assumptions
    exactly: bool  # small counts are told as they are
    whole_town: bool  # every theme is theirs to see

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Those of the months asked for."""
        return tuple(line for month in self.monthly[-self.asked.count :] for line in month)

    @cached_property
    def figures(self) -> Figures:
        """Of the months asked for."""
        return figures(self.lines, self.tallies)

    @cached_property
    def by_month(self) -> tuple[Figures, ...]:
        """Of each of the months asked for."""
        chosen = self.monthly[-self.asked.count :]
        return tuple(figures(lines, self.tallies) for lines in chosen)

    @property
    def paper(self) -> Paper:
        """The same by letter."""
        return against_paper(self.figures, self.supposed)

    @property
    def movement(self) -> Movement:
        """Of the months asked for; who stopped in two of them counts in both."""
        chosen = self.movements[-self.asked.count :]
        return Movement(sum(m.joined for m in chosen), sum(m.left for m in chosen))

    def told(self, count: int) -> int | None:
        """A count of people as this officer may read it; None for "fewer than 5"."""
        return told(count, exactly=self.exactly)


async def view_of(request: web.Request, seat: Seat) -> View:
    """Everything the page and its exports tell, in this officer's scope: a few small reads."""
    hub, town = desk(request), seat.authority
    zone, now = ZoneInfo(town.timezone), hub.clock.now()
    asked = Asked.read(request.query, now, zone)
    months = last(asked.month, YEAR)
    bounds = [month.start(zone) for month in months] + [asked.month.end(zone)]
    chosen = (months[-asked.count].start(zone), bounds[-1])
    principal = seat.officer.principal(Role.READ)

    def read(conn: Connection) -> tuple[Catalogue, Tallies, tuple[Movement, ...]]:
        span = (conn, town.id, bounds[0], bounds[-1])
        stops = caused(conn, town.id, bounds[0], max(now, bounds[-1]))
        tallies = Tallies(drafting(*span), stops)
        return load_catalogue(conn, town.id), tallies, movements(conn, town.id, bounds)

    catalogue, tallies, moved = await hub.ledger.read(read)
    keys = frozenset(key for key in catalogue.themes_by_key if within(principal, catalogue, key))
    mine = None if principal.themes is None else partial(_of_themes, keys)
    gathered = await gather(hub.ledger, town.id, bounds[0], bounds[-1], mine or _any)
    beside, assumed = await hub.ledger.read(
        lambda conn: (besides(conn, town.id, *chosen), supposed(conn, town.id))
    )
    view = View(
        asked=asked,
        months=months,
        catalogue=catalogue,
        gathered=gathered,
        monthly=by_month(gathered.lines, bounds),
        tallies=tallies,
        movements=moved,
        beside=beside,
        supposed=assumed,
        exactly=seat.officer.may(Role.CONTACTS),
        whole_town=mine is None,
    )
    await asyncio.to_thread(
        lambda: view.figures
    )  # thousands of lines: the loop has messages to send
    return view


def _any(_card: Card) -> bool:
    return True


def _of_themes(keys: frozenset[str], card: Card) -> bool:
    return not keys.isdisjoint(card.themes)


# --------------------------------------------------------------------------- drawn


def _counted(view: View, label: str, count: int, number: str) -> Bar:
    shown = view.told(count)
    return Bar(label, shown or 0, "" if shown is None else number)


def by_theme(view: View, language: str, write: Write) -> Bars:
    """People reached, the theme that reached most first."""
    names = view.catalogue.themes_by_key
    rows = sorted(view.figures.themes.items(), key=lambda row: (-row[1], row[0]))
    return Bars(
        tuple(
            _counted(view, names[key].name(language) if key in names else key, n, write(n))
            for key, n in rows
        )
    )


def by_zone(view: View, language: str, write: Write, whole_town: str) -> Bars:
    """People reached, by the place they follow; the fifteen that reached most."""
    zones = view.catalogue.zones
    rows = [
        (whole_town if zone is None else zones[zone].name(language), n)
        for zone, n in view.figures.zones.items()
        if zone is None or zone in zones
    ]
    rows.sort(key=lambda row: (-row[1], row[0]))
    return Bars(tuple(_counted(view, name, n, write(n)) for name, n in rows[:15]))


def messages_by_month(view: View, language: str, write: Write) -> Steps:
    """Messages handed over, twelve months, piled up by channel."""
    monthly = [handed_over(lines) for lines in view.monthly]
    series = []
    for name in ChannelName:
        values = tuple(each.get(name, 0) for each in monthly)
        if any(values):
            words = tuple(write(n) for n in values)
            series.append(Series(channel_name(name, language), name.value, values, words))
    labels = tuple(month_name(m.year, m.month, language, short=True) for m in view.months)
    return Steps(labels, tuple(series))
