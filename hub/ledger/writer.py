# SPDX-License-Identifier: EUPL-1.2
"""One thread, one connection, one transaction for everything that waits to be written.

Everything that wants to be written waits at most `commit_wait` and shares a commit: that makes
durability nearly free (ENGINE.md section 2). Changes of one kind become one statement: beside a
busy event loop sqlite3 gives the GIL away at every step, and a statement per row is forty times
slower. A change that hurries (an acceptance, anything vital) cuts the wait short.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine

from hub.clock import steady
from hub.ledger.database import LedgerFullError, is_full, is_io_error

T = TypeVar("T")
R = TypeVar("R")

MAX_GROUP = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class Kind(Generic[T, R]):
    """A kind of change: `apply` writes many at once and answers for each, in order."""

    name: str
    apply: Callable[[Connection, Sequence[T]], Sequence[R]]


@dataclass(slots=True, eq=False)
class _Item:
    kind: Kind[Any, Any] | None  # None: `payload` is a transaction of its own
    payload: Any
    hurry: bool
    future: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None


class Writer:
    """The only one who writes. `fatal` is called, in the thread, when the disk itself fails."""

    def __init__(
        self,
        engine: Engine,
        *,
        commit_wait: float = 0.020,
        fatal: Callable[[BaseException], None] | None = None,
    ) -> None:
        self._engine = engine
        self._wait = commit_wait
        self._fatal = fatal
        # not SimpleQueue: before CPython 3.13 its timed `get` that is set aside past its
        # own end waits for ever, and the whole hub with it. Costs 3 µs a change instead of 0.2.
        self._inbox: queue.Queue[_Item | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="ledger-writer", daemon=True)
        self._closed = False

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Write what is waiting, then stop. Blocks for the last commit."""
        if not self._closed:
            self._closed = True
            self._inbox.put(None)
            self._thread.join()

    def write(self, kind: Kind[T, R], change: T, *, hurry: bool = False) -> "asyncio.Future[R]":
        """Ask for a change; the future resolves once it is committed.

        Raises (in the future) `LedgerFullError` when the disk is full: nothing was written.
        """
        return self._put(kind, change, hurry)

    def transact(
        self, work: Callable[[Connection], T], *, hurry: bool = False
    ) -> "asyncio.Future[T]":
        """Run `work` in its own savepoint of the shared transaction; resolves after the commit."""
        return self._put(None, work, hurry)

    def _put(self, kind: Kind[Any, Any] | None, payload: Any, hurry: bool) -> "asyncio.Future[Any]":
        if self._closed:
            raise RuntimeError("the ledger is closed")
        future = asyncio.get_running_loop().create_future()
        self._inbox.put(_Item(kind, payload, hurry, future))
        return future

    # ------------------------------------------------------------------ the thread

    def _work(self) -> None:
        open_ = True
        with self._engine.connect() as connection:
            while open_:
                group, open_ = self._gather()
                if group:
                    self._commit(connection, group)
                    _answer(group)

    def _gather(self) -> tuple[list[_Item], bool]:
        first = self._inbox.get()
        if first is None:
            return [], False
        group = [first]
        until = steady() + (0.0 if first.hurry else self._wait)
        while len(group) < MAX_GROUP:
            left = until - steady()
            try:
                item = self._inbox.get(timeout=left) if left > 0 else self._inbox.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return group, False
            group.append(item)
            if item.hurry:
                until = 0.0
        return group, True

    def _commit(self, connection: Connection, group: list[_Item]) -> None:
        try:
            with connection.begin():
                for kind, items in _by_kind(group):
                    _apply(connection, kind, items)
        except Exception as error:  # noqa: BLE001  (whatever it is, those who wait must hear it)
            if is_io_error(error) and self._fatal is not None:
                self._fatal(error)
            _end(connection)
            told = LedgerFullError() if is_full(error) else error
            for item in group:
                item.error = item.error or told


def _end(connection: Connection) -> None:
    """A COMMIT that failed may leave its BEGIN standing: the next one would trip over it."""
    driver: Any = connection.connection.driver_connection
    if driver.in_transaction:
        driver.rollback()


def _by_kind(group: list[_Item]) -> list[tuple[Kind[Any, Any] | None, list[_Item]]]:
    """Changes grouped by kind, in order of first appearance; transactions stay single."""
    grouped: dict[Any, tuple[Kind[Any, Any] | None, list[_Item]]] = {}
    for item in group:
        key = item if item.kind is None else item.kind
        grouped.setdefault(key, (item.kind, []))[1].append(item)
    return list(grouped.values())


def _apply(connection: Connection, kind: Kind[Any, Any] | None, items: list[_Item]) -> None:
    """One savepoint for all; where that fails, one for each: a bad row harms no neighbour."""
    try:
        with connection.begin_nested():
            if kind is None:
                items[0].result = items[0].payload(connection)
            else:
                results = kind.apply(connection, [item.payload for item in items])
                for item, result in zip(items, results, strict=True):
                    item.result = result
    except Exception as error:
        if is_full(error) or is_io_error(error):
            raise
        if len(items) == 1:
            items[0].error = error
            return
        for item in items:
            _apply(connection, kind, [item])


def _answer(group: list[_Item]) -> None:
    loop = group[0].future.get_loop()
    try:
        loop.call_soon_threadsafe(_resolve, group)
    except RuntimeError:  # the loop is gone: nobody waits any more
        return


def _resolve(group: list[_Item]) -> None:
    for item in group:
        if item.future.done():  # whoever asked was cancelled; the change stands all the same
            continue
        if item.error is not None:
            item.future.set_exception(item.error)
        else:
            item.future.set_result(item.result)
