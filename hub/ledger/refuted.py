# SPDX-License-Identifier: EUPL-1.2
"""Whether the provider said of one copy that it did not arrive (ENGINE.md 4.6)."""

from typing import Final

from sqlalchemy import Connection, text

_REFUSED: Final = text("""
SELECT 1 FROM receipt r
WHERE r.delivery = :delivery AND r.rank = 2 AND (r.round = :round OR r.ref = :ref)
  AND NOT EXISTS (SELECT 1 FROM receipt g WHERE g.delivery = r.delivery AND g.round = r.round
                  AND g.rank = 3)
LIMIT 1
""")


def reported_failed(conn: Connection, delivery: int, round_: int, ref: str | None) -> bool:
    """Whether the provider said that this copy did not arrive: no acceptance overrides that."""
    asked = {"delivery": delivery, "round": round_, "ref": ref}
    return conn.execute(_REFUSED, asked).first() is not None
