# SPDX-License-Identifier: EUPL-1.2
"""`/console/profil/preuve`: the second proof set up, its paper codes renewed, taken away.

Each asks for the password again: a browser that was left open must not lock its owner out.
"""

from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.staff import second, sessions
from hub.web.console.entering.profile import HOME, knows_password
from hub.web.console.guard import SET_UP, Seat, lacks_proof, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import desk
from templates.pages.qr import qr_code

CODES: Final = f"{SET_UP}/codes"
REMOVE: Final = f"{SET_UP}/retirer"


def routes() -> list[web.RouteDef]:
    """Its page and its three forms."""
    return [
        web.get(SET_UP, show_page),
        web.post(SET_UP, set_up),
        web.post(CODES, renew),
        web.post(REMOVE, remove),
    ]


@seated(unproven=True)
async def show_page(request: web.Request, seat: Seat) -> web.StreamResponse:
    """A new secret to scan, kept nowhere until a code of it was typed; or what there is."""
    if seat.officer.second_proof:
        return await _kept(request, seat, {})
    return _draft(request, seat, second.new_secret(), {})


@seated(unproven=True)
async def set_up(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Keep the secret once its first code was typed; show the paper codes, this once."""
    hub, who = desk(request), seat.officer
    if who.second_proof:
        return see_other(request, SET_UP)
    secret = second.taken(hub.seal, who, seat.text("secret"))
    if secret is None:
        return _draft(request, seat, second.new_secret(), {"code": "old"})
    now, wrong = hub.clock.now(), {}
    if not await knows_password(hub, who, seat.text("current")):
        wrong["current"] = "wrong"
    step = second.matching(secret, seat.text("code"), now, None)
    if step is None:
        wrong["code"] = "wrong"
    if wrong or step is None:
        return _draft(request, seat, secret, wrong)
    proved = step

    def write(conn: Connection) -> list[str]:
        sessions.end_others(conn, who.id, seat.session.token)
        return second.set_up(conn, who, secret, proved, hub.seal, now=now)

    return _codes(request, seat, await hub.ledger.transact(write, hurry=True))


@seated()
async def renew(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Ten other paper codes, shown this once."""
    hub, who = desk(request), seat.officer
    if not who.second_proof:
        return see_other(request, SET_UP)
    if not await knows_password(hub, who, seat.text("current")):
        return await _kept(request, seat, {"current": "wrong"})
    now = hub.clock.now()
    codes = await hub.ledger.transact(
        lambda conn: second.renew_codes(conn, who, now=now), hurry=True
    )
    return _codes(request, seat, codes)


@seated()
async def remove(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Take it away; every other session ends."""
    hub, who = desk(request), seat.officer
    if not who.second_proof:
        return see_other(request, SET_UP)
    if not await knows_password(hub, who, seat.text("current")):
        return await _kept(request, seat, {"current": "wrong"})
    now = hub.clock.now()

    def write(conn: Connection) -> None:
        second.remove(conn, who, actor=f"officer:{who.id}", now=now)
        sessions.end_others(conn, who.id, seat.session.token)

    await hub.ledger.transact(write, hurry=True)
    return see_other(request, HOME, "proof_removed")


def _draft(
    request: web.Request, seat: Seat, secret: str, wrong: dict[str, str]
) -> web.StreamResponse:
    hub, who = desk(request), seat.officer
    shown = second.draft(secret, who, seat.authority.name)
    return show(
        request,
        seat,
        "console/entering/second_proof.html",
        status=422 if wrong else 200,
        wrong=wrong,
        must=lacks_proof(request, who),
        key=shown.key,
        qr=qr_code(shown.uri, shown.key),
        secret=second.offered(hub.seal, who, secret),
    )


async def _kept(request: web.Request, seat: Seat, wrong: dict[str, str]) -> web.StreamResponse:
    hub = desk(request)
    left = await hub.ledger.read(lambda conn: second.codes_left(conn, seat.officer))
    status = 422 if wrong else 200
    shown = {"wrong": wrong, "codes_left": left}
    return show(request, seat, "console/entering/second_kept.html", status=status, **shown)


def _codes(request: web.Request, seat: Seat, codes: list[str]) -> web.StreamResponse:
    return show(request, seat, "console/entering/recovery.html", codes=codes)
