# SPDX-License-Identifier: EUPL-1.2
"""The whole of a restore: check, unpack, prepare beside the ledger, then take its place."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from hub.flow import restoring
from hub.flow.digest import DigestTimes
from hub.flow.restoring import Replayed
from hub.flow.site import Press
from hub.ledger import backup, schema, swap
from hub.ledger.backup import LEDGER, BadBackupError, Manifest
from hub.ledger.database import open_writer
from hub.ledger.journal import NAME as JOURNAL
from hub.ledger.journal import Journal
from hub.ledger.lock import FolderLock

FORGOTTEN: Final = 1_000_000
"""Numbers left out where nobody knows how many were given since the backup."""


class IncompleteJournalError(Exception):
    """Who stopped or was erased since the backup is not known here."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, what the journal added, and where the old ledger is (None: none)."""

    manifest: Manifest
    replayed: Replayed
    aside: Path | None


def restore(
    folder: Path,
    file: Path,
    now: datetime,
    *,
    press: Press,
    actor: str,
    digests: DigestTimes,
    identity: str | None = None,
    without_journal: bool = False,
) -> Restored:
    """Put the ledger of a backup in the place of a data folder's; it starts on hold.

    Nothing is touched before everything was read, checked and prepared. Raises `LedgerLockedError`
    while a daemon works there, `BadBackupError`, `IncompleteJournalError`, `OSError`.
    """
    lock = FolderLock.take(folder)
    try:
        with backup.scratch(folder) as room:
            manifest = backup.unpack(file, room, identity)
            staged, ledger = room / LEDGER, folder / LEDGER
            journal = Journal.beside(ledger)
            given, known = swap.numbers(ledger), swap.numbers(staged) or {}
            follows = ledger.exists() and (given is None or _follows(given, known))
            if not without_journal and not (follows and _reaches(journal, manifest)):
                raise IncompleteJournalError(str(journal.path))
            floors = given if follows and given else {n: k + FORGOTTEN for n, k in known.items()}

            def prepare(conn: Connection) -> Replayed:
                return restoring.prepare(
                    conn,
                    journal.entries(manifest.journal),
                    backup_of=manifest.made_at,
                    now=now,
                    press=press,
                    actor=actor,
                    digests=digests,
                )

            people = max((entry.person for entry in journal.entries()), default=0)
            floors = {**floors, "subscriber": max(people, floors.get("subscriber", 0))}
            replayed = _prepared(staged, prepare, floors)
            aside = folder / f"replaced-{now:%Y%m%dT%H%M%S%fZ}" if ledger.exists() else None
            swap.put_in_place(staged, ledger, aside or folder)
            if journal.last() == 0 and (room / JOURNAL).exists():
                (room / JOURNAL).rename(journal.path)  # so that it counts on
    finally:
        lock.close()
    return Restored(manifest, replayed, aside)


def _follows(given: Mapping[str, int], known: Mapping[str, int]) -> bool:
    """Whether a ledger can be what the backed-up one became: its numbers never go down."""
    return all(given[table] >= known.get(table, 0) for table in given)


def _reaches(journal: Journal, manifest: Manifest) -> bool:
    """Whether the journal holds every entry since the backup."""
    numbers = [entry.number for entry in journal.entries()]
    if not numbers:
        return manifest.journal == 0
    return numbers[0] <= manifest.journal + 1 and numbers[-1] >= manifest.journal


def _prepared(
    staged: Path, prepare: Callable[[Connection], Replayed], floors: Mapping[str, int]
) -> Replayed:
    """Everything in one transaction, in a file that nobody else has open."""
    engine = open_writer(staged)
    try:
        schema.upgrade(engine)
        with engine.begin() as conn:
            replayed = prepare(conn)
            restoring.raise_numbers(conn, floors)
    except DatabaseError as damaged:
        raise BadBackupError(f"The ledger in the backup cannot be used: {damaged.orig}.") from None
    finally:
        engine.dispose()
    with closing(sqlite3.connect(staged)) as alone:
        alone.execute("PRAGMA journal_mode=DELETE")
    return replayed
