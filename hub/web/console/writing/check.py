# SPDX-License-Identifier: EUPL-1.2
"""`/console/annonces/{code}/verifier`: read once more exactly what would leave, then ask for
approval, send, or decide (UX.md 7.2); and what is published is taken back while it waits."""

import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from channels.base import Urgency
from hub.announcement import State, UnlawfulMoveError
from hub.flow.accept.problems import ForbiddenError, RefusedError
from hub.flow.foresight.small_numbers import Teller
from hub.flow.staff.roles import Role
from hub.flow.writing.compositions import EditedMeanwhileError
from hub.flow.writing.four_eyes import OwnAnnouncementError
from hub.flow.writing.publishing import ChangedMeanwhileError, OverBudgetError
from hub.flow.writing.reading import faults
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.console.writing import checking
from hub.web.console.writing.checking import Checked, Mode, checked, publishing_of
from hub.web.console.writing.trial import sends_trials
from hub.web.desk import desk
from hub.web.language import language_of

HERE: Final = r"/console/annonces/{code:[A-Za-z0-9]{1,12}}"
DECISIONS: Final = ("approve", "return", "take_up", "reject")
_DIGITS: Final = re.compile(r"[^\d]")


def routes() -> list[web.RouteDef]:
    """The page, its form, and taking back."""
    return [
        web.get(HERE + "/verifier", show_page),
        web.post(HERE + "/verifier", take),
        web.post(HERE + "/reprendre", undo),
    ]


@seated(Role.READ)
async def show_page(request: web.Request, seat: Seat) -> web.StreamResponse:
    """What would leave. What was decided already is told by its own page."""
    found = await checked(request, seat)
    if found is None:
        return see_other(request, _announcement(request))
    return _page(request, seat, found)


@seated(Role.WRITE, Role.APPROVE, keeps=True)
async def take(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Ask, send, decide or take the request back; whatever is wrong is shown on the same page."""
    found = await checked(request, seat)
    if found is None:
        return _decided(request)
    wrong = _wrong(request, seat, found)
    if wrong:
        status = 409 if wrong.keys() & {"people_moved", "changed"} else 422
        return _page(request, seat, found, wrong, status)
    try:
        return see_other(request, *await _act(request, seat, found))
    except UnlawfulMoveError:
        return _decided(request)
    except (ChangedMeanwhileError, EditedMeanwhileError, OverBudgetError) as met:
        return await _once_more(request, seat, met)
    except (OwnAnnouncementError, RefusedError) as refused:
        return _page(request, seat, found, *_said(refused, language_of(request)))


async def _once_more(request: web.Request, seat: Seat, met: Exception) -> web.StreamResponse:
    """The page as it is now: somebody changed the text, or took from the month's money."""
    now = await checked(request, seat)
    if now is None:
        return _decided(request)
    if isinstance(met, OverBudgetError):
        return _page(request, seat, now, {"budget": True}, 422)
    return _page(request, seat, now, _CHANGED, 409)


def _decided(request: web.Request) -> web.Response:
    return see_other(request, _announcement(request), "decided_already")


_CHANGED: Final = {"changed": True}


def _said(
    refused: OwnAnnouncementError | RefusedError, language: str
) -> tuple[dict[str, Any], int]:
    """What is wrong, and the status that says so."""
    if isinstance(refused, OwnAnnouncementError):
        return {"own": list(refused.others)}, 403
    status = 403 if isinstance(refused, ForbiddenError) else 422
    return dict(faults(refused.problems, language)), status


async def _act(request: web.Request, seat: Seat, found: Checked) -> tuple[str, str]:
    """Everything was asked; do it. Where to go on, and what is said there."""
    publishing, officer = publishing_of(desk(request)), seat.officer
    code, here, why = found.announcement.code, _announcement(request), seat.text("reason")
    version = None if found.composition is None else found.composition.version
    done = here, ""
    match _wish(seat, found):
        case "ask":
            await publishing.submit(code, officer, version=version)
            done = f"{here}/verifier", "asked"
        case "send":
            cost = checking.sms_cost(found)
            sent = await publishing.submit(code, officer, version=version, alone=True, cost=cost)
            done = here, _flash(sent.state)
        case "approve":
            cost, read = checking.sms_cost(found), seat.text("digest")
            sent = await publishing.approve(code, officer, digest=read, cost=cost)
            done = here, _flash(sent.state)
        case "return":
            await publishing.return_(code, officer, why)
            done = here, "returned"
        case "reject":
            await publishing.reject(code, officer, why)
            done = here, "rejected"
        case "take_up":
            await publishing.take_up(code, officer)
            done = f"{here}/rediger", "taken_up"
        case "withdraw":
            await publishing.withdraw(code, officer)
            done = f"{here}/rediger", "withdrawn"
    return done


def _wish(seat: Seat, found: Checked) -> str:
    """What the form asks for, of what it offers this officer or refuses them in words."""
    do = seat.text("do")
    if found.mode is Mode.WRITING:
        return "send" if do == "send" and found.alone else "ask"
    return "withdraw" if do == "withdraw" else seat.text("decision")


def _flash(state: State) -> str:
    return {State.WAITING: "waiting", State.SCHEDULED: "planned"}.get(state, "sent")


@seated(Role.WRITE, Role.APPROVE)
async def undo(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Take back what has not left; once it has, it is said that it is too late."""
    code, here = request.match_info["code"], _announcement(request)
    try:
        await publishing_of(desk(request)).undo(code, seat.officer)
    except UnlawfulMoveError:
        return see_other(request, here, "too_late")
    return see_other(request, here, "undone")


def _announcement(request: web.Request) -> str:
    return f"/console/annonces/{request.match_info['code']}"


# --------------------------------------------------------------------------- what is asked


def _wrong(request: web.Request, seat: Seat, found: Checked) -> dict[str, Any]:
    """What keeps the form from being taken, by field."""
    wish, language = _wish(seat, found), language_of(request)
    text = _SAID[language == "fr"]
    wrong: dict[str, Any] = {}
    if found.problems:
        wrong |= faults(found.problems, language)
    elif wish not in ("ask", "send", "withdraw", *DECISIONS):
        wrong["decision"] = text["decision"]
    elif wish in ("return", "reject") and not seat.text("reason").strip():
        wrong["reason"] = text["reason"]
    elif wish in ("ask", "send", "approve"):
        wrong = _not_as_shown(seat, found) or _unconfirmed(request, seat, found, wish)
    return wrong


def _not_as_shown(seat: Seat, found: Checked) -> dict[str, Any]:
    if seat.text("digest") != checking.digest(found):
        return _CHANGED
    shown = seat.text("people")
    return {"people_moved": shown} if checking.moved(found, shown) else {}


def _unconfirmed(request: web.Request, seat: Seat, found: Checked, wish: str) -> dict[str, Any]:
    hub, text, wrong = desk(request), _SAID[language_of(request) == "fr"], dict[str, Any]()
    if found.misses and not seat.text("acknowledged"):
        wrong["acknowledged"] = text["acknowledged"]
    if checking.over_budget(found) and found.announcement.urgency is not Urgency.URGENT:
        wrong["budget"] = True
    if wish != "ask" and checking.must_type(found, hub) and not _is_typed(seat, found):
        wrong["typed"] = text["typed"]
    return wrong


def _is_typed(seat: Seat, found: Checked) -> bool:
    """Whether the number was copied: the one that was shown, though a few more subscribed since."""
    typed, shown = _DIGITS.sub("", seat.text("typed")), seat.text("people")
    copied = typed == shown and not checking.moved(found, shown)
    return copied or typed == str(found.people)


_SAID: Final = {
    True: {
        "decision": "Choisissez ce que vous décidez.",
        "reason": "Écrivez pourquoi, en une phrase.",
        "acknowledged": "Cochez la case : le message ne dit pas tout ce qu'il faut pour agir.",
        "typed": "Ce n'est pas le nombre de personnes affiché. Recopiez-le, en chiffres.",
    },
    False: {
        "decision": "Choose what you decide.",
        "reason": "Say why, in one sentence.",
        "acknowledged": "Tick the box: the message does not say all that is needed to act.",
        "typed": "This is not the number of people shown. Copy it, in digits.",
    },
}


# --------------------------------------------------------------------------- the page


def _page(
    request: web.Request,
    seat: Seat,
    found: Checked,
    wrong: Mapping[str, Any] | None = None,
    status: int = 200,
) -> web.StreamResponse:
    hub, language = desk(request), language_of(request)
    teller = Teller(seat.officer.may(Role.CONTACTS))
    given = dict(wrong or faults(found.problems, language))
    special = {name: given.pop(name, None) for name in ("own", "changed", "people_moved", "budget")}
    names = {zone.key: zone.name(language) for zone in found.catalogue.zones.values()}
    themes = found.catalogue.themes_by_key
    urgent = found.announcement.urgency is Urgency.URGENT
    return show(
        request,
        seat,
        "console/writing/check.html",
        status=status,
        found=found,
        errors=given,
        here=_announcement(request),
        teller=teller,
        zone_names=names,
        theme_names=[themes[key].name(language) for key in found.announcement.themes],
        people=checking.shown_people(found, teller),
        digest=checking.digest(found),
        typing=checking.must_type(found, hub),
        over=checking.over_budget(found),
        reserve=checking.in_reserve(hub, seat),
        differences=checking.differences(found),
        page_url=f"{hub.site.public_url}{_announcement(request)}/verifier",
        decisions=_decisions(seat, found),
        now=hub.clock.now(),
        training=hub.sandbox,
        trials=sends_trials(hub),
        undo_seconds=0 if urgent else hub.settings.console.undo_seconds,
        given={name: seat.text(name) for name in ("decision", "reason", "typed", "acknowledged")},
        **special,
    )


def _decisions(seat: Seat, found: Checked) -> tuple[str, ...]:
    """What nobody here wrote is taken up by whoever corrects it; the rest goes back."""
    left_out = {"take_up"} if found.composition is not None else {"return"}
    if not seat.officer.may(Role.WRITE):
        left_out.add("take_up")
    return tuple(each for each in DECISIONS if each not in left_out)
