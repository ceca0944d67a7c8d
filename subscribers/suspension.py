# SPDX-License-Identifier: EUPL-1.2
"""An address that fails is left alone, and used again once something arrived there."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, or_, select, update

from channels.base import Reason
from subscribers.tables import contact_point

DISPROVED_BY_SUCCESS: Final = (
    Reason.NO_SUCH_ADDRESS,
    Reason.NOT_MOBILE,
    Reason.UNREACHABLE,
    Reason.MAILBOX_FULL,
    Reason.SUBSCRIPTION_GONE,
)
"""Suspensions that a delivery failure caused; a complaint's and the citizen's own stand."""


def suspend(
    conn: Connection, contact: int, reason: str, now: datetime, *, sent: datetime | None
) -> None:
    """Stop using an address because of what became of a copy sent at `sent` (None: not known).

    Not where its owner proved it theirs again since. A complaint replaces whatever reason stood;
    nothing replaces a complaint, or the citizen's own word.
    """
    mine = contact_point.c.id == contact
    if sent is not None:
        proved = func.coalesce(contact_point.c.verified_at, contact_point.c.created)
        mine &= proved <= sent
    if reason != Reason.COMPLAINT:
        weaker = [each.value for each in DISPROVED_BY_SUCCESS]
        held = contact_point.c.suspended_reason
        mine &= or_(held.is_(None), held.in_(weaker))
    change = update(contact_point).where(mine)
    conn.execute(change.values(suspended_at=now, suspended_reason=reason))


def lift_after_success(conn: Connection, contacts: Collection[int]) -> int:
    """Something arrived at these contact points: use again those that a failure had suspended.
    Returns how many."""
    if not contacts:
        return 0
    failures = [each.value for each in DISPROVED_BY_SUCCESS]
    mine = contact_point.c.id.in_(contacts) & contact_point.c.suspended_reason.in_(failures)
    lifted = update(contact_point).where(mine)
    return conn.execute(lifted.values(suspended_at=None, suspended_reason=None)).rowcount


_UNWELCOME: Final = (Reason.COMPLAINT, Reason.OPTED_OUT)


def is_unwelcome(conn: Connection, contact: int) -> bool:
    """Whether somebody at this contact point's address, whoever of them, told us to stay away."""
    theirs = contact_point.alias("theirs")
    same = (theirs.c.channel == contact_point.c.channel) & (
        theirs.c.address == contact_point.c.address
    )
    refused = theirs.c.suspended_reason.in_([each.value for each in _UNWELCOME])
    query = select(theirs.c.id).join_from(contact_point, theirs, same)
    return (
        conn.execute(query.where(contact_point.c.id == contact, refused).limit(1)).first()
        is not None
    )
