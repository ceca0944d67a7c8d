# SPDX-License-Identifier: EUPL-1.2
"""Outcome -> the row's next state (ENGINE.md 4.6). Pure, and it reads like the policy."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from channels.base import Accepted, ChannelDown, Delivered, Outcome, Reason, Rejected, Retry
from hub import backoff
from hub.backoff import HORIZON, UNEXPLAINED, UNKNOWN_TRIES, delay
from hub.delivery import DeliveryState
from hub.flow.send.verdicts import Back, Ended
from hub.ledger.deliveries import Reservation, Settlement
from hub.ledger.runs import Run
from subscribers.preferences import Digest, Hold, Skip
from subscribers.tables import from_ms, to_ms

S = DeliveryState


@dataclass(frozen=True, slots=True)
class Settler:
    """Settles the rows of one run. `jitter` returns a number in [0, 1).

    `provider` is None where the provider's references do not tell one copy from another.
    """

    run: Run
    published: datetime
    provider: str | None
    jitter: Callable[[], float]
    horizon: timedelta = HORIZON

    def outcome(
        self, row: Reservation, outcome: Outcome, now: datetime, by: str = ""
    ) -> Settlement:
        """What the channel's answer makes of the row; `by` names the provider, where not the
        only one."""
        at = to_ms(now)
        provider = self.provider and (by or self.provider)
        match outcome:
            case Delivered(ref):
                return Settlement(row, S.DELIVERED, at, provider=provider, ref=ref)
            case Accepted(ref):
                return Settlement(row, S.ACCEPTED, at, provider=provider, ref=ref)
            case Rejected(reason, contact_dead, code):
                dead = reason if contact_dead else None
                return Settlement(row, S.FAILED, at, reason=reason, code=code, dead=dead)
            case Retry(maybe_sent=True):
                return self._doubt(row, outcome, at)
            case Retry():
                return self._retry(row, outcome, now)
            case _:
                assert_never(outcome)

    def _doubt(self, row: Reservation, retry: Retry, at: int) -> Settlement:
        """Unknown whether it left: never simply sent again. After five in a row a human decides,
        unless a last look at the provider does."""
        # they said how long to wait: no crash of ours, for as long as it makes sense
        waiting = retry.after is not None and from_ms(at) < self.gives_up
        crashes = row.crashes + (0 if waiting else 1)
        rest = delay(self.run.lane, max(crashes, 1), self.jitter)  # what times out needs one
        pause = max(rest, retry.after or timedelta(0))
        due = at + max(doubt_wait(self.run), pause // timedelta(milliseconds=1))
        return Settlement(
            row, S.DOUBT, at, retry.reason, due, row.tries, crashes, maybe=True, code=retry.code
        )

    def _retry(self, row: Reservation, retry: Retry, now: datetime) -> Settlement:
        """Later, until it makes no sense any more. What nobody understands ends before a human."""
        at = to_ms(now)
        waiting = waits(retry)
        tries = row.tries if waiting else row.tries + 1
        if retry.reason in UNEXPLAINED and tries >= UNKNOWN_TRIES:
            return Settlement(row, S.PARKED, at, retry.reason, tries=tries, code=retry.code)
        pause = delay(self.run.lane, max(tries, 1), self.jitter)
        due = now + max(pause, retry.after or timedelta(0))
        if waiting and self.run.expires is not None:
            due = min(due, self.run.expires)  # whoever only waited is too late then, not refused
        elif due >= self.gives_up:
            return Settlement(row, S.FAILED, at, retry.reason, tries=tries, code=retry.code)
        return Settlement(row, S.READY, at, retry.reason, to_ms(due), tries, code=retry.code)

    @property
    def gives_up(self) -> datetime:
        """Until the announcement expires, or 72 h after it was published."""
        horizon = self.published + self.horizon
        return horizon if self.run.expires is None else min(horizon, self.run.expires)

    def verdict(
        self, row: Reservation, verdict: Skip | Hold | Digest | Ended | Back, now: datetime
    ) -> Settlement:
        """What the gate's no makes of the row: no doubt and no try is counted."""
        at = to_ms(now)
        match verdict:
            case Skip(reason):
                return Settlement(row, S.SKIPPED, at, reason=reason)
            case Digest(reason):
                return Settlement(row, S.DIGEST, at, reason, at)  # from now on it waits for one
            case Ended(state, reason):
                return Settlement(row, state, at, reason=reason)
            case Hold(until, reason):
                return Settlement(row, S.READY, at, reason, to_ms(until), row.tries, row.crashes)
            case Back(reason, after):
                due = at + int(after * 1000)
                return Settlement(row, S.READY, at, reason, due, row.tries, row.crashes)
            case _:
                assert_never(verdict)

    def road_closed(self, row: Reservation, down: ChannelDown, now: datetime) -> Settlement:
        """The road is closed, not the letter: it waits for the road, whose breaker knows how long;
        a second provider may take it at once."""
        return self.verdict(row, Back(down.reason), now)


def waits(retry: Retry) -> bool:
    """Whether this was the provider's pace rather than the message's failure: no try is counted.

    They said 429, or were out of order and said for how long.
    """
    after = retry.after is not None and retry.reason is Reason.PROVIDER_ERROR
    return after or retry.reason is Reason.RATE_LIMITED


def doubt_wait(run: Run) -> int:
    """Milliseconds a row of this run stays in doubt at least (ENGINE.md section 5)."""
    return backoff.doubt_wait(run.channel, run.lane)
