# SPDX-License-Identifier: EUPL-1.2
"""What is counted and never written down: how many, on which day, and nothing of who."""

from datetime import date
from typing import Final

from sqlalchemy import Connection, func, select, text

from subscribers.tables import tally

_ADD: Final = text("""
INSERT INTO tally (authority, name, day, n) VALUES (:authority, :name, :day, 1)
ON CONFLICT (authority, name, day) DO UPDATE SET n = tally.n + 1
""")


def count_one(conn: Connection, authority: int, name: str, day: date) -> None:
    """One more of `name` on that day."""
    conn.execute(_ADD, {"authority": authority, "name": name, "day": day.isoformat()})


def counted(conn: Connection, authority: int, name: str, since: date) -> int:
    """How many there were from that day on."""
    days = select(func.coalesce(func.sum(tally.c.n), 0)).where(
        tally.c.authority == authority, tally.c.name == name, tally.c.day >= since.isoformat()
    )
    return int(conn.execute(days).scalar_one())
