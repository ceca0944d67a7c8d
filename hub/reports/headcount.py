# SPDX-License-Identifier: EUPL-1.2
"""How many people a town tells and how they moved: a large town is counted once a minute."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from hub.ledger.store import Ledger
from hub.reports.coming_and_going import Movement, movements
from subscribers.catalogue import Catalogue
from subscribers.figures import People, people

LARGE: Final = 20_000
"""From so many people a count is kept for `FRESH`, and its reader is told of when it is."""
FRESH: Final = timedelta(minutes=1)
_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Headcount:
    """As of `at`: `growth` over each of the days asked for, today among them. Where it `is_kept`
    somebody else may be shown the same in a moment."""

    at: datetime
    people: People
    growth: Sequence[Movement]
    is_kept: bool


_Asked = tuple[int, int | None, tuple[int, ...]]
_KEPT: "WeakKeyDictionary[Ledger, dict[_Asked, Headcount]]" = WeakKeyDictionary()
_COUNTING: "WeakKeyDictionary[Ledger, asyncio.Lock]" = WeakKeyDictionary()


async def headcount(  # noqa: PLR0917 (of whom, since when, and what is a large town)
    ledger: Ledger,
    town: Catalogue,
    place: int | None,
    days: Sequence[int],
    now: datetime,
    large: int = LARGE,
) -> Headcount:
    """Of everybody, or of those whom an announcement for `place` (a zone's number) reaches.

    `now` is on the town's clock. One at a time: whoever reloads leaves readers to the others.
    """
    kept, asked = _KEPT.setdefault(ledger, {}), (town.authority, place, tuple(days))
    async with _COUNTING.setdefault(ledger, asyncio.Lock()):
        before = kept.get(asked)
        if before is not None and timedelta(0) <= now - before.at < FRESH:
            return before
        found = await ledger.read(lambda conn: _count(conn, town, place, days, now, large))
        if len(kept) >= _MOST:
            kept.clear()
        if found.is_kept:
            kept[asked] = found
        return found


def _count(  # noqa: PLR0917
    conn: Connection,
    town: Catalogue,
    place: int | None,
    days: Sequence[int],
    now: datetime,
    large: int,
) -> Headcount:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    growth = [
        movements(conn, town.authority, [midnight - timedelta(days=n - 1), now])[0] for n in days
    ]
    found = people(conn, town, place)
    return Headcount(now, found, growth, found.total >= large)
