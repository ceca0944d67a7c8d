# SPDX-License-Identifier: EUPL-1.2
"""The whole of a restore: check, unpack, prepare beside the ledger, then take its place."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DatabaseError

from channels.base import ChannelName
from hub.flow.keep import restoring
from hub.flow.keep.restoring import Replayed
from hub.flow.planning.digest import DigestTimes
from hub.flow.site import Press
from hub.ledger import backup, schema, swap
from hub.ledger.backup import LEDGER, BadBackupError, Manifest
from hub.ledger.database import open_writer
from hub.ledger.journal import NAME as JOURNAL
from hub.ledger.journal import Journal
from hub.ledger.lock import FolderLock

FORGOTTEN: Final = 1_000_000
"""Numbers left out where nobody knows how many were given since the backup."""

FORGOTTEN_ANNOUNCEMENTS: Final = 10_000
"""Fewer of these: the short link of an SMS has room for 2**24 (decision 21)."""


class IncompleteJournalError(Exception):
    """Who stopped or was erased since the backup is not known here."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, what the journal added, and where the old ledger is (None: none)."""

    manifest: Manifest
    replayed: Replayed
    aside: Path | None


@dataclass(frozen=True, slots=True)
class Replacing:
    """Puts backups in the place of the ledger of one data folder.

    `without_journal` does so although who stopped or was erased since is not known.
    """

    folder: Path
    press: Press
    channels: Sequence[ChannelName]
    actor: str
    digests: DigestTimes
    without_journal: bool = False

    def restore(self, file: Path, now: datetime, identity: str | None = None) -> Restored:
        """Put the ledger of a backup in place; it starts on hold.

        Nothing is touched before everything was read, checked and prepared. Raises
        `LedgerLockedError` while a daemon works there, `BadBackupError`,
        `IncompleteJournalError`, `OSError`.
        """
        lock = FolderLock.take(self.folder)
        try:
            with backup.scratch(self.folder) as room:
                manifest = backup.unpack(file, room, identity)
                floors = self._floors(room / LEDGER, manifest)
                replayed = self._prepare(room / LEDGER, manifest, floors, now)
                return Restored(manifest, replayed, self._put_in_place(room, now))
        finally:
            lock.close()

    @property
    def _journal(self) -> Journal:
        return Journal.beside(self.folder / LEDGER)

    def _floors(self, staged: Path, manifest: Manifest) -> Mapping[str, int]:
        """Numbers never to be given again. Raises `IncompleteJournalError`."""
        ledger = self.folder / LEDGER
        given, known = swap.numbers(ledger), swap.numbers(staged) or {}
        follows = ledger.exists() and (given is None or _follows(given, known))
        if not self.without_journal and not (follows and _reaches(self._journal, manifest)):
            raise IncompleteJournalError(str(self._journal.path))
        floors = given if follows and given else _far_beyond(known)
        people = max((entry.person for entry in self._journal.entries()), default=0)
        return {**floors, "subscriber": max(people, floors.get("subscriber", 0))}

    def _prepare(
        self, staged: Path, manifest: Manifest, floors: Mapping[str, int], now: datetime
    ) -> Replayed:
        """Everything in one transaction, in a file that nobody else has open."""
        engine = open_writer(staged)
        try:
            schema.upgrade(engine)
            with engine.begin() as conn:
                restoring.raise_numbers(conn, floors)  # before anything new is given one
                replayed = restoring.prepare(
                    conn,
                    self._journal.entries(manifest.journal),
                    backup_of=manifest.made_at,
                    now=now,
                    press=self.press,
                    channels=self.channels,
                    actor=self.actor,
                    digests=self.digests,
                )
        except DatabaseError as broken:
            raise BadBackupError(
                f"The ledger in the backup cannot be used: {broken.orig}."
            ) from None
        finally:
            engine.dispose()
        with closing(sqlite3.connect(staged)) as alone:
            alone.execute("PRAGMA journal_mode=DELETE")
        return replayed

    def _put_in_place(self, room: Path, now: datetime) -> Path | None:
        """Where the replaced ledger is kept, None where there was none."""
        ledger = self.folder / LEDGER
        aside = self.folder / f"replaced-{now:%Y%m%dT%H%M%S%fZ}" if ledger.exists() else None
        swap.put_in_place(room / LEDGER, ledger, aside or self.folder)
        if self._journal.last() == 0 and (room / JOURNAL).exists():
            (room / JOURNAL).rename(self._journal.path)  # so that it counts on
        return aside


def _follows(given: Mapping[str, int], known: Mapping[str, int]) -> bool:
    """Whether a ledger can be what the backed-up one became: its numbers never go down."""
    return all(given[table] >= known.get(table, 0) for table in given)


def _far_beyond(known: Mapping[str, int]) -> dict[str, int]:
    return {
        table: number + (FORGOTTEN_ANNOUNCEMENTS if table == "announcement" else FORGOTTEN)
        for table, number in known.items()
    }


def _reaches(journal: Journal, manifest: Manifest) -> bool:
    """Whether the journal holds every entry since the backup."""
    numbers = [entry.number for entry in journal.entries()]
    if not numbers:
        return manifest.journal == 0
    return numbers[0] <= manifest.journal + 1 and numbers[-1] >= manifest.journal
