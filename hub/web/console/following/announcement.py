# SPDX-License-Identifier: EUPL-1.2
"""`/console/annonces/{code}`: where an announcement stands, and what may be done about it."""

from collections.abc import Callable
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.announcement import State
from hub.flow.accept import repeating
from hub.flow.foresight.looking_ahead import texts_of
from hub.flow.foresight.small_numbers import Teller
from hub.flow.staff.roles import Role
from hub.flow.writing import compositions
from hub.flow.writing.compositions import CompositionState
from hub.tariff import prices_of
from hub.web.console.following.drawings import delivery_curve
from hub.web.console.following.reporting import report_of
from hub.web.console.following.stream import stream
from hub.web.console.following.watching import ONE, Sight, chained, context, look, must_see, sight
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.console.writing.checking import publishing_of
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.portal.announcement import is_public
from hub.web.problems import not_found


def routes() -> list[web.RouteDef]:
    """The page, its stream, and what one may do there."""
    return [
        web.get(ONE, show_one),
        web.get(ONE + "/flux", follow, allow_head=False),
        web.post(ONE + "/suspendre", pause),
        web.post(ONE + "/relancer", resume),
        web.get(ONE + "/arreter", show_stop),
        web.post(ONE + "/arreter", stop),
        web.post(ONE + "/ne-plus-repeter", end_repeating),
        web.post(ONE + "/dupliquer", duplicate),
        web.post(ONE + "/corriger", take_up),
    ]


@seated(Role.READ)
async def show_one(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The announcement; what is only being written is opened where it is written."""
    found = await sight(request, seat.officer)
    writing = await _being_written(request, seat, found)
    if writing:
        return see_other(request, writing)
    if found is None:
        raise not_found()
    here = f"/console/annonces/{found.announcement.code}"
    title, language = found.title
    made = await report_of(request, found)
    return show(
        request,
        seat,
        "console/following/announcement.html",
        **context(request, found),
        title=title,
        title_language=language,
        public_url=f"/a/{found.announcement.code}" if is_public(found.announcement) else "",
        messages=_messages(request, found),
        teller=Teller(seat.officer.may(Role.CONTACTS)),
        chain=chained(found),
        report=made,
        drawn=None if made is None else delivery_curve(made.curve, language_of(request)),
        flux="" if found.watched.is_over else f"{here}/flux",
    )


async def _being_written(request: web.Request, seat: Seat, found: Sight | None) -> str:
    """Where it is written, "" for what was asked for already, or is not this officer's."""
    code = request.match_info["code"]
    if found is not None and found.announcement.state is not State.DRAFT:
        return ""
    if not seat.officer.may(Role.WRITE):  # who only approves sent it back, and reads it here
        return ""
    work = await desk(request).ledger.read(lambda conn: compositions.load(conn, code, seat.officer))
    editable = work is not None and work.state is CompositionState.WRITING
    return f"/console/annonces/{code}/rediger" if editable else ""


def _messages(request: web.Request, found: Sight) -> Any:
    """Every text as it leaves, or left."""
    hub = desk(request)
    prices = prices_of(hub.settings)
    return texts_of(found.announcement, found.catalogue, hub.intake.press, prices)


@seated(Role.READ)
async def follow(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The page's live parts, while it goes on."""
    return await stream(request, seat, look(request, seat))


# --------------------------------------------------------------------------- what one may do


@seated(Role.APPROVE)
async def pause(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Keep back what has not left."""
    return await _turn(request, seat, "pause", "paused")


@seated(Role.APPROVE)
async def resume(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Go on."""
    return await _turn(request, seat, "resume", "resumed")


@seated(Role.APPROVE)
async def show_stop(request: web.Request, seat: Seat) -> web.StreamResponse:
    """What stopping would keep back, before anything is."""
    found = await must_see(request, seat)
    title, language = found.title
    told = context(request, found)
    page = "console/following/announcement_stop.html"
    return show(request, seat, page, **told, title=title, title_language=language)


@seated(Role.APPROVE)
async def stop(request: web.Request, seat: Seat) -> web.StreamResponse:
    """End what has not left; it cannot be taken up again."""
    return await _turn(request, seat, "cancel", "stopped")


@seated(Role.APPROVE)
async def end_repeating(request: web.Request, seat: Seat) -> web.StreamResponse:
    """It comes no more; a first time that has not left does not either. Raises as `_turn` does."""
    hub, code = desk(request), request.match_info["code"]
    now, principal = hub.clock.now(), seat.officer.principal(Role.APPROVE)
    await hub.ledger.transact(lambda conn: repeating.stop(conn, code, principal, now), hurry=True)
    hub.engine.changed()
    return see_other(request, f"/console/annonces/{code}", "repeat_stopped")


async def _turn(request: web.Request, seat: Seat, verb: str, flash: str) -> web.StreamResponse:
    """Raises what `Intake` does: 404 for what is not theirs to see, 403 for what is not theirs to
    publish, 409 where its state does not allow it (any more)."""
    await must_see(request, seat)
    code = request.match_info["code"]
    act: Callable[..., Any] = getattr(desk(request).intake, verb)
    await act(code, seat.officer.principal(Role.APPROVE))
    return see_other(request, f"/console/annonces/{code}", flash)


@seated(Role.WRITE)
async def take_up(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Make a draft that another system left one's own, to write on."""
    code = request.match_info["code"]
    await publishing_of(desk(request)).take_up(code, seat.officer)
    return see_other(request, f"/console/annonces/{code}/rediger", "taken_up")


@seated(Role.WRITE)
async def duplicate(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Begin another with the same words, to the same people."""
    hub, code = desk(request), request.match_info["code"]
    found = await sight(request, seat.officer)
    now = hub.clock.now()

    def write(conn: Connection) -> str:
        source = compositions.load(conn, code, seat.officer) if found is None else None
        about = source or (found.announcement if found else None)
        if about is None:
            raise not_found()
        return compositions.duplicate(conn, seat.officer, about, now).code

    made = await hub.ledger.transact(write, hurry=True)
    return see_other(request, f"/console/annonces/{made}/rediger", "duplicated")
