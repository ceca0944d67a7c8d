# SPDX-License-Identifier: EUPL-1.2
"""Which counts of people may be told: a very small one points at somebody."""

from dataclasses import dataclass
from typing import Final

from channels.base import ChannelName

FEWEST: Final = 5
"""Below it a count of people is told as "fewer than 5" (UX.md 7.2). None at all is told: it is
nobody's, and the officer must know that nobody would be reached."""


def told(count: int, *, exactly: bool) -> int | None:
    """The count as it may be shown, None for "fewer than 5".

    `exactly` is for who may see contacts (`Role.CONTACTS`): every count is theirs to know.
    """
    return count if exactly or count == 0 or count >= FEWEST else None


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells one officer counts of people, and what they cost, which tells the count too."""

    exactly: bool

    def count(self, count: int, channel: ChannelName | None = None) -> int | None:
        """The count, or None for "fewer than 5". One post on X is the town's own, nobody's."""
        if channel is ChannelName.X and count == 1:
            return count
        return told(count, exactly=self.exactly)

    def cost(self, cost: int, copies: int, channel: ChannelName | None = None) -> int:
        """The cost of so many copies; where those are not told, of the most they may be."""
        if self.count(copies, channel) is not None:
            return cost
        return cost // copies * (FEWEST - 1)
