# SPDX-License-Identifier: EUPL-1.2
"""Who did what, when. Written in the transaction of what was done; never an address or a text."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from hub.ledger.tables import audit


def record(
    conn: Connection,
    now: datetime,
    actor: str,
    verb: str,
    obj: str,
    *,
    authority: int | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """One line of the journal; `obj` is like ``announcement:7Kq2mX``."""
    conn.execute(
        audit.insert().values(
            at=now,
            authority=authority,
            actor=actor,
            verb=verb,
            object=obj,
            detail=dict(detail or {}),
        )
    )


def of_object(conn: Connection, obj: str) -> Sequence[RowMapping]:
    """The journal of one thing, oldest first."""
    return (
        conn.execute(select(audit).where(audit.c.object == obj).order_by(audit.c.id))
        .mappings()
        .all()
    )
