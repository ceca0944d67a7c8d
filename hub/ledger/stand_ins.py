# SPDX-License-Identifier: EUPL-1.2
"""Deliveries that stand in for one on another channel (ENGINE.md section 6, decision 0012)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, exists, func, or_, select

from channels.base import ChannelName, Reason
from hub.announcement import Announcement
from hub.delivery import DeliveryState
from hub.ledger import announcements, runs
from hub.ledger.counting import Moves, apply_moves
from hub.ledger.database import AnyRow
from hub.ledger.runs import Run
from hub.ledger.tables import delivery, run
from templates.content import Kind

S = DeliveryState


@dataclass(frozen=True, slots=True)
class StandIn:
    """A delivery to be added: to whom, where, for which other delivery. `reason` of those that are
    skipped at birth."""

    subscriber: int
    contact_point: int
    stands_for: int
    skipped: Reason | None = None

    @property
    def state(self) -> DeliveryState:
        """Where it begins."""
        return S.SKIPPED if self.skipped else S.READY

    @property
    def reason(self) -> Reason:
        """Why it is there, or why it goes nowhere."""
        return self.skipped or Reason.FALLBACK


def wanting(
    conn: Connection,
    of: Sequence[Run],
    answering: Collection[ChannelName],
    silent_since: int,
    *,
    after: int = 0,
) -> Iterator[AnyRow]:
    """(id, run, subscriber) of what failed in these runs, or was accepted on an `answering`
    channel by then (ms) and not answered for, by id; those that have a stand-in are left out."""
    ids = [each.id for each in of]
    told = [each.id for each in of if each.channel in answering]
    if not _worth_a_look(conn, ids, told):
        return
    first = conn.execute(select(func.min(run.c.first_delivery)).where(run.c.id.in_(ids))).scalar()
    other = delivery.alias()
    silent = (delivery.c.state == S.ACCEPTED) & delivery.c.run.in_(told)
    yield from conn.execute(
        select(delivery.c.id, delivery.c.run, delivery.c.subscriber)
        .where(
            delivery.c.id >= max(first or 0, after + 1),
            delivery.c.run.in_(ids),
            delivery.c.part == 0,
            or_(delivery.c.state == S.FAILED, silent & (delivery.c.at <= silent_since)),
            ~exists(select(1).where(other.c.fallback_of == delivery.c.id)),
        )
        .order_by(delivery.c.id)
    )


def _worth_a_look(conn: Connection, ids: Sequence[int], told: Collection[int]) -> bool:
    """Whether the counts say that there is any: one small read instead of all deliveries."""
    return any(
        row.state == S.FAILED or (row.state == S.ACCEPTED and row.run in told)
        for row in runs.counts(conn, ids)
    )


def already_there(
    conn: Connection, of: Sequence[Run], people: Collection[int]
) -> set[tuple[int, ChannelName]]:
    """Who has a delivery on which channel of these runs."""
    channels = {each.id: each.channel for each in of}
    rows = conn.execute(
        select(delivery.c.subscriber, delivery.c.run).where(
            delivery.c.subscriber.in_(people), delivery.c.run.in_(channels)
        )
    )
    return {(row.subscriber, channels[row.run]) for row in rows}


def told_points(conn: Connection, run_id: int, points: Mapping[int, int]) -> set[int]:
    """Which of these contact points (with whose they are) a run tells."""
    rows = conn.execute(
        select(delivery.c.contact_point).where(
            delivery.c.subscriber.in_(set(points.values())),
            delivery.c.run == run_id,
            delivery.c.contact_point.in_(points),
            delivery.c.state != S.SKIPPED,
        )
    )
    return set(rows.scalars())


def add(conn: Connection, run_id: int, these: Sequence[StandIn], at: int) -> bool:
    """Add them, with what is planned and counted. Returns whether they are the run's first."""
    mine = (delivery.c.run == run_id, delivery.c.fallback_of.is_not(None))
    before = conn.execute(select(delivery.c.id).where(*mine).limit(1)).first()
    last = conn.execute(select(func.coalesce(func.max(delivery.c.id), 0))).scalar_one()
    conn.execute(
        delivery.insert(),
        [
            {
                "run": run_id,
                "subscriber": each.subscriber,
                "contact_point": each.contact_point,
                "fallback_of": each.stands_for,
                "state": each.state,
                "reason": each.reason,
                "due": at,
                "at": at,
            }
            for each in these
        ],
    )
    apply_moves(conn, Moves((run_id, each.state, each.reason) for each in these))
    runs.add_planned(conn, run_id, len(these), last + 1)
    return before is None


def follow(conn: Connection, run_id: int, chain: Collection[int], first: int) -> None:
    """Of whom an earlier announcement of the chain reached by a stand-in: what follows it on that
    channel, from the delivery `first` on, stands in as well."""
    earlier = delivery.alias()
    stood_in = (
        select(func.max(earlier.c.fallback_of))
        .where(
            earlier.c.subscriber == delivery.c.subscriber,
            earlier.c.run.in_(chain),
            earlier.c.contact_point == delivery.c.contact_point,
            earlier.c.fallback_of.is_not(None),
        )
        .scalar_subquery()
    )
    if channels_of(conn, chain):
        conn.execute(
            delivery.update()
            .where(delivery.c.id >= first, delivery.c.run == run_id)
            .values(fallback_of=stood_in)
        )


def channels_of(conn: Connection, of: Collection[int]) -> set[ChannelName]:
    """On which channels of these runs somebody is told in the place of another channel."""
    rows = conn.execute(
        select(run.c.channel)
        .join_from(delivery, run, run.c.id == delivery.c.run)
        .where(delivery.c.fallback_of.is_not(None), delivery.c.run.in_(of))
        .distinct()
    )
    return {ChannelName(name) for name in rows.scalars()}


def channels_in_chain(conn: Connection, announcement: Announcement) -> list[ChannelName]:
    """On which channels somebody was told in the place of another of what this one follows: they
    hear of what follows as well."""
    if announcement.kind is Kind.FIRST:
        return []
    chain = announcements.chain(conn, announcement)
    of = [run.id for each in chain for run in runs.of_announcement(conn, each.id)]
    return sorted(channels_of(conn, of))


def every_channel(conn: Connection, announcement: Announcement) -> tuple[ChannelName, ...]:
    """The channels it goes out on: its own, and those that stood in before it."""
    return tuple(dict.fromkeys([*announcement.channels, *channels_in_chain(conn, announcement)]))


def how_many(conn: Connection, announcement_id: int) -> int:
    """How many messages of an announcement were sent in the place of another channel's."""
    mine = select(run.c.id).where(run.c.announcement == announcement_id)
    return int(
        conn.execute(
            select(func.count()).where(
                delivery.c.fallback_of.is_not(None),
                delivery.c.run.in_(mine),
                delivery.c.state != S.SKIPPED,
            )
        ).scalar_one()
    )
