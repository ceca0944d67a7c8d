# SPDX-License-Identifier: EUPL-1.2
"""What went out lately, channel by channel: the counts of the console's home, and the rows behind
each of them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from channels.base import ChannelName, Reason, Urgency
from hub.delivery import REACHED, DeliveryState
from hub.ledger import deliveries, measures
from hub.ledger.announcements import UNSEEN
from hub.ledger.tables import announcement, delivery_count, run
from subscribers.tables import from_ms

Sees = Callable[[Iterable[str]], bool]
"""Whether announcements under these themes are the reader's to see."""

SENT: Final = tuple(sorted(REACHED))
FAILED: Final = (DeliveryState.FAILED,)


@dataclass(frozen=True, slots=True)
class Told:
    """One channel's messages: handed over to its provider, and ended in failure."""

    sent: int
    failed: int

    @property
    def all(self) -> int:
        """What a share of failures is a share of."""
        return self.sent + self.failed


@dataclass(frozen=True, slots=True)
class Week:
    """`announcements` are those published; `costs` in millionths by currency, of those that have
    ended (`unmeasured` of them have not been counted yet)."""

    announcements: int
    channels: Mapping[ChannelName, Told]
    costs: Mapping[str, int]
    unmeasured: int


@dataclass(frozen=True, slots=True)
class Row:
    """One message, and nobody's address."""

    id: int
    code: str
    titles: Mapping[str, str]
    channel: ChannelName
    state: DeliveryState
    reason: Reason | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """One announcement that was published, and when."""

    code: str
    titles: Mapping[str, str]
    at: datetime


def week(  # noqa: PLR0917 (whose, when, and the money it is told in)
    conn: Connection,
    authority: int,
    sees: Sees,
    start: datetime,
    end: datetime,
    currency: Callable[[ChannelName], str] = lambda _: "EUR",
) -> Week:
    """What was published in [start, end): a few reads of the counts. Drills are no statistics."""
    ids = sent_in(conn, authority, sees, start, end)
    sums: dict[ChannelName, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    query = (
        select(run.c.channel, delivery_count.c.state, func.sum(delivery_count.c.n))
        .join(delivery_count, delivery_count.c.run == run.c.id)
        .where(run.c.announcement.in_(ids))
        .group_by(run.c.channel, delivery_count.c.state)
    )
    for channel, state, n in conn.execute(query):
        sums[ChannelName(channel)][state] += int(n)
    measured = measures.load(conn, list(ids))
    costs: dict[str, int] = defaultdict(int)
    for each in measured.values():
        for name, told in each.channels.items():
            if told.cost is not None:
                costs[currency(name)] += told.cost
    channels = {
        name: Told(sum(states[s] for s in SENT), states[DeliveryState.FAILED])
        for name, states in ((each, sums[each]) for each in ChannelName if each in sums)
    }
    return Week(len(ids), channels, dict(costs), len(ids) - len(measured))


def rows(  # noqa: PLR0917 (whose, when, which, from where)
    conn: Connection,
    authority: int,
    sees: Sees,
    start: datetime,
    end: datetime,
    channel: ChannelName,
    states: Sequence[DeliveryState],
    after: int,
    limit: int,
) -> Sequence[Row]:
    """The messages behind a count of `week`, at most `limit` with a number above `after`."""
    told = sent_in(conn, authority, sees, start, end)
    runs = conn.execute(
        select(run.c.id, run.c.announcement, run.c.first_delivery).where(
            run.c.announcement.in_(told),
            run.c.channel == channel,
            run.c.first_delivery.is_not(None),
        )
    ).all()
    if not runs:
        return ()
    about = {row.id: told[row.announcement] for row in runs}
    begin = max(after, min(row.first_delivery for row in runs) - 1)
    return [
        Row(
            found["id"],
            about[found["run"]].code,
            about[found["run"]].titles,
            channel,
            DeliveryState(found["state"]),
            Reason(found["reason"]) if found["reason"] else None,
            from_ms(found["at"]),
        )
        for found in deliveries.page(conn, list(about), begin, limit, states)
    ]


def sent_in(
    conn: Connection, authority: int, sees: Sees, start: datetime, end: datetime
) -> Mapping[int, Sent]:
    """The announcements that `week` counts, the oldest first."""
    table = announcement
    found = conn.execute(
        select(table.c.id, table.c.code, table.c.document, table.c.published)
        .where(
            table.c.authority == authority,
            table.c.published >= start,
            table.c.published < end,
            table.c.source.not_in(UNSEEN),
            table.c.urgency != Urgency.DRILL,
        )
        .order_by(table.c.published, table.c.id)
    )
    return {
        row.id: Sent(
            row.code,
            {name: words["title"] for name, words in row.document["contents"].items()},
            row.published,
        )
        for row in found
        if sees(row.document["themes"])
    }
