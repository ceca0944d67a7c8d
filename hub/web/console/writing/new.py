# SPDX-License-Identifier: EUPL-1.2
"""`/console/annonces/nouvelle`: what to begin an announcement from."""

from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.staff.roles import Role
from hub.flow.writing import compositions, fields, models
from hub.flow.writing.compositions import Composition
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import desk
from hub.web.problems import not_found

NEW = "/console/annonces/nouvelle"


def routes() -> list[web.RouteDef]:
    """The choice, and what it begins."""
    return [web.get(NEW, show_choice), web.post(NEW, begin)]


@seated(Role.WRITE)
async def show_choice(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Blank, urgent, or one of the town's models."""
    town = seat.officer.authority
    found = await desk(request).ledger.read(lambda conn: models.offered(conn, town))
    return show(
        request,
        seat,
        "console/writing/new.html",
        models=found,
        urgent="urgent" in request.query,
    )


@seated(Role.WRITE)
async def begin(request: web.Request, seat: Seat) -> web.StreamResponse:
    """A draft, and on to its page. `model` is a model's key; `urgent` asks the six questions."""
    hub, now = desk(request), desk(request).clock.now()
    key, urgent = seat.text("model"), bool(seat.text("urgent"))
    given: dict[str, Any] = {"level": "urgent", "shape": "six"} if urgent else {}

    def write(conn: Connection) -> Composition | None:
        document = fields.blank(seat.authority, hub.intake.channels) | given
        if key:
            model = models.find(conn, seat.officer, key)
            if model is None:
                return None
            document = models.begun(model, document)
        return compositions.begin(conn, seat.officer, document, now)

    found = await hub.ledger.transact(write, hurry=True)
    if found is None:
        raise not_found()
    return see_other(request, f"/console/annonces/{found.code}/rediger")
