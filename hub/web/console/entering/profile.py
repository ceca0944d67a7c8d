# SPDX-License-Identifier: EUPL-1.2
"""`/console/profil`: an officer's own account: language, password, sessions, what they may do."""

from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.staff import officers, passkeys, passwords, second, sessions
from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import BY_THEME, Role
from hub.web import language
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import Desk, desk
from subscribers.catalogue import Catalogue, load_catalogue

HOME: Final = "/console/profil"
PASSWORD: Final = f"{HOME}/mot-de-passe"
MOST_TRIES: Final = 10
"""Times a minute that the password may be asked for again."""


def routes() -> list[web.RouteDef]:
    """The page, and its forms."""
    return [
        web.get(HOME, show_account),
        web.post(f"{HOME}/langue", choose_language),
        web.post(f"{HOME}/sessions", end_others),
        web.get(PASSWORD, show_password),
        web.post(PASSWORD, change_password),
    ]


@seated()
async def show_account(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Who they are, what they may do, how they come in."""
    hub, who = desk(request), seat.officer
    now, spoken = hub.clock.now(), language.language_of(request)

    def read(conn: Connection) -> dict[str, Any]:
        catalogue = load_catalogue(conn, who.authority)
        return {
            "roles": in_words(who, catalogue, spoken),
            "others": len(sessions.open_ones(conn, who.id, now)) - 1,
            "codes_left": second.codes_left(conn, who),
            "keys": passkeys.of_officer(conn, who.id),
        }

    place = passkeys.place_of(hub.site.public_url, seat.authority.name)
    found = await hub.ledger.read(read)
    return show(request, seat, "console/entering/profile.html", place=place is not None, **found)


def in_words(who: Officer, catalogue: Catalogue, spoken: str) -> list[tuple[str, list[str] | None]]:
    """Each role with the names of its themes; None for all of them, or where it knows no themes."""
    names = catalogue.themes_by_key
    found: list[tuple[str, list[str] | None]] = []
    for role in Role:
        if role not in who.grants:
            continue
        themes = who.grants[role] if role in BY_THEME else None
        named = None if themes is None else [names[k].name(spoken) for k in themes if k in names]
        found.append((role.value, named))
    return found


@seated()
async def choose_language(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The language of the console's pages and of its letters."""
    hub, chosen = desk(request), seat.text("language")
    response = see_other(request, HOME, "language_kept")
    if chosen in ("fr", "en"):
        now = hub.clock.now()
        await hub.ledger.transact(
            lambda conn: officers.change(
                *(conn, seat.officer, {"language": chosen}),
                verb="language",
                actor=f"officer:{seat.officer.id}",
                now=now,
            ),
            hurry=True,
        )
        language.keep(request, response, chosen)
    return response


@seated(unproven=True)
async def end_others(request: web.Request, seat: Seat) -> web.StreamResponse:
    """End every session of theirs but this one: a computer that was left signed in."""
    hub, who = desk(request), seat.officer
    token = seat.session.token
    await hub.ledger.transact(lambda conn: sessions.end_others(conn, who.id, token), hurry=True)
    return see_other(request, HOME, "others_ended")


# --------------------------------------------------------------------------- the password


@seated()
async def show_password(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The box for the old and the new one."""
    return _password(request, seat, {})


@seated()
async def change_password(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Another password: the old one is asked for, and every other session ends."""
    hub, who = desk(request), seat.officer
    wrong: dict[str, str] = {}
    if not await knows_password(hub, who, seat.text("current")):
        wrong["current"] = "wrong"
    fault = passwords.fault(seat.text("password"), who.name, who.email)
    if fault is not None:
        wrong["password"] = fault
    if wrong:
        return _password(request, seat, wrong)
    kept, now = await officers.hashed(seat.text("password")), hub.clock.now()

    def write(conn: Connection) -> None:
        changed = {"password_hash": kept}
        actor = f"officer:{who.id}"
        officers.change(conn, who, changed, verb="change_password", actor=actor, now=now)
        sessions.end_others(conn, who.id, seat.session.token)

    await hub.ledger.transact(write, hurry=True)
    return see_other(request, HOME, "password_changed")


async def knows_password(hub: Desk, who: Officer, given: str) -> bool:
    """Whether this is the password of whoever sits here. Few tries a minute: raises
    `ProblemError` 429."""
    await hub.limiter.admit("password", f"officer:{who.id}", MOST_TRIES)
    kept = await hub.ledger.read(lambda conn: officers.password_of(conn, who))
    return await officers.verifies(kept, given)


def _password(request: web.Request, seat: Seat, wrong: dict[str, str]) -> web.Response:
    status = 422 if wrong else 200
    return show(request, seat, "console/entering/password.html", status=status, wrong=wrong)
