# SPDX-License-Identifier: EUPL-1.2
"""What the gate may say to a message that is about to leave."""

from dataclasses import dataclass

from channels.base import Reason, Withheld
from hub.delivery import DeliveryState
from subscribers.preferences import Digest, Hold, Skip


@dataclass(frozen=True, slots=True)
class Ended:
    """The announcement is over: this row ends so."""

    state: DeliveryState
    reason: Reason


@dataclass(frozen=True, slots=True)
class Back:
    """Not now, for a reason of ours: back to ready, no doubt and no try counted."""

    reason: Reason
    after: float = 0.0  # seconds


@dataclass(frozen=True, slots=True)
class Yield:
    """A more urgent lane is waiting: keep the row in its window, send it later."""


@dataclass(frozen=True, slots=True)
class Stale:
    """What is known of this citizen is too old: read it again, then ask again."""


Verdict = Skip | Hold | Digest | Ended | Back | Yield | Stale


class Kept(Withheld):
    """The gate's no, with what is to become of the row."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(type(verdict).__name__)
        self.verdict = verdict
