# SPDX-License-Identifier: EUPL-1.2
"""The phones, side by side or as a list, each on a page of its own, and what one does to them."""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from channels.base import ChannelName
from hub.ledger import announcements
from hub.reports.awaited import Awaited, awaited
from hub.reports.progress import progress
from hub.sandbox.faults import ChannelFaults, Fault
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.portal.announcement import is_public
from hub.web.sandbox.faults import troubles
from hub.web.sandbox.hours import coming
from hub.web.sandbox.shown import phone_of, timeline
from hub.web.sandbox.stage import (
    SWITCHES,
    TIMELINE,
    Persona,
    form_and_back,
    persona_at,
    personas_of,
    phones_of,
    stage_of,
)
from hub.web.showing import show
from subscribers.catalogue import load_catalogue
from templates.pages.pages import AnnouncementProgress, Phone, RunProgress
from templates.render import choose

FLUX: Final = "/sandbox/flux"
"""Where the pages' stream is."""
_SHOWN: Final = 5  # announcements
_LONGEST: Final = 160  # characters of an answer
_VIEWS: Final = frozenset({"liste", "telephones"})
_PATIENCE: Final = 30.0  # seconds, by the town's clock, until an operator gives a phone up
_LIMIT: Final = 60  # seconds X asks to wait


def routes() -> list[web.RouteDef]:
    """The pages, the answer box and the switches of each phone."""
    persona = "/sandbox/{persona:[a-z0-9-]+}"
    return [
        web.get("/sandbox", show_all),
        web.post("/sandbox/telephones/vider", clear),
        web.get("/sandbox/x", show_timeline),
        web.post("/sandbox/x/limite", limit),
        web.get(persona, show_one),
        web.post(f"{persona}/reponse", write),
        web.post(persona + "/{switch:off|full}", switch),
    ]


# --------------------------------------------------------------------------- to look at


async def show_all(request: web.Request) -> web.Response:
    """Phones, the public timeline, and the progress of the latest announcements."""
    stage, view = stage_of(request), request.query.get("vue", "")
    return show(
        request,
        "sandbox.html",
        view=view if view in _VIEWS else "",
        troubles=troubles(stage),
        played=stage.clock is not None,
        flux=FLUX,
        **await everything(request),
    )


async def everything(request: web.Request) -> dict[str, Any]:
    """What moves on the pages: the phones, how far sending is, and the time."""
    hub, phones, stage = desk(request), phones_of(request), stage_of(request)
    public = [timeline(phones, stage)] if TIMELINE[0] in stage.stand_ins else []
    return {
        "phones": [*await _phones(request, personas_of(phones)), *public],
        "announcements": await hub.ledger.read(lambda conn: _progress(conn, request)),
        "now": hub.clock.now(),
    }


async def show_one(request: web.Request) -> web.Response:
    """One persona's phone alone, as wide as the page."""
    (phone,) = await _phones(request, [persona_at(request)])
    return _one(request, phone)


async def show_timeline(request: web.Request) -> web.Response:
    """The town's posts, as anybody reads them."""
    return _one(request, timeline(phones_of(request), stage_of(request)))


def _one(request: web.Request, phone: Phone) -> web.Response:
    stage = stage_of(request)
    return show(
        request,
        "sandbox_phone.html",
        phone=phone,
        troubles=troubles(stage),
        now=desk(request).clock.now(),
        flux=FLUX,
    )


async def _phones(request: web.Request, personas: Sequence[Persona]) -> list[Phone]:
    hub, language, now = desk(request), language_of(request), desk(request).clock.now()
    evening = hub.settings.engine.digest_time

    def read(conn: Connection) -> list[list[Awaited]]:
        town = load_catalogue(conn, hub.authority)
        digest = coming(evening, now, town.timezone) or now
        return [awaited(conn, town, p.addresses, language, digest, now) for p in personas]

    waiting = await hub.ledger.read(read)
    phones, stage = phones_of(request), stage_of(request)
    return [
        phone_of(persona, phones, stage, language, theirs)
        for persona, theirs in zip(personas, waiting, strict=True)
    ]


def _progress(conn: Connection, request: web.Request) -> list[AnnouncementProgress]:
    hub, language = desk(request), language_of(request)
    latest = announcements.latest(conn, hub.authority, 4 * _SHOWN)
    shown = [each for each in latest if is_public(each)][:_SHOWN]
    return [
        AnnouncementProgress(
            title=choose(each.contents, language, hub.settings.hub.language).title,
            url=f"/a/{each.code}",
            urgency=each.urgency,
            runs=[
                RunProgress(
                    channel=run.channel,
                    total=run.total,
                    handed_over=run.handed_over,
                    received=run.received,
                    waiting=run.waiting,
                    failed=run.failed,
                )
                for run in progress(conn, each.id)
            ],
        )
        for each in shown
    ]


# --------------------------------------------------------------------------- to act on


async def write(request: web.Request) -> web.Response:
    """A persona's SMS to the town, as Twilio takes it; then the phones again."""
    hub, phones = desk(request), phones_of(request)
    numbers, sms = persona_at(request).at(ChannelName.SMS), hub.settings.channels.sms
    form, back = await form_and_back(request)
    if sms is None or not numbers or phones.inbound is None:
        raise web.HTTPNotFound
    await phones.inbound(numbers[0], sms.sender, form.get("body", "")[:_LONGEST])
    return back


async def switch(request: web.Request) -> web.Response:
    """Switch a phone off or on, let a mailbox be full or emptied."""
    persona, stage, name = persona_at(request), stage_of(request), request.match_info["switch"]
    form, back = await form_and_back(request)
    for channel in SWITCHES[name]:
        theirs, now = frozenset(persona.at(channel)), stage.faults.of(channel)
        held: frozenset[str] = getattr(now, name)
        changed = held | theirs if form.get("on") == "1" else held - theirs
        if changed != held:
            stage.faults.set(channel, **{name: changed, "gives_up": _PATIENCE})
    return back


async def limit(request: web.Request) -> web.Response:
    """Let X refuse every post for now, as it does beyond its limit, or take them again."""
    stage = stage_of(request)
    form, back = await form_and_back(request)
    rates = {Fault.THROTTLE: 1.0} if form.get("on") == "1" else {}
    kept = stage.faults.of(ChannelName.X).model_dump() | {"rates": rates, "retry_after": _LIMIT}
    stage.faults.put(ChannelName.X, ChannelFaults.model_validate(kept))
    return back


async def clear(request: web.Request) -> web.Response:
    """Put everything that came so far out of sight; nothing is undone by it."""
    stage_of(request).cleared = phones_of(request).effects.last
    _, back = await form_and_back(request)
    return back
