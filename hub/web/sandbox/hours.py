# SPDX-License-Identifier: EUPL-1.2
"""The simulated time: the hub's clock put forward, to see the night and the digest now."""

import re
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.sandbox.stage import form_and_back, stage_of
from hub.web.showing import show
from subscribers.preferences import instant
from templates.pages.wording import translations

_CLOCK: Final = re.compile(r"([01]?\d|2[0-3])[:h]([0-5]\d)")
_HOUR: Final = "+1"
"""An hour later, whatever the clock shows."""


def routes() -> list[web.RouteDef]:
    """The page and its form."""
    return [web.get("/sandbox/heure", show_hours), web.post("/sandbox/heure", put_forward)]


async def show_hours(request: web.Request) -> web.Response:
    """What time it is here, and what is worth seeing next."""
    return _page(request, "", {})


def _page(
    request: web.Request, typed: str, errors: dict[str, str], status: int = 200
) -> web.Response:
    hub, stage = desk(request), stage_of(request)
    return show(
        request,
        "sandbox_hours.html",
        status=status,
        now=hub.clock.now(),
        played=stage.clock is not None,
        digest_time=hub.settings.engine.digest_time,
        typed=typed,
        errors=errors,
    )


async def put_forward(request: web.Request) -> web.Response:
    """Let it be an hour later, or the next time the clock shows what was asked.

    Raises 403 where a channel is real: tomorrow's digest would reach real people tonight.
    """
    hub, clock = desk(request), stage_of(request).clock
    form, back = await form_and_back(request)
    if clock is None:
        raise web.HTTPForbidden
    asked = form.get("to") or form.get("time", "").strip()
    now = hub.clock.now()
    moment = now + timedelta(hours=1) if asked == _HOUR else coming(asked, now, _zone(request))
    if moment is None:
        wrong = translations(language_of(request)).gettext("fault.wrong.time")
        return _page(request, asked, {"time": wrong}, status=422)
    clock.put_forward(moment)
    hub.engine.changed()
    return back


def _zone(request: web.Request) -> str:
    return desk(request).settings.hub.timezone


def coming(clock: str, now: datetime, zone: str) -> datetime | None:
    """The next moment after `now` when a clock of `zone` shows ``22:30``; None for no such hour."""
    found = _CLOCK.fullmatch(clock)
    if found is None:
        return None
    minute = int(found[1]) * 60 + int(found[2])
    day = now.astimezone(ZoneInfo(zone)).date()
    today = instant(day, minute, zone)
    return today if today > now else instant(day + timedelta(days=1), minute, zone)
