# SPDX-License-Identifier: EUPL-1.2
"""`/admin/lieux/rues`: the town's streets from a CSV, seen before they are written."""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.office.streets import add_streets
from hub.flow.staff.roles import Role
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import desk
from hub.web.language import language_of
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.street_file import LONGEST, Street, Streets, read_streets

PATH: Final = "/admin/lieux/rues"
_FILE_BYTES: Final = 4_000_000
_SHOWN: Final = 200


def routes() -> list[web.RouteDef]:
    """The form of a file, what it would change, and the writing of it."""
    return [web.get(PATH, show_form), web.post(PATH, judge), web.post(f"{PATH}/ecrire", write)]


@seated(Role.ADMIN)
async def show_form(request: web.Request, seat: Seat) -> web.StreamResponse:
    """What file is asked for."""
    return _page(request, seat)


@seated(Role.ADMIN)
async def judge(request: web.Request, seat: Seat) -> web.StreamResponse:
    """What a file would add; nothing is written."""
    given = seat.form.get("file")
    content = given.file.read(_FILE_BYTES + 1) if isinstance(given, web.FileField) else b""
    wrong = "missing" if not content else "large" if len(content) > _FILE_BYTES else ""
    if wrong:
        return _page(request, seat, wrong=wrong)
    catalogue = await _catalogue(request, seat)
    found = await asyncio.to_thread(read_streets, content, catalogue)
    if found is None:
        return _page(request, seat, wrong="unreadable")
    spoken = language_of(request)
    names = {zone.key: zone.name(spoken) for zone in catalogue.zones.values()}
    first = [(each.name, names.get(each.district, "")) for each in found.fresh[:_SHOWN]]
    return _page(request, seat, found=found, shown=first)


@seated(Role.ADMIN)
async def write(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Add the streets that were shown: each is looked at again, as the places are now."""
    now, asked = desk(request).clock.now(), _streets(seat.text("streets"))

    def add(conn: Connection) -> int:
        catalogue = load_catalogue(conn, seat.authority.id)
        return add_streets(conn, seat.officer, catalogue, asked, now=now)

    added = await desk(request).ledger.transact(add, hurry=True)
    return see_other(request, "/admin/lieux", "streets_added" if added else "streets_same")


async def _catalogue(request: web.Request, seat: Seat) -> Catalogue:
    return await desk(request).ledger.read(lambda conn: load_catalogue(conn, seat.authority.id))


def _page(
    request: web.Request,
    seat: Seat,
    *,
    found: Streets | None = None,
    shown: Sequence[tuple[str, str]] = (),
    wrong: str = "",
) -> web.Response:
    return show(
        request,
        seat,
        "console/admin/streets.html",
        status=422 if wrong else 200,
        found=found,
        shown=shown,
        lines="" if found is None else _lines(found),
        wrong=wrong,
    )


def _lines(found: Streets) -> str:
    """What is handed back by the form: a street and its district's key a line."""
    return "\n".join(f"{each.name}\t{each.district}" for each in found.fresh)


def _streets(text: str) -> list[Street]:
    pairs = (line.partition("\t") for line in text.splitlines())
    return [
        Street(" ".join(name.split())[:LONGEST], district.strip()) for name, _, district in pairs
    ]
