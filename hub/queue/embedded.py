# SPDX-License-Identifier: EUPL-1.2
"""The queue of one process: a few dozen open runs in memory, filled from the ledger at start."""

from dataclasses import dataclass, field

from channels.base import ChannelName, Lane
from hub.ledger.runs import Run
from hub.queue.choice import Candidate, Choice, choose

_NEVER = float("inf")


@dataclass(slots=True)
class _Entry:
    run: Run
    rests_until: float = 0.0


@dataclass(slots=True)
class EmbeddedQueue:
    """See `hub.queue.port.WorkQueue`."""

    _channels: dict[ChannelName, dict[int, _Entry]] = field(default_factory=dict)
    _choices: dict[ChannelName, Choice] = field(default_factory=dict)

    def put(self, run: Run) -> None:
        self._channels.setdefault(run.channel, {})[run.id] = _Entry(run)

    def remove(self, run_id: int) -> None:
        for entries in self._channels.values():
            entries.pop(run_id, None)

    def rest(self, run_id: int, until: float | None) -> None:
        for entries in self._channels.values():
            if run_id in entries:
                entries[run_id].rests_until = _NEVER if until is None else until

    def next(
        self, channel: ChannelName, now: float, usable: frozenset[Lane]
    ) -> tuple[Run, bool] | None:
        awake = [run for run in self._awake(channel, now) if run.lane in usable]
        if len(awake) == 1:  # nearly always, and asked for every message
            return awake[0], False
        chosen = choose(
            self._choices.setdefault(channel, Choice()),
            [Candidate(run.id, run.lane, run.authority) for run in awake],
        )
        if chosen is None:
            return None
        candidate, small = chosen
        return self._channels[channel][candidate.run].run, small

    def took(self, run: Run) -> None:
        self._choices.setdefault(run.channel, Choice()).took(run.lane, run.authority)

    def waiting_above(self, channel: ChannelName, lane: Lane, now: float) -> bool:
        return any(run.lane < lane for run in self._awake(channel, now))

    def wakes_at(self, channel: ChannelName, now: float) -> float | None:
        resting = [
            entry.rests_until
            for entry in self._channels.get(channel, {}).values()
            if now < entry.rests_until < _NEVER and not entry.run.paused
        ]
        return min(resting, default=None)

    def runs(self) -> list[Run]:
        return [entry.run for entries in self._channels.values() for entry in entries.values()]

    def _awake(self, channel: ChannelName, now: float) -> list[Run]:
        entries = self._channels.get(channel, {}).values()
        return [e.run for e in entries if e.rests_until <= now and not e.run.paused]
