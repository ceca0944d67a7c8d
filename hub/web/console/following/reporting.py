# SPDX-License-Identifier: EUPL-1.2
"""`/console/annonces/{code}/rapport`: an announcement's report as a file, for a stated reason."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.office.looking import export
from hub.flow.staff.roles import Role
from hub.flow.writing.reasons import LONGEST_REASON
from hub.reports.progress import ChannelProgress
from hub.reports.report import Report, report
from hub.tariff import tariff_of
from hub.web.console.following.watching import ONE, Sight, must_see
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import show
from hub.web.csv import Cell, download
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.problems import not_found
from templates.pages.amounts import MILLION
from templates.pages.wording import channel_name, offered, translations

FIGURES: Final = (
    *("total", "answered", "received", "waiting", "failed", "not_sent", "parked"),
    *("billed", "cost", "people", "reached", "took", "median", "slowest", "left"),
    *("unreceived", "kept_back"),
)
"""What a row tells, each in the catalogues under `figure.<name>`."""
COLUMNS: Final = ("code", "title", "channel", "figure", "reason", "value", "unit")


def routes() -> list[web.RouteDef]:
    """The form, and the file."""
    return [
        web.get(ONE + "/rapport", ask_why),
        web.post(ONE + "/rapport.csv", take),
    ]


async def report_of(request: web.Request, found: Sight) -> Report | None:
    """What it came to; None while it goes on."""
    hub = desk(request)
    tariff = tariff_of(hub.settings, hub.intake.press)
    return await hub.ledger.read(lambda conn: report(conn, found.watched, tariff))


@seated(Role.READ)
async def ask_why(request: web.Request, seat: Seat) -> web.StreamResponse:
    """What for: the journal keeps it."""
    return _form(request, seat, await must_see(request, seat))


def _form(
    request: web.Request, seat: Seat, found: Sight, typed: str = "", *, wrong: bool = False
) -> web.Response:
    if found.announcement.published is None:
        raise not_found()
    return show(
        request,
        seat,
        "console/following/report_why.html",
        status=422 if wrong else 200,
        here=f"/console/annonces/{found.announcement.code}",
        title=found.title,
        typed=typed,
        wrong=wrong,
    )


@seated(Role.READ)
async def take(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The figures of the page, row by row: a spreadsheet adds up to the same. Nobody's address."""
    hub, found = desk(request), await must_see(request, seat)
    why = " ".join(seat.text("reason").split())
    if not why or len(why) > LONGEST_REASON:
        return _form(request, seat, found, why, wrong=True)
    made, code, now = await report_of(request, found), found.announcement.code, hub.clock.now()
    if found.announcement.published is None:
        raise not_found()

    def write(conn: Connection) -> None:
        export(conn, seat.officer, code, why, now)

    await hub.ledger.transact(write, hurry=True)
    return download(f"annonce-{code}", rows(found, made, language_of(request)))


def rows(found: Sight, made: Report | None, language: str) -> Iterator[Sequence[Cell]]:
    """The headings, then one figure a row."""
    say = translations(offered(language)).gettext
    yield [say(f"column.{name}") for name in COLUMNS]
    code, title = found.announcement.code, found.title[0]

    def row(channel: str, figure: str, value: Cell, unit: str = "", reason: str = "") -> list[Cell]:
        return [code, title, channel, say(f"figure.{figure}"), reason, value, unit]

    for each in found.watched.channels:
        name = channel_name(each.channel, language)
        for figure in FIGURES[:7]:
            yield row(name, figure, _count(each, figure))
    for heap, figure in (("failed", "unreceived"), ("unsent", "kept_back"), ("parked", "parked")):
        for group in found.watched.heaps[heap]:
            why = say(f"reason.{group.reason}") if group.reason else ""
            yield row(channel_name(group.channel, language), figure, group.n, reason=why)
    if made is None:
        return
    for channel, told in made.measure.channels.items():
        name = channel_name(channel, language)
        yield row(name, "billed", told.billed)
        if told.cost is not None:
            yield row(name, "cost", _money(told.cost), "EUR" if channel != "x" else "USD")
    yield row("", "people", made.measure.people)
    yield row("", "reached", made.measure.reached)
    waits = {"took": made.took, "median": made.measure.median}
    for figure, lasted in {**waits, "slowest": made.measure.slowest_in_twenty}.items():
        yield row("", figure, _seconds(lasted), "s")
    yield row("", "left", made.left)


def _count(each: ChannelProgress, figure: str) -> int:
    found: int = getattr(each, figure)
    return found


def _money(millionths: int) -> str:
    return f"{Decimal(millionths) / MILLION:.2f}"


def _seconds(lasted: timedelta | None) -> int | None:
    return None if lasted is None else int(lasted.total_seconds())
