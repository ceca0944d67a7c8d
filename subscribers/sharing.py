# SPDX-License-Identifier: EUPL-1.2
"""People who gave the same number or mailbox: one of them is told, for all."""

import json
from collections.abc import Collection
from typing import Final, NamedTuple

from sqlalchemy import Connection, text


class Sharer(NamedTuple):
    """Somebody else reached at the same address as `contact_point`."""

    contact_point: int
    other_subscriber: int
    other_point: int


_SHARERS: Final = text("""
SELECT mine.id, theirs.subscriber, theirs.id AS point
FROM contact_point mine JOIN contact_point theirs
  ON theirs.channel = mine.channel AND theirs.address = mine.address
WHERE mine.id IN (SELECT value FROM json_each(:points)) AND theirs.id <> mine.id
ORDER BY mine.id, theirs.subscriber
""")


def sharers(conn: Connection, contact_points: Collection[int]) -> list[Sharer]:
    """Everybody reached at the addresses of these contact points, but for themselves."""
    asked = {"points": json.dumps(list(contact_points))}
    return [Sharer(row.id, row.subscriber, row.point) for row in conn.execute(_SHARERS, asked)]
