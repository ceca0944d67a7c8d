# SPDX-License-Identifier: EUPL-1.2
"""`/console/annonces/{code}/test`: the e-mail of an announcement, as it would leave, to the officer
themselves (UX.md 7.2). Marked as a test; its personal links open nothing."""

from itertools import islice
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from channels.base import ChannelName, Rendered
from hub.flow.staff.letters import ask_trial
from hub.flow.staff.roles import Role
from hub.flow.writing.standing import Ground, as_it_stands
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other
from hub.web.desk import Desk, desk
from hub.web.problems import not_found

MOST_TRIALS: Final = 5
"""Tests a minute, to one officer."""
_MOST_LANGUAGES: Final = 4


def routes() -> list[web.RouteDef]:
    """The one button."""
    return [web.post("/console/annonces/{code:[A-Za-z0-9]{1,12}}/test", take)]


@seated(Role.WRITE, Role.APPROVE)
async def take(request: web.Request, seat: Seat) -> web.StreamResponse:
    """From the check page, and back to it."""
    code = request.match_info["code"]
    return await send_trial(request, seat, code, f"/console/annonces/{code}/verifier")


async def send_trial(request: web.Request, seat: Seat, code: str, back: str) -> web.StreamResponse:
    """Put the test on its way, in each language it is written in. Raises `ProblemError` 404 for
    what is not theirs to see, or where no e-mail leaves."""
    hub, officer = desk(request), seat.officer
    if not sends_trials(hub):
        raise not_found()
    if not await hub.limiter.has_room("trial", f"officer:{officer.id}", MOST_TRIALS):
        return see_other(request, back, "trial_wait")
    languages = await hub.ledger.read(lambda conn: _languages(conn, hub, seat, code))
    if not languages:
        return see_other(request, back, "trial_none")
    now = hub.clock.now()
    await hub.ledger.transact(
        lambda conn: ask_trial(conn, officer, code, languages, now), hurry=True
    )
    return see_other(request, back, "trial_asked")


def sends_trials(hub: Desk) -> bool:
    """Whether an e-mail leaves at all."""
    return ChannelName.EMAIL in hub.intake.channels


def _languages(conn: Connection, hub: Desk, seat: Seat, code: str) -> list[str]:
    """Those in which it can be printed as it stands."""
    ground = Ground(hub.intake.channels, hub.clock.now())
    found = as_it_stands(conn, code, seat.officer, ground)
    if found is None:
        raise not_found()
    announcement, catalogue = found
    press = hub.intake.press
    return [
        each
        for each in islice(announcement.contents, _MOST_LANGUAGES)
        if isinstance(press.print(announcement, catalogue, ChannelName.EMAIL, each), Rendered)
    ]
