# SPDX-License-Identifier: EUPL-1.2
"""A channel's monthly budget: taken before a post leaves, given back where it did not.

When it is spent nothing more is posted, and what was to leave waits for a human. Decision 15.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from channels.base import (
    ChannelDown,
    ChannelName,
    Clock,
    Outcome,
    Reason,
    Rejected,
    Retry,
    Withheld,
)
from hub.delivery import DeliveryState
from hub.flow.send.verdicts import Ended, Kept
from hub.ledger import spending
from hub.ledger.store import Ledger

log = structlog.get_logger(__name__)

MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a calendar month of the town may cost; 0 is no limit. Money as the prices are."""

    posts: int
    money: float
    price: float
    price_with_link: float
    timezone: str

    def cost(self, post: str) -> int:
        """Of one post, in millionths."""
        price = self.price_with_link if "://" in post else self.price
        return round(price * MILLION)

    def month(self, now: datetime) -> str:
        """As the town's calendar calls it: "2026-11"."""
        return f"{now.astimezone(ZoneInfo(self.timezone)):%Y-%m}"

    def allow(self, spent: spending.Spent, cost: int) -> bool:
        """Whether one more post of this cost is within the month's budget."""
        posts = not self.posts or spent.posts < self.posts
        return posts and (not self.money or spent.cost + cost <= round(self.money * MILLION))


class Budget:
    """One channel's. `spent_for` is the month that is spent, as far as we know."""

    def __init__(self, channel: ChannelName, limits: Limits, ledger: Ledger, clock: Clock) -> None:
        self.limits = limits
        self.spent_for = ""
        self._channel, self._ledger, self._clock = channel, ledger, clock

    @property
    def spent(self) -> bool:
        """Whether this month's last post was refused for it."""
        return self.spent_for == self.limits.month(self._clock.now())

    async def carry(
        self, delivery: int, post: str, send: Callable[[], Awaitable[Outcome]]
    ) -> Outcome:
        """Send within the budget. Raises `Kept` where it is spent, and what `send` raises.

        Whatever may have left has cost something, a crash of ours included.
        """
        if not await self._take(delivery, post):
            raise Kept(Ended(DeliveryState.PARKED, Reason.BUDGET))
        stayed = False
        try:
            outcome = await send()
            stayed = isinstance(outcome, Rejected) or (
                isinstance(outcome, Retry) and not outcome.maybe_sent
            )
        except (Withheld, ChannelDown):
            stayed = True
            raise
        finally:
            if stayed:
                await self._ledger.transact(lambda conn: spending.give_back(conn, delivery))
        return outcome

    async def _take(self, delivery: int, post: str) -> bool:
        cost, month = self.limits.cost(post), self.limits.month(self._clock.now())

        def write(conn: Connection) -> bool:
            spending.give_back(conn, delivery)  # an earlier try of this very post
            if not self.limits.allow(spending.spent(conn, self._channel, month), cost):
                return False
            spending.spend(conn, self._channel, month, delivery, cost)
            return True

        taken = await self._ledger.transact(write, hurry=True)
        if not taken and self.spent_for != month:
            log.error("budget.spent", channel=self._channel, month=month)
            self.spent_for = month
        return taken
