# SPDX-License-Identifier: EUPL-1.2
"""A second hub on the same folder and machine: it waits, and takes over (decision 0011).

From one that has ended at once, for the lock on the folder ended with it; from one that stands
still, once its lease has run out.
"""

import asyncio
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError

from channels.base import Clock
from hub.flow.keep.tenure import lease_name
from hub.ledger import leases
from hub.ledger.database import open_readers, open_writer
from hub.ledger.lock import FolderLock, LedgerLockedError, holder

log = structlog.get_logger(__name__)

LOOK: Final = 0.2  # seconds between two looks at the other
_SAID_EVERY: Final = 60.0  # seconds between two lines about the same obstacle


async def stand_by(folder: Path, clock: Clock, stop: asyncio.Event) -> FolderLock | None:
    """Wait until the folder is ours; its lock, or None where `stop` was set first."""
    log.warning("standby.waits", sender=holder(folder))
    said = -_SAID_EVERY
    while not stop.is_set():
        with suppress(LedgerLockedError):
            lock = FolderLock.take(folder)
            log.warning("standby.takes_over", because="the other hub has ended")
            return lock
        try:
            seized = await asyncio.to_thread(_seize, folder, int(clock.monotonic() * 1000))
        except OperationalError as refused:
            # The one that stands still stopped inside a transaction, and holds SQLite's write
            # lock as well: that ends with its process, and nobody else can end it.
            if clock.monotonic() - said >= _SAID_EVERY:
                said = clock.monotonic()
                code = getattr(refused.orig, "sqlite_errorname", "")
                log.warning("standby.ledger_is_held", code=code, kill=holder(folder))
            seized = None
        if seized is not None:
            log.warning("standby.takes_over", because="the other hub's lease ran out")
            return seized
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK)
    return None


def _seize(folder: Path, steady: int) -> FolderLock | None:
    """Take the folder from whoever let its lease run out; None where nobody did.

    Looked at without the write lock first, then again with it: what is renewed meanwhile stands.
    """
    path = folder / "ledger.sqlite3"
    other = holder(folder)
    if other is None or not path.is_file():
        return None
    sender = lease_name(other)
    readers, writer = open_readers(path), open_writer(path)
    try:
        with readers.connect() as conn:
            if not leases.ran_out(conn, sender, steady):
                return None
        with writer.begin() as conn:
            if not leases.ran_out(conn, sender, steady):
                return None
            leases.bury(conn)
            return FolderLock.replace(folder)
    except OperationalError as refused:
        if getattr(refused.orig, "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR:
            return None  # an older ledger, without leases that end: the other is upgrading it
        raise
    finally:
        readers.dispose()
        writer.dispose()
