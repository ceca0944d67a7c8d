# SPDX-License-Identifier: EUPL-1.2
"""Which run sends next: lanes in order, a small turn for the lane below, fair authorities.

Pure. Looked at for every message: with a newsletter to a million running, an urgent alert's first
message left after 20 s when lanes were looked at per batch of 500, after 20 ms per message
(ENGINE.md section 2).
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from channels.base import Lane

TURN = 20
"""Every so many messages of a lane, one turn goes to the lane below: 5 %, so that none starves."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that has, or may have, a message to send now."""

    run: int
    lane: Lane
    authority: int


@dataclass(slots=True)
class Choice:
    """The memory of past turns, for one channel."""

    _served: dict[Lane, int] = field(default_factory=dict)
    _rounds: dict[Lane, deque[int]] = field(default_factory=dict)

    def lane(self, waiting: Iterable[Lane]) -> tuple[Lane, bool] | None:
        """The lane whose turn it is among those with work, and whether it got the small turn."""
        lanes = sorted(set(waiting))
        if not lanes:
            return None
        for above, below in itertools.pairwise(lanes):
            self._served[above] = self._served.get(above, 0) + 1
            if self._served[above] < TURN:
                return above, above != lanes[0]
            self._served[above] = 0  # this turn goes down, where the same rule is asked again
            if below == lanes[-1]:
                return below, True
        return lanes[-1], False

    def authority(self, lane: Lane, among: Iterable[int]) -> int:
        """Whose turn it is inside a lane: deficit round robin, every message costing one."""
        waiting = set(among)
        order = self._rounds.setdefault(lane, deque())
        for authority in sorted(waiting - set(order)):
            order.append(authority)
        while order[0] not in waiting:
            order.popleft()  # nothing to send: it keeps no deficit, and comes back at the end
        order.rotate(-1)
        return order[-1]


def choose(
    choice: Choice, candidates: Iterable[Candidate], may_use: Callable[[Lane], bool]
) -> tuple[Candidate, bool] | None:
    """The run to send for now, and whether this was the small turn of a lane below another.

    `may_use` tells whether a lane may take a connection at this moment; a lane that may not
    leaves its turn to those that may. Runs of one authority in one lane go oldest first.
    """
    usable = [c for c in candidates if may_use(c.lane)]
    turn = choice.lane(c.lane for c in usable)
    if turn is None:
        return None
    lane, small = turn
    inside = [c for c in usable if c.lane == lane]
    authority = choice.authority(lane, (c.authority for c in inside))
    run = min((c for c in inside if c.authority == authority), key=lambda c: c.run)
    return run, small
