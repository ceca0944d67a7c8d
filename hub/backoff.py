# SPDX-License-Identifier: EUPL-1.2
"""Attempt -> delay, with full jitter (ENGINE.md section 6). Pure."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from channels.base import Lane, Reason

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
