# SPDX-License-Identifier: EUPL-1.2
"""One hub of a story: it starts, stops, crashes and starts again over the same tables."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any, Final, cast

from bench.simulator.paper import Disk, PaperLedger
from bench.simulator.provider import TIMEOUT, Provider, road_of
from channels.base import ChannelName, Receipt
from hub.flow.accept.intake import Intake
from hub.flow.accept.principal import Principal
from hub.flow.engine import Engine, RoadSettings
from hub.flow.send.slips import Slips
from hub.flow.site import Press, Site
from hub.ledger.receipts import RECEIPT, Arrival
from hub.ledger.store import Ledger
from hub.queue.embedded import EmbeddedQueue
from subscribers.tables import to_ms
from subscribers.tokens import StopTokens
from templates.catalogue import Catalogue
from templates.render import Composer

CLERK: Final = Principal("cli", "clerk", 1, may_publish=True)
SLIPS: Final = Slips(b"s" * 32, StopTokens([b"k" * 32]))
HORIZON: Final = timedelta(hours=6)  # instead of 72: a story is told in less time
_CALM: Final = 3.0  # seconds after an event from which on ticks become rarer
_RAREST: Final = 300.0  # seconds between two ticks of a story where nothing happens


@cache
def press() -> Press:
    """The words, compiled once a process."""
    return Press(Composer(Catalogue()), Site("https://alerte.example.org"))


class Pulse:
    """How often ticks are due: as in life around events, rarer over the long waits between."""

    def __init__(self) -> None:
        self.lively_until = 0.0

    def stir(self, now: float) -> None:
        self.lively_until = now + _CALM

    def nap(self, seconds: float, now: float) -> float:
        return max(seconds, min((now - self.lively_until) / 4, _RAREST))


class PacedEngine(Engine):
    """The daemon's heart, whose ticks follow the story's time instead of the world's."""

    pulse: Pulse

    def _tick(self, work: Callable[[], Awaitable[None]], seconds: float) -> None:
        async def turn() -> None:
            while True:
                await asyncio.sleep(self.pulse.nap(seconds, self.clock.monotonic()))
                await work()

        self._turns = [*getattr(self, "_turns", []), asyncio.create_task(turn())]

    def cut(self) -> None:
        """No further tick: the process is dead."""
        self._ticks.shutdown(wait=False)

    async def __aexit__(self, *exc: object) -> None:
        for turn in self._turns:
            turn.cancel()
        await super().__aexit__(*exc)


class SimHub:
    """What the story does to the hub. `None` engine: it is down."""

    def __init__(
        self, disk: Disk, clock: Any, providers: Sequence[Provider], chance: Random, drain: float
    ) -> None:
        self.disk, self.clock, self.providers = disk, clock, providers
        self.chance, self.drain = chance, drain
        self.pulse = Pulse()
        self.engine: PacedEngine | None = None
        self.ledger: PaperLedger | None = None
        self.lease_seconds = chance.choice([600.0, 36_000.0, 36_000.0])
        self.crashes = 0
        self._unanswered: dict[asyncio.Future[Any], Receipt] = {}

    async def start(self) -> None:
        self.pulse.stir(self.clock.monotonic())
        self.ledger = PaperLedger(self.disk, self.chance)
        shape: dict[str, Any] = {"window": self.chance.choice([1, 3, 10]), "connections": 4}
        shape |= {"pace": 20.0, "timeout": TIMEOUT}
        engine = PacedEngine(
            cast("Ledger", self.ledger),
            queue=EmbeddedQueue(),
            press=press(),
            slips=SLIPS,
            clock=self.clock,
            roads=[RoadSettings(road_of(each), **shape) for each in self.providers],
            drain=self.drain,
            lease_seconds=self.lease_seconds,
            horizon=HORIZON,
            random=Random(self.chance.random()),
        )
        engine.pulse = self.pulse
        await engine.__aenter__()
        self.engine = engine

    async def stop(self) -> None:
        """SIGTERM."""
        engine, self.engine = self.engine, None
        if engine is not None:
            await engine.__aexit__(None, None, None)
            assert self.ledger is not None
            self.ledger.crash()  # what was not written by then is not
            self._forget()

    def _forget(self) -> None:
        """Whoever waited for our answer will ask again."""
        unanswered, self._unanswered = self._unanswered, {}
        for receipt in unanswered.values():
            asyncio.get_running_loop().call_later(5.0, self.hear, receipt)

    async def crash(self, ours: set["asyncio.Task[Any]"]) -> None:
        """`kill -9`: every task that is not the story's own ends where it stands."""
        engine, self.engine = self.engine, None
        assert self.ledger is not None
        self.ledger.crash()
        for provider in self.providers:
            provider.crash()
        if engine is not None:
            engine.cut()
        dying = asyncio.all_tasks() - ours
        for task in dying:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*dying, return_exceptions=True)
        self.crashes += 1
        self._forget()

    # ------------------------------------------------------------------ doors

    def intake(self) -> Intake:
        """The doors of the running hub. Raises `AttributeError` while it is down."""
        assert self.engine is not None
        channels: list[ChannelName] = [each.channel for each in self.providers]
        ledger = cast("Ledger", self.ledger)
        return Intake(ledger, press(), channels, self.clock, self.engine.changed)

    def hear(self, receipt: Receipt) -> None:
        """A provider posts its later word, and again until somebody answers."""
        read = SLIPS.read_receipt_token(receipt.token)
        assert read is not None
        loop = asyncio.get_running_loop()
        if self.engine is None or self.ledger is None:
            loop.call_later(5.0, self.hear, receipt)
            return
        arrival = Arrival(
            *read, receipt.rank, receipt.code, receipt.reason, receipt.ref, to_ms(receipt.at)
        )
        kept = self.ledger.write(RECEIPT, arrival)
        self._unanswered[kept] = receipt

        def answered(kept: "asyncio.Future[Any]") -> None:
            self._unanswered.pop(kept, None)
            if kept.cancelled() or kept.exception() is not None:
                loop.call_later(5.0, self.hear, receipt)

        kept.add_done_callback(answered)

    def stopped(self, person: int) -> None:
        """A citizen's wish was committed by this very process: the gate hears of it at once."""
        if self.engine is not None:
            self.engine.wishes.changed(person, self.clock.monotonic())

    def now(self) -> datetime:
        found: datetime = self.clock.now()
        return found
