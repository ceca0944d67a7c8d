# SPDX-License-Identifier: EUPL-1.2
"""Puts a prepared ledger in the place of another, which is kept aside; nobody may have it open."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from hub.ledger.database import sync

_BESIDE: Final = ("-wal", "-shm")

NUMBERED: Final = ("subscriber", "contact_point", "announcement", "delivery")
"""Tables whose numbers leave the hub, in links, receipts or Message-IDs: never given twice."""


def numbers(ledger: Path) -> dict[str, int] | None:
    """The highest number each of these tables ever gave; None where the file cannot be read."""
    if not ledger.exists():
        return None
    try:
        with closing(sqlite3.connect(ledger)) as conn:
            given = dict(conn.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    except sqlite3.Error:
        return None
    return {table: int(given.get(table, 0)) for table in NUMBERED}


def put_in_place(staged: Path, ledger: Path, aside: Path) -> None:
    """Make `staged` the ledger. What stood there, readable or not, is in `aside` afterwards.

    A crash leaves the old ledger or the new one in its place, whole, never neither.
    """
    sync(staged)
    if ledger.exists():
        aside.mkdir(mode=0o700)
        # what waits in the old one's side file must not be played into the new one
        with suppress(sqlite3.Error), closing(sqlite3.connect(ledger)) as conn:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for suffix in _BESIDE:
            beside = ledger.with_name(ledger.name + suffix)
            with suppress(FileNotFoundError):
                beside.rename(aside / beside.name)
        (aside / ledger.name).hardlink_to(ledger)
        sync(aside)
    staged.rename(ledger)
    sync(ledger.parent)
