# SPDX-License-Identifier: EUPL-1.2
"""A small town, channels that answer what a test tells them, and a hub that can be crashed."""

import asyncio
import inspect
import sqlite3
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import insert, select
from structlog.testing import capture_logs

from bench.moulds import pour, pour_into
from channels.base import Accepted, ChannelName, Prepared, Sighting, TextLimit, Urgency
from hub.announcement import Announcement, State
from hub.flow.accept.intake import Intake, publish
from hub.flow.accept.principal import Principal
from hub.flow.accept.submission import parse
from hub.flow.engine import Engine, RoadSettings
from hub.flow.planning.plan import plan_page
from hub.flow.send.slips import Slips
from hub.flow.site import Press, Site
from hub.ledger import announcements, runs
from hub.ledger import tables as ledger_tables
from hub.ledger.database import open_writer
from hub.ledger.runs import RunState
from hub.ledger.store import Ledger
from hub.ledger.tables import attempt, delivery
from hub.queue.embedded import EmbeddedQueue
from subscribers import tables
from subscribers.proofs import Proofs
from subscribers.tokens import StopTokens
from templates.catalogue import Catalogue
from templates.content import Content, Kind
from templates.render import Composer

sys.path.append(str(Path(__file__).parent))  # `office_town`: the officers of this town

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday, 11 h in Valmont-sur-Orne
PRESS = Press(Composer(Catalogue()), Site("https://alerte.example.org"), proofs=Proofs(b"p" * 32))
SLIPS = Slips(b"s" * 32, StopTokens([b"k" * 32]))
CLERK = Principal("cli", "clerk", 1, may_publish=True)

ADDRESS = {
    ChannelName.SMS: "+3363998{:04d}",
    ChannelName.EMAIL: "p{}@example.org",
    ChannelName.WEBPUSH: "https://push.example.org/{}",
    ChannelName.X: "valmont{}",
}


class LeapClock:
    """Runs on by itself from `START`, and leaps when a test says so, waking whoever is due."""

    def __init__(self):
        self._zero = time.monotonic()
        self._leapt = asyncio.Event()
        self.wrong = timedelta(0)  # by how much the wall clock was set by hand

    def monotonic(self):
        return time.monotonic() - self._zero

    def now(self):
        return START + timedelta(seconds=self.monotonic()) + self.wrong

    wall = now

    async def sleep(self, seconds):
        until = self.monotonic() + seconds
        while (left := until - self.monotonic()) > 0:
            with suppress(TimeoutError):  # not wait_for, which may swallow a cancellation
                async with asyncio.timeout(left):
                    await self._leapt.wait()

    def leap(self, seconds):
        self._zero -= seconds
        self._leapt.set()
        self._leapt = asyncio.Event()


def build_town(conn, now=START):
    """Two authorities, each with the theme `eau` and its own `cantine`."""
    for number, key in ((1, "valmont"), (2, "autreville")):
        conn.execute(
            insert(tables.authority).values(
                id=number, key=key, name=key.title(), timezone="Europe/Paris", language="fr"
            )
        )
        for theme, name in ((number * 10, "eau"), (number * 10 + 1, "cantine")):
            conn.execute(
                insert(tables.theme).values(
                    id=theme, authority=number, key=name, names={"fr": name}
                )
            )


def add_people(conn, numbers, *channels, authority=1, theme=None, now=START, cadence="now", **own):
    """People with these numbers, on these channels; `own` are columns of their row."""
    theme = theme or authority * 10
    people = [
        {"id": n, "authority": authority, "language": "fr", "timezone": "Europe/Paris"}
        | {"channel_order": [], "created": now}
        | own
        for n in numbers
    ]
    conn.execute(insert(tables.subscriber), people)
    for channel in channels:
        points = [
            {"subscriber": n, "channel": channel, "address": ADDRESS[channel].format(n)}
            | {"verified_at": now, "created": now}
            for n in numbers
        ]
        conn.execute(insert(tables.contact_point), points)
        asked = [
            {"subscriber": n, "theme": theme, "channel": channel, "cadence": cadence}
            for n in numbers
        ]
        conn.execute(insert(tables.subscription), asked)


@dataclass(frozen=True)
class Sent:
    """One message a channel wrote to its provider: it was past the gate."""

    to: str
    delivery: int
    round: int
    lane: int
    in_doubt: bool
    post: int
    reply_to: str | None
    key: str
    at: float
    provider: str = ""


class ScriptedChannel:
    """Answers what `answer(sent)` says: an outcome, an exception, or an awaitable of one."""

    limit = TextLimit("none", 0, 0, 1)

    def __init__(self, name, clock):
        self.name = name
        self.clock = clock
        self.sent = []
        self.answer = lambda sent: Accepted(f"{name}-{sent.delivery}-{sent.round}")
        self.before_gate = lambda: None

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        return None

    def prepare(self, text):
        return Prepared(text, None)

    async def check(self):
        return "nothing to check"

    async def send(self, prepared, to, slip):
        waited = self.before_gate()
        if inspect.isawaitable(waited):
            await waited
        slip.gate()
        sent = Sent(
            to.address,
            slip.delivery,
            slip.round,
            slip.lane,
            slip.in_doubt,
            slip.post,
            slip.reply_to,
            prepared.rendered.key,
            self.clock.monotonic(),
            slip.provider,
        )
        self.sent.append(sent)
        answer = self.answer(sent)
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def numbers(self):
        """To whom, in the order it left."""
        return [sent.to for sent in self.sent]


class AskedChannel(ScriptedChannel):
    """One whose provider lists what it took: everything written to it that `takes(sent)`.

    `listing()` is asked before each answer: it may raise `ChannelDown`, or wait.
    """

    def __init__(self, name, clock):
        super().__init__(name, clock)
        self.takes = lambda sent: True
        self.listing = lambda: None
        self.listed = []  # further sightings, by address
        self.asked = []

    async def seen(self, prepared, to, slip, since):
        self.asked.append((to.address, self.clock.monotonic()))
        waited = self.listing()
        if inspect.isawaitable(waited):
            await waited
        own = [
            Sighting(f"{self.name}-{sent.delivery}-{sent.round}", self.clock.now())
            for sent in self.sent
            if (sent.to, sent.key, sent.post) == (to.address, prepared.rendered.key, slip.post)
            and self.takes(sent)
        ]
        return own + [sighting for address, sighting in self.listed if address == to.address]


ASKED = (ChannelName.SMS, ChannelName.X)


def scripted(name, clock):
    return AskedChannel(name, clock) if name in ASKED else ScriptedChannel(name, clock)


class Hub:
    """A ledger, an engine and scripted channels, with what tests ask of them."""

    def __init__(
        self,
        folder,
        *channels,
        clock=None,
        drain=5.0,
        pace=1e9,
        lease_seconds=1e7,
        answering=(),
        **shape,
    ):
        self.folder = folder
        self.clock = clock or LeapClock()
        self.channels = {name: scripted(name, self.clock) for name in channels}
        self.shape = {"window": 10, "connections": 10, "pace": pace} | shape
        self.drain = drain
        self.answering = answering  # channels where receipts come
        self.lease_seconds = lease_seconds  # most tests leap by hours and mean nothing by it
        self.engine = None
        self._seen_by = self._stood = None
        self.open()

    def open(self):
        pour(self.folder, build_town)
        self.ledger = Ledger.open(self.folder, exclusive=True, commit_wait=0.002)

    def __getitem__(self, channel):
        return self.channels[channel]

    async def start(self):
        roads = [
            RoadSettings(channel, receipts=name in self.answering, **self.shape)
            for name, channel in self.channels.items()
        ]
        self.engine = Engine(
            self.ledger,
            queue=EmbeddedQueue(),
            press=PRESS,
            slips=SLIPS,
            clock=self.clock,
            roads=roads,
            drain=self.drain,
            lease_seconds=self.lease_seconds,
            random=Random(7),
        )
        await self.engine.__aenter__()

    @property
    def intake(self):
        changed = self.engine.changed if self.engine else lambda: None
        return Intake(self.ledger, PRESS, list(self.channels), self.clock, changed)

    async def stop(self):
        """The clean end, as on SIGTERM."""
        engine, self.engine = self.engine, None
        if engine is not None:
            await engine.__aexit__(None, None, None)

    async def crash(self):
        """The process dies: nothing under way comes to its end, no answer is written."""
        engine, self.engine = self.engine, None
        engine._ticks.shutdown(wait=False)
        dying = [*engine._tasks, *engine._outcomes._tasks]
        for road in engine.roads.values():
            road._stopping = True
            dying += road._tasks
        for lookup in engine._lookups.values():
            lookup._ripe = []
            dying += lookup.tasks
        for task in dying:
            task.cancel()
        await asyncio.gather(*dying, return_exceptions=True)
        self.shut()
        self.open()

    async def close(self):
        await self.stop()
        self.shut()

    def shut(self):
        """Let go of the ledger."""
        if self._seen_by is not None:
            self._seen_by.close()
            self._seen_by = self._stood = None
        self.ledger.close()

    # ------------------------------------------------------------ doors

    async def people(self, numbers, *channels, **own):
        await self.ledger.transact(lambda conn: add_people(conn, numbers, *channels, **own))

    async def publish(self, principal=CLERK, **fields):
        asked = {"title": "Coupure d'eau", "body": "Jeudi.", "themes": ["eau"]} | fields
        return (await self.intake.accept(parse(asked), principal)).announcement

    async def write(self, work):
        return await self.ledger.transact(work)

    # ------------------------------------------------------------ what became of it

    async def rows(self, *where):
        query = select(delivery).where(*where).order_by(delivery.c.id)
        return await self.ledger.read(lambda conn: conn.execute(query).all())

    async def states(self):
        return Counter(row.state for row in await self.rows())

    async def reasons(self):
        return Counter((row.state, row.reason) for row in await self.rows())

    async def attempts(self):
        return await self.ledger.read(lambda conn: conn.execute(select(attempt)).all())

    async def announcement(self, of):
        return await self.ledger.read(lambda conn: announcements.by_id(conn, of.id))

    async def counts(self):
        def read(conn):
            ids = [each.id for each in conn.execute(select(runs.run.c.id))]
            return Counter({(c.run, c.state, c.reason): c.n for c in runs.counts(conn, ids)})

        return await self.ledger.read(read)

    def stirred(self):
        """Whether the ledger or the clock moved since this was last asked."""
        if self._seen_by is None:
            self._seen_by = sqlite3.connect(self.folder / "ledger.sqlite3")
        (version,) = self._seen_by.execute("PRAGMA data_version").fetchone()
        before, self._stood = self._stood, (version, self.clock._zero, self.clock.wrong)
        return self._stood != before

    async def until(self, true, seconds=30.0, *, upkeep=True):
        """Wait for threads (never for the clock) until `true()`; upkeep turns meanwhile.

        A round costs 20 reads: it is taken where something moved, and at every tenth look.
        """
        look = 0
        async with asyncio.timeout(seconds):
            while not (await found if inspect.isawaitable(found := true()) else found):
                if self.engine is not None and upkeep and (self.stirred() or look % 10 == 0):
                    await self.engine.round()
                look += 1
                await asyncio.sleep(0.002)

    async def ends(self, of, seconds=30.0):
        """Until an announcement is finished."""

        async def finished():
            return (await self.announcement(of)).state == "finished"

        await self.until(finished, seconds)

    async def becomes(self, **states):
        """Until the deliveries stand exactly so."""

        async def so():
            return await self.states() == states

        try:
            await self.until(so)
        except TimeoutError:
            pytest.fail(f"deliveries stand {dict(await self.reasons())}, expected {states}")

    async def wait_out(self, seconds=31):
        """Whatever is in doubt is seen to be, then waits so long."""
        await self.engine.round()
        self.clock.leap(seconds)

    async def idle(self, turns=20):
        """Long enough for whatever could still happen at this moment to happen."""
        for turn in range(turns):
            if self.stirred() or turn % 5 == 0:
                await self.engine.round()
            else:  # whatever was asked of the writer before this is written after it
                barrier = self.ledger.transact(lambda conn: None)
                await asyncio.gather(barrier, return_exceptions=True)
            await asyncio.sleep(0.002)


@pytest.fixture(autouse=True)
def logs():
    """What was logged, as dictionaries."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
async def make_hub(tmp_path):
    """`await make_hub(ChannelName.SMS, ...)`: a hub of the small town, started."""
    made = []

    async def make(*channels, started=True, **shape):
        hub = Hub(tmp_path / f"hub{len(made)}", *channels, **shape)
        made.append(hub)
        if started:
            await hub.start()
        return hub

    yield make
    for hub in made:
        for channel in hub.channels.values():
            channel.before_gate = lambda: None
        await hub.close()


@pytest.fixture
def gate():
    """A door that a test opens: `await gate.wait()`, `gate.set()`."""
    return asyncio.Event()


@pytest.fixture
def clerk():
    """Who may publish, pause and cancel anything in Valmont-sur-Orne."""
    return CLERK


class Book:
    """One bare connection over a fresh town, for rules that need no daemon."""

    def __init__(self, path=":memory:"):
        self.engine = open_writer(Path(path))
        self.conn = self.engine.connect()
        pour_into(self.conn, build_town)
        self._transaction = self.conn.begin()
        self.now = START

    def close(self):
        self._transaction.rollback()
        self.conn.close()
        self.engine.dispose()

    people = staticmethod(add_people)

    def draft(self, channels, key, urgency="information", **changes):
        base = Announcement(
            id=0,
            code="",
            authority=1,
            kind=Kind.FIRST,
            urgency=Urgency(urgency),
            state=State.DRAFT,
            contents={"fr": Content("fr", "Coupure d'eau", "Jeudi.")},
            themes=("eau",),
            channels=tuple(channels),
            created=self.now,
            author="clerk",
        )
        made = replace(base, **changes)
        return announcements.insert(self.conn, made, source="t", source_key=key, sha256="")

    def publish(self, *channels, key="1", **changes):
        """A published announcement; its runs, in the order of `channels`."""
        drawn = self.draft(channels, key, **changes)
        published = publish(self.conn, drawn, PRESS, self.now)
        return published, runs.of_announcement(self.conn, drawn.id)

    def plan(self, run, planner=1):
        """Plan a run to its end; the rows each page made."""
        pages = []
        while (seen := runs.by_id(self.conn, run.id)).state is RunState.PLANNING:
            pages.append(plan_page(self.conn, seen, planner, self.now))
        return pages

    def rows(self, *where):
        return self.conn.execute(select(delivery).where(*where).order_by(delivery.c.id)).all()

    def of(self, run):
        return self.rows(delivery.c.run == run.id)

    def counted(self):
        table = ledger_tables.delivery_count
        return {(c.run, c.state, c.reason): c.n for c in self.conn.execute(select(table)) if c.n}


@pytest.fixture
def make_book():
    """`make_book()`: a bare connection over a fresh town."""
    made = []

    def make():
        made.append(Book())
        return made[-1]

    yield make
    for book in made:
        book.close()


@pytest.fixture
def book(make_book):
    """One of them."""
    return make_book()


@pytest.fixture
def pages_of(monkeypatch):
    """`pages_of(7)`: the planner takes so many people at a time."""

    def limit(people):
        monkeypatch.setattr("hub.flow.planning.plan.PAGE", people)
        monkeypatch.setattr("hub.flow.planning.plan.FIRST_PAGE", people)

    return limit
