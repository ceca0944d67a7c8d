# SPDX-License-Identifier: EUPL-1.2
"""The ledger on paper: the real writer's groups and the real tables, committed on virtual time.

A commit takes a few virtual milliseconds, and its answer a few more: a crash may come between.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from sqlalchemy import Connection

from hub.ledger.database import LedgerFullError, open_writer
from hub.ledger.schema import upgrade
from hub.ledger.writer import Kind, Writer, _Item

T = TypeVar("T")
R = TypeVar("R")

MEMORY = Path(":memory:")


@cache
def _blank() -> sqlite3.Connection:
    """An empty ledger with all its tables, made once a process by the real migrations."""
    engine = open_writer(MEMORY)
    upgrade(engine)
    found: Any = engine.raw_connection().driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


class Disk:
    """What outlives every crash: the committed tables. `full` while there is no room."""

    def __init__(self) -> None:
        self.engine = open_writer(MEMORY)
        self.full = False
        self.foreign = 0  # commits of other processes
        with self.engine.connect() as conn:
            raw: Any = conn.connection.driver_connection
            _blank().backup(raw)

    def transact(self, work: Callable[[Connection], T]) -> T:
        """What another process (the command line) writes. Raises `LedgerFullError`."""
        if self.full:
            raise LedgerFullError
        with self.engine.begin() as conn:
            found = work(conn)
        self.foreign += 1
        return found

    def read(self, work: Callable[[Connection], T]) -> T:
        """What another process reads."""
        with self.engine.connect() as conn:
            return work(conn)

    def close(self) -> None:
        self.engine.dispose()


class _PaperWriter(Writer):
    """Groups and commits as the real one does, without its thread."""

    def __init__(self, disk: Disk, chance: Random, commit_wait: float) -> None:
        super().__init__(disk.engine, commit_wait=commit_wait)
        self._disk, self._chance = disk, chance
        self._pending: list[_Item] = []
        self._timer: asyncio.TimerHandle | None = None
        self.dead = False

    def start(self) -> None:
        """No thread."""

    def close(self) -> None:
        self._closed = True

    def _put(self, kind: Kind[Any, Any] | None, payload: Any, hurry: bool) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if self.dead:
            return future  # nobody will ever answer
        self._pending.append(_Item(kind, payload, hurry, future))
        if hurry and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = loop.call_later(0.0 if hurry else self._wait, self._write)
        return future

    def _write(self) -> None:
        group, self._pending, self._timer = self._pending, [], None
        if self._disk.full:
            for item in group:
                item.error = LedgerFullError()
        elif group:
            with self._engine.connect() as connection:
                self._commit(connection, group)
        delay = self._chance.choice([0.0005, 0.002, 0.01])
        asyncio.get_running_loop().call_later(delay, self._reply, group)

    def _reply(self, group: list[_Item]) -> None:
        if self.dead:
            return
        for item in group:
            if item.future.done():
                continue
            if item.error is not None:
                item.future.set_exception(item.error)
            else:
                item.future.set_result(item.result)

    def crash(self) -> None:
        """The process dies: what waited for its commit was written, or was not."""
        if self._timer is not None:
            self._timer.cancel()
        if self._chance.random() < 0.5:
            self._write()
        self.dead = True


class PaperLedger:
    """Speaks like `hub.ledger.store.Ledger`."""

    path = MEMORY

    def __init__(self, disk: Disk, chance: Random) -> None:
        self._disk, self._chance = disk, chance
        self._writer = _PaperWriter(disk, chance, commit_wait=0.02)
        self._seen: int | None = None

    def write(self, kind: Kind[T, R], change: T, *, hurry: bool = False) -> "asyncio.Future[R]":
        return self._writer.write(kind, change, hurry=hurry)

    def transact(
        self, work: Callable[[Connection], T], *, hurry: bool = False
    ) -> "asyncio.Future[T]":
        return self._writer.transact(work, hurry=hurry)

    async def read(self, work: Callable[[Connection], T]) -> T:
        await asyncio.sleep(self._chance.choice([0.0, 0.0002, 0.003]))
        if self._writer.dead:
            await asyncio.get_running_loop().create_future()
        found = self._disk.read(work)
        await asyncio.sleep(self._chance.choice([0.0, 0.0002, 0.003]))
        return found

    async def changed_elsewhere(self) -> bool:
        await asyncio.sleep(0)
        seen = self._disk.foreign
        changed, self._seen = self._seen is not None and seen != self._seen, seen
        return changed

    def ours(self) -> bool:
        """One machine, one folder: nobody takes over."""
        return True

    def crash(self) -> None:
        self._writer.crash()

    def close(self) -> None:
        self._writer.close()
