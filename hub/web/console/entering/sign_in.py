# SPDX-License-Identifier: EUPL-1.2
"""`/console/connexion`: the way in, by e-mail and password and a second proof, and the way out."""

import hmac
import re
import secrets
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiDict

from hub.flow.staff import officers, passkeys, second
from hub.flow.staff.officers import Officer
from hub.flow.staff.second import Proof
from hub.web import cookies
from hub.web.bodies import read_form
from hub.web.console.guard import (
    FIELD,
    SECOND,
    SIGN_IN,
    Form,
    Seat,
    ask_second,
    is_known,
    let_in,
    let_out,
    seated,
)
from hub.web.console.showing import see_other, show_outside
from hub.web.desk import Desk, desk
from hub.web.problems import ProblemError
from hub.web.strangers import origin_of

MOST_TRIES: Final = 10
"""Passwords tried a minute for one account."""
MOST_COMERS: Final = 30
"""Who may try a minute from one block of addresses: a town hall's officers share one, and come all
at once when a river rises. Who comes to a browser they have signed in at before is not counted."""
_MOST_NOTES: Final = 60  # lines a minute about refusals, whoever knocks
_INSIDE: Final = re.compile(
    r"/(console|admin|guichet)([/?][!-\[\]-~]*)?"
)  # printable, no backslash
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
    return _form(request, back=inside(request.query.get("suite", "")))


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Open a session, or say no in one way for every reason. Few tries a minute."""
    hub, form = desk(request), await at_the_door(request)
    email, password = text_of(form, "email"), text_of(form, "password")
    where, account = origin_of(request), officers.normal(email)[:254]
    found = await hub.ledger.read(lambda conn: officers.by_email(conn, email))
    known = found is not None and is_known(request, found[0])
    if not known:
        await hub.limiter.admit("sign-in", where, MOST_COMERS)
    await hub.limiter.admit("sign-in-known" if known else "sign-in-as", account, MOST_TRIES)
    right = await officers.verifies(None if found is None else found[1], password)
    back = inside(text_of(form, "suite"))
    if found is None or not right:
        await _note_refusal(hub, account, None if found is None else found[0])
        return _form(request, email=email, back=back, wrong=True)
    return await welcome(request, found[0], back)


async def welcome(request: web.Request, who: Officer, back: str) -> web.StreamResponse:
    """The password was right: on to the second proof, or to where they wanted to go."""
    if who.second_proof:
        query = "?" + urlencode({"suite": back}) if back else ""
        response = see_other(request, SECOND + query)
        await ask_second(request, response, who)
        return response
    response = see_other(request, back or "/console")
    await let_in(request, response, who, Proof.PASSWORD)
    return response


async def _note_refusal(hub: Desk, account: str, who: Officer | None) -> None:
    """A line of the audit, the first time in a minute that an account is tried in vain.

    The same for an address nobody has (named nowhere): it must not take longer than the others.
    """
    room = await hub.limiter.has_room("sign-in-note", account, 1)
    if not room or not await hub.limiter.has_room("sign-in-note", "", _MOST_NOTES):
        return
    town = hub.authority if who is None else who.authority
    whom = "console" if who is None else f"officer:{who.id}"
    now = hub.clock.now()
    await hub.ledger.transact(lambda conn: second.note_refusal(conn, town, whom, now), hurry=True)


@seated(unproven=True)
async def sign_out(request: web.Request, seat: Seat) -> web.StreamResponse:
    """End this session."""
    response = see_other(request, SIGN_IN, "signed_out")
    await let_out(request, response)
    return response


def _form(
    request: web.Request, *, email: str = "", back: str = "", wrong: bool = False
) -> web.StreamResponse:
    status = 422 if wrong else 200
    hub = desk(request)
    keys = passkeys.place_of(hub.site.public_url, hub.authority_name) is not None
    shown = {"email": email, "back": back, "wrong": wrong, "keys": keys}
    shown["letters"] = hub.writes_officers
    return show_at_the_door(request, "console/entering/sign_in.html", status=status, **shown)


def show_at_the_door(
    request: web.Request, name: str, *, status: int = 200, **context: Any
) -> web.Response:
    """A page for whoever is not signed in, with the `token` its forms carry."""
    token = cookies.read(request, _DOOR) or secrets.token_urlsafe(24)
    response = show_outside(request, name, status=status, token=token, **context)
    cookies.keep(request, response, _DOOR, token, _DOOR_SECONDS)
    return response


async def at_the_door(request: web.Request) -> Form:
    """The form of somebody who is not signed in yet, sent from the page we showed them: nobody
    signs another person in as somebody else (login CSRF). Raises `ProblemError` 403."""
    form: Form = MultiDict(await read_form(request))  # small: nobody knows yet who sends it
    kept = cookies.read(request, _DOOR) or ""
    given = text_of(form, FIELD)
    if not kept or not hmac.compare_digest(given.encode("utf-8", "replace"), kept.encode()):
        raise ProblemError(
            403,
            "other_session",
            fr="Ce formulaire date d'une autre visite. Rechargez la page, puis recommencez.",
            en="This form is from another visit. Reload the page, then try again.",
        )
    return form


def text_of(form: Form, name: str) -> str:
    """One field of a form; a file is none."""
    given = form.get(name, "")
    return given if isinstance(given, str) else ""


def inside(asked: str) -> str:
    """Where to go on to: a page of the console, never another site."""
    return asked if _INSIDE.fullmatch(asked) else ""
