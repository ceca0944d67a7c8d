# SPDX-License-Identifier: EUPL-1.2
"""`/console`: what needs me, what is going out, whether the channels are well (UX.md 7.1)."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web
from sqlalchemy import Connection

from channels.base import ChannelName
from hub.flow.foresight.small_numbers import told
from hub.flow.office import to_do as desk_work
from hub.flow.office.agenda import Entry, Standing, agenda
from hub.flow.office.to_do import Going, Item
from hub.flow.office.ways_now import Way, ways_now
from hub.flow.staff.roles import Role
from hub.flow.staff.scope import Scope, scope_of
from hub.reports.coming_and_going import Movement, movements
from hub.reports.progress import ChannelProgress, progress
from hub.reports.published import Card, Thread, published
from hub.reports.week import Week, week
from hub.tariff import prices_of
from hub.web.console.following.stream import Shown, part, stream
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import show
from hub.web.console.titles import Title, title_of
from hub.web.console.writing.sms_month import MILLION, left_of_month
from hub.web.desk import Desk, desk
from hub.web.language import language_of
from subscribers import figures
from subscribers.catalogue import load_catalogue

log = structlog.get_logger(__name__)

HOME: Final = "/console"
DAYS: Final = timedelta(days=7)
_LIVE: Final = "console/home_live.html"
_SHOWN: Final = 8  # entries of the coming days; the calendar has them all
FIRST_DAY: Final = ("theme", "channel", "sandbox", "poster")
"""What a town does before anything else (UX.md 7.1)."""
T = TypeVar("T")


def routes() -> list[web.RouteDef]:
    """The page, and what keeps it true."""
    return [web.get(HOME, show_home), web.get(f"{HOME}/flux", follow)]


@seated()
async def show_home(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Five blocks, or the first day's list. A block whose figures fail says so and takes none of
    the others with it."""
    hub = desk(request)
    if not await hub.ledger.read(lambda conn: desk_work.has_begun(conn, seat.authority.id)):
        return show(request, seat, "console/first_day.html", steps=await _first_day(hub, seat))
    found = await _live(request, seat)
    return show(
        request,
        seat,
        "console/home.html",
        **found,
        now=hub.clock.now(),
        ways=await _or_none(_ways(hub)),
        budget=await _or_none(_budget(hub, seat)),
        ahead=await _or_none(_ahead(hub, seat, language_of(request))),
        digests=_digests(hub, seat),
        behind=await _or_none(_behind(hub, seat)),
        people=await _or_none(_people(hub, seat)),
    )


@seated()
async def follow(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The blocks that change while messages leave."""

    async def look(officer: Any) -> Shown:
        now = Seat(officer, seat.authority, seat.csrf, seat.session)
        found = await _live(request, now)
        html = part(request, now, _LIVE, **found)
        return Shown({"live": html})

    return await stream(request, seat, look)


async def _or_none(asked: Awaitable[T]) -> T | None:
    """What was asked, or None where it failed: figures fail alone, and the log has why."""
    try:
        return await asked
    except Exception:
        log.exception("home.figures")
        return None


# --------------------------------------------------------------------------- to do, in progress


@dataclass(frozen=True, slots=True)
class Row:
    """One announcement on its way: deliveries `done` of `total`."""

    going: Going
    title: Title
    channels: Sequence[ChannelProgress]

    @property
    def total(self) -> int:
        """Planned so far, on all channels."""
        return sum(each.total for each in self.channels)

    @property
    def done(self) -> int:
        """At their end, or with the provider."""
        return self.total - sum(each.waiting + each.parked for each in self.channels)

    @property
    def failures(self) -> Sequence[ChannelProgress]:
        """The channels on which something failed."""
        return [each for each in self.channels if each.failed]

    @property
    def parked(self) -> int:
        """Waiting for somebody's decision."""
        return sum(each.parked for each in self.channels)


async def _live(request: web.Request, seat: Seat) -> Mapping[str, Any]:
    """What waits for this officer and what is going out, as the template takes it."""
    hub, language = desk(request), language_of(request)

    def read(conn: Connection) -> tuple[Sequence[Item], list[Row], Scope]:
        items = desk_work.to_do(conn, seat.officer, own=hub.sandbox)
        scope = scope_of(conn, seat.officer, Role.READ)
        mine = scope_of(conn, seat.officer, Role.WRITE)
        rows = [
            Row(each, title_of(each.titles, language), progress(conn, each.id))
            for each in desk_work.going(conn, scope)
        ]
        return items, rows, mine

    found = await _or_none(hub.ledger.read(read))
    if found is None:
        return {"items": None, "alerts": [], "withdrawn": [], "rows": None}
    items, rows, scope = found
    alerts = await _without_all_clear(hub, seat, scope)
    withdrawn = await _without_correction(hub, seat, scope)
    return {
        "items": [(each, title_of(each.titles, language)) for each in items],
        "alerts": [(each, title_of(each.current.titles, language)) for each in alerts],
        "withdrawn": [(each, title_of(each.titles, language)) for each in withdrawn],
        "rows": rows,
    }


async def _without_all_clear(hub: Desk, seat: Seat, scope: Scope) -> Sequence[Thread]:
    """Urgent announcements under way whose end this officer may write; oldest first."""
    if not seat.officer.may(Role.WRITE):
        return ()
    found = await published(hub.ledger, seat.authority.id)
    alerts = found.alerts(hub.clock.now())
    return [each for each in reversed(alerts) if scope.sees(each.current.themes)]


async def _without_correction(hub: Desk, seat: Seat, scope: Scope) -> Sequence[Card]:
    """Urgent announcements stopped in the last seven days after somebody had them: people act on
    one until they are told otherwise, and nobody told them. Oldest first."""
    if not seat.officer.may(Role.WRITE):
        return ()
    found, since = await published(hub.ledger, seat.authority.id), hub.clock.now() - DAYS
    stopped = [
        card
        for thread in reversed(found.threads)
        for card in thread.uncorrected(since)
        if scope.sees(card.themes)
    ]

    def read(conn: Connection) -> list[Card]:
        return [each for each in stopped if any(way.handed_over for way in progress(conn, each.id))]

    return await hub.ledger.read(read) if stopped else ()


# --------------------------------------------------------------------------- channels


async def _ways(hub: Desk) -> Sequence[Way]:
    roads, clock = list(hub.engine.roads.values()), hub.clock
    return await hub.ledger.read(lambda conn: ways_now(conn, roads, clock))


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of the month's money for SMS, in millionths, and how many messages that is."""

    left: int
    messages: int


async def _budget(hub: Desk, seat: Seat) -> Budget | None:
    """None where nothing bounds it, or nobody set what an SMS costs."""
    now = hub.clock.now()
    left = await hub.ledger.read(
        lambda conn: left_of_month(conn, hub, load_catalogue(conn, seat.authority.id), now)
    )
    each = round(prices_of(hub.settings)[ChannelName.SMS].each * MILLION)
    if left is None or not each:
        return None
    return Budget(left.millionths, max(0, left.millionths) // each)


# --------------------------------------------------------------------------- around now


@dataclass(frozen=True, slots=True)
class Coming:
    """The next seven days: those `shown` of `total`."""

    shown: Sequence[tuple[Entry, Title]]
    total: int


async def _ahead(hub: Desk, seat: Seat, language: str) -> Coming:
    now = hub.clock.now()

    def read(conn: Connection) -> Sequence[Entry]:
        scope = scope_of(conn, seat.officer, Role.READ)
        return agenda(conn, scope, now, now + DAYS, now)

    found = await hub.ledger.read(read)
    mine = [each for each in found if each.own and each.standing is not Standing.OUT]
    shown = [(each, title_of(each.titles, language)) for each in mine[:_SHOWN]]
    return Coming(shown, len(mine))


def _digests(hub: Desk, seat: Seat) -> tuple[str, str]:
    """The hour and the weekday of the digests, from hub.toml."""
    engine = hub.settings.engine
    return engine.digest_time, engine.digest_day


@dataclass(frozen=True, slots=True)
class Behind:
    """The last seven days, from `start`."""

    start: datetime
    week: Week


async def _behind(hub: Desk, seat: Seat) -> Behind:
    end = hub.clock.now()
    start = seven_days_ago(end, seat)

    def read(conn: Connection) -> Week:
        scope = scope_of(conn, seat.officer, Role.READ)
        return week(conn, seat.authority.id, scope.sees, start, end, currency_of)

    return Behind(start, await hub.ledger.read(read))


def currency_of(channel: ChannelName) -> str:
    """What a channel is billed in."""
    return "USD" if channel is ChannelName.X else "EUR"


def seven_days_ago(now: datetime, seat: Seat) -> datetime:
    """The beginning of the day six days before today: seven days with today, on the town's
    calendar."""
    local = now.astimezone(ZoneInfo(seat.authority.timezone))
    return (local - timedelta(days=6)).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Followers:
    """`total` None: fewer than five, for who may not know exactly."""

    total: int | None
    came: int | None
    left: int | None


async def _people(hub: Desk, seat: Seat) -> Followers:
    end = hub.clock.now()
    bounds = [seven_days_ago(end, seat), end]

    def read(conn: Connection) -> tuple[int, Movement]:
        catalogue = scope_of(conn, seat.officer, Role.READ).catalogue
        (moved,) = movements(conn, seat.authority.id, bounds)
        return figures.total(conn, catalogue), moved

    total, moved = await hub.ledger.read(read)
    exactly = seat.officer.may(Role.CONTACTS)
    counts = (told(n, exactly=exactly) for n in (total, moved.joined, moved.left))
    return Followers(*counts)


# --------------------------------------------------------------------------- the first day


async def _first_day(hub: Desk, seat: Seat) -> Sequence[tuple[str, bool, str]]:
    """What there is to do before anything else: key, whether it is done, where."""

    def read(conn: Connection) -> tuple[bool, int]:
        catalogue = scope_of(conn, seat.officer, Role.READ).catalogue
        themes = any(not each.archived for each in catalogue.themes.values())
        return themes, figures.total(conn, catalogue)

    themes, people = await hub.ledger.read(read)
    return (
        ("theme", themes, "/admin/themes"),
        ("channel", bool(hub.engine.roads) and not hub.sandbox, "/admin/canaux"),
        ("sandbox", False, "/sandbox" if hub.sandbox else "/console/annonces/nouvelle"),
        ("poster", people > 0, "/affiche"),
    )
