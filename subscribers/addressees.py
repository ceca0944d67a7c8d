# SPDX-License-Identifier: EUPL-1.2
"""The hot path: a window of contact points with all a send needs to know, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, func, select

from channels.base import ChannelName, Recipient
from subscribers.preferences import Preference, QuietHours
from subscribers.subscriptions import CADENCES, cadence_rank
from subscribers.tables import contact_point, subscriber, subscription


@dataclass(frozen=True, slots=True)
class Addressee:
    """All a send needs to know about one contact point, read at send time (promise 4)."""

    subscriber: int
    contact_point: int
    language: str
    recipient: Recipient
    preference: Preference


def load_addressees(
    conn: Connection,
    contact_point_ids: Sequence[int],
    theme_lineage_ids: Sequence[int],
    channel: ChannelName | None,
) -> dict[int, Addressee]:
    """Read a window of contact points as they are now, in one statement.

    `channel` is theirs; with None a subscription on any channel counts. Those erased or removed
    since are absent. Somebody who has no subscription left to the lineage on this channel comes
    back with `preference.subscribed` false.
    """
    asked = {
        "contact_points": contact_point_ids,
        "lineage": theme_lineage_ids,
    }
    if channel is None:
        rows = conn.execute(_WINDOW_ANYWHERE, asked)
    else:
        rows = conn.execute(_WINDOW, {**asked, "road": channel.value})
    return {row[0]: _addressee(*tuple(row)) for row in rows.all()}


_RANK: Final = (
    select(func.min(cadence_rank()))
    .where(
        subscription.c.subscriber == subscriber.c.id,
        subscription.c.theme.in_(bindparam("lineage", expanding=True)),
    )
    .correlate(subscriber)
)


def _window(rank: Select[Any]) -> Select[Any]:
    return (
        select(
            contact_point.c.id,
            contact_point.c.address,
            contact_point.c["keys"],  # `.keys` is a method of every column collection
            contact_point.c.verified_at,
            contact_point.c.suspended_at,
            subscriber.c.id,
            subscriber.c.language,
            subscriber.c.timezone,
            subscriber.c.quiet_start,
            subscriber.c.quiet_end,
            subscriber.c.urgent_breaks_quiet,
            subscriber.c.paused_until,
            subscriber.c.pause_keeps_urgent,
            rank.scalar_subquery(),
        )
        .join_from(contact_point, subscriber)
        # Not `channel = …` as well: without statistics SQLite then walks the whole channel.
        .where(contact_point.c.id.in_(bindparam("contact_points", expanding=True)))
    )


# built once: building them costs as much as running them
_WINDOW: Final = _window(_RANK.where(subscription.c.channel == bindparam("road")))
_WINDOW_ANYWHERE: Final = _window(_RANK)


def _addressee(  # noqa: PLR0917 (a row, in the order it was selected)
    contact: int,
    address: str,
    keys: dict[str, str] | None,
    verified_at: datetime | None,
    suspended_at: datetime | None,
    person: int,
    language: str,
    timezone: str,
    quiet_start: int | None,
    quiet_end: int | None,
    urgent_breaks_quiet: bool,
    paused_until: datetime | None,
    pause_keeps_urgent: bool,
    rank: int | None,
) -> Addressee:
    preference = Preference(
        verified=verified_at is not None,
        suspended=suspended_at is not None,
        subscribed=rank is not None,
        cadence=CADENCES[rank or 0],
        quiet=QuietHours.stored(quiet_start, quiet_end, timezone),
        urgent_breaks_quiet=urgent_breaks_quiet,
        paused_until=paused_until,
        pause_keeps_urgent=pause_keeps_urgent,
    )
    return Addressee(person, contact, language, Recipient(address, keys or {}), preference)
