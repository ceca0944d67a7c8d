# SPDX-License-Identifier: EUPL-1.2
"""Two who turned out to be one person, for a restored backup that knows them as two."""

import asyncio
from datetime import datetime

from hub.ledger.journal import Journal
from hub.ledger.store import Ledger


async def write_joined(ledger: Ledger, person: int, kept: int, now: datetime) -> None:
    """Into the journal beside the ledger, after the commit, where `person` is `kept` now: what
    `kept` stops or erases later holds for both. Raises `LedgerFullError`."""
    if person != kept:
        journal = Journal.beside(ledger.path)
        await asyncio.to_thread(journal.append, "merge", person, now, into=kept)
