# SPDX-License-Identifier: EUPL-1.2
"""`/console/abonnes/{number}`: what one citizen chose and was sent, addresses masked.

It opens with a key of this session, which a search gives, or a form that is written down: nobody
leafs through people by number unseen.
"""

import hmac
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from channels.base import ChannelName
from hub.flow.citizens.preferring import Chosen, chosen
from hub.flow.office.attending import Attending, Why, is_theirs
from hub.flow.staff.roles import Role
from hub.reports.history import History, Sent, history
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.console.titles import title_of
from hub.web.desk import Desk, desk
from hub.web.language import language_of
from hub.web.portal import mine
from hub.web.problems import not_found
from templates.pages.wording import channel_name, reason_sentence, state_label, translations

PATH: Final = "/console/abonnes"
_NUMBERS: Final = PATH + "/{numbers:[0-9]{1,15}(?:-[0-9]{1,15}){0,19}}"
_ONE: Final = PATH + "/{number:[0-9]{1,15}}"
_INVALID: Final = 422


def routes() -> list[web.RouteDef]:
    """One person, or the few who share an address; opening a page; stopping for them."""
    return [
        web.get(_NUMBERS, show_person),
        web.post(_ONE + "/ouvrir", open_person),
        web.post(_ONE + "/arreter", stop),
    ]


def page_of(seat: Seat, people: Sequence[int]) -> str:
    """The address of their page for this session."""
    numbers = "-".join(str(each) for each in people)
    return f"{PATH}/{numbers}?cle={_key(seat, numbers)}"


def _key(seat: Seat, numbers: str) -> str:
    return hmac.digest(seat.csrf.encode(), f"person:{numbers}".encode(), "sha256").hex()[:24]


def _opened(seat: Seat, numbers: str, given: str) -> bool:
    return hmac.compare_digest(_key(seat, numbers).encode(), given.encode("utf-8", "replace"))


@seated(Role.CONTACTS)
async def show_person(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Their page; without its key, the one button that opens it."""
    numbers = request.match_info["numbers"]
    people = [int(each) for each in numbers.split("-")]
    if not _opened(seat, numbers, request.query.get("cle", "")):
        return await _closed(request, seat, people)
    if len(people) > 1:
        several = [page_of(seat, [each]) for each in people]
        return show(request, seat, "console/citizens/several.html", several=several)
    return await _page(request, seat, people[0], {})


async def _closed(request: web.Request, seat: Seat, people: Sequence[int]) -> web.Response:
    theirs = await desk(request).ledger.read(
        lambda conn: len(people) == 1 and is_theirs(conn, seat.officer, people[0])
    )
    if not theirs:
        raise not_found()
    return show(request, seat, "console/citizens/person_closed.html", number=people[0])


@seated(Role.CONTACTS)
async def open_person(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Written down, then shown."""
    number = int(request.match_info["number"])
    if not await _attending(request).look(seat.officer, number):
        raise not_found()
    return see_other(request, page_of(seat, [number]))


@seated(Role.CONTACTS)
async def stop(request: web.Request, seat: Seat) -> web.StreamResponse:
    """End everything, or one channel, for somebody who asked; why is a choice of a few."""
    number, why, what = int(request.match_info["number"]), seat.text("why"), seat.text("what")
    if not _opened(seat, str(number), seat.text("cle")):
        raise not_found()
    errors = {} if why in tuple(Why) else {"why": "missing"}
    if what != "all" and what not in tuple(ChannelName):
        errors = {"what": "missing", **errors}
    if errors:
        return await _page(request, seat, number, errors)
    channel = None if what == "all" else ChannelName(what)
    if not await _attending(request).stop(seat.officer, number, channel, Why(why)):
        raise not_found()
    return see_other(request, page_of(seat, [number]), "stopped_for_them")


def _attending(request: web.Request) -> Attending:
    hub = desk(request)
    return Attending(hub.ledger, hub.engine.wishes, hub.clock)


async def _page(
    request: web.Request, seat: Seat, number: int, errors: dict[str, str]
) -> web.Response:
    hub, language = desk(request), language_of(request)
    has, sent = await _read(hub, seat, number, language)
    told = mine.shown(has, language, hub.clock.now())
    return show(
        request,
        seat,
        "console/citizens/person.html",
        status=_INVALID if errors else 200,
        number=number,
        key=_key(seat, str(number)),
        told=told,
        created=has.person.created,
        consent=has.consent,
        channels=tuple(dict.fromkeys(str(channel) for _, channel, _ in has.rows)),
        devices=sum(each.channel == ChannelName.WEBPUSH for each in has.contacts),
        sent=[_line(each, language) for each in sent.sent],
        total=sent.total,
        faults=errors,
        values={name: seat.text(name) for name in ("why", "what")},
        whys=tuple(Why),
    )


async def _read(hub: Desk, seat: Seat, number: int, language: str) -> tuple[Chosen, History]:
    """Raises `ProblemError` 404 for nobody of this town."""
    now = hub.clock.now()

    def read(conn: Connection) -> tuple[Chosen, History] | None:
        has = chosen(conn, number) if is_theirs(conn, seat.officer, number) else None
        return None if has is None else (has, history(conn, number, language, now))

    found = await hub.ledger.read(read)
    if found is None:
        raise not_found()
    return found


def _line(sent: Sent, language: str) -> dict[str, Any]:
    kind = f"note.{sent.note}" if sent.note else "note.digest"
    return {
        "at": sent.at,
        "channel": channel_name(sent.channel, language),
        "title": title_of({language: sent.title}, language).words
        or translations(language).gettext(kind),
        "code": sent.code,
        "state": state_label(sent.state, language),
        "why": reason_sentence(sent.reason, language) if sent.reason else "",
    }
