# SPDX-License-Identifier: EUPL-1.2
"""The only reader of the time: the world's clock, and one that tests move by hand."""

import asyncio
import heapq
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path

# A machine that sleeps must not wake with leases that look fresh, so time asleep has to count
# (ENGINE.md 4.5). CLOCK_BOOTTIME is Linux's; elsewhere the plain steady clock is the nearest.
_STEADY_ID: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def _steady_reader(clock_id: int | None) -> Callable[[], float]:
    if clock_id is None:
        return time.monotonic
    return lambda: time.clock_gettime(clock_id)


@cache
def boot_id() -> str:
    """Which start of the machine the steady clock counts from; empty where the system keeps it to
    itself."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def steady() -> float:
    """Seconds on a steady clock, for threads that wait in real time (the ledger's writer)."""
    return time.monotonic()


class SystemClock:
    """The real time. `offset` shifts the civil time only, so that a demo can play another day.

    What others verify (signatures, tokens) reads `wall`, which no offset moves.
    """

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self._offset = offset
        self._steady = _steady_reader(_STEADY_ID)

    def now(self) -> datetime:
        """The town's civil time (UTC, aware)."""
        return self.wall() + self._offset

    def wall(self) -> datetime:
        """The world's time (UTC, aware)."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds on a steady clock that counts sleep, where the system has one."""
        return self._steady()

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds; none when `seconds` is zero or less."""
        await asyncio.sleep(seconds)


class PlayedClock(SystemClock):
    """The real time, whose civil hands may be put forward: a sandbox shows tonight at once."""

    def put_forward(self, moment: datetime) -> None:
        """Let it be `moment` now, for everybody who reads `now`.

        Raises `ValueError` for one that is past: what was sent cannot be unsent.
        """
        ahead = moment - self.now()
        if ahead < timedelta(0):
            raise ValueError("a clock that others have read is not put back")
        self._offset += ahead


class ManualClock:
    """A clock for tests: it stands still until `advance` moves it, and wakes sleepers in order."""

    # Turns of the event loop granted to whoever was woken, so that what they start next (another
    # sleep, a queue read by another task) is in place before time moves on. Work in threads is
    # not waited for: a test awaits that itself.
    SETTLE_TURNS = 50

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a ManualClock starts at an aware datetime")
        self._wall = start.astimezone(UTC)
        self._steady = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """The same as `wall`: nothing is shifted here."""
        return self._wall

    def wall(self) -> datetime:
        """The moment the test has reached (UTC, aware)."""
        return self._wall

    def monotonic(self) -> float:
        """Seconds advanced since the start; `jump` leaves it alone."""
        return self._steady

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has passed `seconds` from now; zero or less only yields."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._steady + seconds, next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Move every reading by `seconds`, stopping at each sleeper's moment to wake it.

        Sleepers due at the same moment wake in the order they lay down. One that sleeps again
        within the span is woken again within the same call.
        """
        target = self._steady + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            due, _, woken = heapq.heappop(self._sleepers)
            if woken.done():  # its task was cancelled while it slept
                continue
            self._reach(due)
            woken.set_result(None)
            await self._settle()
        self._reach(target)

    def jump(self, by: timedelta) -> None:
        """Set the wall clock by hand, forwards or back: nobody wakes, the steady clock stays."""
        self._wall += by

    def _reach(self, steady: float) -> None:
        self._wall += timedelta(seconds=steady - self._steady)
        self._steady = steady

    async def _settle(self) -> None:
        for _ in range(self.SETTLE_TURNS):
            await asyncio.sleep(0)
