# SPDX-License-Identifier: EUPL-1.2
"""The deliveries of an announcement, page by page: what became of each, and nobody's address."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from channels.base import ChannelName, Reason
from hub.delivery import DeliveryState
from hub.ledger import deliveries
from hub.ledger.tables import run
from subscribers.tables import from_ms


@dataclass(frozen=True, slots=True)
class LoggedDelivery:
    """One delivery. `subscriber` and `contact_point` are numbers, of nobody once erased.

    `due` is when it may leave, for what is ready; `maybe_sent` says that a copy may have left
    without our knowing; `fallback_of` is the delivery on another channel it stands in for; `at` is
    when it last moved.
    """

    id: int
    channel: ChannelName
    subscriber: int
    contact_point: int
    part: int
    state: DeliveryState
    reason: Reason | None
    round: int
    tries: int
    maybe_sent: bool
    due: datetime | None
    at: datetime
    fallback_of: int | None = None


def delivery_page(
    conn: Connection,
    announcement_id: int,
    after: int,
    limit: int,
    states: Sequence[DeliveryState] = (),
) -> tuple[LoggedDelivery, ...]:
    """At most `limit` deliveries with an id above `after`, by id; of these states, if any."""
    rows = conn.execute(
        select(run.c.id, run.c.channel, run.c.first_delivery).where(
            run.c.announcement == announcement_id, run.c.first_delivery.is_not(None)
        )
    ).all()
    if not rows:
        return ()
    channels = {row.id: ChannelName(row.channel) for row in rows}
    start = max(after, min(row.first_delivery for row in rows) - 1)  # older ones are others'
    return tuple(
        LoggedDelivery(
            id=row["id"],
            channel=channels[row["run"]],
            subscriber=row["subscriber"],
            contact_point=row["contact_point"],
            part=row["part"],
            state=DeliveryState(row["state"]),
            reason=Reason(row["reason"]) if row["reason"] else None,
            round=row["round"],
            tries=row["tries"],
            maybe_sent=row["maybe"],
            due=from_ms(row["due"]) if row["state"] == DeliveryState.READY else None,
            at=from_ms(row["at"]),
            fallback_of=row["fallback_of"],
        )
        for row in deliveries.page(conn, list(channels), start, limit, states)
    )
