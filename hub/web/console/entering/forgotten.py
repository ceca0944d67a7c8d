# SPDX-License-Identifier: EUPL-1.2
"""`/console/connexion/oubli`: a link to choose another password, to whoever has an account.

The answer is the same for every address, after the same work.
"""

from typing import Final

from aiohttp import web

from hub.flow.staff import officers
from hub.flow.staff.letters import MOST_RESETS, ask_password
from hub.web.console.entering.sign_in import at_the_door, show_at_the_door, text_of
from hub.web.console.guard import SIGN_IN
from hub.web.console.showing import see_other
from hub.web.desk import Desk, desk
from hub.web.problems import not_found
from hub.web.strangers import origin_of

PATH: Final = f"{SIGN_IN}/oubli"
MOST_ASKED: Final = 5
"""Requests a minute from one block of addresses."""
_HOUR: Final = 60  # minutes
_MOST_NOTES: Final = 60  # lines a minute of the journal, whoever asks


def routes() -> list[web.RouteDef]:
    """The form, and what it asks."""
    return [web.get(PATH, show_form), web.post(PATH, ask)]


async def show_form(request: web.Request) -> web.StreamResponse:
    """The form, for anybody; none where the hub sends no e-mail."""
    _must_write_letters(request)
    return _form(request)


def _must_write_letters(request: web.Request) -> None:
    if not desk(request).writes_officers:
        raise not_found()


def _form(request: web.Request, email: str = "", *, wrong: bool = False) -> web.StreamResponse:
    status = 422 if wrong else 200
    shown = {"email": email, "wrong": wrong}
    return show_at_the_door(request, "console/entering/forgotten.html", status=status, **shown)


async def ask(request: web.Request) -> web.StreamResponse:
    """Send the link, if somebody signs in under this address, and say the same to everybody."""
    _must_write_letters(request)
    hub, form = desk(request), await at_the_door(request)
    await hub.limiter.admit("forgotten", origin_of(request), MOST_ASKED)
    email = text_of(form, "email").strip()[:254]
    if "@" not in email.strip("@"):
        return _form(request, email, wrong=True)
    if await _has_room(hub, officers.normal(email)):
        proofs, town, now = hub.intake.press.proofs, hub.authority, hub.clock.now()
        assert proofs is not None
        await hub.ledger.transact(
            lambda conn: ask_password(conn, email, proofs, town, now), hurry=True
        )
    return see_other(request, SIGN_IN, "password_asked")


async def _has_room(hub: Desk, account: str) -> bool:
    """Counted by what was typed, so that an account nobody has runs out of room as any other."""
    theirs = await hub.limiter.has_room("forgotten-as", account, MOST_RESETS, minutes=_HOUR)
    return theirs and await hub.limiter.has_room("forgotten-note", "", _MOST_NOTES)
