# SPDX-License-Identifier: EUPL-1.2
"""The phones while somebody looks: their screens, sent again as messages come (UX.md 4.2)."""

from itertools import count
from typing import Any, Final

from aiohttp import web

from hub.web.console.following.stream import Shown, follow
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.sandbox.phones import FLUX, everything
from templates.pages.pages import page

_KIND: Final = "text/event-stream"
_SLOTS: Final = 64
_TURN: Final = count()
"""Nobody signs in here, and a class of trainees shares one address: streams are counted in turns,
apart from the officers', who have numbers above zero."""


def routes() -> list[web.RouteDef]:
    """The one stream of the room: a page takes from it the parts that it shows."""
    return [web.get(FLUX, stream)]


async def stream(request: web.Request) -> web.StreamResponse:
    """Every part, then each that changed, until the reader leaves.

    Raises 404 where no stream is asked for: whoever reads pages would wait for its end for ever;
    `ProblemError` 429 where there are enough.
    """
    if _KIND not in request.headers.get("Accept", ""):
        raise web.HTTPNotFound

    async def again() -> Shown:
        return Shown(_parts(request, await everything(request)))

    return await follow(request, -1 - next(_TURN) % _SLOTS, await again(), again)


def _parts(request: web.Request, told: dict[str, Any]) -> dict[str, str]:
    def part(name: str, **more: Any) -> str:
        zone, authority = desk(request).settings.hub.timezone, desk(request).authority_name
        drawn = {**told, **more}
        return page(name, language_of(request), timezone=zone, authority=authority, **drawn)

    screens = {
        f"screen-{phone.url.removeprefix('/sandbox/')}": part(
            "sandbox_screen.html", phone=phone, n=number
        )
        for number, phone in enumerate(told["phones"], start=1)
    }
    return {
        "heure": part("sandbox_clock.html"),
        "liste": part("sandbox_list.html"),
        "avancement": part("sandbox_progress.html"),
        **screens,
    }
