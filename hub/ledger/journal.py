# SPDX-License-Identifier: EUPL-1.2
"""The small journal beside the ledger: who stopped, came back, was joined to whom they were
before, or was erased, for a restored backup.

A backup has forgotten what was asked after it; this file has not (ENGINE.md 4.12). One JSON line
an entry: a person's number, what they stopped, when; no address and no text. Several processes
append to it, each under a lock; an entry is on the disk before whoever asked is answered.
"""

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final, Literal, get_args

from channels.base import ChannelName
from hub.ledger.database import LedgerFullError, sync
from subscribers.preferences import Cadence
from subscribers.tables import to_ms

NAME: Final = "journal.jsonl"
_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT}

Verb = Literal["stop", "start", "merge", "erase"]
_VERBS: Final = frozenset(get_args(Verb))


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `number` counts up and outlives the lines before it; `at` in milliseconds.

    A stop names its channel (None: all) and its themes by key (None: all); an erasure the keyed
    hashes that went on the do-not-contact list, as (channel, hash); a start the rows that are back,
    as (theme key, channel, cadence); a merge who the person is now.
    """

    number: int
    at: int
    verb: Verb
    person: int
    channel: str | None = None
    themes: tuple[str, ...] | None = None
    hashes: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[str, str, str], ...] = ()
    into: int | None = None


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal of one data folder. Its methods block: call them off the event loop."""

    path: Path

    @classmethod
    def beside(cls, ledger: Path) -> "Journal":
        """The journal of the ledger in this file."""
        return cls(ledger.parent / NAME)

    def append(
        self,
        verb: Verb,
        person: int,
        now: datetime,
        *,
        channel: str | None = None,
        themes: tuple[str, ...] | None = None,
        hashes: tuple[tuple[str, str], ...] = (),
        rows: tuple[tuple[str, str, str], ...] = (),
        into: int | None = None,
    ) -> None:
        """Write one entry down for good. Raises `LedgerFullError` where the disk is full."""
        with self._locked() as file:
            last, whole = _tail(file)
            entry = Entry(
                *(last + 1, to_ms(now), verb, person, channel, themes, hashes), rows=rows, into=into
            )
            line = json.dumps(asdict(entry), separators=(",", ":"))
            try:
                file.write(f"{'' if whole else chr(10)}{line}\n".encode())
                file.flush()
                os.fsync(file.fileno())
                if entry.number == 1:
                    sync(self.path.parent)
            except OSError as refused:
                if refused.errno in _NO_ROOM:
                    raise LedgerFullError from None
                raise

    def last(self) -> int:
        """The number of the newest entry; 0 where there is none."""
        return max((entry.number for entry in self.entries()), default=0)

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """What was written after entry `after`, oldest first. A line cut off by a crash was never
        answered for, and is passed over."""
        try:
            lines = self.path.open("rb")
        except FileNotFoundError:
            return
        with lines:
            for line in lines:
                entry = _read(line)
                if entry is not None and entry.number > after:
                    yield entry

    def unreadable(self) -> int:
        """How many lines cannot be read: one at most for each crash while writing."""
        if not self.path.exists():
            return 0
        with self.path.open("rb") as lines:
            return sum(_read(line) is None for line in lines if line.strip())

    def forget(self, before: datetime) -> int:
        """Leave out what is older than any backup; the newest entry stays, it holds the count.

        Returns how many entries went.
        """
        with self._locked():
            kept = list(self.entries())
            stay = [each for each in kept[:-1] if each.at >= to_ms(before)] + kept[-1:]
            if len(stay) == len(kept):
                return 0
            fresh = self.path.with_suffix(".new")
            with _private(fresh, os.O_TRUNC) as file:
                for entry in stay:
                    file.write(json.dumps(asdict(entry), separators=(",", ":")).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.path)
            sync(self.path.parent)
            return len(kept) - len(stay)

    @contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        """The open file, nobody else writing: it may have been replaced while we waited."""
        while True:
            with _private(self.path, os.O_APPEND) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if self.path.exists() and os.path.samestat(
                    self.path.stat(), os.fstat(file.fileno())
                ):
                    yield file
                    return


def _private(path: Path, how: int) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | how, 0o600), "r+b")


_TAIL: Final = 65_536
"""Bytes that surely hold the last line: an entry is a few hundred long."""


def _tail(file: IO[bytes]) -> tuple[int, bool]:
    """The number of the last entry, and whether the file ends with a whole line."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL))
    end = file.read()
    entries = [entry for line in end.splitlines() if (entry := _read(line)) is not None]
    return entries[-1].number if entries else 0, size == 0 or end.endswith(b"\n")


def _read(line: bytes) -> Entry | None:
    try:
        said: dict[str, Any] = json.loads(line)
        said["themes"] = None if said["themes"] is None else tuple(said["themes"])
        said["hashes"] = tuple((channel, hashed) for channel, hashed in said["hashes"])
        rows = said.get("rows", ())
        said["rows"] = tuple((key, str(ChannelName(by)), str(Cadence(k))) for key, by, k in rows)
        entry = Entry(**said)
    except (ValueError, KeyError, TypeError):
        return None
    numbers = (entry.number, entry.at, entry.person)
    known = all(type(each) is int for each in numbers) and entry.verb in _VERBS
    if (type(entry.into) is int) is not (entry.verb == "merge"):
        return None
    return entry if known and entry.channel in {None, *ChannelName} else None
