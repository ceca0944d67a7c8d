# SPDX-License-Identifier: EUPL-1.2
"""A disk that fails: what was committed is there again, or the start is refused in a sentence."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from hub.ledger.database import LedgerCorruptError, is_full, is_io_error
from hub.ledger.store import Ledger

# A process of its own writes numbered lines, each in its own commit, and says so once committed.
WRITES = """
import asyncio, resource, signal, sys
from pathlib import Path
from sqlalchemy import text
from hub.ledger.store import Ledger

async def main(folder, lines, most):
    async with Ledger.open(Path(folder), exclusive=True, commit_wait=0) as ledger:
        if most:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        for n in range(lines):
            line = {"n": n, "code": f"{n}" * 400}
            await ledger.transact(lambda c: c.execute(text(
                "INSERT INTO attempt (delivery, round, code, at) VALUES (:n, 1, :code, 0)"), line))
            print(n, flush=True)
        print("done", flush=True)
        sys.stdin.read()

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


def write(folder, lines, most=0):
    """The lines whose commit was told, and how the process ended; killed once it is done."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITES, str(folder), str(lines), str(most)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        told = []
        for line in process.stdout:
            if line == "done\n":
                process.kill()
                break
            if line.strip().isdecimal():  # and not the log's last words
                told.append(int(line))
    return told, process.returncode


def kept(folder):
    with closing(sqlite3.connect(folder / "ledger.sqlite3")) as conn:
        return [n for (n,) in conn.execute("SELECT delivery FROM attempt ORDER BY id")]


def test_a_disk_error_ends_the_process_and_nothing_told_is_lost(folder):
    """No file may grow past a limit: to SQLite a write that failed, not a full disk."""
    Ledger.open(folder).close()
    told, ended = write(folder, 10_000, most=700_000)
    assert ended == -signal.SIGKILL, "what is on the disk is unknown: it ends at once"
    assert 0 < len(told) < 10_000
    Ledger.open(folder, exclusive=True).close()
    assert kept(folder)[: len(told)] == told
    assert len(kept(folder)) <= len(told) + 1


@pytest.mark.parametrize("garbled", [True, False])
def test_a_torn_tail_costs_only_what_it_tore(folder, garbled):
    """Killed, then the last bytes of the side file are gone (or noise), as after a power cut.

    What comes before the tear is all there, in order; the ledger is whole.
    """
    told, _ = write(folder, 60)
    assert told == list(range(60))
    wal = folder / "ledger.sqlite3-wal"
    size = wal.stat().st_size
    with wal.open("r+b") as file:
        if garbled:
            file.seek(size - 6_000)
            file.write(os.urandom(6_000))
        else:
            file.truncate(size - 6_000)
    Ledger.open(folder, exclusive=True).close()
    left = kept(folder)
    assert left == told[: len(left)]
    assert 60 - len(left) in range(1, 6), "two pages were torn: the commits that wrote them"


def test_killed_without_a_tear_nothing_is_lost(folder):
    told, _ = write(folder, 40)
    Ledger.open(folder, exclusive=True).close()
    assert kept(folder) == told == list(range(40))


@pytest.mark.parametrize("page", [0, 2, 9])
def test_a_corrupt_page_refuses_the_start(folder, page):
    Ledger.open(folder).close()
    with (folder / "ledger.sqlite3").open("r+b") as file:
        file.seek(page * 4_096)
        file.write(b"\xa5" * 4_096)
    with pytest.raises(LedgerCorruptError):
        Ledger.open(folder, exclusive=True)
    again = subprocess.run(
        [sys.executable, "-m", "hub", "verify"],
        cwd=folder.parent,
        env={**os.environ, "HUB__HUB__DATA": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 1
    assert "Traceback" not in again.stderr


def test_the_codes_of_a_failing_disk():
    def refused(code):
        error = sqlite3.OperationalError("no")
        error.sqlite_errorcode = code
        return is_full(error), is_io_error(error)

    full, broken = (True, False), (False, True)
    assert refused(sqlite3.SQLITE_FULL) == full
    assert refused(sqlite3.SQLITE_IOERR_SHMSIZE) == full, "no room for the side file's index"
    assert refused(sqlite3.SQLITE_IOERR_FSYNC) == broken
    assert refused(sqlite3.SQLITE_IOERR_WRITE) == broken
    assert refused(sqlite3.SQLITE_BUSY) == (False, False)


def test_the_journal_says_when_there_is_no_room(folder):
    """As the commit before it does: the door answers 507, and the citizen tries again."""
    script = (
        "import resource, signal, sys\n"
        "from datetime import UTC, datetime\n"
        "from pathlib import Path\n"
        "from hub.ledger.journal import Journal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "journal, n = Journal(Path(sys.argv[1])), 0\n"
        "try:\n"
        "    for n in range(99): journal.append('stop', n, datetime.now(UTC))\n"
        "except OSError as refused: print(n, refused.errno)\n"
    )
    path = folder.parent / "journal.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    told = int(done.stdout.split()[0])
    whole = [json.loads(line) for line in path.read_bytes().splitlines() if line.endswith(b"}")]
    assert [each["person"] for each in whole] == list(range(told))


READ_ONLY = """
mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 77
shift
timeout 120 "$@"
"""
ONE_BY_ONE = """
import sys
from hub.__main__ import main

for verb in sys.argv[1:]:
    try:
        main(verb.split())
    except SystemExit as ended:
        print(verb, ended.code or 0)
"""
VERBS = ["serve", "verify", "backup --to b.zip", "retention", "restore b.zip --yes"]


def test_a_folder_that_cannot_be_written_is_called_so(folder, tmp_path):
    hub = [sys.executable, "-c", ONE_BY_ONE]  # one start of Python for all: it takes seconds
    made = [f"init --data {folder}", "backup --to b.zip"]
    subprocess.run([*hub, *made], cwd=tmp_path, check=True)
    alone = ["unshare", "--user", "--map-root-user", "--mount"]
    script = ["sh", "-c", READ_ONLY, "sh", str(folder), *hub, *VERBS]
    try:
        done = subprocess.run(
            [*alone, *script], cwd=tmp_path, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("this machine lets nobody mount a small file system")
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip("this machine lets nobody mount a small file system")
    assert done.stdout.splitlines()[-5:] == [f"{verb} 1" for verb in VERBS]
    lines = done.stderr.splitlines()
    assert len(lines) == 5, done.stderr
    assert all(line.startswith("hub: ") for line in lines)
    assert sum("The data folder cannot be written" in line for line in lines) == 3
    assert sum("Read-only file system" in line for line in lines) == 2
