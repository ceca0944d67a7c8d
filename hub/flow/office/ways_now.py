# SPDX-License-Identifier: EUPL-1.2
"""How each channel is at this moment, as officers are told it (UX.md 7.1): open, slowed, closed by
hand, out of order and since when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from channels.base import ChannelName, Clock
from hub.flow.send import switches
from hub.flow.send.budget import Budget
from hub.flow.send.dispatch import Road
from hub.flow.send.providers import Condition, Provider
from hub.ledger import hold
from hub.ledger.spending import spent

_SLOW: Final = 0.9
"""Of its usual pace: below it a provider has asked us to slow down."""


class How(StrEnum):
    """One word for it."""

    OPEN = "open"
    SLOW = "slow"  # its provider asked for fewer messages a second
    OUT = "out"  # no provider takes anything; everything waits
    PROBING = "probing"  # the one message that asks again is on its way
    PAUSED = "paused"  # by an operator
    HELD = "held"  # a backup was put back and is not released
    SPENT = "spent"  # the month's budget


WAITING: Final = frozenset({How.OUT, How.PROBING, How.PAUSED, How.HELD, How.SPENT})
"""Nothing leaves, and nothing is lost."""


@dataclass(frozen=True, slots=True)
class Way:
    """One channel. `since` for what does not leave, where it is known; `alarm`: somebody must act
    (a wrong key); `pace` in messages a second; `posts_left` of the month, None without a limit."""

    channel: ChannelName
    how: How
    since: datetime | None = None
    alarm: bool = False
    pace: float = 0.0
    posts_left: int | None = None


def ways_now(conn: Connection, roads: Iterable[Road], clock: Clock) -> Sequence[Way]:
    """Every channel in use, in the order of the ledger's own names."""
    closed, held = switches.paused(conn), hold.current(conn)
    by_name = {road.name: road for road in roads}
    found = []
    for name in (each for each in ChannelName if each in by_name):
        road = by_name[name]
        switch = closed.get(name)
        left = None if road.budget is None else _left(conn, road.budget, name, clock.now())
        pace = max(each.pace.current for each in road.providers.each)
        alarm = any(each.breaker.alarm for each in road.providers.each)
        how, since = _how(road, clock)
        if held is not None:
            how, since = How.HELD, held.at
        elif switch is not None:
            how, since = How.PAUSED, switch.at
        found.append(Way(name, how, since, alarm, pace, left))
    return found


def out_of_order(roads: Iterable[Road], clock: Clock) -> Sequence[Way]:
    """The channels whose providers take nothing; no look at the ledger."""
    found = []
    for road in roads:
        how, since = _how(road, clock)
        if how in (How.OUT, How.PROBING):
            found.append(Way(road.name, how, since))
    return found


def _how(road: Road, clock: Clock) -> tuple[How, datetime | None]:
    now = clock.monotonic()
    conditions = {each.condition(now) for each in road.providers.each}
    if Condition.OPEN not in conditions:
        how = How.PROBING if Condition.PROBING in conditions else How.OUT
        return how, _since(road.providers.each, clock)
    if road.budget is not None and road.budget.spent:
        return How.SPENT, None
    slowed = all(each.pace.current < _SLOW * each.pace.rate for each in road.providers.each)
    return (How.SLOW if slowed else How.OPEN), None


def _since(providers: Iterable[Provider], clock: Clock) -> datetime | None:
    """When the last of them that worked began to fail, by the wall clock of now."""
    began = [each.breaker.since for each in providers if each.breaker.since is not None]
    if not began:
        return None
    return clock.now() - timedelta(seconds=clock.monotonic() - max(began))


def _left(conn: Connection, budget: Budget, name: ChannelName, now: datetime) -> int | None:
    limits = budget.limits
    if not limits.posts:
        return None
    return max(0, limits.posts - spent(conn, name, limits.month(now)).posts)
