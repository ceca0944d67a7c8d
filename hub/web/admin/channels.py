# SPDX-License-Identifier: EUPL-1.2
"""`/admin/canaux`: how each channel is, its settings, its secrets (written, never shown)."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel
from sqlalchemy import Connection

from channels.base import ChannelName, CheckFailed
from hub.flow.office.plant import note_secret
from hub.flow.office.probing import PROBED, Answer, Probing, Trial
from hub.flow.office.ways_now import ways_now
from hub.flow.operating import Operating
from hub.flow.staff.roles import Role
from hub.settings.secret_files import (
    UnfitSecretError,
    plain_of,
    secrets_of,
    tried,
    write_secret,
)
from hub.web.console.following.follow import operating
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.problems import not_found
from hub.web.roads import described

PATH: Final = "/admin/canaux"
ONE: Final = f"{PATH}/{{name}}"
_PATIENCE: Final = 20.0  # seconds a provider may take to answer
_PROBES: Final = 4  # a minute, an officer: an SMS costs
_CHECKS: Final = 6  # a minute, an officer: each signs in at the provider


def routes() -> list[web.RouteDef]:
    """The list, a channel, and what may be done to it."""
    return [
        web.get(PATH, show_channels),
        web.get(ONE, show_channel),
        web.post(f"{ONE}/suspendre", pause),
        web.post(f"{ONE}/reprendre", resume),
        web.post(f"{ONE}/verifier", check),
        web.post(f"{ONE}/essai", probe),
        web.post(f"{ONE}/secrets", keep_secrets),
    ]


def _must_be_the_hubs(request: web.Request, seat: Seat) -> None:
    """A channel carries every town's messages: it is the town's that runs the hub to turn."""
    if seat.authority.id != desk(request).authority:
        raise not_found()


def _named(request: web.Request, seat: Seat) -> ChannelName:
    _must_be_the_hubs(request, seat)
    name = request.match_info["name"]
    if name not in set(ChannelName):
        raise not_found()
    return ChannelName(name)


def _section(request: web.Request, name: ChannelName) -> BaseModel | None:
    found: BaseModel | None = getattr(desk(request).settings.channels, name.value)
    return found


@seated(Role.OPERATE)
async def show_channels(request: web.Request, seat: Seat) -> web.StreamResponse:
    """One line a channel, those not configured too."""
    _must_be_the_hubs(request, seat)
    hub = desk(request)
    ways = await hub.ledger.read(lambda c: ways_now(c, hub.engine.roads.values(), hub.clock))
    found = {way.channel: way for way in ways}
    rows = [(name, found.get(name), name in hub.stand_ins) for name in ChannelName]
    return show(request, seat, "console/admin/channels.html", rows=rows)


@seated(Role.OPERATE)
async def show_channel(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Its state and settings; of a secret, whether there is one."""
    return await _page(request, seat, _named(request, seat))


async def _page(
    request: web.Request,
    seat: Seat,
    name: ChannelName,
    *,
    status: int = 200,
    wrong: Mapping[str, str] | None = None,
    checked: tuple[bool, str] | None = None,
    trial: Trial | None = None,
) -> web.Response:
    hub, section = desk(request), _section(request, name)
    road = hub.engine.roads.get(name)
    ways = await hub.ledger.read(lambda c: ways_now(c, hub.engine.roads.values(), hub.clock))
    told: dict[str, Any] = {} if road is None else described(road, hub.clock.monotonic())
    return show(
        request,
        seat,
        "console/admin/channel.html",
        status=status,
        channel=name,
        way=next((way for way in ways if way.channel == name), None),
        providers=told.get("providers", ()),
        stood_in=name in hub.stand_ins,
        settings={} if section is None else plain_of(section),
        secrets={} if section is None else secrets_of(section, f"channels__{name}"),
        wrong=wrong or {},
        checked=checked,
        trial=trial,
        probed=road is not None and name in PROBED,
    )


@seated(Role.OPERATE)
async def pause(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Nothing leaves on this channel until it is resumed; what is accepted waits."""
    name, hub = _named(request, seat), desk(request)
    verbs = Operating(hub.ledger, hub.clock, hub.engine.changed)
    await verbs.pause([name], operating(seat.officer))
    return see_other(request, f"{PATH}/{name}", "channel_paused")


@seated(Role.OPERATE)
async def resume(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Messages leave again."""
    name, hub = _named(request, seat), desk(request)
    verbs = Operating(hub.ledger, hub.clock, hub.engine.changed)
    await verbs.resume([name], operating(seat.officer))
    return see_other(request, f"{PATH}/{name}", "channel_resumed")


@seated(Role.OPERATE)
async def check(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Ask the provider whether it would take our messages; nothing is sent."""
    name, hub = _named(request, seat), desk(request)
    road = hub.engine.roads.get(name)
    if road is None:
        raise not_found()
    await hub.limiter.admit("check", f"officer:{seat.officer.id}", _CHECKS)
    try:
        async with asyncio.timeout(_PATIENCE):
            checked = (True, await road.channel.check())
    except CheckFailed as refused:
        checked = (False, str(refused))
    except TimeoutError:
        checked = (False, "")
    return await _page(request, seat, name, checked=checked)


@seated(Role.OPERATE)
async def probe(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Send a trial message to the address that was typed, which is kept nowhere."""
    name, hub = _named(request, seat), desk(request)
    if name not in PROBED:
        raise not_found()
    await hub.limiter.admit("probe", f"officer:{seat.officer.id}", _PROBES)
    probing = Probing(hub.engine, hub.asking.key, hub.settings.people.phone_regions)
    trial = await probing.send(
        name,
        seat.text("address"),
        seat.officer,
        town=seat.authority.name,
        language=language_of(request),
    )
    unfit = trial.answer is Answer.UNFIT
    return await _page(request, seat, name, status=422 if unfit else 200, trial=trial)


@seated(Role.OPERATE)
async def keep_secrets(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Write what was typed over the secret files; a field left empty keeps what is there."""
    name, hub = _named(request, seat), desk(request)
    section, prefix = _section(request, name), f"channels__{name}"
    if section is None:
        raise not_found()
    typed = {each: seat.text(each).strip() for each in secrets_of(section, prefix)}
    given = {each: text for each, text in typed.items() if text}
    if not given:
        return see_other(request, f"{PATH}/{name}", "no_secret")
    folder, now = hub.settings.hub.secrets_folder, hub.clock.now()
    try:
        tried(section, prefix, given)
        for each, text in given.items():
            await asyncio.to_thread(write_secret, folder, each, text)
    except UnfitSecretError as unfit:
        return await _page(request, seat, name, status=422, wrong={str(unfit): "unfit"})
    except OSError:
        return await _page(request, seat, name, status=422, wrong={next(iter(given)): "closed"})

    def note(conn: Connection) -> None:
        for each in given:
            note_secret(conn, seat.officer, each.replace("__", "."), now)

    await hub.ledger.transact(note, hurry=True)
    return see_other(request, f"{PATH}/{name}", "secret_kept")
