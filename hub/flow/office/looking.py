# SPDX-License-Identifier: EUPL-1.2
"""Looking at what concerns one person leaves a trace: who looked at what, never what they saw."""

from datetime import datetime

from sqlalchemy import Connection

from hub.flow.staff.officers import Officer
from hub.ledger import audit


def reveal(conn: Connection, officer: Officer, code: str, delivery: int, now: datetime) -> None:
    """An officer has the address of one delivery shown."""
    _say(conn, officer, "reveal", code, now, delivery=delivery)


def export(conn: Connection, officer: Officer, code: str, reason: str, now: datetime) -> None:
    """An officer takes an announcement's report away as a file, and says what for."""
    _say(conn, officer, "export", code, now, reason=reason)


def _say(
    conn: Connection, officer: Officer, verb: str, code: str, now: datetime, **detail: int | str
) -> None:
    audit.record(
        conn,
        now,
        officer.name,
        verb,
        f"announcement:{code}",
        authority=officer.authority,
        detail={"source": f"officer:{officer.id}", **detail},
    )
