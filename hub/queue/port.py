# SPDX-License-Identifier: EUPL-1.2
"""What the flow asks of the one queue: the open runs, looked at by lane.

The ledger is the truth; a queue may lose, repeat or reorder, and a sweep puts back from the ledger.
"""

from typing import Protocol

from channels.base import ChannelName, Lane
from hub.ledger.runs import Run


class WorkQueue(Protocol):
    """The open runs of every channel."""

    def put(self, run: Run) -> None:
        """Add a run, or tell that it may have something to send now. Repeats are harmless."""
        ...

    def remove(self, run_id: int) -> None:
        """Nothing of it will leave any more."""
        ...

    def rest(self, run_id: int, until: float | None) -> None:
        """It has nothing to send before `until` (steady seconds), or before it is `put` again."""
        ...

    def next(
        self, channel: ChannelName, now: float, usable: frozenset[Lane]
    ) -> tuple[Run, bool] | None:
        """The run whose turn it is among these lanes, and whether it is a lower lane in passing."""
        ...

    def took(self, run: Run) -> None:
        """A message of it left (or it let its turn pass): its lane and authority had their turn."""
        ...

    def waiting_above(self, channel: ChannelName, lane: Lane, now: float) -> bool:
        """Whether a more urgent lane has something to send on this channel."""
        ...

    def wakes_at(self, channel: ChannelName, now: float) -> float | None:
        """When, after `now`, the first resting run of a channel has something to send again."""
        ...

    def runs(self) -> list[Run]:
        """Every open run."""
        ...
