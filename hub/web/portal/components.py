# SPDX-License-Identifier: EUPL-1.2
"""The page of components: what the look is made of, for whoever judges or extends it."""

import re
from typing import Final

from aiohttp import web

from hub.web.showing import show as show_page
from templates.pages.pages import STATIC_FOLDER

_TOKEN: Final = re.compile(r"(--[\w-]+): (#[0-9a-f]{6});")


def routes() -> list[web.RouteDef]:
    """The page; no other one leads to it."""
    return [web.get("/composants", show)]


async def show(request: web.Request) -> web.Response:
    """Every component in every state, in the reader's language and colours."""
    light, dark = tokens()
    colours = [(name, value, dark.get(name, value)) for name, value in light.items()]
    return show_page(request, "portal/components.html", colours=colours)


def tokens() -> tuple[dict[str, str], dict[str, str]]:
    """The colours of ``app.css``, by name: of the light scheme, of the dark one."""
    css = (STATIC_FOLDER / "app.css").read_text("utf-8")
    light, dark = css.split("@media (prefers-color-scheme: dark)", 1)
    return dict(_TOKEN.findall(light)), dict(_TOKEN.findall(dark.split('[data-theme="light"]')[0]))
