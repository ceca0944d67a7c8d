# SPDX-License-Identifier: EUPL-1.2
"""Who did what, when. Written in the transaction of what was done; never an address or a text.

Each line carries the digest of itself and of the line before, so that one changed, moved or taken
out of the middle is found (`broken`). Lines only ever go from the old end, by retention.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, select

from hub.ledger.tables import audit
from subscribers.tables import to_ms

_LAST: Final = select(audit.c.digest).order_by(audit.c.id.desc()).limit(1)
_PAGE: Final = 2_000


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
    """One line of the journal; `obj` is like ``announcement:7Kq2mX``.

    The line before is read in this same transaction, and writers come one at a time.
    """
    line = {
        "at": now,
        "authority": authority,
        "actor": actor,
        "verb": verb,
        "object": obj,
        "detail": json.loads(json.dumps(detail or {})),  # as it will be read
    }
    before = conn.execute(_LAST).scalar_one_or_none() or ""
    conn.execute(audit.insert().values(**line, digest=_digest(before, line)))


def _digest(before: str, line: Mapping[str, Any]) -> str:
    """SHA-256 of the digest before and of this line, in one spelling of JSON."""
    at = {"at": to_ms(line["at"])}
    said = {name: line[name] for name in ("authority", "actor", "verb", "object", "detail")}
    spelled = json.dumps(said | at, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{before}\n{spelled}".encode()).hexdigest()


def broken(conn: Connection) -> int | None:
    """The number of the first line that does not follow from the one before; None where all do.

    The oldest stands for itself: what it followed was erased when its time was over.
    """
    before: str | None = None
    after = 0
    while page := _page(conn, after):
        for line in page:
            digest = line["digest"]
            if digest is None and not before:  # written before lines were chained: the oldest ones
                before = ""
                continue
            if before is not None and digest != _digest(before, dict(line)):
                return int(line["id"])
            before = digest or ""
        after = page[-1]["id"]
    return None


def _page(conn: Connection, after: int) -> Sequence[RowMapping]:
    page = select(audit).where(audit.c.id > after).order_by(audit.c.id).limit(_PAGE)
    return conn.execute(page).mappings().all()


def of_object(conn: Connection, obj: str) -> Sequence[RowMapping]:
    """The journal of one thing, oldest first."""
    return (
        conn.execute(select(audit).where(audit.c.object == obj).order_by(audit.c.id))
        .mappings()
        .all()
    )
