# SPDX-License-Identifier: EUPL-1.2
"""The lock on the data folder: whoever holds it is the hub that sends."""

import fcntl
import os
from pathlib import Path
from typing import IO, Self


class LedgerLockedError(Exception):
    """Another daemon works in this data folder."""


class FolderLock:
    """An exclusive lock on the file `lock`. It ends with the process, however that ends.

    A hub that takes over from one that stands still (decision 0011) puts a new file in the place
    of the old: holding a file that is no longer at its path is holding nothing.
    """

    def __init__(self, folder: Path, file: IO[str]) -> None:
        self._path = folder / "lock"
        self._file = file

    @classmethod
    def take(cls, folder: Path) -> Self:
        """Raises `LedgerLockedError` where another process holds it."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            lock = cls(folder, (folder / "lock").open("a+", encoding="ascii"))
            try:
                lock._claim()
            except OSError:
                lock.close()
                raise LedgerLockedError(str(folder)) from None
            if lock.holds():
                return lock
            lock.close()  # replaced between opening and locking it

    @classmethod
    def replace(cls, folder: Path) -> Self:
        """Put a lock of ours in the place of whatever stands there.

        Only inside the transaction that buries the lease of whoever held the old one.
        """
        ours = folder / f"lock.{os.getpid()}"
        lock = cls(folder, ours.open("w+", encoding="ascii"))
        lock._claim()
        ours.rename(folder / "lock")
        return lock

    def _claim(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._file.seek(0)
        self._file.truncate()
        self._file.write(str(os.getpid()))
        self._file.flush()

    def holds(self) -> bool:
        """Whether the file we locked is still the one at the path."""
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), self._path.stat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Give the folder back."""
        self._file.close()


def holder(folder: Path) -> int | None:
    """The id of the process that took the lock last, None where nobody did."""
    try:
        return int((folder / "lock").read_text("ascii"))
    except (FileNotFoundError, ValueError):
        return None
