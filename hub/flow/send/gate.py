# SPDX-License-Identifier: EUPL-1.2
"""The last question before a message leaves, asked with the connection in hand (ENGINE.md 4.5).

Synchronous and in memory: between its yes and the write there is nothing to wait for.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from channels.base import ChannelName, Clock, Reason, Urgency
from hub.delivery import DeliveryState
from hub.flow.send.verdicts import Back, Ended, Kept, Stale, Verdict, Yield
from hub.flow.send.window import Known, Window
from hub.ledger.deliveries import Reservation
from hub.queue.port import WorkQueue
from subscribers.preferences import Send, Skip, decide

STALE_AFTER: Final = 2.0
"""Seconds for which what was read of a citizen may be used."""

_LEASE_PAUSE: Final = 0.2  # seconds: it is renewed, taken anew, or lost for good


@dataclass(slots=True)
class Wishes:
    """Who changed their mind since their row was read: commits of this process feed it at once."""

    _changed: dict[int, float] = field(default_factory=dict)

    def changed(self, subscriber: int, now: float) -> None:
        """A stop, an erasure, a new preference was committed."""
        if len(self._changed) > 10_000:  # older entries are stale by age anyway
            recent = now - STALE_AFTER
            self._changed = {who: at for who, at in self._changed.items() if at >= recent}
        self._changed[subscriber] = now

    def since(self, subscriber: int, moment: float) -> bool:
        """Whether they did so at or after a moment (steady seconds)."""
        return self._changed.get(subscriber, -1.0) >= moment


@dataclass(frozen=True, slots=True)
class Gate:
    """Asked for one channel.

    `lease_good` is true of a row's lease while it is ours and outlives a whole time-out.
    """

    channel: ChannelName
    queue: WorkQueue
    wishes: Wishes
    clock: Clock
    lease_good: Callable[[int], bool]
    road_closed: Callable[[], Reason | None]

    def ask(self, window: Window, row: Reservation, known: Known, *, small_turn: bool) -> None:
        """Return, and the message leaves; or raise `Kept`."""
        no = (
            self._run_over(window)
            or self._ours(window, row.lease, small_turn=small_turn)
            or self._theirs(window, row.subscriber, known)
        )
        if no is not None:
            raise Kept(no)

    def _run_over(self, window: Window) -> Verdict | None:
        run = window.run
        if run.cancelled:
            return Ended(DeliveryState.CANCELLED, Reason.CANCELLED)
        if run.expires is not None and run.expires <= self.clock.now():
            return Ended(DeliveryState.EXPIRED, Reason.EXPIRED)
        return None

    def _ours(self, window: Window, lease: int, *, small_turn: bool) -> Verdict | None:
        if window.run.paused:
            return Back(Reason.RUN_PAUSED)
        if not self.lease_good(lease):
            return Back(Reason.LEASE_ENDED, _LEASE_PAUSE)
        if (closed := self.road_closed()) is not None:
            return Back(closed)
        now = self.clock.monotonic()
        if not small_turn and self.queue.waiting_above(self.channel, window.lane, now):
            return Yield()
        return None

    def _theirs(self, window: Window, subscriber: int, known: Known) -> Verdict | None:
        now = self.clock.monotonic()
        if now - known.at > STALE_AFTER or self.wishes.since(subscriber, known.at):
            return Stale()
        if known.addressee is None:
            return Skip(Reason.ERASED)
        if window.run.note:  # they asked for it a moment ago, often to prove the address
            return None
        urgency: Urgency = window.texts.announcement.urgency
        wants, gathered = known.addressee.preference, window.run.digest
        decision = decide(urgency, wants, self.clock.now(), planned_digest=gathered)
        if known.nothing_left and not isinstance(decision, Skip):
            return Ended(DeliveryState.EXPIRED, Reason.EXPIRED)
        return None if isinstance(decision, Send) else decision
