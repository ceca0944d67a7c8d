# SPDX-License-Identifier: EUPL-1.2
"""How long this process may send: its lease, renewed in time, lost, or taken anew.

ENGINE.md 4.5 and 4.10, decision 0011. The steady clock counts, and counts sleep: what was stopped
or suspended for too long finds its time over before it does anything else.
"""

import asyncio
import os
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection

from channels.base import Clock
from hub.flow.send.settle import doubt_wait
from hub.ledger import leases
from hub.ledger.leases import LeaseEndedError
from hub.ledger.lock import LedgerLockedError
from hub.ledger.store import Ledger

T = TypeVar("T")
log = structlog.get_logger(__name__)

LENGTH: Final = 60.0  # seconds
_SHARE: Final = 6  # renewals within one length


def lease_name(pid: int) -> str:
    """How a lease calls the daemon that holds it."""
    return f"daemon {pid}"


class Tenure:
    """This process's lease. `held` are the rows whose outcome it knows or will know.

    `lost` is set once another hub has taken over: nothing may leave any more, and the process ends.
    """

    def __init__(
        self, ledger: Ledger, clock: Clock, length: float, held: Callable[[], AbstractSet[int]]
    ) -> None:
        self.id = 0
        self.lost = asyncio.Event()
        self._ledger, self._clock, self._length, self._held = ledger, clock, length, held
        self._until = 0.0

    # ------------------------------------------------------------------ what others ask

    def outlives(self, lease: int, seconds: float) -> bool:
        """Whether what was reserved under `lease` may still be sent, and be answered for within
        `seconds`."""
        good = lease == self.id and not self.lost.is_set()
        return good and self._clock.monotonic() + seconds < self._until

    def guarded(self, work: Callable[[Connection], T]) -> Callable[[Connection], T]:
        """The same work, in a transaction that first makes sure that our lease lives.

        Raises `LeaseEndedError`: another hub may be at this very work.
        """

        def with_lease(conn: Connection) -> T:
            if not leases.lives(conn, self.id, self.steady()):
                raise LeaseEndedError
            return work(conn)

        return with_lease

    def steady(self) -> int:
        """Milliseconds on the clock that leases count by."""
        return _ms(self._clock.monotonic())

    # ------------------------------------------------------------------ its life

    async def begin(self) -> None:
        """Bury old leases, put their rows in doubt, take ours: one transaction.

        Raises `LedgerLockedError` where another hub took this folder while we were starting.
        """
        until = self._until_now()
        self.id = await self._ledger.transact(lambda conn: self._begin(conn, until))
        self._until = until

    def _begin(self, conn: Connection, until: float) -> int:
        if not self._ledger.ours():
            raise LedgerLockedError(str(self._ledger.path.parent))
        leases.bury(conn)
        doubtful = leases.recover(conn, self._clock.now(), doubt_wait)
        if doubtful:
            log.warning("recover.in_doubt", rows=doubtful)
        return self._take(conn, until)

    def _take(self, conn: Connection, until: float) -> int:
        return leases.take(conn, lease_name(os.getpid()), self._clock.now(), _ms(until))

    def _until_now(self) -> float:
        """Counted from before it is asked for: ours never ends after what the ledger says."""
        return self._clock.monotonic() + self._length

    async def keep(self) -> None:
        """Renew the lease as long as we live; end when it is lost."""
        while not self.lost.is_set():
            await self._clock.sleep(self._length / _SHARE)
            try:
                await self.renew()
            except Exception as error:  # noqa: BLE001  a full disk, say: it may pass before our time does
                log.warning("lease.not_renewed", error=type(error).__name__)

    async def renew(self) -> None:
        """Renew once. A lease that merely ran out (the machine was suspended) is replaced."""
        until, held = self._until_now(), self._held()
        lease = await self._ledger.transact(lambda conn: self._renew(conn, until, held), hurry=True)
        if lease is not None:
            self.id, self._until = lease, until
        elif not self.lost.is_set():
            log.error("lease.lost", lease=self.id)
            self.lost.set()

    def _renew(self, conn: Connection, until: float, held: AbstractSet[int]) -> int | None:
        if leases.renew(conn, self.id, self.steady(), _ms(until)):
            return self.id
        if leases.is_dead(conn, self.id) or not self._ledger.ours():
            return None
        return self._replace(conn, until, held)

    def _replace(self, conn: Connection, until: float, held: AbstractSet[int]) -> int:
        """Nobody took over: what we know of stays ours to settle, the rest is in doubt.

        What was reserved under the old lease and has not left is given back by the gate.
        """
        leases.bury(conn)
        doubtful = leases.recover(conn, self._clock.now(), doubt_wait, spared=held)
        log.warning("lease.ran_out", lease=self.id, in_doubt=doubtful)
        return self._take(conn, until)


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
