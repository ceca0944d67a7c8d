# SPDX-License-Identifier: EUPL-1.2
"""Opens the SQLite file the ledger lives in: one writing engine, one for readers.

WAL and FULL: what is committed survives the power cut. Never on a network file system.
"""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, create_engine, event, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool, StaticPool

AnyRow = Row[*tuple[Any, ...]]

BUSY_TIMEOUT_MS = 10_000
READERS = 4


class LedgerFullError(Exception):
    """The disk is full. Nothing was written; it works again when there is room."""


class LedgerCorruptError(Exception):
    """The file fails SQLite's own check: restore a backup."""


def _connect(path: Path) -> sqlite3.Connection:
    # isolation_level=None: we say BEGIN ourselves (Python 3.11 has no `autocommit` attribute)
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")  # erased means erased
    connection.execute("PRAGMA temp_store=MEMORY")
    return connection


def open_writer(path: Path) -> Engine:
    """An engine of exactly one connection whose transactions begin by taking the write lock."""
    engine = create_engine(
        "sqlite://",
        creator=lambda: _connect(path),
        poolclass=StaticPool,
        hide_parameters=True,  # an address in a statement that fails is no business of the log's
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def open_readers(path: Path) -> Engine:
    """An engine of a few connections that cannot write; each read sees one instant."""

    def connect() -> sqlite3.Connection:
        connection = _connect(path)
        connection.execute("PRAGMA query_only=ON")
        return connection

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=READERS,
        max_overflow=0,
        hide_parameters=True,
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def quick_check(engine: Engine) -> None:
    """Raises `LedgerCorruptError` when SQLite finds the file damaged."""
    try:
        with engine.connect() as connection:
            found = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
    except DatabaseError as error:
        raise LedgerCorruptError(str(error.orig)) from None
    if found != "ok":
        raise LedgerCorruptError(found)


# No room for the index of the write-ahead log: SQLite calls that an error of the disk, but finds
# it out before anything is written.
_FULL: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})


def is_full(error: BaseException) -> bool:
    """Whether the disk, not the statement, refused."""
    return not _FULL.isdisjoint(_codes(error))


def is_busy(error: BaseException) -> bool:
    """Whether another process kept the write lock for longer than we wait."""
    return any(code & 0xFF == sqlite3.SQLITE_BUSY for code in _codes(error))


def is_everybodys(error: BaseException) -> bool:
    """Whether it befell the ledger, not this one change: the next would meet it too."""
    return isinstance(error, LedgerFullError) or is_busy(error) or is_io_error(error)


def is_unwritable(error: BaseException) -> bool:
    """Whether the folder, not the ledger, is what cannot be used: rights, or a read-only disk."""
    refused = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
    return any(code & 0xFF in refused for code in _codes(error))


def is_io_error(error: BaseException) -> bool:
    """Whether the disk answered with an error: what was committed is then unknown (fsync)."""
    codes = set(_codes(error)) - _FULL
    return any(code & 0xFF == sqlite3.SQLITE_IOERR for code in codes)


def _codes(error: BaseException | None) -> Iterator[int]:
    """SQLite's extended result codes, of this error and of what it was raised over.

    A full disk makes SQLite give up the whole transaction: going back to a savepoint then fails
    too, and that failure is what reaches us.
    """
    while error is not None:
        yield getattr(getattr(error, "orig", error), "sqlite_errorcode", 0)
        error = error.__context__


def sync(path: Path) -> None:
    """Have what was written to a file, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
