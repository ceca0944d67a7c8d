# SPDX-License-Identifier: EUPL-1.2
"""The composition root: the only place that names concrete stores, channels and providers."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection, select

from channels.base import Channel, ChannelName, Clock
from channels.registry import build
from hub.browsers import devices_of
from hub.driving import longest, road_settings
from hub.equipment import Keys, UnusableError, configured, make_press, stood_in
from hub.flow.accept.credentials import Seal
from hub.flow.accept.intake import Intake
from hub.flow.citizens.asking import Asking, AskLimits
from hub.flow.citizens.inbound import Answering
from hub.flow.citizens.keywords import JoinRules
from hub.flow.engine import Engine
from hub.flow.keep.retention import Retiring, Rules
from hub.flow.planning.digest import DigestTimes
from hub.flow.receipts import Receiving
from hub.flow.send.slips import Slips
from hub.flow.site import Press
from hub.flow.staff.mailing import Mailing
from hub.incoming import postbox, receipt_reader, with_callbacks, x_codes
from hub.ledger.lock import FolderLock
from hub.ledger.store import Ledger
from hub.queue.embedded import EmbeddedQueue
from hub.sandbox.server import Sandbox
from hub.settings import Settings
from hub.standing_in import show_phones
from hub.tariff import measuring
from hub.web.desk import Desk
from hub.web.health import gauges
from hub.web.limiter import Limiter
from hub.web.listening import bind, open_doors, opened_when_free
from hub.web.portal.x_account import X_CODES
from hub.web.references import References
from hub.web.sandbox.stage import Phones
from hub.web.server import make_app
from subscribers import crier
from subscribers.catalogue import Catalogue as Town
from subscribers.catalogue import load_catalogue
from subscribers.proofs import Proofs
from subscribers.tables import authority
from subscribers.tokens import StopTokens
from templates import check

log = structlog.get_logger(__name__)

_LEASE_MARGIN = 1.5  # of the longest time-out: a lease is renewed six times in its length


def make_channels(settings: Settings, clock: Clock) -> Sequence[Channel]:
    """Every configured channel, closed. Raises `UnusableError` naming what is missing."""
    channels = []
    for name, section in configured(settings).items():
        try:
            channels.append(build(name, section, clock))
        except ValueError as missing:
            raise UnusableError(f"channels.{name}: {missing}") from None
    return channels


def listen(settings: Settings) -> socket.socket:
    """The server's socket, bound: port 0 has become a real one. Raises `UnusableError`."""
    address = (settings.server.host, settings.server.port)
    try:
        return bind(*address)
    except OSError as refused:
        reason = f"server {address[0]}:{address[1]} cannot be listened on: {refused.strerror}"
        raise UnusableError(reason) from None


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub that runs."""

    settings: Settings
    ledger: Ledger
    engine: Engine
    intake: Intake
    town: Town
    base_url: str


@asynccontextmanager
async def open_hub(
    settings: Settings,
    clock: Clock,
    server: socket.socket | None,
    *,
    lock: FolderLock | None = None,
    sandbox: Sandbox | None = None,
    phones: Phones | None = None,
) -> AsyncIterator[Hub]:
    """Everything started in the order it is needed, and stopped in the reverse.

    The doors open last and close first: what was accepted is on its way before the next comes.
    `lock` is the folder's, where it was taken already; without a `server` the doors open as soon
    as the port is free. Raises `UnusableError`, and what `Ledger.open` raises.
    """
    async with AsyncExitStack() as stack:
        keys = Keys.of(settings)
        fake = stood_in(settings) if sandbox is not None else ()
        settings = with_callbacks(settings, server, sandboxed=ChannelName.SMS in fake)
        ledger = Ledger.open(
            settings.hub.data, exclusive=True, commit_wait=settings.engine.commit_wait, lock=lock
        )
        stack.callback(ledger.close)
        town = await ledger.transact(lambda conn: _town(conn, settings, clock))
        channels = make_channels(settings, clock)
        for channel in channels:
            await stack.enter_async_context(channel)
        engine = _engine(settings, clock, ledger, keys, channels)
        await asyncio.to_thread(_try_templates, engine.press)
        await stack.enter_async_context(engine)
        await _begin_beside(stack, settings, engine)
        intake = Intake(ledger, engine.press, list(configured(settings)), clock, engine.changed)
        desk = _desk(settings, clock, engine, intake, town, keys, channels, fake)
        app = make_app(desk)
        if (codes := x_codes(settings, desk, channels)) is not None:
            app[X_CODES] = await stack.enter_async_context(codes)
        mailbox = postbox(settings, desk, channels, sandboxed=ChannelName.EMAIL in fake)
        if mailbox is not None:
            await stack.enter_async_context(mailbox)
        if sandbox is not None:
            show_phones(app, settings, clock, sandbox, phones, mailbox.port if mailbox else 0)
        url = await _let_in(stack, app, settings, clock, server)
        yield Hub(settings, ledger, engine, intake, town, url)
        log.info("hub.stopping")


async def _begin_beside(stack: AsyncExitStack, settings: Settings, engine: Engine) -> None:
    """What works beside the engine: letters to officers, erasing in time, measuring what ended."""
    ledger, clock = engine.ledger, engine.clock
    rules = Rules(**settings.retention.model_dump())
    await stack.enter_async_context(Mailing(engine))
    await stack.enter_async_context(Retiring(ledger, rules, clock))
    await stack.enter_async_context(measuring(settings, engine.press, ledger, clock))


async def _let_in(
    stack: AsyncExitStack,
    app: web.Application,
    settings: Settings,
    clock: Clock,
    server: socket.socket | None,
) -> str:
    """Open the doors, now or when the port is free; their address."""
    if server is None:
        address = (settings.server.host, settings.server.port)
        await stack.enter_async_context(opened_when_free(stack, app, *address, clock))
    else:
        address = server.getsockname()[:2]
        await open_doors(stack, app, server)
    return "http://{}:{}".format(*address)


def _try_templates(press: Press) -> None:
    """Compile them now, so that the first announcement does not wait for it; a broken one is told
    at the start, and costs its own channel only."""
    for fault in check.problems(press.composer.catalogue, one_way=press.one_way):
        log.error("templates.fault", file=fault.file, line=fault.line, what=fault.what)


def _engine(
    settings: Settings, clock: Clock, ledger: Ledger, keys: Keys, channels: Sequence[Channel]
) -> Engine:
    return Engine(
        ledger,
        queue=EmbeddedQueue(),
        press=make_press(settings, Proofs(keys.proofs)),
        slips=Slips(keys.slips, StopTokens([keys.stops])),
        clock=clock,
        roads=[road_settings(settings, channel) for channel in channels],
        drain=settings.engine.drain_seconds,
        horizon=timedelta(hours=settings.engine.retry_hours),
        lease_seconds=lease_seconds(settings),
        patience=timedelta(seconds=settings.engine.fallback_seconds),
        digests=DigestTimes.named(settings.engine.digest_time, settings.engine.digest_day),
    )


def _desk(  # noqa: PLR0917 (one caller, just above)
    settings: Settings,
    clock: Clock,
    engine: Engine,
    intake: Intake,
    town: Town,
    keys: Keys,
    channels: Sequence[Channel],
    fake: Sequence[ChannelName],
) -> Desk:
    metrics = CollectorRegistry()
    return Desk(
        settings=settings,
        clock=clock,
        ledger=intake.ledger,
        engine=engine,
        intake=intake,
        site=intake.press.site,
        stops=engine.slips.stops,
        receiving=Receiving(intake.ledger, engine.slips, engine.wishes, clock),
        answering=Answering(
            *(intake.ledger, engine.wishes, clock),
            town=town.name,
            url=settings.hub.public_url,
            language=town.language,
            joining=JoinRules(town.authority, settings.people.phone_regions, keys.suppression),
        ),
        seal=Seal(keys.seal),
        references=References(keys.references),
        asking=_asking(settings, clock, engine, keys),
        devices=devices_of(settings, engine, town.authority),
        limiter=Limiter(),
        metrics=metrics,
        gauges=gauges(metrics),
        authority=town.authority,
        authority_name=town.name,
        stand_ins=tuple(fake),
        receipts=receipt_reader(channels),
    )


def _asking(settings: Settings, clock: Clock, engine: Engine, keys: Keys) -> Asking:
    chosen = settings.sign_ups.model_dump(exclude={"fill_seconds"})
    proofs, limits = Proofs(keys.proofs), AskLimits(**chosen)
    return Asking(engine.ledger, clock, engine.changed, proofs, keys.suppression, limits)


def _town(conn: Connection, settings: Settings, clock: Clock) -> Town:
    """The authority of this instance; with X configured, its account publishes every theme."""
    wanted = select(authority.c.id).where(authority.c.key == settings.hub.authority)
    found = conn.execute(wanted).scalar_one_or_none()
    if found is None:
        key = settings.hub.authority
        raise UnusableError(f"hub.authority: the ledger knows no '{key}'; run `hub init`.")
    town = load_catalogue(conn, found)
    if settings.channels.x is not None:
        crier.appoint(conn, town, clock.now())
    return town


def lease_seconds(settings: Settings) -> float:
    """How long this process may send without renewing its lease. Raises `UnusableError` where that
    is too short for what is sent last to be answered before it ends."""
    sections = configured(settings).values()
    least = _LEASE_MARGIN * max(map(longest, sections), default=0.0)
    if settings.engine.lease_seconds < least:
        raise UnusableError(
            f"engine.lease_seconds must be at least {least:g}, half as long again as the longest "
            "time-out of a channel."
        )
    return settings.engine.lease_seconds
