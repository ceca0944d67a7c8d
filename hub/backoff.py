# SPDX-License-Identifier: EUPL-1.2
"""Attempt -> delay, with full jitter (ENGINE.md section 6). Pure."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from channels.base import ChannelName, Lane, Reason

_VITAL: Final[Sequence[int]] = (1, 2, 5, 10, 20, 30)
_OTHERS: Final[Sequence[int]] = (30, 120, 300, 600, 1200, 3600)

HORIZON: Final = timedelta(hours=72)
"""How long a message without an end of validity is tried."""

UNKNOWN_TRIES: Final = 5
"""How often something nobody understands is tried before a human is asked."""

UNEXPLAINED: Final = frozenset({Reason.UNKNOWN, Reason.INTERNAL})

DOUBT_CRASHES: Final = 5
"""How many times in a row a row may be in doubt before a human is asked (ENGINE.md 4.7)."""


def ceiling(lane: Lane, tries: int) -> timedelta:
    """The longest wait before try number `tries` + 1 (`tries` counted from 1)."""
    steps = _VITAL if lane <= Lane.TRANSACTIONAL else _OTHERS
    return timedelta(seconds=steps[min(tries, len(steps)) - 1])


def delay(lane: Lane, tries: int, jitter: Callable[[], float]) -> timedelta:
    """A wait between nothing and the ceiling: full jitter spreads a crowd of retries evenly.

    `jitter` returns a number in [0, 1). A floor of a tenth of the ceiling keeps a retry from
    following at once.
    """
    return ceiling(lane, tries) * max(0.1, jitter())


LOOKS: Final = (30.0,)
"""Seconds after which a message in doubt is looked up at its provider: the time-out of a request
and a margin, within which the provider lists what it took (ENGINE.md section 5)."""

VITAL_LOOKS: Final = (5.0, 20.0)
"""A vital one is looked up early; where it is absent, once more before it is sent again."""


def looks(channel: ChannelName, lane: Lane) -> tuple[float, ...]:
    """When a message in doubt is looked up, in seconds; nothing where it is simply sent again.

    E-mail and web push need no look: the second copy bears the first one's Message-ID or Topic.
    """
    if channel not in {ChannelName.SMS, ChannelName.X}:
        return ()
    return VITAL_LOOKS if lane is Lane.VITAL else LOOKS


def doubt_wait(channel: ChannelName, lane: Lane) -> int:
    """Milliseconds a message stays in doubt at least."""
    return round(next(iter(looks(channel, lane)), 0.0) * 1000)
