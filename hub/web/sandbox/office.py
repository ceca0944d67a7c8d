# SPDX-License-Identifier: EUPL-1.2
"""What the hub wrote to the town hall's own officers, who have no phone here: their e-mails."""

from itertools import islice
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from channels.base import ChannelName
from hub.flow.staff import officers
from hub.sandbox.effects import Effect
from hub.web.desk import desk
from hub.web.sandbox.stage import phones_of, stage_of
from hub.web.showing import show

PATH: Final = "/sandbox/agents"
_SHOWN: Final = 50  # letters


def routes() -> list[web.RouteDef]:
    """The one page."""
    return [web.get(PATH, show_letters)]


async def show_letters(request: web.Request) -> web.Response:
    """The latest first: to whom, when, about what; each leads to the letter itself."""
    hub = desk(request)

    def read(conn: Connection) -> dict[str, str]:
        return {each.email: each.name for each in officers.of_authority(conn, hub.authority)}

    names = await hub.ledger.read(read)
    return show(
        request,
        "sandbox_office.html",
        letters=[(names[each.to], each) for each in _letters(request, names)],
        now=hub.clock.now(),
    )


def _letters(request: web.Request, names: dict[str, str]) -> list[Effect]:
    effects, cleared = phones_of(request).effects, stage_of(request).cleared
    found = [
        each
        for address in names
        for each in islice(effects.to(ChannelName.EMAIL, address), _SHOWN)
        if each.seq > cleared
    ]
    return sorted(found, key=lambda each: each.seq, reverse=True)[:_SHOWN]
