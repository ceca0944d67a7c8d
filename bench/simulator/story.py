# SPDX-License-Identifier: EUPL-1.2
"""One seed, one story: what is published, what goes wrong and when, and how it all ends."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from sqlalchemy import text

from bench.simulator.hub import CLERK, SimHub
from bench.simulator.paper import Disk
from bench.simulator.provider import HEALTHY, TRICKS, Provider
from bench.simulator.town import Town, settle
from bench.simulator.virtual import VirtualClock, play
from channels.base import ChannelName
from hub.announcement import UnlawfulMoveError
from hub.flow.accept.problems import RefusedError
from hub.flow.accept.submission import parse
from hub.flow.redrive import redrive
from hub.flow.send import shelf
from hub.ledger.database import LedgerFullError
from subscribers.privacy import erase_person
from subscribers.subscriptions import stop_all

START: Final = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
LONGEST: Final = 40 * 3600.0  # seconds: past every validity and every backoff
LONGEST_REST: Final = 900.0  # seconds a run rests at most, instead of 30: a night is told sooner
_UNDONE: Final = text(
    "SELECT (SELECT count(*) FROM run WHERE state <> 'done') + (SELECT count(*) FROM delivery "
    "WHERE state IN ('ready', 'reserved', 'doubt'))"
)


@dataclass
class Published:
    """An announcement the hub said yes to. Moments are the story's seconds, asked and committed."""

    id: int
    code: str
    at: float
    urgency: str
    channels: tuple[ChannelName, ...]
    expires: datetime | None
    about: str | None
    cancelled: float | None = None
    paused: list[list[float]] = field(default_factory=list)  # [from, to] where nothing may leave


@dataclass
class Record:
    """What the checker is given: the story's own notes, and never the engine's."""

    seed: int
    town: Town
    providers: Mapping[ChannelName, Provider]
    disk: Disk
    published: dict[int, Published] = field(default_factory=dict)
    redriven: Counter[int] = field(default_factory=Counter)
    stops: dict[int, float] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    crashes: int = 0
    jumped: bool = False
    ended: bool = False
    seconds: float = 0.0
    in_doubt: int = 0


class Story:
    """Plays itself: `await Story(seed).run()`."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = Random(seed)
        start = START + timedelta(minutes=chance.choice([600, 600, chance.randrange(1440)]))
        self.clock = VirtualClock(start)
        every = list(ChannelName)
        channels = sorted(chance.sample(every, chance.choice([1, 2, 2, 4])))
        town = settle(chance, channels)
        self.disk = Disk()
        self.disk.transact(lambda conn: town.write(conn, self.clock.now()))
        providers = {each: Provider(each, self.clock, Random(chance.random())) for each in channels}
        self.record = Record(seed, town, providers, self.disk)
        drain = chance.choice([0.05, 5.0, 25.0])
        self.hub = SimHub(self.disk, self.clock, list(providers.values()), chance, drain)
        for each in providers.values():
            if each.channel is ChannelName.SMS:
                each.post = self.hub.hear
        self.clock.nap = self.hub.pulse.nap
        self.length = chance.choice([20.0, 120.0, 1800.0])
        self.rough = chance.choice([0.0, 0.1, 0.4, 0.8])
        self._ours: set[asyncio.Task[Any]] = set()

    def say(self, what: str) -> None:
        self.record.log.append(f"{self.clock.monotonic():10.3f} {what}")
        self.hub.pulse.stir(self.clock.monotonic())

    # ------------------------------------------------------------------ from start to end

    async def run(self) -> Record:
        task = asyncio.current_task()
        assert task is not None
        self._ours = {task}
        await self.hub.start()
        for at, act in self._plot():
            await asyncio.sleep(max(0.0, at - self.clock.monotonic()))
            await act()
        await self._calm()
        await self._until_over()
        self.record.crashes = self.hub.crashes
        await self.hub.crash(self._ours)
        return self.record

    def _plot(self) -> list[tuple[float, Callable[[], Awaitable[None]]]]:
        chance, length = self.chance, self.length
        acts: list[tuple[float, Callable[[], Awaitable[None]]]] = [
            (chance.uniform(0, length / 2), self.publish)
            for _ in range(chance.choice([1, 1, 2, 4]))
        ]
        trouble: list[Callable[[], Awaitable[None]]] = [
            *(
                [self.crash] * 4
                + [self.stop_and_start, self.fill_disk, self.set_clock, self.suspend]
            ),
            *([self.stop_person] * 3 + [self.erase_person, self.cancel, self.pause] * 2),
            *([self.mood] * 6 + [self.resume, self.redrive, self.listing]),
        ]
        many = chance.choice([0, 2, 5, 12])
        acts += [(chance.uniform(0, length), chance.choice(trouble)) for _ in range(many)]
        if self.rough:
            acts.append((0.0, self.mood))
        return sorted(acts, key=lambda act: act[0])

    async def _calm(self) -> None:
        """Every fault ends: what is left alone with providers that work must come to its end."""
        self.disk.full = False
        for provider in self.record.providers.values():
            provider.mood, provider.listing_down = HEALTHY, False
        if self.hub.engine is None:
            await self.hub.start()
        for each in self.record.published.values():
            await self._resume(each)
        self.say("calm")

    async def _until_over(self) -> None:
        while self.clock.monotonic() < LONGEST:
            await asyncio.sleep(self.hub.pulse.nap(1.0, self.clock.monotonic()))
            if self.disk.read(lambda conn: conn.execute(_UNDONE).scalar_one()) == 0:
                self.record.ended = True
                await asyncio.sleep(70)  # what a provider still has to say
                break
        self.record.seconds = self.clock.monotonic()

    # ------------------------------------------------------------------ what the town hall does

    async def publish(self) -> None:
        chance = self.chance
        asked: dict[str, Any] = {
            "title": "Coupure d'eau",
            "body": "Jeudi.",
            "themes": ["eau"],
            "urgency": chance.choice(["information", "information", "important", "urgent"]),
        }
        if chance.random() < 0.3:
            validity = timedelta(seconds=chance.choice([5, 60, 600, 7200]))
            asked["expires"] = self.clock.now() + validity
        before = list(self.record.published.values())
        firsts = [each for each in before if each.about is None and each.cancelled is None]
        if firsts and chance.random() < 0.3:
            asked |= {"kind": "correction", "about": chance.choice(firsts).code}
        try:
            accepted = await self._door(lambda intake: intake.accept(parse(asked), CLERK))
        except (LedgerFullError, RefusedError) as no:
            self.say(f"refused: {type(no).__name__}")
            return
        if accepted is None:
            return
        made = accepted.announcement
        self.record.published[made.id] = Published(
            made.id,
            made.code,
            self.clock.monotonic(),
            made.urgency,
            made.channels,
            made.expires,
            asked.get("about"),
        )
        self.say(f"published {made.id} {made.urgency} {made.kind} until {made.expires}")

    async def _door(self, ask: Callable[[Any], Awaitable[Any]]) -> Any:
        """Through the running hub's door; None while it is down."""
        if self.hub.engine is None:
            return None
        return await ask(self.hub.intake())

    def _some(self) -> Published | None:
        found = list(self.record.published.values())
        return self.chance.choice(found) if found else None

    async def _turn(self, verb: str, which: Published | None) -> bool:
        if which is None or self.hub.engine is None:
            return False
        try:
            await getattr(self.hub.intake(), verb)(which.code, CLERK)
        except (UnlawfulMoveError, LedgerFullError):
            return False
        self.say(f"{verb} {which.id}")
        return True

    async def cancel(self) -> None:
        which = self._some()
        if await self._turn("cancel", which):
            assert which is not None
            which.cancelled = self.clock.monotonic()

    async def pause(self) -> None:
        which = self._some()
        if await self._turn("pause", which):
            assert which is not None
            which.paused.append([self.clock.monotonic(), float("inf")])

    async def resume(self) -> None:
        await self._resume(self._some())

    async def _resume(self, which: Published | None) -> None:
        if which is not None and which.paused:
            which.paused[-1][1] = min(which.paused[-1][1], self.clock.monotonic())
            await self._turn("resume", which)

    async def redrive(self) -> None:
        parked = "SELECT id FROM delivery WHERE state = 'parked'"
        try:
            rows = self.disk.read(lambda conn: conn.execute(text(parked)).scalars().all())
            self.disk.transact(lambda conn: redrive(conn, CLERK, self.clock.now()))
        except LedgerFullError:
            return
        self.record.redriven.update(rows)
        self.say(f"redrove {len(rows)}")

    # ------------------------------------------------------------------ what citizens do

    async def stop_person(self) -> None:
        await self._silence("stops", stop_all)

    async def erase_person(self) -> None:
        await self._silence("is erased", erase_person)

    async def _silence(self, verb: str, wish: Callable[[Any, int, datetime], Any]) -> None:
        who = self.chance.choice(list(self.record.town.people))
        person, now = self.record.town.people[who], self.clock.now()
        if person.silent is not None:
            return
        person.asked = self.clock.monotonic()
        try:
            if self.hub.ledger is not None and self.hub.engine and self.chance.random() < 0.5:
                await self.hub.ledger.transact(lambda conn: wish(conn, who, now), hurry=True)
                self.hub.stopped(who)
            else:
                self.disk.transact(lambda conn: wish(conn, who, now))
        except LedgerFullError:
            person.asked = None
            return
        person.silent = self.clock.monotonic()
        self.say(f"{who} {verb}")

    # ------------------------------------------------------------------ what goes wrong

    async def mood(self) -> None:
        provider = self.chance.choice(list(self.record.providers.values()))
        kinds = self.chance.sample(TRICKS, self.chance.randint(1, 6))
        share = self.rough if self.chance.random() < 0.8 else 0.0
        provider.mood = {"ok": max(1.0 - share, 0.05)} | {k: share / len(kinds) for k in kinds}
        provider.failing = self.chance.choice([0.0, 0.0, 0.2])
        self.say(f"{provider.channel} plays {kinds} in {share:.0%}")

    async def listing(self) -> None:
        for provider in self.record.providers.values():
            provider.listing_down = not provider.listing_down
        self.say("listings fail or work")

    async def crash(self) -> None:
        self.record.in_doubt += self.disk.read(
            lambda conn: conn.execute(
                text("SELECT count(*) FROM delivery WHERE state = 'reserved'")
            ).scalar_one()
        )
        await self.hub.crash(self._ours)
        self.say("crash")
        await asyncio.sleep(self.chance.choice([0.0, 1.0, 30.0]))
        await self._start()

    async def stop_and_start(self) -> None:
        self.say("stop")
        await self.hub.stop()
        await asyncio.sleep(self.chance.choice([0.0, 5.0]))
        await self._start()

    async def _start(self) -> None:
        full, self.disk.full = self.disk.full, False  # a hub does not start on a full disk
        if self.hub.engine is None:
            await self.hub.start()
        self.disk.full = full
        self.say("start")

    async def fill_disk(self) -> None:
        self.disk.full = True
        self.say("disk full")
        await asyncio.sleep(self.chance.uniform(0.01, 5))
        self.disk.full = False
        self.say("room again")

    async def set_clock(self) -> None:
        self.clock.wrong += timedelta(hours=self.chance.choice([-1, 1]))
        self.record.jumped = True
        self.say(f"clock wrong by {self.clock.wrong}")

    async def suspend(self) -> None:
        """The machine sleeps: time passes, nobody runs, then everybody at once."""
        self.clock.leap(self.chance.choice([3.0, 90.0, 4000.0]))
        self.say("the machine woke up")


async def _tell(seed: int) -> Record:
    return await Story(seed).run()


def tell(seed: int) -> Record:
    """Play one seed to its end."""
    before, shelf.LONGEST_REST = shelf.LONGEST_REST, LONGEST_REST
    try:
        return play(_tell(seed))
    finally:
        shelf.LONGEST_REST = before
