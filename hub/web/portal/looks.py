# SPDX-License-Identifier: EUPL-1.2
"""How the town's pages look: its colour and logo, and light or dark as the reader chose."""

from typing import Final

from aiohttp import web

from hub.web import cookies
from hub.web.bodies import read_form
from hub.web.problems import not_found
from hub.web.showing import see_other
from hub.web.town import LOOK, TOWN

_YEAR: Final = 365 * 86_400
_FOR_EVER: Final = {"Cache-Control": f"public, max-age={_YEAR}, immutable"}


def routes() -> list[web.RouteDef]:
    """The town's stylesheet and logo, and the reader's choice of colours."""
    return [
        web.get("/ville.css", send_stylesheet),
        web.get("/logo", send_logo),
        web.post("/affichage", choose),
    ]


async def send_stylesheet(request: web.Request) -> web.Response:
    """The town's few rules; empty ones where its colour is the house's."""
    town = request.config_dict[TOWN]
    return web.Response(text=town.stylesheet, content_type="text/css", headers=_FOR_EVER)


async def send_logo(request: web.Request) -> web.Response:
    """The town's logo. A drawing may hold scripts: opened by itself, it is shut in (CSP)."""
    town = request.config_dict[TOWN]
    if not town.logo:
        raise not_found()
    shut_in = {"Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'"}
    return web.Response(
        body=town.logo, content_type=town.logo_kind, headers={**_FOR_EVER, **shut_in}
    )


async def choose(request: web.Request) -> web.Response:
    """Keep light or dark, or forget it, and go back to the page the choice was made on."""
    form = await read_form(request)
    back = form.get("back", "/")
    answer = see_other(back if is_ours(back) else "/")
    if (look := form.get("look", "")) in ("light", "dark"):
        cookies.keep(request, answer, LOOK, look, _YEAR)
    else:
        cookies.drop(request, answer, LOOK)
    return answer


def is_ours(address: str) -> bool:
    """Whether it is a path of this site: browsers read `//` and `/\\` as another one."""
    plain = address.isascii() and address.isprintable() and "\\" not in address
    return plain and address.startswith("/") and not address.startswith("//")
