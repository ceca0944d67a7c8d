# SPDX-License-Identifier: EUPL-1.2
"""The ledger opened, locked, read and found damaged; announcements and runs on disk."""

import asyncio
import os
import sqlite3
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError, NoResultFound, OperationalError

from channels.base import ChannelName, Lane, Urgency
from hub.announcement import Announcement, Event, State, UnlawfulMoveError
from hub.ledger import announcements, audit, runs, schema, store, tables
from hub.ledger.announcements import StaleAnnouncementError
from hub.ledger.database import LedgerCorruptError, is_io_error
from hub.ledger.runs import RunState
from hub.ledger.schema import NewerLedgerError
from hub.ledger.store import Ledger, LedgerLockedError
from templates.content import Content, Kind

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

DRAFT = Announcement(
    id=0,
    code="",
    authority=1,
    kind=Kind.FIRST,
    urgency=Urgency.URGENT,
    state=State.DRAFT,
    contents={
        "fr": Content("fr", "Coupure", "Jeudi.", overrides={ChannelName.SMS: "Coupure jeudi"}),
        "en": Content("en", "Cut", "Thursday.", short="Cut", link="https://www.example.org/"),
    },
    themes=("eau",),
    zones=("gare",),
    polygon={"type": "Polygon", "coordinates": []},
    channels=(ChannelName.SMS, ChannelName.X),
    created=NOW,
    publish_at=NOW + timedelta(hours=1),
    expires=NOW + timedelta(days=1),
    author="clerk",
    post_link=False,
    thread=True,
)


def add(conn, key="k", **changes):
    return announcements.insert(
        conn, replace(DRAFT, **changes), source="cli", source_key=key, sha256="s"
    )


# --------------------------------------------------------------------------- opening


def test_nobody_else_reads_the_ledger_even_in_a_folder_that_all_may_enter(tmp_path):
    """A service's own folder is often made by the system, for everybody to enter."""
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    Ledger.open(folder).close()
    made = [path for path in folder.iterdir() if path.name.startswith("ledger")]
    assert folder / "ledger.sqlite3" in made
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}


def test_the_folder_is_made_for_its_owner_alone(folder):
    Ledger.open(folder).close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_is_committed_survives_the_power_cut_and_what_is_erased_is_gone(book):
    pragma = lambda name: book.conn.exec_driver_sql(f"PRAGMA {name}").scalar_one()  # noqa: E731
    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2  # FULL
    assert pragma("secure_delete") == 1
    assert pragma("foreign_keys") == 1


async def test_only_one_daemon_works_in_a_folder_and_the_command_line_beside_it(folder):
    first = Ledger.open(folder, exclusive=True)
    assert (folder / "lock").read_text() == str(os.getpid())
    with pytest.raises(LedgerLockedError):
        Ledger.open(folder, exclusive=True)
    Ledger.open(folder).close()
    first.close()
    Ledger.open(folder, exclusive=True).close()


@pytest.mark.parametrize("where", [slice(0, 64), slice(4096, 8192)])
def test_a_damaged_file_is_said_to_be_so_and_its_lock_given_back(folder, where):
    Ledger.open(folder).close()
    path = folder / "ledger.sqlite3"
    raw = bytearray(path.read_bytes())
    raw[where] = b"\xff" * len(raw[where])
    path.write_bytes(raw)
    for _ in range(2):
        with pytest.raises(LedgerCorruptError):
            Ledger.open(folder, exclusive=True)


def test_a_ledger_of_a_newer_hub_is_left_alone(folder):
    Ledger.open(folder).close()
    other = sqlite3.connect(folder / "ledger.sqlite3")
    other.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    other.commit()
    other.close()
    with pytest.raises(NewerLedgerError, match="from_the_future"):
        Ledger.open(folder)


async def test_the_migrations_make_the_tables_the_code_knows(ledger):
    def compare(conn):
        found = inspect(conn)
        for table in tables.metadata.sorted_tables:
            have = {column["name"] for column in found.get_columns(table.name)}
            assert have == {column.name for column in table.columns}, table.name
            indexes = {index["name"] for index in found.get_indexes(table.name)}
            assert indexes >= {index.name for index in table.indexes}, table.name
        return schema.current(conn)

    assert await ledger.read(compare) == schema.head()


# --------------------------------------------------------------------------- reading


async def test_a_reader_cannot_write(ledger):
    with pytest.raises(OperationalError, match="readonly"):
        await ledger.read(lambda conn: conn.execute(text("DELETE FROM run")))


async def test_a_read_sees_one_instant(ledger):
    began, go = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def read(conn):
        count = select(tables.announcement.c.id)
        before = len(conn.execute(count).all())
        loop.call_soon_threadsafe(began.set)
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result()
        return before, len(conn.execute(count).all())

    reading = asyncio.create_task(ledger.read(read))
    await began.wait()
    await ledger.transact(add)
    go.set()
    assert await reading == (0, 0)


async def test_another_processs_commit_is_noticed_once_and_ones_own_is_not(ledger, folder):
    assert not await ledger.changed_elsewhere()
    await ledger.transact(add)
    assert not await ledger.changed_elsewhere()
    async with Ledger.open(folder) as other:
        await other.transact(lambda conn: add(conn, "other"))
    assert await ledger.changed_elsewhere()
    assert not await ledger.changed_elsewhere()


def test_an_fsync_that_fails_ends_the_process_at_once(monkeypatch):
    killed = []
    monkeypatch.setattr(os, "kill", lambda pid, signal: killed.append((pid, signal)))
    store._die(OSError())
    assert killed == [(os.getpid(), 9)]


def test_a_disk_error_is_told_from_a_bad_statement():
    broken = sqlite3.OperationalError()
    broken.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    wrong = sqlite3.IntegrityError()
    wrong.sqlite_errorcode = sqlite3.SQLITE_CONSTRAINT
    assert [is_io_error(each) for each in (broken, wrong, ValueError())] == [True, False, False]


# --------------------------------------------------------------------------- announcements


def test_an_announcement_comes_back_as_it_was_written(book):
    written = add(book.conn)
    assert announcements.by_id(book.conn, written.id) == written
    assert announcements.by_code(book.conn, written.code) == written
    assert announcements.by_code(book.conn, written.code, authority=2) is None
    assert replace(written, id=0, code="") == DRAFT


def test_the_same_key_of_a_source_is_one_announcement_for_ever(book):
    written = add(book.conn)
    with pytest.raises(IntegrityError):
        add(book.conn)
    assert announcements.by_source_key(book.conn, 1, "cli", "k") == (written, "s")
    assert announcements.by_source_key(book.conn, 1, "api:1", "k") is None


def test_a_code_that_is_taken_is_drawn_again(book, monkeypatch):
    codes = iter(["aaaaaa", "aaaaaa", "bbbbbb"])
    monkeypatch.setattr(announcements, "new_code", lambda: next(codes))
    assert [add(book.conn, key).code for key in "12"] == ["aaaaaa", "bbbbbb"]


def test_codes_that_are_never_free_are_not_drawn_for_ever(book, monkeypatch):
    monkeypatch.setattr(announcements, "new_code", lambda: "aaaaaa")
    add(book.conn)
    with pytest.raises(RuntimeError, match="no free code"):
        add(book.conn, "2")


def test_codes_are_read_aloud_without_mistakes():
    drawn = "".join(announcements.new_code() for _ in range(500))
    assert set(drawn).isdisjoint("0O1lI")
    assert len(drawn) == 3000


def test_each_move_stamps_its_time(book):
    one = add(book.conn)
    for minute, event in enumerate((Event.PUBLISH, Event.FINISH), 1):
        one = announcements.move(book.conn, one, event, NOW + timedelta(minutes=minute))
    row = book.conn.execute(select(tables.announcement)).one()
    assert (row.published, row.finished, row.cancelled_at) == (
        NOW + timedelta(minutes=1),
        NOW + timedelta(minutes=2),
        None,
    )


def test_of_two_who_move_it_at_once_one_is_told_so(book):
    seen = add(book.conn)
    approved = announcements.move(book.conn, seen, Event.PUBLISH, NOW, approved_by="mayor")
    assert approved.state is State.RUNNING
    with pytest.raises(UnlawfulMoveError):
        announcements.move(book.conn, seen, Event.PUBLISH, NOW)
    with pytest.raises(StaleAnnouncementError):  # lawful from where it stands now, but not seen
        announcements.move(book.conn, seen, Event.CANCEL, NOW)


def test_a_chain_is_read_from_any_of_its_links(book):
    first = add(book.conn)
    second = add(book.conn, "2", kind=Kind.CORRECTION, first=first.id)
    third = add(book.conn, "3", kind=Kind.ALL_CLEAR, first=first.id)
    add(book.conn, "4")
    for link in (first, second, third):
        found = announcements.chain(book.conn, link)
        assert [each.id for each in found] == [first.id, second.id, third.id]
    assert announcements.by_id(book.conn, third.id).chain == first.code
    assert [each.id for each in announcements.latest(book.conn, 1, 2)] == [4, 3]
    assert [each.id for each in announcements.in_state(book.conn, State.DRAFT)] == [1, 2, 3, 4]


# --------------------------------------------------------------------------- runs


def test_runs_are_made_with_their_parts_and_read_with_their_end(book):
    one = add(book.conn)
    runs.insert(book.conn, one.id, 1, Lane.VITAL, [(ChannelName.SMS, 1), (ChannelName.X, 3)])
    sms, x = runs.of_announcement(book.conn, one.id)
    assert (sms.channel, sms.parts, x.channel, x.parts) == ("sms", 1, "x", 3)
    assert (sms.expires, sms.lane, sms.state) == (one.expires, Lane.VITAL, RunState.PLANNING)
    assert not sms.over(one.expires - timedelta(milliseconds=1))
    assert sms.over(one.expires)
    assert replace(sms, cancelled=True).over(NOW)
    runs.set_state(book.conn, sms.id, RunState.DONE)
    assert [run.id for run in runs.open_runs(book.conn)] == [x.id]
    with pytest.raises(NoResultFound):
        runs.by_id(book.conn, 99)


def test_a_page_is_claimed_once_by_its_planner_from_where_it_was_seen(book):
    one = add(book.conn)
    runs.insert(book.conn, one.id, 1, Lane.BULK, [(ChannelName.SMS, 1)])
    (seen,) = runs.of_announcement(book.conn, one.id)
    runs.take_planning(book.conn, seen.id, planner=7)
    assert not runs.claim_page(book.conn, seen, planner=8, cursor=50)
    assert runs.claim_page(book.conn, seen, planner=7, cursor=50)
    assert not runs.claim_page(book.conn, seen, planner=7, cursor=50)
    again = runs.by_id(book.conn, seen.id)
    runs.set_state(book.conn, seen.id, RunState.OPEN)
    assert not runs.claim_page(book.conn, again, planner=7, cursor=90)


def test_what_was_planned_is_summed_and_its_first_row_kept(book):
    of = book.announce()
    runs.add_planned(book.conn, of, 0, None)
    runs.add_planned(book.conn, of, 3, 10)
    runs.add_planned(book.conn, of, 4, 20)
    row = book.conn.execute(select(tables.run)).one()
    assert (row.planned, row.first_delivery) == (7, 10)


def test_only_announcements_without_an_open_run_are_without_one(book):
    book.announce(rows=1)
    done = book.announce()
    runs.set_state(book.conn, done, RunState.DONE)
    paused = book.announce(state="paused")
    runs.set_state(book.conn, paused, RunState.DONE)
    for number in (1, 2, 3):
        document = announcements._document(DRAFT)
        found = tables.announcement.c.id == number
        book.conn.execute(tables.announcement.update().where(found).values(document=document))
    found = announcements.without_open_runs(book.conn, State.RUNNING)
    assert [each.id for each in found] == [2]


def test_the_journal_of_one_thing_is_read_in_order(book):
    for verb in ("submit", "approve"):
        audit.record(book.conn, NOW, "clerk", verb, "announcement:x", detail={"n": 1})
    audit.record(book.conn, NOW, "clerk", "cancel", "announcement:y", authority=1)
    lines = audit.of_object(book.conn, "announcement:x")
    assert [(line["verb"], line["detail"]) for line in lines] == [
        ("submit", {"n": 1}),
        ("approve", {"n": 1}),
    ]


def test_the_revision_a_start_compares_with_is_the_last_migration() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(schema.MIGRATIONS)).get_current_head() == schema.HEAD
