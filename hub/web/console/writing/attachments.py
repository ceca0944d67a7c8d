# SPDX-License-Identifier: EUPL-1.2
"""`/console/annonces/{code}/pieces`: the files that go with an announcement."""

import asyncio
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.staff.roles import Role
from hub.flow.writing import attachments
from hub.flow.writing.attachments import LARGEST, MOST, Attachment, AttachmentError
from hub.flow.writing.compositions import Composition, NotEditableError
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.console.writing.drafts import CODE, composition_of
from hub.web.desk import desk
from hub.web.portal.attachments import NAME, as_file
from hub.web.problems import not_found

_HERE: Final = f"/console/annonces/{CODE}/pieces"


def routes() -> list[web.RouteDef]:
    """The list, one more, one less, one looked at before it is public."""
    return [
        web.get(_HERE, show_list),
        web.post(_HERE, add),
        web.post(f"{_HERE}/retirer", remove),
        web.get(f"{_HERE}/{NAME}", show_file),
    ]


@seated(Role.WRITE, Role.APPROVE)
async def show_list(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The files, each with what it says in words."""
    return await _page(request, seat, await composition_of(request, seat))


@seated(Role.WRITE)
async def add(request: web.Request, seat: Seat) -> web.StreamResponse:
    """One more."""
    hub, composition = desk(request), await composition_of(request, seat)
    given, now = seat.form.get("file"), desk(request).clock.now()
    upload = given if isinstance(given, web.FileField) else None
    content = b"" if upload is None else await asyncio.to_thread(upload.file.read, LARGEST + 1)
    named = "" if upload is None else upload.filename

    def write(conn: Connection) -> Attachment:
        piece = (named, content, seat.text("said"))
        return attachments.attach(conn, composition, seat.officer, piece, now)

    try:
        await hub.ledger.transact(write, hurry=True)
    except AttachmentError as error:
        return await _page(request, seat, composition, fault=error.fault.value)
    except NotEditableError:
        return see_other(request, f"/console/annonces/{composition.code}", "not_editable")
    return see_other(request, f"/console/annonces/{composition.code}/pieces", "attached")


@seated(Role.WRITE)
async def remove(request: web.Request, seat: Seat) -> web.StreamResponse:
    """One less."""
    hub, composition = desk(request), await composition_of(request, seat)
    name, now = seat.text("name"), hub.clock.now()
    try:
        there = await hub.ledger.transact(
            lambda conn: attachments.detach(conn, composition, seat.officer, name, now), hurry=True
        )
    except NotEditableError:
        return see_other(request, f"/console/annonces/{composition.code}", "not_editable")
    if not there:
        raise not_found()
    return see_other(request, f"/console/annonces/{composition.code}/pieces", "detached")


@seated(Role.WRITE, Role.APPROVE)
async def show_file(request: web.Request, seat: Seat) -> web.StreamResponse:
    """One, for those who write or approve."""
    composition = await composition_of(request, seat)
    name = request.match_info["name"]
    found = await desk(request).ledger.read(
        lambda conn: attachments.content_of(conn, composition.code, name, published=False)
    )
    return as_file(request, found, private=True)


async def _page(
    request: web.Request, seat: Seat, composition: Composition, *, fault: str = ""
) -> web.StreamResponse:
    code = composition.code
    found = await desk(request).ledger.read(lambda conn: attachments.of_codes(conn, [code]))
    return show(
        request,
        seat,
        "console/writing/attachments.html",
        status=422 if fault else 200,
        composition=composition,
        pieces=found.get(code, []),
        said=seat.text("said"),
        fault=fault,
        most=MOST,
        may_change=composition.editable and seat.officer.may(Role.WRITE),
    )
