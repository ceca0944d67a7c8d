# SPDX-License-Identifier: EUPL-1.2
"""Virtual time: an event loop that jumps to the next timer when nothing else can run.

Nothing waits and nothing runs in a thread, so a seed gives the same story on every machine.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

T = TypeVar("T")

_LONGEST_NAP: Final = 30.0  # seconds
_INSTANT: Final = 1e-4  # seconds: a rounding error of a wait must not stand still for ever


class NothingLeftToDo(Exception):
    """Every task waits for another: the story would stand still for ever."""


class _Leaping(selectors.DefaultSelector):
    """Where the loop would sleep until its next timer, time jumps there instead."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        if timeout is None:
            raise NothingLeftToDo
        self.loop.virtual += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Seconds since the story began are whatever the timers say."""

    def __init__(self) -> None:
        selector = _Leaping()
        selector.loop = self
        self.virtual = 0.0
        super().__init__(selector)

    def time(self) -> float:
        return self.virtual


def play(story: Coroutine[Any, Any, T]) -> T:
    """Run a story to its end on a virtual loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(story)


class VirtualClock:
    """The loop's time as the hub's `Clock`; `wrong` is by how much the wall clock was set."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._loop = loop
        self.wrong = timedelta(0)
        self.nap: Callable[[float, float], float] = lambda seconds, _: seconds

    def monotonic(self) -> float:
        return self._loop.time()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time()) + self.wrong

    wall = now

    async def sleep(self, seconds: float) -> None:
        if 0.5 <= seconds <= 1.5:  # a habit, not a promise: rarer where nothing happens
            seconds = min(self.nap(seconds, self.monotonic()), _LONGEST_NAP)
        await asyncio.sleep(max(seconds, _INSTANT) if seconds > 0 else 0)

    def leap(self, seconds: float) -> None:
        """Time passes while nobody runs."""
        self._loop.virtual += seconds
