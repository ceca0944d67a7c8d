# SPDX-License-Identifier: EUPL-1.2
"""Stops calling a provider that fails, and asks it again with one message (ENGINE.md section 6)."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from channels.base import ChannelDown, Reason

FEWEST: Final = 20
"""Calls below which a share of failures says nothing."""

SPAN: Final = 30
"""Seconds over which calls are counted."""

FIRST: Final = 5.0
LONGEST: Final = 300.0
"""Seconds of rest where the provider does not say: twice as long each time, up to this."""

FAILING: Final = frozenset(
    {
        Reason.NETWORK,
        Reason.PROVIDER_TIMEOUT,
        Reason.PROVIDER_ERROR,
        Reason.AUTHENTICATION,
    }
)
"""What says that the provider does not work, rather than that it does not want this message."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One message's leave to go; `era` counts how often the breaker had tripped by then."""

    era: int
    probe: bool


@dataclass(slots=True)
class _Second:
    at: int
    calls: int = 0
    failures: int = 0


class Breaker:
    """One provider's. Times are seconds on a steady clock.

    What was on its way when it tripped says the same thing again, and what left long before says
    nothing new: only answers to tickets of this era count.
    """

    def __init__(self) -> None:
        self.reason: Reason | None = None
        self.alarm = False
        self.era = 0
        self.since: float | None = None  # when its trouble began, over all its rests
        self._until = 0.0
        self._rest = FIRST
        self._probing = False
        self._seconds: deque[_Second] = deque()

    def resting(self, now: float) -> bool:
        """Whether it tripped and its rest is not over."""
        return now < self._until

    @property
    def probing(self) -> bool:
        """Whether the one message that asks again is on its way."""
        return self._probing

    def wait(self, now: float) -> float:
        """Seconds until a message may go: 0 when now, infinite while the probe is awaited."""
        if self.resting(now):
            return self._until - now
        return float("inf") if self._probing else 0.0

    def admit(self, _now: float) -> Ticket:
        """A message goes. After a rest it is the probe, and alone."""
        self._probing = self.reason is not None
        return Ticket(self.era, self._probing)

    def valid(self, ticket: Ticket) -> bool:
        """False once the breaker tripped after the ticket was given."""
        return ticket.era == self.era

    def unused(self, ticket: Ticket) -> None:
        """It did not go after all, or its answer says nothing of the provider."""
        if ticket.probe and self.valid(ticket):
            self._probing = False

    def passed(self, ticket: Ticket, now: float) -> bool:
        """The provider answered like one that works. True when that ends its trouble."""
        if not self.valid(ticket):
            return False
        if not ticket.probe:
            self._count(now, failed=False)
            return False
        self._probing, self.alarm, self.reason, self._rest = False, False, None, FIRST
        self.since = None
        return True

    def failed(self, ticket: Ticket, reason: Reason, now: float) -> float | None:
        """The provider did not work. The seconds it rests where that trips the breaker."""
        if not self.valid(ticket):
            return None
        if not ticket.probe and not self._count(now, failed=True):
            return None
        return self._trip(reason, None, now)

    def close(self, ticket: Ticket, down: ChannelDown, now: float) -> float | None:
        """The provider said itself that nothing passes. The seconds it rests, None if it did."""
        if not self.valid(ticket):
            return None
        self.alarm = down.alarm
        after = None if down.after is None else down.after.total_seconds()
        return self._trip(down.reason, after, now)

    def _trip(self, reason: Reason, after: float | None, now: float) -> float:
        rest = self._rest if after is None else after
        self._rest = min(self._rest * 2, LONGEST)
        self.since = now if self.reason is None else self.since
        self._until, self.reason, self._probing = now + rest, reason, False
        self.era += 1
        self._seconds.clear()
        return rest

    def _count(self, now: float, *, failed: bool) -> bool:
        """Whether at least half of enough calls failed lately."""
        second = int(now)
        if not self._seconds or self._seconds[-1].at != second:
            self._seconds.append(_Second(second))
        while self._seconds[0].at <= second - SPAN:
            self._seconds.popleft()
        self._seconds[-1].calls += 1
        self._seconds[-1].failures += failed
        if not failed:
            return False
        calls = sum(each.calls for each in self._seconds)
        return calls >= FEWEST and 2 * sum(each.failures for each in self._seconds) >= calls
