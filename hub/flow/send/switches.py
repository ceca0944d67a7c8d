# SPDX-License-Identifier: EUPL-1.2
"""Which channels somebody closed by hand, and until when nothing at all may leave."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from channels.base import ChannelName, Reason
from hub.flow.accept.principal import Principal
from hub.flow.accept.problems import ForbiddenError, Problem
from hub.ledger import audit, hold
from hub.ledger.tables import channel_switch

_MAY_NOT: Final = Problem(
    "",
    "may_not_operate",
    "Seule une clé qui peut tout publier, alertes comprises, peut suspendre ou rouvrir un canal.",
    "Only a key that may publish everything, urgent alerts included, may pause or open a channel.",
)


@dataclass(frozen=True, slots=True)
class Switch:
    """A channel that was paused: when, and by whom."""

    channel: ChannelName
    at: datetime
    by: str


def paused(conn: Connection) -> Mapping[ChannelName, Switch]:
    """The channels an operator paused."""
    rows = conn.execute(select(channel_switch).order_by(channel_switch.c.channel))
    found = [Switch(ChannelName(row.channel), row.paused_at, row.paused_by) for row in rows]
    return {each.channel: each for each in found}


def closed(conn: Connection) -> Mapping[ChannelName, Reason]:
    """The channels on which nothing may leave: all of them while a restore is not released."""
    if hold.current(conn) is not None:
        return dict.fromkeys(ChannelName, Reason.ON_HOLD)
    return dict.fromkeys(paused(conn), Reason.CHANNEL_PAUSED)


def pause(
    conn: Connection, channels: Iterable[ChannelName], principal: Principal, now: datetime
) -> tuple[ChannelName, ...]:
    """Nothing leaves on these channels until they are resumed; what is accepted waits.

    Returns those that were in use. Raises `ForbiddenError` where this principal may not publish
    everything: a channel carries everybody's announcements.
    """
    _must_be_entitled(principal)
    before = paused(conn)
    turned = tuple(each for each in channels if each not in before)
    for each in turned:
        conn.execute(
            insert(channel_switch).values(channel=each, paused_at=now, paused_by=principal.name)
        )
    _say(conn, "pause", turned, principal, now)
    return turned


def resume(
    conn: Connection, channels: Iterable[ChannelName], principal: Principal, now: datetime
) -> tuple[ChannelName, ...]:
    """Everything leaves again on these channels. Returns those that were paused.

    Raises `ForbiddenError` as `pause` does.
    """
    _must_be_entitled(principal)
    before = paused(conn)
    turned = tuple(each for each in channels if each in before)
    conn.execute(delete(channel_switch).where(channel_switch.c.channel.in_(turned)))
    _say(conn, "resume", turned, principal, now)
    return turned


def _must_be_entitled(principal: Principal) -> None:
    if not principal.may_operate:
        raise ForbiddenError([_MAY_NOT])


def _say(
    conn: Connection,
    verb: str,
    turned: Iterable[ChannelName],
    principal: Principal,
    now: datetime,
) -> None:
    for each in turned:
        who, detail = principal.name, {"source": principal.source}
        audit.record(
            conn, now, who, verb, f"channel:{each}", authority=principal.authority, detail=detail
        )
