# SPDX-License-Identifier: EUPL-1.2
"""Whom a follow-up would be told to: who got what it follows, if they still want it."""

from sqlalchemy import Connection, case, false, func, literal, or_, select

from channels.base import ChannelName
from hub.announcement import Announcement
from hub.flow.planning.plan import NEGATIVE
from hub.ledger.tables import announcement as announcement_table
from hub.ledger.tables import delivery, run
from subscribers.audience import AudienceQuery
from subscribers.foresight import Told
from subscribers.subscriptions import cadence_rank
from subscribers.tables import contact_point, subscription


def followers(conn: Connection, announcement: Announcement, query: AudienceQuery) -> Told:
    """Everybody of the chain on this channel whose address is still good and who still asks for
    its themes; who was told here in the place of another channel, on whichever. Not of `zones`:
    who moved away meanwhile is told how it ended."""
    runs = _chain_runs(conn, announcement, query.channel)
    stood_in = func.max(case((delivery.c.fallback_of.is_not(None), 1), else_=0))
    told = (
        select(delivery.c.subscriber, delivery.c.contact_point, stood_in.label("stood_in"))
        .where(delivery.c.run.in_(runs), delivery.c.state.not_in(NEGATIVE))
        .group_by(delivery.c.subscriber, delivery.c.contact_point)
        .subquery()
    )
    rank = (
        select(func.min(cadence_rank(subscription)))
        .where(
            subscription.c.subscriber == told.c.subscriber,
            or_(subscription.c.channel == query.channel.value, told.c.stood_in == 1),
            subscription.c.theme.in_(query.theme_lineage),
        )
        .correlate(told)
        .scalar_subquery()
    )
    return (
        select(
            literal(query.channel.value).label("channel"),
            told.c.subscriber,
            (rank if query.digestible else literal(0)).label("rank"),
            false().label("duplicate"),
        )
        .join_from(told, contact_point, contact_point.c.id == told.c.contact_point)
        .where(
            contact_point.c.verified_at.is_not(None),
            contact_point.c.suspended_at.is_(None),
            rank.is_not(None),
        )
    )


def _chain_runs(conn: Connection, announcement: Announcement, channel: ChannelName) -> list[int]:
    head, table = announcement.first, announcement_table
    found = conn.execute(
        select(run.c.id)
        .join(table, table.c.id == run.c.announcement)
        .where(
            or_(table.c.id == head, table.c.first == head),
            table.c.id != announcement.id,
            run.c.channel == channel,
        )
    )
    return list(found.scalars())
