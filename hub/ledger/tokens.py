# SPDX-License-Identifier: EUPL-1.2
"""Opaque tokens as the ledger knows them: by their hash, until they are over."""

import hashlib
from datetime import datetime

from sqlalchemy import Connection, Table, delete, select


def hashed(token: str) -> str:
    """As it is kept. 256 random bits need no slow hash; header bytes that are no UTF-8 arrive as
    surrogates, which are bytes all the same."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def forget(conn: Connection, table: Table, now: datetime, limit: int) -> int:
    """Erase the rows of `table` (by `token_hash`, with `expires`) that are over. Returns how many,
    `limit` at most."""
    over = select(table.c.token_hash).where(table.c.expires <= now).limit(limit)
    return conn.execute(delete(table).where(table.c.token_hash.in_(over))).rowcount
