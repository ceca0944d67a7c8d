# SPDX-License-Identifier: EUPL-1.2
"""`/console/modeles`: the texts one begins from; listed, written, put away and taken out again."""

from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.staff.roles import Role
from hub.flow.staff.scope import scope_of
from hub.flow.writing import compositions, fields, models
from hub.flow.writing.models import Model
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.problems import not_found

LIST: Final = "/console/modeles"
NEW: Final = "/console/modeles/nouveau"
ONE: Final = "/console/modeles/{key:[a-z0-9-]{1,64}}"


def routes() -> list[web.RouteDef]:
    """The list, a new one, one of them."""
    return [
        web.get(LIST, show_list),
        web.get(NEW, show_new),
        web.post(NEW, add),
        web.get(ONE, show_one),
        web.post(ONE, change),
        web.post(f"{ONE}/ranger", put_away),
    ]


@seated(Role.READ)
async def show_list(request: web.Request, seat: Seat) -> web.StreamResponse:
    """All of them; those that were put away below."""
    hub = desk(request)
    town = seat.officer.authority
    found = await hub.ledger.read(lambda conn: models.offered(conn, town, archived=True))
    return show(
        request,
        seat,
        "console/writing/models.html",
        models=[(each, models.blanks(each)) for each in found],
        may_write=seat.officer.may(Role.WRITE),
    )


@seated(Role.WRITE)
async def show_new(request: web.Request, seat: Seat) -> web.StreamResponse:
    """A blank one, or one made from an announcement (`depuis`, its code)."""
    hub, code = desk(request), request.query.get("depuis", "")
    document: dict[str, Any] = {"level": "information", "post_link": "1"}
    if code:
        source = await hub.ledger.read(lambda conn: compositions.load(conn, code, seat.officer))
        if source is None:
            raise not_found()
        document = dict(source.document)
    return await _form(request, seat, "", fields.text(document, "title"), document)


@seated(Role.WRITE)
async def show_one(request: web.Request, seat: Seat) -> web.StreamResponse:
    """One, to be changed."""
    model = await _model(request, seat)
    return await _form(request, seat, model.key, model.name, dict(model.document))


@seated(Role.WRITE, keeps=True)
async def add(request: web.Request, seat: Seat) -> web.StreamResponse:
    """A new one."""
    return await _keep(request, seat, "")


@seated(Role.WRITE, keeps=True)
async def change(request: web.Request, seat: Seat) -> web.StreamResponse:
    """One changed. Announcements begun from it stay as they are."""
    return await _keep(request, seat, (await _model(request, seat)).key)


@seated(Role.WRITE)
async def put_away(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Offered no more, or again."""
    hub, key = desk(request), request.match_info["key"]
    away, now = seat.text("away") == "1", hub.clock.now()
    there = await hub.ledger.transact(
        lambda conn: models.shelve(conn, seat.officer, key, now, away=away), hurry=True
    )
    if not there:
        raise not_found()
    return see_other(request, LIST, "model_away" if away else "model_back")


async def _model(request: web.Request, seat: Seat) -> Model:
    key = request.match_info["key"]
    found = await desk(request).ledger.read(lambda conn: models.find(conn, seat.officer, key))
    if found is None:
        raise not_found()
    return found


async def _keep(request: web.Request, seat: Seat, key: str) -> web.StreamResponse:
    hub, name = desk(request), " ".join(seat.text("name").split())[:120]
    pairs = [(each, value) for each, value in seat.form.items() if isinstance(value, str)]
    document = fields.gathered(pairs, {})
    empty = {each for each, said in (("name", name), ("body", document.get("body"))) if not said}
    if empty:
        return await _form(request, seat, key, name, document, empty=empty)
    now = hub.clock.now()

    def write(conn: Connection) -> Model:
        return models.keep(conn, seat.officer, name, document, now, key=key)

    await hub.ledger.transact(write, hurry=True)
    return see_other(request, LIST, "model_saved")


async def _form(
    request: web.Request,
    seat: Seat,
    key: str,
    name: str,
    document: dict[str, Any],
    *,
    empty: set[str] | None = None,
) -> web.StreamResponse:
    hub, language = desk(request), language_of(request)
    scope = await hub.ledger.read(lambda conn: scope_of(conn, seat.officer, Role.WRITE))
    themes = [
        (theme.key, theme.name(language))
        for theme in scope.catalogue.themes.values()
        if not theme.archived and scope.sees([theme.key])
    ]
    return show(
        request,
        seat,
        "console/writing/model.html",
        status=422 if empty else 200,
        key=key,
        called=name,
        doc=document,
        themes=themes,
        ways=[each.value for each in hub.intake.channels],
        empty=empty or set(),
    )
