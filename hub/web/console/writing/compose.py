# SPDX-License-Identifier: EUPL-1.2
"""`/console/annonces/{code}/rediger`: the page an announcement is written on (UX.md 7.2)."""

from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.accept.problems import Problem, RefusedError
from hub.flow.staff.roles import Role
from hub.flow.writing import compositions, fields
from hub.flow.writing.compositions import (
    Composition,
    CompositionState,
    EditedMeanwhileError,
    NotEditableError,
)
from hub.flow.writing.fields import Document, text
from hub.flow.writing.reading import built, faults, to_submission
from hub.web.console.guard import HEADER, Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.console.writing.drafts import CODE, around_the_form, beside, composition_of, draft_of
from hub.web.console.writing.trial import send_trial
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.problems import ProblemError
from subscribers.catalogue import load_catalogue
from templates.pages import moments

_PAGE: Final = f"/console/annonces/{CODE}/rediger"


def routes() -> list[web.RouteDef]:
    """Write, save, throw away."""
    drop = f"/console/annonces/{CODE}/supprimer"
    return [
        web.get(_PAGE, show_page),
        web.post(_PAGE, take),
        web.get(drop, ask_to_drop),
        web.post(drop, drop_it),
    ]


@seated(Role.WRITE)
async def show_page(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The form as it was saved, with what it would become."""
    composition = await composition_of(request, seat)
    if not composition.editable:
        return see_other(request, f"/console/annonces/{composition.code}")
    return await page(request, seat, composition)


@seated(Role.WRITE, keeps=True)
async def take(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Save; then what the button says. A script that saves by itself is answered in JSON."""
    composition = await composition_of(request, seat, dropped=True)
    by_itself = HEADER in request.headers
    try:
        saved = await keep(request, seat, composition)
    except EditedMeanwhileError as met:
        if by_itself:
            return web.json_response({"edited": True}, status=409)
        return await conflict(request, seat, met.current)
    except NotEditableError as met:
        if by_itself:
            return web.json_response({"closed": True}, status=409)
        return await _in_another(request, seat, met.current)
    if by_itself:
        return web.json_response({"version": saved.version, "saved": _hour(request, seat, saved)})
    return await _onwards(request, seat, saved)


async def _in_another(request: web.Request, seat: Seat, closed: Composition) -> web.StreamResponse:
    """Somebody handed it in or threw it away while it was written in: a text that says something
    else goes on in a new draft. The files stay with the one they were joined to."""
    hub, now = desk(request), desk(request).clock.now()
    document = gathered(seat, closed)
    if closed.state is CompositionState.SUBMITTED and document == closed.document:
        return see_other(request, f"/console/annonces/{closed.code}", "not_editable")
    document.pop("pieces", None)
    found = await hub.ledger.transact(
        lambda conn: compositions.begin(conn, seat.officer, document, now), hurry=True
    )
    return see_other(request, f"/console/annonces/{found.code}/rediger", "in_another")


async def _onwards(request: web.Request, seat: Seat, saved: Composition) -> web.StreamResponse:
    here = f"/console/annonces/{saved.code}"
    if seat.text("do") == "test":
        return await send_trial(request, seat, saved.code, f"{here}/rediger")
    if seat.text("do") != "check":
        return see_other(request, f"{here}/rediger", "saved")
    wrong = await problems(request, seat, saved.document)
    if wrong:
        errors = faults(wrong, language_of(request))
        return await page(request, seat, saved, errors=errors, status=422)
    return see_other(request, f"{here}/verifier")


async def keep(request: web.Request, seat: Seat, composition: Composition) -> Composition:
    """What the form sent, saved. Raises `EditedMeanwhileError`, `NotEditableError`."""
    hub, now = desk(request), desk(request).clock.now()
    document = gathered(seat, composition)
    version = version_of(seat)

    def write(conn: Connection) -> Composition:
        return compositions.save(
            conn, composition, document, seat.officer, version=version, now=now
        )

    return await hub.ledger.transact(write, hurry=True)


def gathered(seat: Seat, composition: Composition) -> dict[str, Any]:
    """The document that the form holds, in the shape its buttons ask for."""
    pairs = [(name, value) for name, value in seat.form.items() if isinstance(value, str)]
    found = fields.gathered(pairs, composition.document)
    asked, shape = seat.text("do"), text(found, "shape")
    untouched = not (text(found, "title") or text(found, "body"))
    first = not text(found, "kind")
    urgent_and_blank = text(found, "level") == "urgent" and untouched and first
    if shape != "six" and (asked == "six" or urgent_and_blank):
        words = {"six_what": text(found, "title"), "six_do": text(found, "body")}
        found |= {"shape": "six", "six_source": seat.authority.name, **words}
    elif shape == "six" and asked == "free":
        title, body = built(found, seat.authority.name)
        found |= {"shape": "free", "title": title, "body": body}
    return found


def version_of(seat: Seat) -> int:
    """The version the page was showing; none there is where the form does not say."""
    given = seat.text("version")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else -1


async def problems(request: web.Request, seat: Seat, document: Document) -> list[Problem]:
    """All that keeps it from being asked for."""
    hub = desk(request)
    catalogue = await hub.ledger.read(lambda conn: load_catalogue(conn, seat.authority.id))
    try:
        asked = to_submission(document, catalogue, hub.clock.now())
        await hub.intake.check(asked, seat.officer.principal(Role.WRITE))
    except RefusedError as refused:
        return refused.problems
    return []


async def page(
    request: web.Request,
    seat: Seat,
    composition: Composition,
    *,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> web.StreamResponse:
    """The whole page."""
    draft = await draft_of(request, seat, composition)
    return show(
        request,
        seat,
        "console/writing/compose.html",
        status=status,
        errors=errors or {},
        saved=_hour(request, seat, composition),
        **around_the_form(request, seat, draft),
        **beside(request, seat, draft, seat.text("tab") or request.query.get("apercu", "")),
    )


def _hour(request: web.Request, seat: Seat, composition: Composition) -> str:
    local = moments.in_zone(composition.changed, ZoneInfo(seat.authority.timezone))
    return moments.clock(local, language_of(request))


async def conflict(request: web.Request, seat: Seat, current: Composition) -> web.StreamResponse:
    """Both texts, for whoever comes second; theirs is in the page, and so is not lost."""
    mine = gathered(seat, current)
    draft = await draft_of(request, seat, current)
    theirs = current.document
    names = [
        name
        for name in sorted({*mine, *theirs})
        if fields.is_field(name) and _plain(mine.get(name)) != _plain(theirs.get(name))
    ]
    return show(
        request,
        seat,
        "console/writing/conflict.html",
        status=409,
        composition=current,
        who=draft.names.get(current.changed_by, ""),
        differing=[(name, _plain(mine.get(name)), _plain(theirs.get(name))) for name in names],
        mine=[(name, value) for name, values in mine.items() for value in _each(values)],
        title=current.title,
    )


def _plain(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else (value or "")


def _each(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


@seated(Role.WRITE)
async def ask_to_drop(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Whether it is really to go."""
    composition = await composition_of(request, seat)
    return show(request, seat, "console/writing/drop.html", composition=composition)


@seated(Role.WRITE)
async def drop_it(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Throw the draft away."""
    hub, composition = desk(request), await composition_of(request, seat)
    now = hub.clock.now()
    try:
        await hub.ledger.transact(
            lambda conn: compositions.drop(conn, composition, seat.officer, now), hurry=True
        )
    except NotEditableError:
        raise ProblemError(
            409,
            "not_editable",
            fr="Cette annonce a été envoyée en validation : elle n'est plus un brouillon.",
            en="This announcement was sent for approval: it is no draft any more.",
        ) from None
    return see_other(request, "/console/annonces", "dropped")
