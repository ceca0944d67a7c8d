# SPDX-License-Identifier: EUPL-1.2
"""How long each row in doubt has waited, on this process's steady clock.

A jump of the wall clock ends no wait; after a restart it begins again (ENGINE.md section 5).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from channels.base import ChannelName
from hub.backoff import looks
from hub.ledger.doubts import Doubt

PATIENCE: Final = 6 * 3600.0
"""Seconds for which a provider that does not tell is asked: longer than an outage usually lasts,
and short enough for a human to decide while the news is still news."""


@dataclass(slots=True)
class _Watch:
    """One row. Times are steady seconds."""

    round: int
    begun: float
    ripe: float
    looks: int = 0
    failures: int = 0
    failing: float = 0.0


@dataclass(slots=True)
class Vigil:
    """The rows in doubt that this process has seen."""

    _watched: dict[int, _Watch] = field(default_factory=dict)

    def keep(
        self, channel: ChannelName, waiting: Sequence[Doubt], now: float, wall: int
    ) -> list[Doubt]:
        """Begin the wait of whatever is new, forget what is no longer in doubt. Returns those whose
        wait is over, in their order; `wall` in milliseconds."""
        before, self._watched = self._watched, {}
        for doubt in waiting:
            known = before.get(doubt.row.delivery)
            if known is None or known.round != doubt.row.round:
                wait = max(looks(channel, doubt.lane)[0], (doubt.due - wall) / 1000)
                known = _Watch(doubt.row.round, now, now + wait)
            self._watched[doubt.row.delivery] = known
        return [doubt for doubt in waiting if self._watched[doubt.row.delivery].ripe <= now]

    def is_last_look(self, channel: ChannelName, doubt: Doubt) -> bool:
        """Whether a message that is absent now will not be looked for again."""
        watch = self._watched.get(doubt.row.delivery)
        return watch is not None and watch.looks + 1 >= len(looks(channel, doubt.lane))

    def absent(self, channel: ChannelName, doubt: Doubt) -> None:
        """It was not listed: look once more at the next of its times."""
        watch = self._watched.get(doubt.row.delivery)
        if watch is not None:
            watch.looks += 1
            watch.ripe = watch.begun + looks(channel, doubt.lane)[watch.looks]

    def failed(self, doubt: Doubt, now: float) -> int:
        """A listing failed. Returns how many have for this row, in a row."""
        watch = self._watched.get(doubt.row.delivery)
        if watch is None:
            return 1
        watch.failing = watch.failing if watch.failures else now
        watch.failures += 1
        return watch.failures

    def is_hopeless(self, doubt: Doubt, now: float) -> bool:
        """Whether the provider has not told for too long."""
        watch = self._watched.get(doubt.row.delivery)
        return watch is not None and watch.failures > 0 and now - watch.failing >= PATIENCE

    def put_off(self, doubt: Doubt, until: float) -> None:
        """Look no earlier than that."""
        watch = self._watched.get(doubt.row.delivery)
        if watch is not None:
            watch.ripe = max(watch.ripe, until)

    def forget(self, doubt: Doubt) -> None:
        """It is resolved: in doubt again, it waits again."""
        self._watched.pop(doubt.row.delivery, None)
