# SPDX-License-Identifier: EUPL-1.2
"""Puts the stand-ins in the providers' place, all of them or some, and shows their pages."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from channels.base import ChannelName, Clock
from hub.clock import PlayedClock, SystemClock
from hub.equipment import real, stood_in
from hub.incoming import inbound_url
from hub.sandbox.server import Sandbox, SandboxSettings
from hub.settings import Settings
from hub.web import sandbox as pages
from hub.web.sandbox.stage import PHONES, STAGE, Phones, Stage


def clock_for(settings: Settings) -> SystemClock:
    """One that may be put forward where nothing real leaves; else nobody plays with the time, or
    tomorrow's digest would reach real people tonight."""
    return SystemClock() if real(settings) else PlayedClock()


def sandbox_of(settings: Settings, clock: Clock, **more: Any) -> Sandbox:
    """The stand-ins, inside this process. More: `SandboxSettings` beyond hub.toml's."""
    chosen = SandboxSettings(
        host=settings.sandbox.host,
        http_port=settings.sandbox.http_port,
        smtp_port=settings.sandbox.smtp_port,
        **more,
    )
    return Sandbox(clock, chosen)


def sandboxed(settings: Settings, sandbox: Sandbox) -> Settings:
    """The same settings, with every channel of `sandbox.channels` pointed at the stand-ins."""
    fake = stood_in(settings)
    given = type(settings.channels).model_validate(sandbox.channel_settings())
    update: Mapping[str, Any] = {name.value: getattr(given, name.value) for name in fake}
    asked = settings.channels.x
    if asked is not None and update.get("x") is not None:
        x = update["x"].model_copy(update={"direct_messages": asked.direct_messages})
        update = {**update, "x": x}
    ours = settings.channels.sms
    if ours is not None and ours.price and update.get("sms") is not None:
        update = {**update, "sms": update["sms"].model_copy(update={"price": ours.price})}
    channels = settings.channels.model_copy(update=update)
    return settings.model_copy(update={"channels": channels})


def show_phones(  # noqa: PLR0917 (one caller)
    app: web.Application,
    settings: Settings,
    clock: Clock,
    sandbox: Sandbox,
    phones: Phones | None,
    mailbox_port: int,
) -> None:
    """Serve the sandbox's pages on the hub's own port, and its JSON where no channel is real: it
    asks nobody who they are. What citizens write comes back, and letters to `mailbox_port`."""
    sandbox.twilio.inbound_url = inbound_url(settings)
    sandbox.bounces.port = mailbox_port
    alone = not real(settings)
    if alone:
        sandbox.routes(app)
    sms, fake = settings.channels.sms, stood_in(settings)
    answered = sms is not None and sms.two_way and ChannelName.SMS in fake
    app[PHONES] = replace(
        phones or Phones(sandbox.effects, ()),
        inbound=sandbox.twilio.inbound if answered else None,
    )
    played = clock if isinstance(clock, PlayedClock) and alone else None
    app[STAGE] = Stage(sandbox.faults, fake, played, alone=alone)
    app.add_routes(pages.routes())
