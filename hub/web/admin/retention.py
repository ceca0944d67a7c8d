# SPDX-License-Identifier: EUPL-1.2
"""`/admin/conservation`: how long each thing is kept, by which setting."""

from typing import Final

from aiohttp import web

from hub.flow.staff.roles import Role
from hub.reports.erasures import last_erasure
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import show
from hub.web.desk import desk
from hub.web.language import language_of
from templates.pages.texts import span

PATH: Final = "/admin/conservation"
PERIODS: Final = {
    "deliveries": ("deliveries",),
    "attempts": ("attempts",),
    "audit": ("audit",),
    "unverified": ("unverified", "abandoned"),
    "consents": ("consents",),
    "backups": ("journal", "files"),
}
"""The settings of section `[retention]`, each with the kinds that are erased by it."""


def routes() -> list[web.RouteDef]:
    """The one page: periods are hub.toml's, so that nobody lengthens them by a click."""
    return [web.get(PATH, show_periods)]


@seated(Role.ADMIN)
async def show_periods(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Every period in force, and what the last round of erasing took."""
    kept, spoken = desk(request).settings.retention, language_of(request)
    last = await desk(request).ledger.read(last_erasure)
    gone = {} if last is None else last.gone
    rows = [
        (name, span(getattr(kept, name), spoken), sum(gone.get(each, 0) for each in kinds))
        for name, kinds in PERIODS.items()
    ]
    return show(request, seat, "console/admin/retention.html", rows=rows, last=last)
