# SPDX-License-Identifier: EUPL-1.2
"""A backup is consistent while others write, complete or absent, and checked before it is used."""

import json
import sqlite3
import stat
import threading
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from random import Random

import pytest

from hub.ledger import backup, snapshot
from hub.ledger.backup import BadBackupError
from hub.ledger.database import LedgerCorruptError
from hub.ledger.journal import Journal
from hub.ledger.store import Ledger

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.fixture
def data(tmp_path):
    """A data folder with a ledger and two entries in its journal."""
    folder = tmp_path / "data"
    Ledger.open(folder).close()
    journal = Journal.beside(folder / "ledger.sqlite3")
    for person in (1, 2):
        journal.append("stop", person, NOW)
    return folder


def written(data, tmp_path, name="hub.zip", **more):
    target = tmp_path / name
    return target, backup.write(data, target, NOW, version="1", **more)


@pytest.fixture
def room(tmp_path):
    folder = tmp_path / "room"
    folder.mkdir()
    return folder


def test_what_is_unpacked_is_what_was_written(data, tmp_path, room):
    target, manifest = written(data, tmp_path)
    assert backup.unpack(target, room) == manifest
    assert manifest.journal == 2
    assert manifest.rows == {"announcement": 0, "delivery": 0, "subscriber": 0}
    assert manifest.made_at == NOW
    assert (room / "journal.jsonl").read_bytes() == (data / "journal.jsonl").read_bytes()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(path.name for path in data.iterdir() if path.name.startswith("backup-")) == []


def test_any_tool_opens_it(data, tmp_path):
    target, _ = written(data, tmp_path)
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["manifest.json", "ledger.sqlite3", "journal.jsonl"]
        assert json.loads(archive.read("manifest.json"))["format"] == 1


def test_it_is_one_instant_while_others_write(data, tmp_path, room):
    """Every transaction moves one from a to b: whatever the instant, the sum is the same."""
    ledger = data / "ledger.sqlite3"
    with closing(sqlite3.connect(ledger)) as conn, conn:
        conn.execute("CREATE TABLE sums (name TEXT, n INTEGER, padding BLOB)")
        rows = [("a", 10, b"x" * 3_000)] * 4_000 + [("b", 0, b"x" * 3_000)] * 4_000
        conn.executemany("INSERT INTO sums VALUES (?, ?, ?)", rows)
    stop, moved = threading.Event(), []

    def write():
        with closing(sqlite3.connect(ledger, timeout=10)) as conn:
            while not stop.is_set():
                with conn:
                    n = len(moved) % 4_000
                    conn.execute("UPDATE sums SET n = n - 1 WHERE rowid = ?", (n + 1,))
                    conn.execute("UPDATE sums SET n = n + 1 WHERE rowid = ?", (n + 4_001,))
                moved.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    steps = []
    try:
        target, _ = written(data, tmp_path, on_progress=lambda done, of: steps.append((done, of)))
    finally:
        stop.set()
        writer.join()
    assert moved, "nobody wrote meanwhile"
    assert steps[-1][0] == steps[-1][1] > 4_096
    assert [done for done, _ in steps] == sorted(done for done, _ in steps), "it never began anew"
    backup.unpack(target, room)
    with closing(sqlite3.connect(room / "ledger.sqlite3")) as conn:
        assert conn.execute("SELECT sum(n) FROM sums").fetchone() == (40_000,)


def test_another_backup_is_never_overwritten(data, tmp_path):
    target, _ = written(data, tmp_path)
    before = target.read_bytes()
    with pytest.raises(FileExistsError):
        written(data, tmp_path)
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def test_an_encrypted_one_opens_with_its_key_only(data, tmp_path, room):
    identity, recipient = backup.new_identity()
    target, manifest = written(data, tmp_path, "hub.zip.age", encrypt_to=recipient)
    assert b"SQLite" not in target.read_bytes()
    with pytest.raises(BadBackupError, match="--identity"):
        backup.unpack(target, room)
    with pytest.raises(BadBackupError, match="another key"):
        backup.unpack(target, room, backup.new_identity()[0])
    with pytest.raises(BadBackupError, match="holds no age key"):
        backup.unpack(target, room, "# nothing\n")
    assert backup.unpack(target, room, f"# mine\n{identity}\n") == manifest


def test_a_key_that_is_none_writes_nothing(data, tmp_path):
    with pytest.raises(BadBackupError, match="not an age recipient"):
        written(data, tmp_path, encrypt_to="age1nonsense")
    assert list(tmp_path.glob("hub.zip*")) == []


def test_whichever_byte_changed_what_is_unpacked_is_whole_or_nothing_is(data, tmp_path):
    target, manifest = written(data, tmp_path)
    content, refused = target.read_bytes(), 0
    chance = Random(3)
    for turn in range(150):
        bent = bytearray(content)
        bent[chance.randrange(len(bent))] ^= 1 << chance.randrange(8)
        target.write_bytes(bent)
        room = tmp_path / f"room{turn}"
        room.mkdir()
        try:
            assert backup.unpack(target, room) == manifest
        except BadBackupError:
            refused += 1
    assert refused > 75, "where it was not, the byte says nothing: a date, a system"


@pytest.mark.parametrize("content", [b"", b"PK", b"hello", b"SQLite format 3\0" + b"\0" * 4_000])
def test_what_is_no_backup_is_called_so(content, tmp_path, room):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(BadBackupError, match="is not a backup of a hub"):
        backup.unpack(tmp_path / "x", room)


@pytest.mark.parametrize(("key", "value"), [("format", 2), ("schema", "9999")])
def test_one_of_a_newer_version_is_refused(key, value, data, tmp_path, room):
    target, _ = written(data, tmp_path)
    newer = tmp_path / "newer.zip"
    with zipfile.ZipFile(target) as old, zipfile.ZipFile(newer, "w") as new:
        said = json.loads(old.read("manifest.json")) | {key: value}
        new.writestr("manifest.json", json.dumps(said))
        new.writestr("ledger.sqlite3", old.read("ledger.sqlite3"))
    with pytest.raises(BadBackupError, match="newer version"):
        backup.unpack(newer, room)


def repacked(target, name="other.zip", packing=zipfile.ZIP_DEFLATED, **said):
    """The same backup, its manifest saying something else."""
    other = target.with_name(name)
    with zipfile.ZipFile(target) as old, zipfile.ZipFile(other, "w", packing) as new:
        new.writestr("manifest.json", json.dumps(json.loads(old.read("manifest.json")) | said))
        new.writestr("ledger.sqlite3", old.read("ledger.sqlite3"))
    return other


@pytest.mark.parametrize(
    "said",
    [
        *({"made": each} for each in ("yesterday", 5, None, "2026-11-21T03:00:00")),
        {"journal": "2"},
        {"bytes": 4_096},
        {"rows": {}, "more": "x" * 100_000},
    ],
)
def test_a_manifest_no_hub_writes_is_refused(said, data, tmp_path, room):
    target, _ = written(data, tmp_path)
    with pytest.raises(BadBackupError, match="is not a backup of a hub"):
        backup.unpack(repacked(target, **said), room)


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_one_packed_as_no_hub_packs_is_refused(packing, data, tmp_path, room):
    target, _ = written(data, tmp_path)
    with pytest.raises(BadBackupError, match="is not a backup of a hub"):
        backup.unpack(repacked(target, packing=packing), room)


def test_a_file_put_in_its_way_neither_reads_it_nor_keeps_it_open_to_others(data, tmp_path):
    """In a folder others write to, somebody may have put a file or a link under its first name."""
    secret, waiting = tmp_path / "seen", tmp_path / ".hub.zip.part"
    secret.touch(mode=0o644)
    waiting.symlink_to(secret)
    target, _ = written(data, tmp_path)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert not target.is_symlink()
    assert secret.read_bytes() == b""


def test_a_damaged_ledger_is_not_backed_up(data, tmp_path):
    ledger = data / "ledger.sqlite3"
    with ledger.open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xa5" * 8_192)
    with pytest.raises(LedgerCorruptError):
        written(data, tmp_path)
    assert list(tmp_path.glob("*.zip*")) == []


def test_the_newest_are_kept(tmp_path):
    """What somebody else put there is neither counted nor removed."""
    mine = ("hub-20261119T030000Z.zip", "hub-20261120T030000Z.zip.age", "hub-20261121T030000Z.zip")
    theirs = ("other.zip", "hub-2025-kept.zip", "hub-before-the-move.zip")
    for name in (*mine, *theirs):
        (tmp_path / name).touch()
    assert [path.name for path in backup.rotate(tmp_path, 2)] == ["hub-20261119T030000Z.zip"]
    assert len(list(tmp_path.iterdir())) == 5


def test_a_copy_that_fails_leaves_nothing(data, tmp_path):
    (data / "ledger.sqlite3").write_bytes(b"not a ledger" * 1_000)
    with pytest.raises(LedgerCorruptError):
        snapshot.copy(data / "ledger.sqlite3", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
