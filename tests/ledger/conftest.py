# SPDX-License-Identifier: EUPL-1.2
"""A ledger in a folder, a bare connection to its tables, and runs with rows ready to send."""

from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from bench.moulds import pour, pour_into
from channels.base import ChannelName
from hub.ledger import leases, runs, tables
from hub.ledger.counting import Moves, apply_moves
from hub.ledger.database import open_writer
from hub.ledger.deliveries import RESERVE, SETTLE, ReserveWindow, Settlement
from hub.ledger.runs import RunState
from hub.ledger.store import Ledger
from hub.ledger.tables import announcement, delivery, run
from subscribers.tables import to_ms

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
T = to_ms(START)


@pytest.fixture
def folder(tmp_path):
    """Where a ledger lives."""
    return tmp_path / "var"


@pytest.fixture
async def ledger(folder):
    """An open ledger."""
    pour(folder)
    async with Ledger.open(folder, commit_wait=0.02) as opened:
        yield opened


class Book:
    """A bare connection and what tests ask of it. `now` is in milliseconds."""

    def __init__(self, conn):
        self.conn = conn
        self.now = T
        self.lease = leases.take(conn, "test", START)

    def announce(
        self, *, paused=False, channel=ChannelName.SMS, rows=0, state="running", **columns
    ):
        """An announcement with one open run and `rows` ready deliveries; the run's number."""
        number = (self.conn.execute(select(func.max(announcement.c.id))).scalar() or 0) + 1
        row = {
            "code": f"a{number}",
            "authority": 1,
            "source": "cli",
            "source_key": str(number),
            "sha256": "",
            "kind": "first",
            "urgency": "information",
            "state": state,
            "document": {},
            "author": "clerk",
            "created": START,
        }
        made = self.conn.execute(insert(announcement).values(row | columns))
        opened = self.conn.execute(
            insert(run).values(
                announcement=made.inserted_primary_key[0],
                channel=channel,
                authority=1,
                lane=3,
                state=RunState.OPEN,
                paused=paused,
                until=0,
            )
        ).inserted_primary_key[0]
        self.add(opened, rows)
        return opened

    def add(self, of, rows, *, due=None):
        for _ in range(rows):
            taken = self.conn.execute(select(func.max(delivery.c.subscriber))).scalar() or 0
            self.conn.execute(
                insert(delivery).values(
                    run=of,
                    subscriber=taken + 1,
                    contact_point=taken + 1,
                    state="ready",
                    due=self.now if due is None else due,
                    at=self.now,
                )
            )
        apply_moves(self.conn, Moves({(of, "ready", ""): rows}))

    def reserve(self, of, limit=100, *, lease=None):
        asked = ReserveWindow(of, lease or self.lease, limit, self.now)
        (rows,) = RESERVE.apply(self.conn, [asked])
        return rows

    def settle(self, *settlements):
        return SETTLE.apply(self.conn, settlements)

    def done(self, row, state, **more):
        return Settlement(row, state, self.now, **more)

    def rows(self, *where):
        return self.conn.execute(select(delivery).where(*where).order_by(delivery.c.id)).all()

    def row(self, number):
        return self.rows(delivery.c.id == number)[0]

    def attempts(self):
        return self.conn.execute(select(tables.attempt)).all()

    def states(self):
        return Counter(row.state for row in self.rows())

    def assert_counted(self):
        """The counts are the rows."""
        counted = {
            (row.run, row.state, row.reason): row.n
            for row in self.conn.execute(select(tables.delivery_count))
            if row.n
        }
        assert counted == Counter((row.run, row.state, row.reason) for row in self.rows())

    def later(self, **by):
        self.now += timedelta(**by) // timedelta(milliseconds=1)

    def open_runs(self):
        return runs.open_runs(self.conn)


@contextmanager
def opened(path):
    engine = open_writer(path)
    with engine.connect() as conn:
        pour_into(conn)
        with conn.begin():
            yield Book(conn)
    engine.dispose()


@pytest.fixture
def book(tmp_path):
    """One transaction over fresh tables."""
    with opened(tmp_path / "book.sqlite3") as made:
        yield made


@pytest.fixture(scope="session")
def fresh_book():
    """`with fresh_book() as book`: one more, in memory, for each example of a property."""
    return lambda: opened(Path(":memory:"))
