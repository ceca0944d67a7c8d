# SPDX-License-Identifier: EUPL-1.2
"""Which counts of people may be told: a very small one points at somebody."""

from typing import Final

FEWEST: Final = 5
"""Below it a count of people is told as "fewer than 5" (UX.md 7.2). None at all is told: it is
nobody's, and the officer must know that nobody would be reached."""


def told(count: int, *, exactly: bool) -> int | None:
    """The count as it may be shown, None for "fewer than 5".

    `exactly` is for who may see contacts (`Role.CONTACTS`): every count is theirs to know.
    """
    return count if exactly or count == 0 or count >= FEWEST else None
