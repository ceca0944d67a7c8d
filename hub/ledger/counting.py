# SPDX-License-Identifier: EUPL-1.2
"""The counts by run, state and reason, moved in the transaction that moves the rows.

Written in key order, so that two processes never wait for each other (PostgreSQL).
"""

import json
from collections import Counter

from sqlalchemy import Connection, text

Moves = Counter[tuple[int, str, str]]  # (run, state, reason) -> by how much

_ADD = text("""
INSERT INTO delivery_count (run, state, reason, n)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
       json_extract(value, '$[3]')
FROM json_each(:moves) WHERE true
ON CONFLICT (run, state, reason) DO UPDATE SET n = n + excluded.n
""")


def apply_moves(conn: Connection, moves: Moves) -> None:
    """Add (and take away) by the rows that really changed."""
    rows = sorted((*key, n) for key, n in moves.items() if n)
    if rows:
        conn.execute(_ADD, {"moves": json.dumps(rows)})
