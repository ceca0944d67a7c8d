# SPDX-License-Identifier: EUPL-1.2
"""`/admin/textes`: the long texts of the public pages, in the town's words or the house's."""

import asyncio
from typing import Final

from aiohttp import web

from hub.flow.office import town
from hub.flow.staff.roles import Role
from hub.web.admin.identity import ours
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import desk
from hub.web.portal.texts import PATHS, true, values
from hub.web.problems import not_found
from hub.web.town import TOWN
from templates.pages.texts import NAMES, Text, source, text

PATH: Final = "/admin/textes"
LANGUAGES: Final = ("fr", "en")
_MOST: Final = 60_000
_ONE: Final = f"{PATH}/{{name:[a-z]{{1,20}}}}/{{language:[a-z0-9]{{1,12}}}}"


def routes() -> list[web.RouteDef]:
    """The list, and one text."""
    return [web.get(PATH, show_texts), web.get(_ONE, show_one), web.post(_ONE, keep)]


@seated(Role.ADMIN)
async def show_texts(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Every text in both languages, and whose words it is in."""
    ours(request, seat)
    own = await desk(request).ledger.read(lambda conn: town.texts(conn, seat.authority.id))
    rows = [(name, [(each, (name, each) in own) for each in LANGUAGES]) for name in NAMES]
    return show(request, seat, "console/admin/texts.html", rows=rows)


@seated(Role.ADMIN)
async def show_one(request: web.Request, seat: Seat) -> web.StreamResponse:
    """A text as Markdown, to be changed."""
    which = _which(request, seat)
    own = await desk(request).ledger.read(lambda conn: town.texts(conn, seat.authority.id))
    folder = desk(request).settings.portal.texts
    written = own.get(which, "") or await asyncio.to_thread(source, *which, folder)
    return await _page(request, seat, which, written)


@seated(Role.ADMIN, keeps=True)
async def keep(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Show a text before it is kept, keep it, or go back to the house's words."""
    which, hub, act = _which(request, seat), desk(request), seat.text("act")
    written, now = seat.text("text")[:_MOST].strip(), hub.clock.now()
    wrong = act != "house" and not (written.startswith("# ") and "\n" in written)
    if wrong or act == "preview":
        return await _page(request, seat, which, written, wrong=wrong)
    said: str = "" if act == "house" else written
    await hub.ledger.transact(
        lambda conn: town.say(conn, seat.officer, which, said, now=now), hurry=True
    )
    return see_other(request, PATH, "text_kept" if said else "text_house")


def _which(request: web.Request, seat: Seat) -> tuple[str, str]:
    ours(request, seat)
    name, language = request.match_info["name"], request.match_info["language"]
    if name not in NAMES or language not in LANGUAGES:
        raise not_found()
    return name, language


async def _page(
    request: web.Request, seat: Seat, which: tuple[str, str], written: str, *, wrong: bool = False
) -> web.Response:
    hub, (name, language) = desk(request), which
    filled = values(hub, language, request.config_dict[TOWN].contact)
    shown: Text = await asyncio.to_thread(text, name, language, filled, true(hub), own=written)
    return show(
        request,
        seat,
        "console/admin/text.html",
        status=422 if wrong else 200,
        which=which,
        written=written,
        shown=shown,
        wrong=wrong,
        public=next(path for path, each in PATHS.items() if each == name),
    )
