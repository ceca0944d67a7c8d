# SPDX-License-Identifier: EUPL-1.2
"""`/admin/etat`: what the machines' door and the shell know of the hub's health, in sentences."""

import asyncio
from datetime import timedelta
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.office.ways_now import ways_now
from hub.flow.staff.roles import Role
from hub.ledger import hold
from hub.reports.health import parked
from hub.reports.machine import look
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import show
from hub.web.desk import desk
from hub.web.problems import not_found

PATH: Final = "/admin/etat"
STALE: Final = timedelta(days=2)
"""A backup older than this is told as a fault."""
LITTLE: Final = 2  # gigabytes left on the disk
PLENTY: Final = 20
"""Above it, how much is of no interest."""


def routes() -> list[web.RouteDef]:
    """The one page."""
    return [web.get(PATH, show_health)]


@seated(Role.OPERATE)
async def show_health(request: web.Request, seat: Seat) -> web.StreamResponse:
    """For the town that runs the hub: the disk and the channels are not another's to mend."""
    hub, town = desk(request), seat.authority.id
    if town != hub.authority:
        raise not_found()
    settings, now = hub.settings, hub.clock.now()

    def read(conn: Connection) -> dict[str, Any]:
        return {
            "ways": ways_now(conn, hub.engine.roads.values(), hub.clock),
            "held": hold.current(conn),
            "parked": parked(conn, town),
        }

    backups = settings.backup.folder or settings.hub.data / "backups"
    machine = await asyncio.to_thread(look, settings.hub.data, backups)
    return show(
        request,
        seat,
        "console/admin/health.html",
        **await hub.ledger.read(read),
        machine=machine,
        stale=machine.backup is None or now - machine.backup > STALE,
        little=machine.free < LITTLE,
        plenty=PLENTY,
        now=now,
        zone=settings.hub.timezone,
    )
