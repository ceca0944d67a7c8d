# SPDX-License-Identifier: EUPL-1.2
"""Drafts that were thrown away go for good after a month, with their files."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select

from hub.flow.writing.compositions import CompositionState
from hub.ledger.office_tables import attachment
from hub.ledger.office_tables import composition as table

KEPT: Final = timedelta(days=30)


def forget(conn: Connection, now: datetime, limit: int) -> int:
    """Erase what was dropped a month ago and was never asked for: nothing else names it. Returns
    how many, `limit` at most."""
    old = select(table.c.code).where(
        table.c.state == CompositionState.DROPPED,
        table.c.announcement.is_(None),
        table.c.changed < now - KEPT,
    )
    codes = list(conn.execute(old.limit(limit)).scalars())
    conn.execute(delete(attachment).where(attachment.c.code.in_(codes)))
    conn.execute(delete(table).where(table.c.code.in_(codes)))
    return len(codes)
