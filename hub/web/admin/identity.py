# SPDX-License-Identifier: EUPL-1.2
"""`/admin/identite`: the town's colour, logo and contact, on every page without a restart."""

import re
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from hub.flow.office import town
from hub.flow.office.town import Look
from hub.flow.staff.roles import Role
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import desk
from hub.web.problems import not_found
from hub.web.town import TOWN, logo_kind
from templates.pages import colours

PATH: Final = "/admin/identite"
_CONTACT: Final = 120
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
_LIVELY: Final = re.compile(
    rb"<\s*(script|foreignobject|iframe|animate|set|style|!entity|!doctype)|\son\w+\s*=|javascript:"
    rb"|href\s*=\s*(?:[\"']\s*)?(?!#)[^\"'#\s]|url\(\s*[\"']?(?!#)|@import",
    re.IGNORECASE,
)
"""What a drawing may not hold: something that runs, or that is fetched from elsewhere."""


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was filled in; `wrong` is {field: what is wrong with it}."""

    accent: str
    contact: str
    wrong: dict[str, str] = field(default_factory=dict)


def routes() -> list[web.RouteDef]:
    """The form, and what is sent by it."""
    return [web.get(PATH, show_identity), web.post(PATH, keep)]


@seated(Role.ADMIN)
async def show_identity(request: web.Request, seat: Seat) -> web.StreamResponse:
    """How the town looks now."""
    ours(request, seat)
    now = request.config_dict[TOWN]
    return _page(request, seat, Typed(now.accent, now.contact))


@seated(Role.ADMIN)
async def keep(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Show a colour before it is kept, or keep the form."""
    ours(request, seat)
    hub, given = desk(request), seat.form.get("logo")
    accent = seat.text("accent").strip().lower()
    typed = Typed(accent, " ".join(seat.text("contact").split())[:_CONTACT])
    if not _COLOUR.fullmatch(accent):
        typed.wrong["accent"] = "no_colour"
    elif not colours.legible_on_white(accent):
        typed.wrong["accent"] = "pale"
    logo = given.file.read(200_000) if isinstance(given, web.FileField) else b""
    if logo and (fault := _fault(logo)):
        typed.wrong["logo"] = fault
    if typed.wrong or seat.text("act") == "preview":
        return _page(request, seat, typed)
    town_now = request.config_dict[TOWN]
    kept = Look() if seat.text("remove") == "on" else town_now.look
    held, kind = (logo, logo_kind(logo)) if logo else (kept.logo, kept.logo_type)
    look, now = Look(accent, held, kind, typed.contact), hub.clock.now()
    await hub.ledger.transact(
        lambda conn: town.look_so(conn, seat.officer, look, now=now), hurry=True
    )
    town_now.read_at = float("-inf")  # the next page reads it
    return see_other(request, PATH, "identity_kept")


def ours(request: web.Request, seat: Seat) -> None:
    """404 for an officer of another town than the one whose pages these are."""
    if seat.authority.id != desk(request).authority:
        raise not_found()


def _fault(logo: bytes) -> str:
    try:
        kind = logo_kind(logo)
    except ValueError:
        return "unusable"
    return "lively" if kind == "image/svg+xml" and _LIVELY.search(logo) else ""


def _page(request: web.Request, seat: Seat, typed: Typed) -> web.Response:
    drawn = "no_colour" not in typed.wrong.values()
    figure = int(colours.contrast(typed.accent, "#ffffff") * 10) if drawn else 0
    light, dark = colours.tokens(typed.accent) if drawn else ({}, {})
    return show(
        request,
        seat,
        "console/admin/identity.html",
        status=422 if typed.wrong else 200,
        typed=typed,
        figure=(figure // 10, figure % 10),
        schemes=[("#ffffff", light), ("#12191b", dark)] if drawn else [],
        has_logo=request.config_dict[TOWN].look.logo is not None,
    )
