# SPDX-License-Identifier: EUPL-1.2
"""`/console/connexion/code`: the second proof, between the password and the console."""

from urllib.parse import urlencode

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.staff import second, sessions
from hub.flow.staff.second import Proof
from hub.flow.staff.sessions import Stage
from hub.web.console.entering.sign_in import inside
from hub.web.console.guard import SECOND, SIGN_IN, Seat, let_in, let_out, seated
from hub.web.console.showing import see_other, show_outside
from hub.web.desk import desk

MOST_AN_HOUR = 30
"""Codes tried an hour for one officer, whatever the number of sign-ins: of a million there are
three that open, so guessing takes years."""


def routes() -> list[web.RouteDef]:
    """The box, and what was typed into it."""
    return [web.get(SECOND, show_box), web.post(SECOND, prove)]


@seated(stage=Stage.SECOND)
async def show_box(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The box for a code."""
    return _box(request, seat, inside(request.query.get("suite", "")))


@seated(stage=Stage.SECOND)
async def prove(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The right code opens a new session; the fifth wrong one ends this."""
    hub, back = desk(request), inside(seat.text("suite"))
    if not await hub.limiter.has_room("second", str(seat.officer.id), MOST_AN_HOUR, minutes=60):
        return await _back_out(request, "codes_wait")
    given, now = seat.text("code")[:64], hub.clock.now()

    def look(conn: Connection) -> tuple[Proof | None, int]:
        proof = second.prove(conn, seat.officer, given, hub.seal, now=now)
        if proof is not None:
            return proof, 0
        left = sessions.count_wrong(conn, seat.session.token)
        if not left:
            whom = f"officer:{seat.officer.id}"
            second.note_refusal(conn, seat.officer.authority, whom, now)
        return None, left

    proof, left = await hub.ledger.transact(look, hurry=True)
    if proof is not None:
        flash = "recovery_used" if proof is Proof.RECOVERY else ""
        response = see_other(request, back or "/console", flash)
        await let_in(request, response, seat.officer, proof)
        return response
    if not left:
        return await _back_out(request, "codes_wrong", back)
    return _box(request, seat, back, left=left)


async def _back_out(request: web.Request, flash: str, back: str = "") -> web.StreamResponse:
    query = "?" + urlencode({"suite": back}) if back else ""
    response = see_other(request, SIGN_IN + query, flash)
    await let_out(request, response)
    return response


def _box(request: web.Request, seat: Seat, back: str, left: int | None = None) -> web.Response:
    status = 200 if left is None else 422
    shown = {"seat": seat, "back": back, "left": left}
    return show_outside(request, "console/entering/second.html", status=status, **shown)
