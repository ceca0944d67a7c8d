# SPDX-License-Identifier: EUPL-1.2
"""`/admin/lieux`: districts, streets and buildings, and their outline on the map."""

from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.office import town
from hub.flow.staff.roles import Role
from hub.web.admin import tree
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.portal.map import draw
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.catalogue_edit import Kind
from subscribers.catalogue_map import Reading, read_map, redrawn

KIND: Final = Kind.ZONE
PATH: Final = tree.PATHS[KIND]
_ONE: Final = f"{PATH}/{tree.KEY}"
_MAP: Final = f"{PATH}/carte"
_FILE_BYTES: Final = 2_000_000


def routes() -> list[web.RouteDef]:
    """The tree with its form, and what is done to one place; and the map."""
    return [
        web.get(PATH, show_zones),
        web.post(PATH, add),
        web.get(_MAP, show_map),  # before the places: its path could be a key
        web.post(_MAP, judge_map),
        web.post(f"{_MAP}/ecrire", write_map),
        web.get(_ONE, show_one),
        web.post(_ONE, change),
        web.post(f"{_ONE}/monter", up),
        web.post(f"{_ONE}/descendre", down),
        web.post(f"{_ONE}/archiver", put_away),
    ]


@seated(Role.ADMIN)
async def show_zones(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Every place, with how many people chose it."""
    return await tree.list_page(request, seat, KIND, tree.Typed())


@seated(Role.ADMIN)
async def add(request: web.Request, seat: Seat) -> web.StreamResponse:
    """A new place."""
    return await tree.add(request, seat, KIND)


@seated(Role.ADMIN)
async def show_one(request: web.Request, seat: Seat) -> web.StreamResponse:
    """A place's form."""
    return await tree.one_page(request, seat, KIND)


@seated(Role.ADMIN)
async def change(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Keep a place's form."""
    return await tree.change(request, seat, KIND)


@seated(Role.ADMIN)
async def up(request: web.Request, seat: Seat) -> web.StreamResponse:
    """One place up."""
    return await tree.move(request, seat, KIND, -1)


@seated(Role.ADMIN)
async def down(request: web.Request, seat: Seat) -> web.StreamResponse:
    """One place down."""
    return await tree.move(request, seat, KIND, 1)


@seated(Role.ADMIN)
async def put_away(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Archive a place, or take it back."""
    return await tree.put_away(request, seat, KIND)


@seated(Role.ADMIN)
async def show_map(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The map as it is, and the file of another."""
    return _map_page(request, seat, await _catalogue(request, seat))


@seated(Role.ADMIN)
async def judge_map(request: web.Request, seat: Seat) -> web.StreamResponse:
    """What a file would change, place by place; nothing is written."""
    catalogue, given = await _catalogue(request, seat), seat.form.get("file")
    content = given.file.read(_FILE_BYTES + 1) if isinstance(given, web.FileField) else b""
    if not content or len(content) > _FILE_BYTES:
        return _map_page(request, seat, catalogue, wrong="large" if content else "missing")
    text = content.decode("utf-8-sig", "replace")
    reading = read_map(text, catalogue)
    if reading is None:
        return _map_page(request, seat, catalogue, wrong="unreadable")
    return _map_page(request, seat, redrawn(catalogue, reading.areas), reading=reading, text=text)


@seated(Role.ADMIN)
async def write_map(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Write the outlines that were shown: the file is judged again, as the places are now."""
    now, text = desk(request).clock.now(), seat.text("map")

    def write(conn: Connection) -> Catalogue | None:
        catalogue = load_catalogue(conn, seat.authority.id)
        reading = read_map(text, catalogue)
        if reading is None or not reading.areas:
            return catalogue
        town.draw(conn, seat.officer, reading.areas, catalogue, now=now)
        return None

    refused = await desk(request).ledger.transact(write, hurry=True)
    if refused is not None:
        return _map_page(request, seat, refused, wrong="unreadable")
    return see_other(request, _MAP, "map_written")


async def _catalogue(request: web.Request, seat: Seat) -> Catalogue:
    town_hall = seat.authority.id
    return await desk(request).ledger.read(lambda conn: load_catalogue(conn, town_hall))


def _map_page(
    request: web.Request,
    seat: Seat,
    catalogue: Catalogue,
    *,
    reading: Reading | None = None,
    text: str = "",
    wrong: str = "",
) -> web.Response:
    spoken = language_of(request)
    said = (
        [(v, getattr(v.problem.sentence, spoken) if v.problem else "") for v in reading.verdicts]
        if reading
        else []
    )
    return show(
        request,
        seat,
        "console/admin/map.html",
        status=422 if wrong else 200,
        drawing=draw(catalogue, spoken, set(reading.areas) if reading else set()),
        verdicts=said,
        writable=len(reading.areas) if reading else 0,
        left_out=reading.left_out if reading else 0,
        judged=reading is not None,
        text=text,
        wrong=wrong,
    )
