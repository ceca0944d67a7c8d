# SPDX-License-Identifier: EUPL-1.2
"""`/console/annonces/{code}/suite`, and what waits for a decision: after a send began."""

from dataclasses import replace
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.accept.principal import Principal
from hub.flow.operating import Operating
from hub.flow.redrive import Choice
from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import Role
from hub.flow.writing import compositions
from hub.web.console.following.watching import ONE, Sight, context, must_see
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import desk
from hub.web.portal.announcement import is_public
from hub.web.problems import not_found
from templates.content import Kind

KINDS: Final = (Kind.UPDATE, Kind.CORRECTION, Kind.ALL_CLEAR)


def routes() -> list[web.RouteDef]:
    """Follow-ups, and the operator's two verbs."""
    return [
        web.get(ONE + "/suite", show_kinds),
        web.post(ONE + "/suite", begin),
        web.post(ONE + "/redistribuer", send_again),
        web.post(ONE + "/abandonner", give_up),
    ]


@seated(Role.WRITE)
async def show_kinds(request: web.Request, seat: Seat) -> web.StreamResponse:
    """What may be said next, and whom it reaches."""
    found = await must_see(request, seat)
    if not is_public(found.announcement):
        raise not_found()
    return _asking(request, seat, found)


def _asking(request: web.Request, seat: Seat, found: Sight, *, wrong: bool = False) -> web.Response:
    title, language = found.title
    told = context(request, found)
    return show(
        request,
        seat,
        "console/following/follow.html",
        status=422 if wrong else 200,
        **told,
        title=title,
        title_language=language,
        kinds=KINDS,
        wrong=wrong,
    )


@seated(Role.WRITE)
async def begin(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Begin writing it, with what the first said."""
    hub, found = desk(request), await must_see(request, seat)
    if not is_public(found.announcement):
        raise not_found()
    kind = seat.text("kind")
    if kind not in KINDS:
        return _asking(request, seat, found, wrong=True)
    now = hub.clock.now()

    def write(conn: Connection) -> str:
        return compositions.follow(conn, seat.officer, found.announcement, Kind(kind), now).code

    code = await hub.ledger.transact(write, hurry=True)
    return see_other(request, f"/console/annonces/{code}/rediger")


# --------------------------------------------------------------------------- the operator's


def operating(officer: Officer) -> Principal:
    """Somebody who operates the hub decides about everybody's parked messages: not what is said,
    but whether it is sent again. Only for who has `Role.OPERATE`."""
    return replace(officer.principal(Role.OPERATE), themes=None, may_publish=True)


@seated(Role.OPERATE)
async def send_again(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Send what is parked once more; what may have left already is looked up first."""
    return await _decide(request, seat, abandon=False)


@seated(Role.OPERATE)
async def give_up(request: web.Request, seat: Seat) -> web.StreamResponse:
    """End it as failed."""
    return await _decide(request, seat, abandon=True)


async def _decide(request: web.Request, seat: Seat, *, abandon: bool) -> web.StreamResponse:
    hub, found = desk(request), await must_see(request, seat)
    code = found.announcement.code
    verbs = Operating(hub.ledger, hub.clock, hub.engine.changed)
    choice = Choice(code=code, abandon=abandon)  # parked ones alone: what failed stays failed
    moved = await verbs.redrive(choice, operating(seat.officer))
    done = "abandoned" if abandon else "redriven"
    return see_other(request, f"/console/annonces/{code}", done if moved.rows else "nothing_parked")
