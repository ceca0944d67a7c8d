# SPDX-License-Identifier: EUPL-1.2
"""How far an announcement is on each channel, read from the counts alone: never the deliveries."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from channels.base import ChannelName, Reason
from hub.delivery import PENDING, REACHED, DeliveryState
from hub.ledger.runs import RunState
from hub.ledger.tables import delivery_count, run

WAITING: Final = PENDING | {DeliveryState.DIGEST}
IN_FLIGHT: Final = frozenset({DeliveryState.RESERVED, DeliveryState.DOUBT})
NOT_SENT: Final = frozenset({DeliveryState.SKIPPED, DeliveryState.EXPIRED, DeliveryState.CANCELLED})


@dataclass(frozen=True, slots=True)
class ChannelProgress:
    """One channel of an announcement (the columns of UX.md 7.3).

    Every delivery planned is in exactly one of `handed_over`, `waiting`, `parked`, `failed` and
    `not_sent`; `received` are those of `handed_over` that the provider confirmed. `reasons` counts
    the deliveries that have one. `planning` is true while more may be planned.
    """

    channel: ChannelName
    total: int
    planning: bool
    states: Mapping[DeliveryState, int]
    reasons: Mapping[tuple[DeliveryState, Reason], int]

    @property
    def handed_over(self) -> int:
        """Taken by the provider, or seen in the citizen's hands."""
        return self._sum(REACHED)

    @property
    def received(self) -> int:
        """In the citizen's hands, or public; the provider said so."""
        return self.states.get(DeliveryState.DELIVERED, 0)

    @property
    def waiting(self) -> int:
        """The engine or a digest still has work to do."""
        return self._sum(WAITING)

    @property
    def in_flight(self) -> int:
        """Of `waiting`, those being handed over at this moment, or not known to have been."""
        return self._sum(IN_FLIGHT)

    @property
    def parked(self) -> int:
        """Set aside until a human sends them again or gives up."""
        return self.states.get(DeliveryState.PARKED, 0)

    @property
    def failed(self) -> int:
        """Ended without reaching anybody."""
        return self.states.get(DeliveryState.FAILED, 0)

    @property
    def answered(self) -> int:
        """Taken or refused by a provider: what left us. It only grows, whatever receipts say."""
        return self.handed_over + self.failed

    @property
    def settled(self) -> int:
        """Everything but what waits, for the engine or for a human."""
        return self.total - self.waiting - self.parked

    @property
    def not_sent(self) -> int:
        """Kept back on purpose: the citizen's choice, expiry or cancellation."""
        return self._sum(NOT_SENT)

    def _sum(self, states: frozenset[DeliveryState]) -> int:
        return sum(self.states.get(state, 0) for state in states)


_COUNTS: Final = (
    select(
        run.c.id,
        run.c.channel,
        run.c.state.label("run_state"),
        delivery_count.c.state,
        delivery_count.c.reason,
        delivery_count.c.n,
    )
    .join_from(
        run,
        delivery_count,
        (delivery_count.c.run == run.c.id) & (delivery_count.c.n > 0),
        isouter=True,
    )
    .order_by(run.c.id, delivery_count.c.state, delivery_count.c.reason)
)


def progress(conn: Connection, announcement_id: int) -> tuple[ChannelProgress, ...]:
    """Every channel of an announcement in the order its runs were made; one read.

    Empty for what was not published yet.
    """
    states: dict[int, dict[DeliveryState, int]] = {}
    reasons: dict[int, dict[tuple[DeliveryState, Reason], int]] = defaultdict(dict)
    runs: dict[int, tuple[ChannelName, bool]] = {}
    for row in conn.execute(_COUNTS.where(run.c.announcement == announcement_id)):
        runs[row.id] = ChannelName(row.channel), row.run_state == RunState.PLANNING
        counted = states.setdefault(row.id, {})
        if row.n is None:  # nobody planned yet
            continue
        state = DeliveryState(row.state)
        counted[state] = counted.get(state, 0) + row.n
        if row.reason:
            reasons[row.id][state, Reason(row.reason)] = row.n
    return tuple(
        ChannelProgress(channel, sum(states[key].values()), planning, states[key], reasons[key])
        for key, (channel, planning) in runs.items()
    )
