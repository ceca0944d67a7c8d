# SPDX-License-Identifier: EUPL-1.2
"""`/admin`: the pages that set the house up, those alone that this officer's roles open."""

from typing import Final

from aiohttp import web

from hub.flow.staff.roles import Role
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import show
from hub.web.desk import desk

PATH: Final = "/admin"
ROOMS: Final = (
    *("themes", "lieux", "identite", "textes", "conservation"),  # what the town is
    *("equipe", "cles", "entrants"),  # who may do what
    *("canaux", "file", "etat", "journal"),  # how it runs
)
"""Every page under `/admin/`, in the order they are listed."""

OURS: Final = frozenset({"identite", "textes", "canaux", "etat"})
"""Those that only officers of the town that runs the hub open: its pages, everybody's channels."""


def routes() -> list[web.RouteDef]:
    """The one page."""
    return [web.get(PATH, show_index)]


@seated(Role.ADMIN, Role.OPERATE)
async def show_index(request: web.Request, seat: Seat) -> web.StreamResponse:
    """What each page is for."""
    opened = opened_by(request, seat)
    if seat.authority.id != desk(request).authority:
        opened -= OURS
    rooms = [name for name in ROOMS if name in opened]
    return show(request, seat, "console/admin/home.html", rooms=rooms)


def opened_by(request: web.Request, seat: Seat) -> set[str]:
    """The pages whose own door, as it is guarded, opens to this officer."""
    found = set()
    for route in request.app.router.routes():
        path = route.resource.canonical if route.resource else ""
        roles = getattr(route.handler, "guarded_by", ())
        if path.startswith(f"{PATH}/") and any(seat.officer.may(role) for role in roles):
            found.add(path.removeprefix(f"{PATH}/"))
    return found
