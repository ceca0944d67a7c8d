# SPDX-License-Identifier: EUPL-1.2
"""`/console/jouer`: in the sandbox, one person plays every part of the town hall in turn."""

from aiohttp import web

from hub.flow.staff.second import Proof
from hub.web.console.guard import Seat, let_in, seated
from hub.web.console.showing import see_other
from hub.web.problems import not_found

PATH = "/console/jouer"


def routes() -> list[web.RouteDef]:
    """The one form."""
    return [web.post(PATH, play)]


@seated()
async def play(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Go on as another officer of the same town. Outside the sandbox nobody's part may be played:
    there are no `players` then."""
    asked = seat.text("officer")
    who = next((each for each in seat.players if str(each.id) == asked), None)
    if who is None:
        raise not_found()
    response = see_other(request, "/console", "playing")
    await let_in(request, response, who, Proof.PLAYED, by=seat.officer)
    return response
