# SPDX-License-Identifier: EUPL-1.2
"""The providers of one road, in order of preference, each with its own breaker and pace.

The first that works carries the message: a second takes over as soon as the first one's breaker
trips, and the first one's probe hands back. ENGINE.md section 6, decision 15.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

import structlog

from channels.base import ChannelDown, ChannelName, Outcome, Reason, Retry
from hub.flow.send.breaker import FAILING, Breaker, Ticket
from hub.flow.send.pace import Pace

log = structlog.get_logger(__name__)

_THROTTLED: Final = timedelta(seconds=1)  # where a 429 names no wait


class Condition(StrEnum):
    """How a provider is, as an operator reads it."""

    OPEN = "open"
    PROBING = "probing"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Provider:
    """One company or server behind the channel."""

    name: str
    pace: Pace
    breaker: Breaker

    def condition(self, now: float) -> Condition:
        """Closed while it rests; probing until a message has passed again."""
        if self.breaker.resting(now):
            return Condition.CLOSED
        return Condition.OPEN if self.breaker.reason is None else Condition.PROBING


@dataclass(frozen=True, slots=True)
class Passage:
    """By whom one message goes."""

    provider: Provider
    ticket: Ticket

    @property
    def closed(self) -> Reason | None:
        """Why it may not go any more: its provider failed since it was chosen."""
        breaker = self.provider.breaker
        return None if breaker.valid(self.ticket) else breaker.reason


class Providers:
    """Times are seconds on a steady clock; `paces` are messages a second, in order."""

    def __init__(self, channel: ChannelName, paces: Mapping[str, float], now: float) -> None:
        self.each = tuple(
            Provider(name, Pace(pace, now), Breaker()) for name, pace in paces.items()
        )
        self._channel = channel

    @property
    def first(self) -> Provider:
        """The one that carries on a good day."""
        return self.each[0]

    def wait(self, now: float) -> float:
        """Seconds until a message may leave by one of them; infinite while a probe is awaited."""
        chosen = self._chosen(now)
        if chosen is not None:
            return chosen.pace.wait(now)
        return min(each.breaker.wait(now) for each in self.each)

    def takes(self, now: float) -> bool:
        """Whether one of them would take a message, whatever its pace."""
        return self._chosen(now) is not None

    def resting(self, now: float) -> bool:
        """Whether none of them takes anything."""
        return all(each.breaker.resting(now) for each in self.each)

    def admit(self, now: float) -> Passage:
        """A message leaves. Only where `wait` is 0."""
        chosen = self._chosen(now)
        assert chosen is not None
        chosen.pace.spend(now)
        return Passage(chosen, chosen.breaker.admit(now))

    def stayed(self, passage: Passage) -> None:
        """It did not leave after all."""
        passage.provider.pace.give_back()
        passage.provider.breaker.unused(passage.ticket)

    def learn(self, passage: Passage, outcome: Outcome, now: float) -> bool:
        """What an answer says of the provider. True when it closed it.

        A 429, or an error that says how long to wait, slows it down; what it took speeds it up.
        """
        provider, ticket = passage.provider, passage.ticket
        if not isinstance(outcome, Retry):
            provider.pace.passed()
            self._passed(passage, now)
            return False
        reason, after = outcome.reason, outcome.after
        if reason is Reason.RATE_LIMITED or (reason in FAILING and after is not None):
            provider.pace.slow_down(now, (after or _THROTTLED).total_seconds())
        if reason is Reason.INTERNAL:  # a bug of ours
            provider.breaker.unused(ticket)
        elif reason not in FAILING:
            self._passed(passage, now)
        elif (rest := provider.breaker.failed(ticket, reason, now)) is not None:
            self._say_closed(provider, outcome.code, rest)
            return True
        return False

    def down(self, passage: Passage, down: ChannelDown, now: float) -> bool:
        """The provider said that nothing passes. True when that closed it, False when it was."""
        rest = passage.provider.breaker.close(passage.ticket, down, now)
        if rest is None:
            return False
        self._say_closed(passage.provider, down.code, rest)
        return True

    def _chosen(self, now: float) -> Provider | None:
        return next((each for each in self.each if each.breaker.wait(now) <= 0), None)

    def _passed(self, passage: Passage, now: float) -> None:
        if passage.provider.breaker.passed(passage.ticket, now):
            log.info("channel.open", channel=self._channel, provider=passage.provider.name)

    def _say_closed(self, provider: Provider, code: str, rest: float) -> None:
        breaker = provider.breaker
        say = log.error if breaker.alarm else log.warning
        told = {"reason": breaker.reason, "code": code, "seconds": round(rest)}
        say("channel.closed", channel=self._channel, provider=provider.name, **told)
