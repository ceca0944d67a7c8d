# SPDX-License-Identifier: EUPL-1.2
"""Which announcement somebody had just been told when they wrote STOP: an SMS names none itself."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select

from channels.base import ChannelName
from hub.delivery import REACHED
from hub.ledger.announcements import UNSEEN
from hub.ledger.tables import announcement, delivery, run
from subscribers.tables import to_ms

_LATELY: Final = timedelta(days=7)
"""Who stops later than that stops for another reason."""


def last_told(conn: Connection, person: int, channel: ChannelName, now: datetime) -> int | None:
    """The announcement they were told last on a channel, within a week; None for none."""
    latest = (
        select(announcement.c.id)
        .join_from(delivery, run, run.c.id == delivery.c.run)
        .join(announcement, announcement.c.id == run.c.announcement)
        .where(
            delivery.c.subscriber == person,
            delivery.c.state.in_(sorted(REACHED)),
            delivery.c.at >= to_ms(now - _LATELY),
            run.c.channel == channel,
            announcement.c.source.not_in(UNSEEN),
        )
        .order_by(delivery.c.at.desc(), delivery.c.id.desc())
        .limit(1)
    )
    return conn.execute(latest).scalar_one_or_none()
