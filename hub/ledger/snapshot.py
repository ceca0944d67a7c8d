# SPDX-License-Identifier: EUPL-1.2
"""A consistent copy of a ledger, taken while others write to it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from hub.ledger import schema
from hub.ledger.database import LedgerCorruptError, LedgerFullError, is_full, sync

Progress = Callable[[int, int], None]
"""Told how much is done, of how much."""

_STEP: Final = 4_096  # pages: about 16 MB between two words of progress


def quiet(_done: int, _of: int) -> None:
    """Nobody watches."""


def copy(source: Path, target: Path, on_progress: Progress = quiet) -> None:
    """Write the ledger in `source`, as it is at this instant, into a new private file.

    What is committed meanwhile is not in it, and nobody waits for us. The copy is on the disk and
    was checked when this returns. Raises `LedgerFullError`, `LedgerCorruptError`.
    """
    target.touch(mode=0o600, exist_ok=False)
    try:
        _copy(source, target, on_progress)
        check(target)
    except BaseException:
        target.unlink()
        raise
    sync(target)


def _copy(source: Path, target: Path, on_progress: Progress) -> None:
    try:
        with (
            closing(sqlite3.connect(source, isolation_level=None)) as ledger,
            closing(sqlite3.connect(target, isolation_level=None)) as fresh,
        ):
            # a transaction holds one instant: without it every commit starts the copy anew
            ledger.execute("BEGIN")
            ledger.execute("SELECT count(*) FROM sqlite_master").fetchone()
            ledger.backup(
                fresh, pages=_STEP, progress=lambda _, left, of: on_progress(of - left, of), sleep=0
            )
            fresh.execute("PRAGMA journal_mode=DELETE")  # one file, complete in itself
    except sqlite3.Error as refused:
        if is_full(refused):
            raise LedgerFullError from None
        raise LedgerCorruptError(str(refused)) from None


def keep_older(engine: Engine, path: Path) -> None:
    """Before an upgrade: copy a ledger of an older version aside, as it is."""
    with engine.connect() as conn:
        found, known = schema.current(conn), schema.head()
    if found is not None and found < known:
        aside = path.with_name(f"before-{known}.sqlite3")
        aside.unlink(missing_ok=True)  # of an upgrade that failed
        copy(path, aside)


def check(path: Path) -> None:
    """Read the whole file. Raises `LedgerCorruptError` where SQLite finds it damaged."""
    try:
        with closing(sqlite3.connect(path)) as conn:
            found = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as damaged:
        raise LedgerCorruptError(str(damaged)) from None
    if found != "ok":
        raise LedgerCorruptError(found)
