# SPDX-License-Identifier: EUPL-1.2
"""Rows in doubt on channels whose provider can be asked: which wait, and what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, select

from channels.base import ChannelName, Lane
from hub.delivery import DeliveryState
from hub.ledger import late, receipts
from hub.ledger.database import AnyRow
from hub.ledger.deliveries import Reservation
from hub.ledger.moves import ROWS
from hub.ledger.tables import delivery, kept_address, run

MOST: Final = 5_000
"""Rows looked at in one reading; those behind them wait until these are resolved."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One row in doubt, as its send had it. `due` and `since` (its first reserve) in ms."""

    row: Reservation
    lane: Lane
    due: int
    since: int


def waiting(conn: Connection, channel: ChannelName) -> list[Doubt]:
    """Those of one channel, the most urgent lane first, then by due."""
    query = (
        select(delivery, run.c.lane)
        .join_from(delivery, run, run.c.id == delivery.c.run)
        .where(delivery.c.state == DeliveryState.DOUBT, run.c.channel == channel)
        .order_by(run.c.lane, delivery.c.due, delivery.c.id)
        .limit(MOST)
    )
    return [_read(row) for row in conn.execute(query)]


def _read(row: AnyRow) -> Doubt:
    reservation = Reservation(
        delivery=row.id,
        run=row.run,
        subscriber=row.subscriber,
        contact_point=row.contact_point,
        part=row.part,
        lease=0,
        round=row.round,
        tries=row.tries,
        crashes=row.crashes,
        maybe=True,
        reason=row.reason,
        fallback=row.fallback_of is not None,
    )
    since = row.at if row.since is None else row.since
    return Doubt(reservation, Lane(row.lane), row.due, since)


def standing(conn: Connection, row: Reservation, at: int) -> AnyRow | None:
    """The row where it is still in doubt in the round it was listed in, None where it is not.

    First whatever was told meanwhile settles it.
    """
    late.settle_known(conn, [row.delivery], at)
    receipts.fold(conn, [row.delivery], at)
    listed = (delivery.c.id == row.delivery, delivery.c.round == row.round)
    return conn.execute(ROWS.where(*listed, delivery.c.state == DeliveryState.DOUBT)).first()


# --------------------------------------------------------------------------- of somebody erased


def kept(conn: Connection, delivery_id: int) -> tuple[str, str] | None:
    """(address, language) of somebody erased since their message was sent."""
    found = conn.execute(
        select(kept_address.c.address, kept_address.c.language).where(
            kept_address.c.delivery == delivery_id
        )
    ).first()
    return None if found is None else (found.address, found.language)


_MAY_BE_ASKED: Final[Sequence[str]] = (DeliveryState.RESERVED, DeliveryState.DOUBT)


def forget_resolved(conn: Connection) -> int:
    """Drop the addresses that nobody needs any more. Returns how many."""
    open_ = select(delivery.c.id).where(delivery.c.state.in_(_MAY_BE_ASKED))
    needed = kept_address.c.delivery.in_(
        open_.where(delivery.c.id == kept_address.c.delivery).correlate(kept_address)
    )
    return conn.execute(delete(kept_address).where(~needed)).rowcount
