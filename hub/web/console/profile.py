# SPDX-License-Identifier: EUPL-1.2
"""`/console/profil`: an officer's own account."""

from aiohttp import web

from hub.web.console.guard import Seat, seated
from hub.web.console.showing import show


def routes() -> list[web.RouteDef]:
    """The page."""
    return [web.get("/console/profil", show_account)]


@seated()
async def show_account(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Who they are, and what they may do."""
    return show(request, seat, "console/profile.html")
