# SPDX-License-Identifier: EUPL-1.2
"""Whoever takes a file away says what for, and the journal keeps it."""

from datetime import datetime

from sqlalchemy import Connection

from hub.flow.staff.officers import Officer
from hub.ledger import audit


def note_export(conn: Connection, who: Officer, what: str, reason: str, now: datetime) -> None:
    """A line in the journal, before the file is made."""
    audit.record(
        conn,
        now,
        f"officer:{who.id}",
        "export",
        what,
        authority=who.authority,
        detail={"reason": reason},
    )
