# SPDX-License-Identifier: EUPL-1.2
"""New ledgers, cast instead of built: Alembic's tables take a fifth of a second, a copy none.

The tests open hundreds. What is copied was made once in this process by the real migrations.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

from hub.ledger.database import open_writer
from hub.ledger.store import Ledger

Fill = Callable[[Connection], None]


@cache
def mould(fill: Fill | None = None) -> bytes:
    """The file of a ledger at today's version, with what `fill(conn)` wrote into it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite3"
        Ledger.open(path.parent).close()
        if fill is not None:
            engine = open_writer(path)
            with engine.begin() as conn:
                fill(conn)
            engine.dispose()
        with closing(sqlite3.connect(path)) as file:
            file.execute("PRAGMA journal_mode=DELETE")  # one file, which memory can hold too
        return path.read_bytes()


def pour(folder: Path, fill: Fill | None = None) -> None:
    """Put such a ledger into a data folder that has none; made where it is not there."""
    path = folder / "ledger.sqlite3"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(mould(fill))


@cache
def _kept(fill: Fill | None) -> sqlite3.Connection:
    kept = sqlite3.connect(":memory:", check_same_thread=False)
    kept.deserialize(mould(fill))
    return kept


def pour_into(connection: Connection, fill: Fill | None = None) -> None:
    """The same into an empty database that is open, in memory say; no transaction yet."""
    _kept(fill).backup(connection.connection.driver_connection)
