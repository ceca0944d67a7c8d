# SPDX-License-Identifier: EUPL-1.2
"""How fast a provider may be called. Waiting is not an attempt (ENGINE.md section 6)."""

from typing import Final

_SLOWEST: Final = 0.05  # of the configured rate
_RECOVERY: Final = 1.02  # a message that passes wins back two per cent


class Pace:
    """A bucket of `rate` messages a second, holding at most a tenth of a second's worth.

    Times are seconds on a steady clock. A 429 stops everything for as long as the provider asks,
    then goes on at half the rate, which recovers slowly.
    """

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self._factor = 1.0
        self._tokens = 1.0
        self._at = now
        self._not_before = now

    def wait(self, now: float) -> float:
        """Seconds until the next message may leave; 0 when one may leave now."""
        if now < self._not_before:
            return self._not_before - now
        self._fill(now)
        return 0.0 if self._tokens >= 1.0 else (1.0 - self._tokens) / self.current

    def spend(self, now: float) -> None:
        """One message leaves."""
        self._fill(now)
        self._tokens -= 1.0

    def give_back(self) -> None:
        """It did not leave after all."""
        self._tokens += 1.0

    def slow_down(self, now: float, after: float) -> None:
        """The provider said 429 and asked for `after` seconds.

        What was on its way already says the same thing again: the rate is halved once for all.
        """
        if now >= self._not_before:
            self._factor = max(_SLOWEST, self._factor / 2)
        self._not_before = max(self._not_before, now + after)

    def passed(self) -> None:
        """The provider took one: recover slowly."""
        self._factor = min(1.0, self._factor * _RECOVERY)

    @property
    def current(self) -> float:
        """Messages a second, as things stand."""
        return self.rate * self._factor

    def _fill(self, now: float) -> None:
        burst = max(1.0, self.current * 0.1)
        self._tokens = min(burst, self._tokens + (now - self._at) * self.current)
        self._at = now
