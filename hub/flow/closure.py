# SPDX-License-Identifier: EUPL-1.2
"""Whether a road is closed, until when and why: the channel said so, not the letter."""

from typing import Final

from channels.base import ChannelDown, Reason

_FIRST: Final = 5.0
_LONGEST: Final = 300.0
"""Seconds a road rests where the provider does not say: twice as long each time, up to this."""


class Closure:
    """Times are seconds on a steady clock."""

    def __init__(self) -> None:
        self.until = 0.0
        self.reason: Reason | None = None
        self._rest = _FIRST

    def closed(self, now: float) -> bool:
        """Whether nothing may leave."""
        return now < self.until

    def close(self, down: ChannelDown, now: float) -> float | None:
        """Close it; the seconds it rests, or None where it was closed already.

        What was on its way when it closed says the same thing again: it closes once for all.
        """
        if self.closed(now):
            return None
        rest = self._rest if down.after is None else down.after.total_seconds()
        self._rest = min(self._rest * 2, _LONGEST)
        self.until, self.reason = now + rest, down.reason
        return rest

    def passed(self, now: float) -> None:
        """The provider answered a message: where the rest is over, the road is open."""
        if not self.closed(now):
            self.reason, self._rest = None, _FIRST
