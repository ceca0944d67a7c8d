# SPDX-License-Identifier: EUPL-1.2
"""The open ledger: who may write, and who reads."""

import asyncio
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self, TypeVar

import structlog
from sqlalchemy import Connection

from hub.ledger.database import READERS, open_readers, open_writer, quick_check
from hub.ledger.lock import FolderLock, LedgerLockedError
from hub.ledger.schema import upgrade
from hub.ledger.snapshot import keep_older
from hub.ledger.writer import Kind, Writer

__all__ = ["Ledger", "LedgerLockedError"]

T = TypeVar("T")
R = TypeVar("R")
log = structlog.get_logger(__name__)


def _die(error: BaseException) -> None:
    """An fsync that failed leaves the truth unknown: end at once, recover at the next start."""
    log.critical("ledger.disk_error", error=type(error).__name__)
    os.kill(os.getpid(), signal.SIGKILL)


class Ledger:
    """The record of everything. Use `open`; close with `close` or `async with`."""

    def __init__(self, path: Path, *, commit_wait: float = 0.020, lock: FolderLock | None = None):
        self.path = path
        self._lock = lock
        self._write_engine = open_writer(path)
        self._read_engine = open_readers(path)
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="ledger-reader")
        self._writer = Writer(self._write_engine, commit_wait=commit_wait, fatal=_die)
        self._writer.start()
        self._seen: int | None = None

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        exclusive: bool = False,
        commit_wait: float = 0.020,
        lock: FolderLock | None = None,
    ) -> Self:
        """Open (and create or upgrade) the ledger of a data folder.

        `exclusive` takes the daemon's lock, unless it was taken already: `lock`. Either is given
        back by `close`. Before an upgrade the ledger as it was is copied aside. Raises
        `LedgerLockedError`, `LedgerCorruptError`, `NewerLedgerError`, `LedgerFullError`.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "ledger.sqlite3"
        with ExitStack() as undo:
            if exclusive and lock is None:
                lock = FolderLock.take(folder)
            if lock is not None:
                undo.callback(lock.close)
            # every address is in it: a folder that others may enter must not show it to them
            with suppress(OSError):  # SQLite says it better
                path.touch(mode=0o600, exist_ok=False)
            engine = open_writer(path)
            try:
                quick_check(engine)
                keep_older(engine, path)
                upgrade(engine)
            finally:
                engine.dispose()
            undo.pop_all()
        return cls(path, commit_wait=commit_wait, lock=lock)

    def ours(self) -> bool:
        """Whether no other daemon took this folder from us. True where we never asked for it."""
        return self._lock is None or self._lock.holds()

    def write(self, kind: Kind[T, R], change: T, *, hurry: bool = False) -> "asyncio.Future[R]":
        """See `Writer.write`."""
        return self._writer.write(kind, change, hurry=hurry)

    def transact(
        self, work: Callable[[Connection], T], *, hurry: bool = False
    ) -> "asyncio.Future[T]":
        """See `Writer.transact`."""
        return self._writer.transact(work, hurry=hurry)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a reader's connection, in a thread, in one consistent snapshot."""

        def in_thread() -> T:
            with self._read_engine.connect() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._threads, in_thread)

    async def changed_elsewhere(self) -> bool:
        """Whether another process (the CLI) committed since the last call.

        SQLite's data_version, asked on the writer's connection, moves with others' commits only.
        """

        def version(connection: Connection) -> int:
            return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())

        seen = await self.transact(version)
        changed, self._seen = self._seen is not None and seen != self._seen, seen
        return changed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Commit what waits, close every connection, give the folder back."""
        self._writer.close()
        self._threads.shutdown(wait=True)
        self._read_engine.dispose()
        self._write_engine.dispose()
        if self._lock is not None:
            self._lock.close()
            self._lock = None
