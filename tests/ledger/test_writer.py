# SPDX-License-Identifier: EUPL-1.2
"""One thread, one transaction for all who wait: durable, cheap, no harm from a neighbour."""

import asyncio
import sqlite3
import threading

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.pool import StaticPool

from hub.clock import steady
from hub.ledger.database import LedgerFullError, open_writer
from hub.ledger.writer import Kind, Writer


def insert_many(conn, words):
    for word in words:
        conn.execute(text("INSERT INTO word VALUES (:word)"), {"word": word})
    return [f"wrote {word}" for word in words]


WORD = Kind("word", insert_many)


class Desk:
    """A writer over one table of unique words, and a count of its commits."""

    def __init__(self, path, **more):
        self.path = path
        self.engine = open_writer(path)
        with self.engine.begin() as conn:
            conn.execute(text("CREATE TABLE word (word TEXT PRIMARY KEY)"))
        self.commits = 0
        event.listen(self.engine, "commit", self._count)
        self.writer = Writer(self.engine, **more)
        self.writer.start()

    def _count(self, conn):
        self.commits += 1

    def words(self):
        other = sqlite3.connect(self.path)
        found = [row[0] for row in other.execute("SELECT word FROM word ORDER BY rowid")]
        other.close()
        return found

    def close(self):
        self.writer.close()
        self.engine.dispose()


@pytest.fixture
def make_desk(tmp_path):
    """`make_desk(commit_wait=...)`: a writer of words."""
    made = []

    def make(**more):
        made.append(Desk(tmp_path / f"words{len(made)}.sqlite3", **more))
        return made[-1]

    yield make
    for desk in made:
        desk.close()


async def test_what_waits_together_shares_one_commit(make_desk):
    desk = make_desk(commit_wait=0.2)
    asked = [desk.writer.write(WORD, f"w{n}") for n in range(100)]
    asked.append(desk.writer.transact(lambda conn: insert_many(conn, ["own"])[0]))
    assert await asyncio.gather(*asked) == [f"wrote w{n}" for n in range(100)] + ["wrote own"]
    assert desk.commits == 1
    assert len(desk.words()) == 101


async def test_changes_of_one_kind_are_one_call(make_desk):
    calls = []
    counted = Kind("counted", lambda conn, words: calls.append(list(words)) or list(words))
    desk = make_desk(commit_wait=0.2)
    await asyncio.gather(*(desk.writer.write(counted, n) for n in range(50)))
    assert calls == [list(range(50))]


async def test_it_is_committed_before_it_is_answered(make_desk):
    desk = make_desk(commit_wait=0.001)
    await desk.writer.write(WORD, "eau")
    assert desk.words() == ["eau"]


async def test_one_bad_row_rolls_back_none_of_its_neighbours(make_desk):
    desk = make_desk(commit_wait=0.2)
    answers = await asyncio.gather(
        *(desk.writer.write(WORD, word) for word in ("a", "b", "a", "c")),
        desk.writer.transact(lambda conn: insert_many(conn, ["b"])),
        desk.writer.transact(lambda conn: insert_many(conn, ["d"])),
        return_exceptions=True,
    )
    assert [isinstance(answer, IntegrityError) for answer in answers] == [
        *(False, False, True, False),
        *(True, False),
    ]
    assert desk.words() == ["a", "b", "c", "d"]
    assert desk.commits == 1


async def test_a_value_sqlite_cannot_hold_harms_no_neighbour(make_desk):
    desk = make_desk(commit_wait=0.2)
    odd, good = await asyncio.gather(
        desk.writer.write(WORD, object()), desk.writer.write(WORD, "b"), return_exceptions=True
    )
    assert isinstance(odd, Exception)
    assert good == "wrote b"


async def test_a_transaction_that_fails_leaves_nothing_of_itself(make_desk):
    desk = make_desk(commit_wait=0.2)

    def half(conn):
        insert_many(conn, ["half"])
        raise ZeroDivisionError

    broken, fine = await asyncio.gather(
        desk.writer.transact(half), desk.writer.write(WORD, "whole"), return_exceptions=True
    )
    assert isinstance(broken, ZeroDivisionError)
    assert fine == "wrote whole"
    assert desk.words() == ["whole"]


async def test_an_error_tells_nobody_what_was_being_written(make_desk):
    desk = make_desk(commit_wait=0.001)
    await desk.writer.write(WORD, "+33639980001")
    with pytest.raises(IntegrityError) as refused:
        await desk.writer.write(WORD, "+33639980001")
    assert "+33639980001" not in str(refused.value)


async def test_a_hurry_cuts_the_wait_short_for_all(make_desk):
    desk = make_desk(commit_wait=30.0)
    patient = desk.writer.write(WORD, "newsletter")
    await asyncio.sleep(0.05)
    began = steady()
    await desk.writer.write(WORD, "alert", hurry=True)
    await patient
    assert steady() - began < 5
    assert desk.commits == 1


async def test_without_a_hurry_it_waits_as_long_as_it_was_told(make_desk):
    desk = make_desk(commit_wait=0.1)
    began = steady()
    await desk.writer.write(WORD, "newsletter")
    assert steady() - began >= 0.1


async def test_a_wait_that_is_over_at_once_is_never_endless(make_desk):
    desk = make_desk(commit_wait=2e-6)
    for n in range(2_000):
        await asyncio.wait_for(desk.writer.write(WORD, f"w{n}"), 30)


async def test_a_group_is_bounded(make_desk, monkeypatch):
    monkeypatch.setattr("hub.ledger.writer.MAX_GROUP", 10)
    desk = make_desk(commit_wait=5.0)
    await asyncio.gather(*(desk.writer.write(WORD, f"w{n}", hurry=n == 24) for n in range(25)))
    assert desk.commits == 3


async def test_a_caller_who_gave_up_does_not_undo_the_change(make_desk):
    desk = make_desk(commit_wait=0.05)
    given_up = desk.writer.write(WORD, "given up")
    given_up.cancel()
    await desk.writer.write(WORD, "kept")
    assert desk.words() == ["given up", "kept"]


# --------------------------------------------------------------------------- the disk


async def test_a_full_disk_says_so_and_work_goes_on_when_there_is_room(make_desk):
    desk = make_desk(commit_wait=0.01)

    def limit(conn, more):
        pages = conn.execute(text("PRAGMA page_count")).scalar_one()
        conn.exec_driver_sql(f"PRAGMA max_page_count={pages + more}")

    await desk.writer.transact(lambda conn: limit(conn, 0))
    answers = await asyncio.gather(
        *(desk.writer.write(WORD, f"{n}" + "x" * 1000) for n in range(20)),
        desk.writer.transact(lambda conn: insert_many(conn, ["y" * 9000])),
        return_exceptions=True,
    )
    assert {type(answer) for answer in answers} == {LedgerFullError}
    assert desk.words() == []
    await desk.writer.transact(lambda conn: limit(conn, 1000))
    assert await desk.writer.write(WORD, "room") == "wrote room"
    assert desk.words() == ["room"]


async def test_a_full_disk_inside_a_nested_savepoint_says_so_too(make_desk):
    desk = make_desk(commit_wait=0.01)
    await desk.writer.transact(lambda conn: conn.exec_driver_sql("PRAGMA max_page_count=1"))

    def nested(conn):
        with conn.begin_nested():
            insert_many(conn, ["z" * 9000])

    with pytest.raises(LedgerFullError):
        await desk.writer.transact(nested)


async def test_a_locked_ledger_is_an_error_its_callers_hear(make_desk, monkeypatch):
    monkeypatch.setattr("hub.ledger.database.BUSY_TIMEOUT_MS", 20)
    desk = make_desk(commit_wait=0.001)
    other = sqlite3.connect(desk.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"):
        await desk.writer.write(WORD, "waits")
    other.execute("ROLLBACK")
    other.close()
    await desk.writer.write(WORD, "goes on")
    assert desk.words() == ["goes on"]


async def test_an_error_of_the_disk_itself_is_fatal(tmp_path):
    class DiskError(sqlite3.OperationalError):
        sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC

    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(":memory:", check_same_thread=False),
        poolclass=StaticPool,
    )
    told = []
    writer = Writer(engine, commit_wait=0.001, fatal=told.append)
    writer.start()

    def broken(conn):
        raise DiskError("disk I/O error")

    with pytest.raises(DiskError):
        await writer.transact(broken)
    assert isinstance(told[0], DiskError)
    writer.close()
    engine.dispose()


# --------------------------------------------------------------------------- the end


async def test_closing_writes_what_waits(make_desk):
    desk = make_desk(commit_wait=30.0)
    asked = [desk.writer.write(WORD, f"w{n}") for n in range(5)]
    desk.writer.close()
    assert len(desk.words()) == 5
    assert await asyncio.gather(*asked) == [f"wrote w{n}" for n in range(5)]


async def test_nothing_is_taken_once_it_is_closed_and_closing_twice_is_harmless(make_desk):
    desk = make_desk()
    desk.writer.close()
    desk.writer.close()
    with pytest.raises(RuntimeError, match="closed"):
        desk.writer.write(WORD, "late")


def test_an_answer_to_a_loop_that_is_gone_ends_no_thread(make_desk):
    desk = make_desk(commit_wait=0.05)

    async def ask_and_leave():
        desk.writer.write(WORD, "asked")

    asyncio.run(ask_and_leave())
    desk.writer.close()
    assert desk.words() == ["asked"]
    assert "ledger-writer" not in [thread.name for thread in threading.enumerate()]
