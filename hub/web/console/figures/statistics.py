# SPDX-License-Identifier: EUPL-1.2
"""`/console/statistiques`: the return on what announcements cost, as figures and files."""

import asyncio
from dataclasses import asdict
from decimal import Decimal
from functools import partial
from typing import Final

from aiohttp import web
from babel.numbers import format_decimal

from hub.flow.office.assuming import assume, supposed, understood
from hub.flow.staff.roles import Role
from hub.ledger.assumptions import NAMES
from hub.reports.months import Month
from hub.web.console.figures.statistics_sheet import By, rows
from hub.web.console.figures.statistics_view import (
    by_theme,
    by_zone,
    messages_by_month,
    view_of,
)
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.csv import download
from hub.web.desk import desk
from hub.web.language import language_of
from templates.pages.moments import month_name
from templates.pages.wording import translations

PATH: Final = "/console/statistiques"
ASSUMPTIONS: Final = f"{PATH}/hypotheses"
_FAULT: Final = {
    "fr": "Écrivez un nombre, par exemple {example}.",
    "en": "Enter a number, for example {example}.",
}


def routes() -> list[web.RouteDef]:
    """The page, its files, and what the comparison with paper supposes."""
    return [
        web.get(PATH, show_figures),
        web.get(f"{PATH}.csv", export_figures),
        web.get(ASSUMPTIONS, show_assumptions),
        web.post(ASSUMPTIONS, change_assumptions),
    ]


@seated(Role.READ)
async def show_figures(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The figures of a month, or of the twelve months it ends."""
    view, language = await view_of(request, seat), language_of(request)
    write = partial(format_decimal, locale=language)
    whole_town = translations(language).gettext("The whole town")
    return show(
        request,
        seat,
        "console/figures/statistics.html",
        view=view,
        months=[(str(m), month_name(m.year, m.month, language)) for m in view.asked.offered()],
        first=_named(view.months[-view.asked.count], language),
        last=_named(view.asked.month, language),
        themes=by_theme(view, language, write),
        zones=by_zone(view, language, write, whole_town),
        by_month=messages_by_month(view, language, write),
        sheets=list(By),
        supposed=_typed(asdict(view.supposed), language),
        may_change=seat.officer.may(Role.ADMIN),
    )


@seated(Role.READ)
async def export_figures(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The same as a file: totals alone, so no reason is asked for."""
    view = await view_of(request, seat)
    asked = request.query.get("par", "")
    by = By(asked) if asked in set(By) else By.MONTH
    name = f"statistiques-{view.asked.month}-{view.asked.count}-{by}"
    language = language_of(request)
    return await asyncio.to_thread(lambda: download(name, rows(view, by, language)))


@seated(Role.ADMIN)
async def show_assumptions(request: web.Request, seat: Seat) -> web.StreamResponse:
    """What the comparison with paper supposes, to be changed."""
    authority = seat.authority.id
    found = await desk(request).ledger.read(lambda conn: supposed(conn, authority))
    return _form(request, seat, _typed(asdict(found), language_of(request)), {})


@seated(Role.ADMIN)
async def change_assumptions(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Write what was typed, all of it or nothing."""
    hub, language = desk(request), language_of(request)
    typed = {name: seat.text(name).strip() for name in NAMES}
    read = {name: understood(name, text) for name, text in typed.items()}
    if any(value is None for value in read.values()):
        fault = _FAULT[language].format(example=_decimal(2_150, language))
        errors = {name: fault for name, value in read.items() if value is None}
        return _form(request, seat, typed, errors, 422)
    values = {name: value for name, value in read.items() if value is not None}
    actor, authority, now = f"officer:{seat.officer.id}", seat.authority.id, hub.clock.now()
    await hub.ledger.transact(
        lambda conn: assume(conn, authority, values, actor=actor, now=now), hurry=True
    )
    reads = seat.officer.may(Role.READ)
    return see_other(request, PATH if reads else ASSUMPTIONS, "assumptions_saved")


def _form(
    request: web.Request,
    seat: Seat,
    typed: dict[str, str],
    errors: dict[str, str],
    status: int = 200,
) -> web.Response:
    page = "console/figures/assumptions.html"
    return show(request, seat, page, status=status, typed=typed, errors=errors)


def _typed(values: dict[str, int], language: str) -> dict[str, str]:
    """As somebody of this language would type them."""
    return {name: _decimal(value, language) for name, value in values.items()}


def _decimal(thousandths: int, language: str) -> str:
    return format_decimal(Decimal(thousandths) / 1_000, "0.###", locale=language)


def _named(month: Month, language: str) -> str:
    return month_name(month.year, month.month, language)
