# SPDX-License-Identifier: EUPL-1.2
"""A citizen's visit to their own pages, as the doors see it: opened, shown, checked, closed."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from hub.web import cookies
from hub.web.desk import desk
from hub.web.problems import ProblemError
from subscribers import directory, sessions

COOKIE: Final = "visit"
FIELD: Final = "csrf"
"""The hidden field by which a form shows that it is of this visit."""
_WORTH_WRITING: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Visit:
    """An open visit: whose, the token its forms carry, when it ends unless it is used.

    `undo` is what the person may take back (`hub.flow.citizens.undoing`), or None.
    """

    person: int
    csrf: str
    expires: datetime
    token: str = field(repr=False)
    undo: dict[str, Any] | None = None


async def open_visit(request: web.Request, response: web.StreamResponse, person: int) -> None:
    """Open a visit in this browser, in the place of one it had. Raises `LedgerFullError`, and
    `sqlalchemy.exc.IntegrityError` for nobody."""
    hub, now = desk(request), desk(request).clock.now()
    former = cookies.read(request, COOKIE)

    def write(conn: Connection) -> str:
        if former is not None:
            sessions.close(conn, former)
        return sessions.open_for(conn, person, now)

    token = await hub.ledger.transact(write, hurry=True)
    cookies.keep(request, response, COOKIE, token, int(sessions.LONGEST.total_seconds()))


async def visitor(request: web.Request) -> Visit | None:
    """Who is visiting, None for nobody: no cookie, over, erased since, or of another town.

    Using a visit renews it; once a minute is enough, and nothing of the citizen's is changed.
    """
    hub, now = desk(request), desk(request).clock.now()
    token = cookies.read(request, COOKIE)
    if token is None:
        return None

    def read(conn: Connection) -> sessions.Session | None:
        found = sessions.find(conn, token, now)
        who = None if found is None else directory.load(conn, found.person)
        return found if who is not None and who.authority == hub.authority else None

    found = await hub.ledger.read(read)
    if found is None:
        return None
    expires = found.expires
    if expires - now < sessions.IDLE - _WORTH_WRITING:
        renewed = await hub.ledger.transact(
            lambda conn: sessions.renew(conn, token, now), hurry=True
        )
        expires = renewed or expires
    return Visit(found.person, _csrf(token), expires, token, found.undo)


def check(form: dict[str, str], visit: Visit) -> None:
    """Raises `ProblemError` 403 where the form is not one we showed in this visit."""
    given = form.get(FIELD, "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), visit.csrf.encode("ascii")):
        raise ProblemError(
            403,
            "other_visit",
            fr="Ce formulaire date d'une autre visite. Rechargez la page, puis recommencez.",
            en="This form is from another visit. Reload the page, then try again.",
        )


async def close_visit(request: web.Request, response: web.StreamResponse) -> None:
    """End the visit of this browser, if it has one."""
    token = cookies.read(request, COOKIE)
    if token is not None:
        await desk(request).ledger.transact(lambda conn: sessions.close(conn, token), hurry=True)
    cookies.drop(request, response, COOKIE)


def _csrf(token: str) -> str:
    return hmac.digest(token.encode("utf-8", "replace"), b"csrf", "sha256").hex()[:32]
