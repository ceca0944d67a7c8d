# SPDX-License-Identifier: EUPL-1.2
"""`/admin/themes`: what people subscribe to, in the order they see it."""

from typing import Final

from aiohttp import web

from hub.flow.staff.roles import Role
from hub.web.admin import tree
from hub.web.console.guard import Seat, seated
from subscribers.catalogue_edit import Kind

KIND: Final = Kind.THEME
PATH: Final = tree.PATHS[KIND]
_ONE: Final = f"{PATH}/{tree.KEY}"


def routes() -> list[web.RouteDef]:
    """The tree with its form, and what is done to one theme."""
    return [
        web.get(PATH, show_themes),
        web.post(PATH, add),
        web.get(_ONE, show_one),
        web.post(_ONE, change),
        web.post(f"{_ONE}/monter", up),
        web.post(f"{_ONE}/descendre", down),
        web.post(f"{_ONE}/archiver", put_away),
    ]


@seated(Role.ADMIN)
async def show_themes(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Every theme, with how many people chose it."""
    return await tree.list_page(request, seat, KIND, tree.Typed())


@seated(Role.ADMIN)
async def add(request: web.Request, seat: Seat) -> web.StreamResponse:
    """A new theme."""
    return await tree.add(request, seat, KIND)


@seated(Role.ADMIN)
async def show_one(request: web.Request, seat: Seat) -> web.StreamResponse:
    """A theme's form."""
    return await tree.one_page(request, seat, KIND)


@seated(Role.ADMIN)
async def change(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Keep a theme's form."""
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
    """Archive a theme, or take it back."""
    return await tree.put_away(request, seat, KIND)
