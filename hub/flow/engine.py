# SPDX-License-Identifier: EUPL-1.2
"""Holds the flow together: lease, recovery, planner, roads, and the ticks that wake them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random, SystemRandom
from typing import Final, Self

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import Connection

from channels.base import Channel, ChannelName, Clock, Lane, Reason, Witness
from hub.backoff import HORIZON, looks
from hub.flow import upkeep
from hub.flow.accept.repeating import Repeating
from hub.flow.doubt.lookup import Lookup
from hub.flow.fallback import PATIENCE, Fallback
from hub.flow.keep.tenure import LENGTH, Tenure
from hub.flow.planning import digest
from hub.flow.planning.digest import AT_SIX, DigestTimes
from hub.flow.planning.plan import Planner
from hub.flow.send import switches
from hub.flow.send.budget import Budget, Limits
from hub.flow.send.dispatch import Road
from hub.flow.send.gate import Gate, Wishes
from hub.flow.send.outcomes import Outcomes
from hub.flow.send.settle import doubt_wait
from hub.flow.send.shelf import Shelf
from hub.flow.send.slips import Slips
from hub.flow.site import Press
from hub.ledger import doubts, leases, runs
from hub.ledger.database import LedgerFullError
from hub.ledger.deliveries import Settlement
from hub.ledger.leases import LeaseEndedError
from hub.ledger.runs import Run
from hub.ledger.store import Ledger
from hub.queue.port import WorkQueue

log = structlog.get_logger(__name__)
# A tick that is still at work when the next one comes is skipped on purpose: no warning is due.
logging.getLogger("apscheduler").setLevel(logging.ERROR)

ROUND: Final = 1.0  # seconds between two rounds of upkeep
WATCH: Final = 0.2  # seconds between two looks for what another process wrote
SELF_AUDIT: Final = 60.0
_LAST_COMMIT: Final = 1.0  # seconds an end that took its time still grants the last outcomes


@dataclass(frozen=True, slots=True)
class RoadSettings:
    """How one channel is driven: rows a window, connections, messages a second, patience."""

    channel: Channel
    window: int
    connections: int
    pace: float
    timeout: float = 30.0  # seconds one message may take, in all
    receipts: bool = False  # whether its provider tells of each message that arrived
    others: Mapping[str, float] = field(default_factory=dict)  # further providers, and their pace
    limits: Limits | None = None  # what a month may cost


class Engine:
    """The daemon's heart. `async with` recovers, then works until it is left."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        queue: WorkQueue,
        press: Press,
        slips: Slips,
        clock: Clock,
        roads: Sequence[RoadSettings],
        drain: float = 25.0,
        lease_seconds: float = LENGTH,
        horizon: timedelta = HORIZON,
        patience: timedelta = PATIENCE,
        random: Random | None = None,
        digests: DigestTimes = AT_SIX,
    ) -> None:
        self.ledger, self.clock, self.wishes = ledger, clock, Wishes()
        self._queue, self.press, self.slips, self._settings = queue, press, slips, roads
        self._random = random or SystemRandom()
        self._drain, self._horizon, self._digests = drain, horizon, digests
        self._fallback = Fallback(
            press,
            [each.channel.name for each in roads],
            [each.channel.name for each in roads if each.receipts],
            patience,
        )
        self._roads: dict[ChannelName, Road] = {}
        self._lookups: dict[ChannelName, Lookup] = {}
        self._outcomes = Outcomes(ledger, clock, self._settled)
        self.tenure = Tenure(ledger, clock, lease_seconds, self._held)
        self._strays: set[tuple[int, int]] = set()
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._ticks = AsyncIOScheduler(
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
        )

    @property
    def roads(self) -> Mapping[ChannelName, Road]:
        """The channels in use, for health and metrics."""
        return self._roads

    # ------------------------------------------------------------------ start and stop

    async def __aenter__(self) -> Self:
        await self.tenure.begin()
        self._planner = Planner(self.ledger, self.clock, self.tenure, self._planned, self._digests)
        for each in self._settings:
            self._roads[each.channel.name] = self._road(each)
        await self.ledger.changed_elsewhere()  # what is written from here on is noticed
        await self.reload()
        self._tasks = [
            asyncio.create_task(self._planner.work(), name="planner"),
            asyncio.create_task(self._follow_changes(), name="changes"),
            asyncio.create_task(self.tenure.keep(), name="lease"),
            *(asyncio.create_task(r.work(), name=f"road {n}") for n, r in self._roads.items()),
        ]
        self._planner.wake()
        self._tick(self.round, ROUND)
        self._tick(self.watch, WATCH)
        self._tick(self.self_audit, SELF_AUDIT)
        self._ticks.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._ticks.shutdown(wait=False)
        for task in self._tasks[:3]:
            task.cancel()
        for lookup in self._lookups.values():
            lookup.stop()
        began = self.clock.monotonic()
        await asyncio.gather(*(road.stop(self._drain) for road in self._roads.values()))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        left = self._drain - (self.clock.monotonic() - began)
        if not await self._outcomes.drain(max(left, _LAST_COMMIT)):
            log.error("stop.unwritten", rows=len(self._outcomes.deliveries))

    def _road(self, settings: RoadSettings) -> Road:
        channel = settings.channel
        shelf = Shelf(
            self.ledger,
            self.press,
            channel,
            self.clock,
            self.tenure,
            settings.window,
            self._random,
            self._horizon,
        )
        self._have_asked(channel, shelf)
        limits = settings.limits
        gate = Gate(
            channel.name,
            self._queue,
            self.wishes,
            self.clock,
            lease_good=lambda lease: self.tenure.outlives(lease, settings.timeout),
            road_closed=lambda: self._roads[channel.name].closed_for,
        )
        return Road(
            channel,
            queue=self._queue,
            shelf=shelf,
            gate=gate,
            slips=self.slips,
            outcomes=self._outcomes,
            clock=self.clock,
            connections=settings.connections,
            paces={channel.name: settings.pace, **settings.others},
            budget=Budget(channel.name, limits, self.ledger, self.clock) if limits else None,
        )

    def _have_asked(self, channel: Channel, shelf: Shelf) -> None:
        """Where a channel can be asked afterwards, ask it about what is in doubt."""
        if isinstance(channel, Witness) and looks(channel.name, Lane.BULK):
            self._lookups[channel.name] = Lookup(
                channel,
                shelf=shelf,
                slips=self.slips,
                random=self._random,
                guarded=self.tenure.guarded,
                changed=self.changed,
            )

    def _tick(self, work: Callable[[], Awaitable[None]], seconds: float) -> None:
        async def tick() -> None:
            with suppress(asyncio.CancelledError):  # the daemon stops: nothing to report
                await work()

        self._ticks.add_job(tick, "interval", seconds=seconds)

    # ------------------------------------------------------------------ what wakes the flow

    def changed(self) -> None:
        """Something was committed: an announcement, a cancellation, a decision."""
        self._changed.set()

    async def _follow_changes(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._planner.wake()  # it plans while windows open: an alert needs both
            try:
                await self.reload()
            except Exception:  # whatever it is, the flow must hear of the next change
                log.exception("engine.reload")
                await self.clock.sleep(ROUND)
                self._changed.set()

    async def reload(self) -> None:
        """Read switches and open runs again: the queue holds nothing the ledger does not."""
        open_runs, closed = await self.ledger.read(_now_standing)
        for name, road in self._roads.items():
            road.switch(closed.get(name))
        found = {run.id: run for run in open_runs}
        for gone in [run for run in self._queue.runs() if run.id not in found]:
            self._gone(gone)
        for run in found.values():
            if run.channel in self._roads:
                self._roads[run.channel].news(run)

    def _gone(self, run: Run) -> None:
        self._queue.remove(run.id)
        self._roads[run.channel].forget(run.id)

    def _planned(self, run_id: int) -> None:
        self.changed()

    def _settled(self, settlement: Settlement) -> None:
        for road in self._roads.values():
            road.settled(settlement)
        if settlement.dead is not None:
            self.wishes.changed(settlement.row.subscriber, self.clock.monotonic())

    async def prove_writable(self) -> None:
        """Write our lease once more as it is. Raises `LedgerFullError` where nothing can be."""
        await self.ledger.transact(lambda conn: leases.touch(conn, self.tenure.id), hurry=True)

    # ------------------------------------------------------------------ ticks

    async def watch(self) -> None:
        """Notice what another process committed."""
        if await self.ledger.changed_elsewhere():
            self.changed()

    async def round(self) -> None:
        """One round of upkeep, each step a transaction: one that fails keeps none from working.

        A full disk makes all of them wait for the next round.
        """
        await self._look_up()
        steps = (
            self._publish_due,
            self._come_again,
            self._resolve_doubts,
            upkeep.close_over,
            self._park_roadless,
            self._begin_digests,
            self._fall_back,
            self._finish,
        )
        while True:
            changed = 0
            for step in steps:
                try:
                    changed += await self._step(step)
                except LedgerFullError:
                    log.exception("upkeep.ledger_full")
                    return
                except LeaseEndedError:  # replaced in a moment, or another hub's work from now on
                    return
                except Exception:  # one announcement that cannot be published, say
                    log.exception("upkeep.bug", step=step.__name__)
            self._planner.wake()
            if not changed:
                return
            self.changed()

    def _step(self, step: Callable[[Connection, datetime], int]) -> "asyncio.Future[int]":
        now = self.clock.now()
        return self.ledger.transact(self.tenure.guarded(lambda conn: step(conn, now)))

    def _come_again(self, conn: Connection, now: datetime) -> int:
        return Repeating(self.press, list(self._roads)).publish_due(conn, now)

    def _begin_digests(self, conn: Connection, now: datetime) -> int:
        return digest.begin_due(conn, self._digests, now)

    def _fall_back(self, conn: Connection, now: datetime) -> int:
        return self._fallback.add(conn, now)

    def _finish(self, conn: Connection, now: datetime) -> int:
        return upkeep.finish(conn, now, self._fallback.awaited)

    async def _look_up(self) -> None:
        for lookup in self._lookups.values():
            try:
                await lookup.sweep()
            except Exception:  # its rows stay in doubt until the next round
                log.exception("lookup.sweep", channel=lookup.channel.name)

    def _resolve_doubts(self, conn: Connection, now: datetime) -> int:
        """Of the channels that nobody can ask; and no address is kept longer than it is needed."""
        doubts.forget_resolved(conn)
        return upkeep.resolve_doubts(conn, now, self._lookups.keys())

    def _park_roadless(self, conn: Connection, now: datetime) -> int:
        return upkeep.park_roadless(conn, now, self._roads.keys())

    def _publish_due(self, conn: Connection, now: datetime) -> int:
        return upkeep.publish_due(conn, self.press, now)

    def _held(self) -> set[int]:
        """Every row whose outcome we know, or will know."""
        return self._outcomes.deliveries.union(*(road.held for road in self._roads.values()))

    async def self_audit(self) -> None:
        """Doubt what twice in a row stood reserved under our lease but in none of our windows."""
        lease, held = self.tenure.id, self._held()
        found = await self.ledger.read(lambda conn: leases.strays(conn, lease, held))
        held = self._held()
        lost = {stray for stray in found & self._strays if stray[0] not in held}
        self._strays = found - lost
        if not lost:
            return
        log.warning("self_audit.strays", rows=len(lost))
        now = self.clock.now()
        doubt = lambda conn: leases.doubt_strays(conn, lease, lost, now, doubt_wait)  # noqa: E731
        with suppress(LeaseEndedError):  # whoever took over finds them too
            await self.ledger.transact(self.tenure.guarded(doubt))


def _now_standing(conn: Connection) -> tuple[Sequence[Run], Mapping[ChannelName, Reason]]:
    return runs.open_runs(conn), switches.closed(conn)
