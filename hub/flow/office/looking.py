# SPDX-License-Identifier: EUPL-1.2
"""Looking at what concerns one person leaves a trace: who looked at what, never what they saw."""

from datetime import datetime

from sqlalchemy import Connection

from hub.flow.staff.officers import Officer
from hub.flow.writing.compositions import say


def reveal(conn: Connection, officer: Officer, code: str, message: str, now: datetime) -> None:
    """An officer has the address of one message shown; `message` as its page calls it."""
    say(conn, officer, "reveal", code, now, message=message)


def export(conn: Connection, officer: Officer, code: str, reason: str, now: datetime) -> None:
    """An officer takes an announcement's report away as a file, and says what for."""
    say(conn, officer, "export", code, now, reason=reason)
