# SPDX-License-Identifier: EUPL-1.2
"""What a draft would become, looked at again: the live parts of its page, and the e-mail alone."""

from typing import Final

from aiohttp import web

from channels.base import ChannelName, EmailText, Rendered
from hub.flow.staff.roles import Role
from hub.flow.writing.compositions import EditedMeanwhileError, NotEditableError
from hub.flow.writing.standing import Ground, as_it_stands
from hub.web.console.following.stream import part
from hub.web.console.guard import HEADER, Seat, seated
from hub.web.console.showing import see_other
from hub.web.console.writing.compose import conflict, gathered, keep
from hub.web.console.writing.drafts import CODE, beside, composition_of, draft_of
from hub.web.desk import desk
from hub.web.problems import not_found
from hub.web.showing import PRIVATE

PARTS: Final = ("previews", "audience", "complete", "costs", "figures", "told")
"""The live parts, by template `console/writing/compose_{name}.html` and element `part-{name}`."""
FRAMED: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""An e-mail has its styles inside; nothing else of it may act (UX.md 7.2)."""


def routes() -> list[web.RouteDef]:
    """Both."""
    here = f"/console/annonces/{CODE}"
    return [
        web.post(f"{here}/apercu", look_again),
        web.get(f"{here}/apercu-email", show_email),
    ]


@seated(Role.WRITE, keeps=True)
async def look_again(request: web.Request, seat: Seat) -> web.StreamResponse:
    """To a script the live parts of what it sent, saved or not; to a form its page, once saved."""
    composition = await composition_of(request, seat)
    if HEADER in request.headers:
        draft = await draft_of(request, seat, composition, gathered(seat, composition))
        context = beside(request, seat, draft, seat.text("tab"))
        parts = {
            f"part-{name}": part(request, seat, f"console/writing/compose_{name}.html", **context)
            for name in PARTS
        }
        return web.json_response({"parts": parts}, headers=PRIVATE)
    try:
        saved = await keep(request, seat, composition)
    except EditedMeanwhileError as met:
        return await conflict(request, seat, met.current)
    except NotEditableError as met:
        return see_other(request, f"/console/annonces/{met.current.code}", "not_editable")
    tab = seat.text("tab")
    wished = f"?apercu={tab}" if tab in tuple(ChannelName) else ""
    return see_other(request, f"/console/annonces/{saved.code}/rediger{wished}#apercu")


@seated(Role.READ)
async def show_email(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The e-mail as it would leave, for a frame of our own pages and nothing else."""
    hub, code = desk(request), request.match_info["code"]
    wished = request.query.get("langue", "")

    ground = Ground(hub.intake.channels, hub.clock.now())
    found = await hub.ledger.read(lambda conn: as_it_stands(conn, code, seat.officer, ground))
    if found is None:
        raise not_found()
    announcement, catalogue = found
    printed = hub.intake.press.print(
        announcement, catalogue, ChannelName.EMAIL, wished or catalogue.language
    )
    letter = printed.text if isinstance(printed, Rendered) else None
    if not isinstance(letter, EmailText):
        raise not_found()
    return web.Response(
        text=letter.html,
        content_type="text/html",
        headers={**PRIVATE, "Content-Security-Policy": FRAMED},
    )
