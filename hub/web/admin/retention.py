# SPDX-License-Identifier: EUPL-1.2
"""`/admin/conservation`: how long each thing is kept, by which setting."""

from typing import Final

from aiohttp import web

from hub.flow.office.roles import Role
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import show
from hub.web.desk import desk
from hub.web.language import language_of
from templates.pages.texts import span

PATH: Final = "/admin/conservation"
PERIODS: Final = ("deliveries", "attempts", "audit", "unverified", "consents", "backups")
"""The settings of section `[retention]`, each with its words."""


def routes() -> list[web.RouteDef]:
    """The one page: periods are hub.toml's, so that nobody lengthens them by a click."""
    return [web.get(PATH, show_periods)]


@seated(Role.ADMIN)
async def show_periods(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Every period in force."""
    kept, spoken = desk(request).settings.retention, language_of(request)
    rows = [(name, span(getattr(kept, name), spoken)) for name in PERIODS]
    return show(request, seat, "console/admin/retention.html", rows=rows)
