# SPDX-License-Identifier: EUPL-1.2
"""What was done about an announcement, and by whom: its journal, oldest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub.ledger import audit


@dataclass(frozen=True, slots=True)
class Deed:
    """One line. `verb` is of an open list; `detail` holds no address and no text."""

    at: datetime
    actor: str
    verb: str
    detail: Mapping[str, Any]


def deeds(conn: Connection, code: str) -> Sequence[Deed]:
    """Those about the announcement of a code, and about what it was written as."""
    lines = audit.of_object(conn, f"announcement:{code}")
    return [Deed(row["at"], row["actor"], row["verb"], row["detail"]) for row in lines]
