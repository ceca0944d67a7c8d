# SPDX-License-Identifier: EUPL-1.2
"""`/console/connexion`: the way in, by e-mail and password and a second proof, and the way out."""

import hmac
import secrets
from typing import Final

from aiohttp import web

from hub.flow.office import officers
from hub.flow.office.officers import Officer
from hub.flow.office.sessions import Stage
from hub.web import cookies, showing
from hub.web.console.guard import FIELD, SIGN_IN, Form, Seat, let_in, let_out, read_fields, seated
from hub.web.console.showing import see_other
from hub.web.desk import desk
from hub.web.limiter import block, caller
from hub.web.problems import ProblemError

MOST_TRIES: Final = 10
"""Passwords tried a minute from one block of addresses, and for one account."""
_DOOR: Final = "door"
_DOOR_SECONDS: Final = 3600


def routes() -> list[web.RouteDef]:
    """In and out."""
    return [
        web.get(SIGN_IN, show_form),
        web.post(SIGN_IN, sign_in),
        web.post("/console/deconnexion", sign_out),
    ]


async def show_form(request: web.Request) -> web.StreamResponse:
    """The form, for anybody."""
    return _form(request, back=_path(request.query.get("suite", "")))


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Open a session, or say no in one way for every reason. Few tries a minute."""
    hub, form = desk(request), await at_the_door(request)
    email, password = _text(form, "email"), _text(form, "password")
    where = block(caller(request, hub.settings.server.trusted_proxies))
    await hub.limiter.admit("sign-in", where, MOST_TRIES)
    await hub.limiter.admit("sign-in-as", officers.normal(email)[:254], MOST_TRIES)
    found = await hub.ledger.read(lambda conn: officers.by_email(conn, email))
    right = await officers.verifies(None if found is None else found[1], password)
    back = _path(_text(form, "suite"))
    if found is None or not right:
        return _form(request, email=email, back=back, wrong=True)
    return await welcome(request, found[0], back)


async def welcome(request: web.Request, who: Officer, back: str) -> web.StreamResponse:
    """The password was right: on to where they wanted to go."""
    response = see_other(request, back or "/console")
    await let_in(request, response, who.id, Stage.OPEN, desk(request).clock.now())
    return response


@seated()
async def sign_out(request: web.Request, seat: Seat) -> web.StreamResponse:
    """End this session."""
    response = see_other(request, SIGN_IN)
    await let_out(request, response)
    return response


def _form(
    request: web.Request, *, email: str = "", back: str = "", wrong: bool = False
) -> web.StreamResponse:
    token = cookies.read(request, _DOOR) or secrets.token_urlsafe(24)
    response = showing.show(
        request,
        "console/sign_in.html",
        status=422 if wrong else 200,
        private=True,
        email=email,
        back=back,
        token=token,
        wrong=wrong,
    )
    cookies.keep(request, response, _DOOR, token, _DOOR_SECONDS)
    return response


async def at_the_door(request: web.Request) -> Form:
    """The form of somebody who is not signed in yet, sent from the page we showed them: nobody
    signs another person in as somebody else (login CSRF). Raises `ProblemError` 403."""
    form = await read_fields(request)
    kept = cookies.read(request, _DOOR) or ""
    given = _text(form, FIELD)
    if not kept or not hmac.compare_digest(given.encode("utf-8", "replace"), kept.encode()):
        raise ProblemError(
            403,
            "other_session",
            fr="Ce formulaire date d'une autre visite. Rechargez la page, puis recommencez.",
            en="This form is from another visit. Reload the page, then try again.",
        )
    return form


def _text(form: Form, name: str) -> str:
    given = form.get(name, "")
    return given if isinstance(given, str) else ""


def _path(asked: str) -> str:
    """Where to go on to: a page of the console, never another site."""
    return asked if asked.startswith(("/console", "/admin")) and "\\" not in asked else ""
