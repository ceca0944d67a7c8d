# SPDX-License-Identifier: EUPL-1.2
"""Passkeys at the console's door and in an officer's account: made, signed with, taken away."""

import asyncio
import hashlib
from types import ModuleType
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.staff import passkeys, sessions
from hub.flow.staff.officers import Officer
from hub.flow.staff.passkeys import Made, Place
from hub.flow.staff.second import Proof
from hub.flow.staff.sessions import NOBODY, UNPROVEN, Stage
from hub.web import cookies
from hub.web.console.entering.profile import HOME, knows_password
from hub.web.console.entering.sign_in import MOST_COMERS, at_the_door, inside, text_of
from hub.web.console.guard import COOKIE, SIGN_IN, Seat, let_in, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import Desk, desk
from hub.web.problems import not_found
from hub.web.strangers import origin_of

KEYS: Final = f"{HOME}/cles"
ASK: Final = f"{SIGN_IN}/cle/defi"
SIGNED: Final = f"{SIGN_IN}/cle"
_LABEL: Final = 60


def routes() -> list[web.RouteDef]:
    """Added in two steps and taken away; asked for and signed with at the door."""
    return [
        web.get(KEYS, show_form),
        web.post(KEYS, begin),
        web.post(f"{KEYS}/garder", keep),
        web.post(f"{KEYS}/{{number:[0-9]{{1,15}}}}/retirer", remove),
        web.post(ASK, ask),
        web.post(SIGNED, sign_in),
    ]


async def _ceremony() -> ModuleType:
    """Loaded when somebody uses a passkey, and beside the loop: it takes a while."""

    def load() -> ModuleType:
        from hub.flow.staff import ceremony  # noqa: PLC0415 (see above)

        return ceremony

    return await asyncio.to_thread(load)


def _place(request: web.Request, name: str) -> Place:
    """Raises `ProblemError` 404 where browsers make no keys for this hub."""
    found = passkeys.place_of(desk(request).site.public_url, name)
    if found is None:
        raise not_found()
    return found


# --------------------------------------------------------------------------- in the account


@seated()
async def show_form(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Where the password is asked for, and a name for the key."""
    _place(request, seat.authority.name)
    return _form(request, seat, "")


@seated()
async def begin(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The password was right: the page on which the browser makes the key."""
    hub, who = desk(request), seat.officer
    place, ceremony = _place(request, seat.authority.name), await _ceremony()
    if not who.second_proof:
        return see_other(request, HOME)
    if not await knows_password(hub, who, seat.text("current")):
        return _form(request, seat, "wrong")

    def write(conn: Connection) -> dict[str, Any]:
        had = passkeys.credentials(conn, who.id)
        asked = sessions.challenge(conn, seat.session.token)
        options: dict[str, Any] = ceremony.creation(place, who, _handle(hub, who), had, asked)
        return options

    options = await hub.ledger.transact(write, hurry=True)
    label = seat.text("label").strip()[:_LABEL]
    return show(request, seat, "console/entering/passkey_make.html", options=options, label=label)


@seated()
async def keep(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Keep the key that the browser made."""
    hub, who, now = desk(request), seat.officer, desk(request).clock.now()
    place, ceremony = _place(request, seat.authority.name), await _ceremony()
    token = seat.session.token
    asked = await hub.ledger.transact(
        lambda conn: sessions.take_challenge(conn, token, now), hurry=True
    )
    answer, label = seat.text("credential"), seat.text("label").strip()[:_LABEL]
    made: Made | None = None
    if asked is not None and who.second_proof:
        made = await asyncio.to_thread(ceremony.made, place, asked, answer)
    kept = made is not None and await hub.ledger.transact(
        lambda conn: passkeys.keep(conn, who, made, label or place.domain, now), hurry=True
    )
    return see_other(request, HOME, "passkey_kept" if kept else "passkey_refused")


@seated()
async def remove(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Take one away: a telephone that was lost."""
    hub, now = desk(request), desk(request).clock.now()
    number = int(request.match_info["number"])
    gone = await hub.ledger.transact(
        lambda conn: passkeys.remove(conn, seat.officer, number, now), hurry=True
    )
    if not gone:
        raise not_found()
    return see_other(request, HOME, "passkey_removed")


def _form(request: web.Request, seat: Seat, wrong: str) -> web.Response:
    status = 422 if wrong else 200
    return show(request, seat, "console/entering/passkey.html", status=status, wrong=wrong)


def _handle(hub: Desk, who: Officer) -> bytes:
    """An officer as their devices know them: always the same, and saying nothing."""
    return hashlib.sha256(b"passkey\x00%d\x00" % who.id + hub.seal.secret).digest()


# --------------------------------------------------------------------------- at the door


async def ask(request: web.Request) -> web.StreamResponse:
    """Something to sign, for a browser of which nobody knows yet whose it is. As JSON."""
    hub = desk(request)
    await at_the_door(request)
    await hub.limiter.admit("passkey", origin_of(request), MOST_COMERS)
    place, ceremony, now = _place(request, hub.authority_name), await _ceremony(), hub.clock.now()
    former = cookies.read(request, COOKIE)

    def write(conn: Connection) -> tuple[str, bytes]:
        token = sessions.start(conn, NOBODY, now, stage=Stage.SECOND, former=former)
        return token, sessions.challenge(conn, token)

    token, challenge = await hub.ledger.transact(write, hurry=True)
    response = web.json_response(
        ceremony.asking(place, challenge), headers={"Cache-Control": "no-store"}
    )
    cookies.keep(request, response, COOKIE, token, int(UNPROVEN.total_seconds()))
    return response


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Open a session with the key that signed: it is both proofs."""
    hub, form = desk(request), await at_the_door(request)
    await hub.limiter.admit("sign-in", origin_of(request), MOST_COMERS)
    back = inside(text_of(form, "suite"))
    who = await _signer(request, text_of(form, "credential"))
    if who is None:
        return see_other(request, SIGN_IN, "passkey_unknown")
    response = see_other(request, back or "/console")
    await let_in(request, response, who, Proof.PASSKEY)
    return response


async def _signer(request: web.Request, answer: str) -> Officer | None:
    """Whose key signed what this browser was asked to sign."""
    hub, token = desk(request), cookies.read(request, COOKIE)
    place, ceremony, now = _place(request, hub.authority_name), await _ceremony(), hub.clock.now()
    credential = ceremony.named(answer)
    if token is None or credential is None:
        return None
    asked = await hub.ledger.transact(
        lambda conn: sessions.take_challenge(conn, token, now), hurry=True
    )
    found = await hub.ledger.read(lambda conn: passkeys.find(conn, credential))
    if asked is None or found is None:
        return None
    who, key = found
    count = await asyncio.to_thread(ceremony.signed, place, asked, answer, key)
    if count is None:
        return None
    noted = await hub.ledger.transact(
        lambda conn: passkeys.note_use(conn, key, count, now), hurry=True
    )
    return who if noted else None
