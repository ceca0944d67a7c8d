# SPDX-License-Identifier: EUPL-1.2
"""Answers with a page of the console: private, in the officer's language, about their own town."""

import re
from typing import Any, Final

from aiohttp import web

from hub.flow.office.ways_now import out_of_order
from hub.web import cookies, showing
from hub.web.console.guard import Seat
from hub.web.desk import desk

_FLASH: Final = "flash"
_SECONDS: Final = 60
_KEY: Final = re.compile(r"[a-z_]{1,40}")


def show(
    request: web.Request, seat: Seat, name: str, *, status: int = 200, **context: Any
) -> web.Response:
    """The page of a template that extends `console/frame.html`.

    What the last form came to is said once, where `see_other` left word of it.
    """
    flash, hub = flash_of(request), desk(request)
    response = showing.show(
        request,
        name,
        status=status,
        private=True,
        authority=seat.authority,
        seat=seat,
        flash=flash,
        outages=out_of_order(hub.engine.roads.values(), hub.clock),
        outages_at=hub.clock.now(),
        **context,
    )
    if flash and request.method == "GET":
        cookies.drop(request, response, _FLASH)
    return response


def flash_of(request: web.Request) -> str:
    """What the last form came to, "" where it left no word."""
    flash = cookies.read(request, _FLASH) or ""
    return flash if _KEY.fullmatch(flash) else ""


def show_outside(
    request: web.Request, name: str, *, status: int = 200, **context: Any
) -> web.Response:
    """A page for somebody who is not signed in (yet), with the flash of `see_other`."""
    flash = flash_of(request)
    response = showing.show(
        request, name, status=status, private=True, home_url="/console", flash=flash, **context
    )
    if flash and request.method == "GET":
        cookies.drop(request, response, _FLASH)
    return response


def see_other(request: web.Request, path: str, flash: str = "") -> web.Response:
    """After a form was taken: the next page, which says `_("flash." ~ flash)` at its top."""
    response = showing.see_other(path)
    if flash:
        cookies.keep(request, response, _FLASH, flash, _SECONDS)
    return response
