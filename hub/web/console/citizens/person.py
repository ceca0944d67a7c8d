# SPDX-License-Identifier: EUPL-1.2
"""`/console/abonnes/{person}`: what one citizen chose and was sent, addresses masked.

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
from hub.web.references import SHAPE, Kind
from templates.pages.wording import channel_name, reason_sentence, state_label, translations

PATH: Final = "/console/abonnes"
_SEVERAL: Final = f"{PATH}/{{people:{SHAPE}(?:-{SHAPE}){{0,19}}}}"
_ONE: Final = f"{PATH}/{{person:{SHAPE}}}"
_INVALID: Final = 422


def routes() -> list[web.RouteDef]:
    """One person, or the few who share an address; opening a page; stopping for them."""
    return [
        web.get(_SEVERAL, show_person),
        web.post(_ONE + "/ouvrir", open_person),
        web.post(_ONE + "/arreter", stop),
    ]


def page_of(seat: Seat, references: Sequence[str]) -> str:
    """The address of their page for this session."""
    people = "-".join(references)
    return f"{PATH}/{people}?cle={_key(seat, people)}"


def _key(seat: Seat, people: str) -> str:
    return hmac.digest(seat.csrf.encode(), f"person:{people}".encode(), "sha256").hex()[:24]


def _opened(seat: Seat, people: str, given: str) -> bool:
    return hmac.compare_digest(_key(seat, people).encode(), given.encode("utf-8", "replace"))


@seated(Role.CONTACTS)
async def show_person(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Their page; without its key, the one button that opens it."""
    people = request.match_info["people"]
    if not _opened(seat, people, request.query.get("cle", "")):
        return await _closed(request, seat, people)
    if "-" in people:
        several = [(each, page_of(seat, [each])) for each in people.split("-")]
        return show(request, seat, "console/citizens/several.html", several=several)
    return await _page(request, seat, people, {})


async def _closed(request: web.Request, seat: Seat, person: str) -> web.Response:
    number = _number(request, person)
    if not await desk(request).ledger.read(lambda conn: is_theirs(conn, seat.officer, number)):
        raise not_found()
    return show(request, seat, "console/citizens/person_closed.html", person=person)


def _number(request: web.Request, person: str) -> int:
    return desk(request).references.number(Kind.PERSON, person)


@seated(Role.CONTACTS)
async def open_person(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Written down, then shown."""
    person = request.match_info["person"]
    if not await _attending(request).look(seat.officer, _number(request, person)):
        raise not_found()
    return see_other(request, page_of(seat, [person]))


@seated(Role.CONTACTS)
async def stop(request: web.Request, seat: Seat) -> web.StreamResponse:
    """End everything, or one channel, for somebody who asked; why is a choice of a few."""
    person, why, what = request.match_info["person"], seat.text("why"), seat.text("what")
    if not _opened(seat, person, seat.text("cle")):
        raise not_found()
    errors = {} if why in tuple(Why) else {"why": "missing"}
    if what != "all" and what not in tuple(ChannelName):
        errors = {"what": "missing", **errors}
    if errors:
        return await _page(request, seat, person, errors)
    channel = None if what == "all" else ChannelName(what)
    if not await _attending(request).stop(
        seat.officer, _number(request, person), channel, Why(why)
    ):
        raise not_found()
    return see_other(request, page_of(seat, [person]), "stopped_for_them")


def _attending(request: web.Request) -> Attending:
    hub = desk(request)
    return Attending(hub.ledger, hub.engine.wishes, hub.clock)


async def _page(
    request: web.Request, seat: Seat, person: str, errors: dict[str, str]
) -> web.Response:
    hub, language = desk(request), language_of(request)
    has, sent = await _read(hub, seat, _number(request, person), language)
    told = mine.shown(hub, has, language)
    return show(
        request,
        seat,
        "console/citizens/person.html",
        status=_INVALID if errors else 200,
        person=person,
        key=_key(seat, person),
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
