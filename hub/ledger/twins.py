# SPDX-License-Identifier: EUPL-1.2
"""Who shares an address with somebody that is left alone after all is told instead.

At planning one of them was chosen and the others ended "same address". Where the one chosen wants
nothing now (a pause, a stop), the next one's message goes on: the gate asks what they want.
"""

import json
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import Connection, text

from channels.base import Reason
from hub.delivery import DeliveryState
from hub.ledger.database import AnyRow
from subscribers.sharing import sharers

_SAID_ALREADY: Final = frozenset({Reason.SAME_ADDRESS, Reason.REPLACED})

_ENDED: Final = text("""
SELECT id, run, contact_point, part FROM delivery
WHERE id IN (SELECT value FROM json_each(:ids))
""")
_NEXT: Final = text("""
SELECT json_extract(v.value, '$[0]') AS ended, t.id, t.run, t.state, t.reason
FROM json_each(:wanted) v JOIN delivery t
  ON t.subscriber = json_extract(v.value, '$[1]') AND t.run = json_extract(v.value, '$[2]')
 AND t.contact_point = json_extract(v.value, '$[3]') AND t.part = json_extract(v.value, '$[4]')
WHERE t.state = 'skipped' AND t.reason = 'same_address'
ORDER BY ended, t.subscriber
""")


def leaves_others_untold(state: str, reason: str | None) -> bool:
    """Whether a row that ends so leaves the others at its address without the news."""
    return state == DeliveryState.SKIPPED and reason not in _SAID_ALREADY


def successors(conn: Connection, skipped: Collection[int]) -> Sequence[AnyRow]:
    """For each of these rows the next one at its address, where there is one: (id, run, state,
    reason)."""
    if not skipped:
        return ()
    ended = conn.execute(_ENDED, {"ids": json.dumps(list(skipped))}).all()
    wanted = [
        (row.id, each.other_subscriber, row.run, each.other_point, row.part)
        for each in sharers(conn, {row.contact_point for row in ended})
        for row in ended
        if row.contact_point == each.contact_point
    ]
    if not wanted:
        return ()
    found = conn.execute(_NEXT, {"wanted": json.dumps(wanted)}).all()
    first = {row.ended: row for row in reversed(found)}  # of several the first in order stays
    return list({row.id: row for row in first.values()}.values())
