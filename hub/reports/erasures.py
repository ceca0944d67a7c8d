# SPDX-License-Identifier: EUPL-1.2
"""When what has served was last erased, and how much of each kind: the journal's newest line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from hub.ledger.tables import audit

VERB: Final = "erase_due"
"""As `hub.flow.keep.retention` writes it, for the whole hub."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One round. `gone` counts rows by kind, as `Rules.steps` names them; nothing of it is told of
    one town or another."""

    at: datetime
    gone: Mapping[str, int]


def last_erasure(conn: Connection) -> Erasure | None:
    """None where it never ran, or so long ago that its line was erased too."""
    query = select(audit.c.at, audit.c.detail).where(audit.c.verb == VERB)
    row = conn.execute(query.order_by(audit.c.id.desc()).limit(1)).first()
    return None if row is None else Erasure(row.at, row.detail)
