# SPDX-License-Identifier: EUPL-1.2
"""`/admin/file`: what waits to leave, what met an obstacle, and what waits for a decision."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web
from sqlalchemy import Connection

from channels.base import Reason
from hub.flow.office.ways_now import ways_now
from hub.flow.operating import Operating
from hub.flow.redrive import Choice
from hub.flow.staff.letters import in_trouble
from hub.flow.staff.roles import Role
from hub.ledger import hold
from hub.reports.health import Parked, parked, queue_health
from hub.reports.parked import ParkedGroup, parked_for, parked_groups, waiting_groups
from hub.web.console.following.follow import operating
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import desk
from hub.web.problems import not_found

PATH: Final = "/admin/file"
DECIDE: Final = f"{PATH}/decider"
_CODE: Final = 12
_WHY: Final = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """Which parked messages: of one announcement ("" for all), for one reason (None for any)."""

    code: str
    reason: Reason | None

    @classmethod
    def of(cls, code: str, reason: str) -> "Asked":
        """From an address or a form; a reason that is none chooses nothing."""
        try:
            return cls(code[:_CODE], Reason(reason) if reason else None)
        except ValueError:
            raise not_found() from None


def routes() -> list[web.RouteDef]:
    """The page, the decision about what is parked, the end of a hold."""
    return [
        web.get(PATH, show_queue),
        web.get(DECIDE, ask_decision),
        web.post(DECIDE, decide),
        web.post(f"{PATH}/relacher", release),
    ]


@seated(Role.OPERATE)
async def show_queue(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Counts of this town alone; the channels and a hold are the whole hub's."""
    hub, town = desk(request), seat.authority.id
    now = hub.clock.now()

    def read(conn: Connection) -> dict[str, Any]:
        return {
            "health": queue_health(conn, now, town),
            "obstacles": waiting_groups(conn, town),
            "parked": parked(conn, town),
            "groups": _by_reason(parked_groups(conn, town)),
            "ways": ways_now(conn, hub.engine.roads.values(), hub.clock),
            "held": hold.current(conn),
            "letters": in_trouble(conn, town),
            "ours": _is_the_hubs(request, seat),
        }

    return show(
        request,
        seat,
        "console/admin/queue.html",
        **await hub.ledger.read(read),
        decide=lambda **asked: f"{DECIDE}?{urlencode(asked)}",
    )


def _is_the_hubs(request: web.Request, seat: Seat) -> bool:
    """Whether their town runs the hub: a hold keeps back every town's messages."""
    return seat.authority.id == desk(request).authority


def _by_reason(groups: Any) -> list[tuple[str, Reason, int, list[Any]]]:
    """(announcement's code, reason, how many, on which channels), newest announcement first."""
    found: dict[tuple[str, Reason], list[ParkedGroup]] = {}
    for each in groups:
        found.setdefault((each.code, each.reason), []).append(each)
    return [
        (code, reason, sum(each.rows for each in rows), [each.channel for each in rows])
        for (code, reason), rows in found.items()
    ]


@seated(Role.OPERATE)
async def ask_decision(request: web.Request, seat: Seat) -> web.StreamResponse:
    """What sending again and giving up would do, before either."""
    asked = Asked.of(request.query.get("annonce", ""), request.query.get("motif", ""))
    return await _decision(request, seat, asked)


async def _decision(
    request: web.Request, seat: Seat, asked: Asked, *, unreasoned: bool = False
) -> web.Response:
    found = await _parked(request, seat, asked)
    if asked.code and not found.rows:
        raise not_found()
    return show(
        request,
        seat,
        "console/admin/queue_decide.html",
        status=422 if unreasoned else 200,
        asked=asked,
        found=found,
        unreasoned=unreasoned,
    )


async def _parked(request: web.Request, seat: Seat, asked: Asked) -> Parked:
    town = seat.authority.id
    return await desk(request).ledger.read(
        lambda conn: parked_for(conn, town, asked.code, asked.reason)
    )


@seated(Role.OPERATE)
async def decide(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Send again, or give up: the latter with a reason, which the journal keeps."""
    hub = desk(request)
    asked = Asked.of(seat.text("annonce"), seat.text("motif"))
    abandon, why = seat.text("what") == "abandon", seat.text("why").strip()[:_WHY]
    if abandon and not why:
        return await _decision(request, seat, asked, unreasoned=True)
    if not (await _parked(request, seat, asked)).rows:
        return see_other(request, PATH, "nothing_parked")
    choice = Choice(
        code=asked.code or None, reason=asked.reason, abandon=abandon, parked_only=True, why=why
    )
    verbs = Operating(hub.ledger, hub.clock, hub.engine.changed)
    moved = await verbs.redrive(choice, operating(seat.officer))
    done = "abandoned" if abandon else "redriven"
    return see_other(request, PATH, done if moved.rows else "nothing_parked")


@seated(Role.OPERATE)
async def release(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Let a restored hub send again."""
    if not _is_the_hubs(request, seat):
        raise not_found()
    hub = desk(request)
    verbs = Operating(hub.ledger, hub.clock, hub.engine.changed)
    again = seat.text("send_again") == "on"
    done = await verbs.release(operating(seat.officer), send_again=again)
    return see_other(request, PATH, "not_held" if done is None else "released")
