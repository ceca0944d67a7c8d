# SPDX-License-Identifier: EUPL-1.2
"""The real flow with a real channel, against the sandbox's provider that misbehaves."""

import asyncio
import inspect
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from random import Random

import pytest
from sqlalchemy import insert, select
from structlog.testing import capture_logs

from bench.moulds import pour
from channels.base import ChannelName
from channels.registry import load
from hub.clock import SystemClock
from hub.flow.accept.intake import Intake
from hub.flow.accept.principal import Principal
from hub.flow.accept.submission import parse
from hub.flow.engine import Engine, RoadSettings
from hub.flow.send.slips import Slips
from hub.flow.site import Press, Site
from hub.ledger.store import Ledger
from hub.ledger.tables import delivery
from hub.queue.embedded import EmbeddedQueue
from hub.sandbox.server import Sandbox, SandboxSettings
from subscribers import tables
from subscribers.tokens import StopTokens
from templates.catalogue import Catalogue
from templates.render import Composer

CLERK = Principal("cli", "clerk", 1, may_publish=True)
PRESS = Press(Composer(Catalogue()), Site("https://alerte.example.org"))
SETTINGS = {
    ChannelName.SMS: "channels.sms.settings:SmsSettings",
    ChannelName.EMAIL: "channels.email.settings:EmailSettings",
    ChannelName.X: "channels.twitter.settings:TwitterSettings",
    ChannelName.WEBPUSH: "channels.webpush.settings:WebPushSettings",
}
ADDRESS = {
    ChannelName.SMS: "+33639980001",
    ChannelName.EMAIL: "a.1@example.org",
    ChannelName.X: "public",
}


class LeapClock:
    """Runs on by itself, and leaps when a test says so, waking whoever is due."""

    def __init__(self):
        self._zero, self._began = time.monotonic(), datetime.now(UTC)
        self._leapt = asyncio.Event()

    def monotonic(self):
        return time.monotonic() - self._zero

    def now(self):
        return self._began + timedelta(seconds=self.monotonic())

    wall = now

    async def sleep(self, seconds):
        until = self.monotonic() + seconds
        while (left := until - self.monotonic()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leapt.wait(), left)

    def leap(self, seconds):
        self._zero -= seconds
        self._leapt.set()
        self._leapt = asyncio.Event()


class Road:
    """One citizen on one channel, a hub, and the provider's sandbox."""

    def __init__(self, folder, sandbox, name, **changes):
        self.sandbox, self.name, self.clock = sandbox, name, LeapClock()
        pour(folder)
        self.ledger = Ledger.open(folder, exclusive=True, commit_wait=0.002)
        self.changes = {"timeout": 1.0} | changes
        self.engine = None

    def channel(self, **changes):
        module, _, model = SETTINGS[self.name].partition(":")
        section = self.sandbox.channel_settings()[self.name.value] | self.changes | changes
        settings = getattr(import_module(module), model).model_validate(section)
        return load(self.name)(settings, SystemClock())

    async def settle(self):
        """The town, its one citizen, and what they asked for."""
        device = {"endpoint": ADDRESS.get(self.name), "keys": {}}
        if self.name is ChannelName.WEBPUSH:
            device = self.sandbox.new_device("v0001-1")
        self.address = device["endpoint"]
        now = self.clock.now()

        def write(conn):
            town = {"id": 1, "key": "valmont", "name": "Valmont", "timezone": "Europe/Paris"}
            conn.execute(insert(tables.authority).values(**town, language="fr"))
            theme = {"id": 10, "authority": 1, "key": "eau", "names": {"fr": "Eau"}}
            conn.execute(insert(tables.theme).values(**theme))
            person = {"id": 1, "authority": 1, "language": "fr", "timezone": "Europe/Paris"}
            person |= {"channel_order": [], "created": now}
            conn.execute(insert(tables.subscriber).values(**person))
            point = {"subscriber": 1, "channel": self.name, "address": self.address}
            point |= {"keys": device["keys"], "verified_at": now, "created": now}
            conn.execute(insert(tables.contact_point).values(**point))
            asked = {"subscriber": 1, "theme": 10, "channel": self.name, "cadence": "now"}
            conn.execute(insert(tables.subscription).values(**asked))

        await self.ledger.transact(write)

    async def start(self, **changes):
        self.road = await self.channel(**changes).__aenter__()
        self.engine = Engine(
            self.ledger,
            queue=EmbeddedQueue(),
            press=PRESS,
            slips=Slips(b"s" * 32, StopTokens([b"k" * 32])),
            clock=self.clock,
            roads=[RoadSettings(self.road, window=10, connections=4, pace=1e9)],
            drain=1.0,
            random=Random(7),
        )
        await self.engine.__aenter__()

    async def stop(self):
        engine, self.engine = self.engine, None
        if engine is not None:
            await engine.__aexit__(None, None, None)
            await self.road.__aexit__(None, None, None)

    async def close(self):
        await self.stop()
        self.ledger.close()

    async def publish(self, **fields):
        asked = {"title": "Coupure d'eau", "body": "Jeudi.", "themes": ["eau"]} | fields
        intake = Intake(self.ledger, PRESS, [self.name], self.clock, self.engine.changed)
        return (await intake.accept(parse(asked), CLERK)).announcement

    async def row(self):
        return await self.ledger.read(lambda conn: conn.execute(select(delivery)).first())

    def effects(self):
        return self.sandbox.effects.select()

    async def arrived(self, seconds=15.0):
        """Until the provider took something; upkeep stands still meanwhile."""
        async with asyncio.timeout(seconds):
            while not self.effects():  # noqa: ASYNC110 (a provider tells nobody)
                await asyncio.sleep(0.005)

    async def until(self, true, seconds=15.0):
        """Until `true(row)`; upkeep turns meanwhile."""
        async with asyncio.timeout(seconds):
            while True:
                row = await self.row()
                found = row is not None and true(row)
                if await found if inspect.isawaitable(found) else found:
                    return row
                await self.engine.round()
                await asyncio.sleep(0.005)

    async def ends(self, leap=45.0, turns=12):
        """Time passes until the row has come to its end."""
        for _ in range(turns):
            with suppress(TimeoutError):
                return await self.until(lambda row: row.state not in WAITING, 1.5)
            self.clock.leap(leap)
        raise AssertionError(f"still {(await self.row()).state}")


WAITING = {"ready", "reserved", "doubt"}


@pytest.fixture(autouse=True)
def logs():
    with capture_logs() as lines:
        yield lines


@pytest.fixture
async def sandbox():
    async with Sandbox(SystemClock(), SandboxSettings(receipt_delay=0.01)) as running:
        yield running


@pytest.fixture(params=ChannelName)
async def road(request, tmp_path, sandbox):
    """A hub with one channel, started."""
    one = Road(tmp_path / "hub", sandbox, request.param)
    await one.settle()
    yield one
    await one.close()
