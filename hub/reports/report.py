# SPDX-License-Identifier: EUPL-1.2
"""What one announcement came to, for its own page: people, delays, cost, its curve, who left."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, func, select

from channels.base import ChannelName
from hub.announcement import State
from hub.delivery import REACHED
from hub.ledger import measures
from hub.ledger.measures import Measure
from hub.ledger.tables import delivery
from hub.reports.coming_and_going import opt_outs
from hub.reports.costs import Tariff, mine
from hub.reports.curve import Curve, curve
from hub.reports.measuring import measure
from hub.reports.watched import Watched
from subscribers.tables import from_ms


@dataclass(frozen=True, slots=True)
class Report:
    """`took` is from publication to the last person reached; `costs` are millionths by currency,
    of the channels that have a price; `unpriced` are those that have none."""

    measure: Measure
    curve: Curve
    took: timedelta | None
    costs: Mapping[str, int]
    unpriced: tuple[ChannelName, ...]
    left: int


_Stamp = tuple[object, ...]
_KEPT: Final["WeakKeyDictionary[Engine, dict[int, tuple[_Stamp, Report]]]"] = WeakKeyDictionary()
"""By announcement, with the counts it was made of: a few scans of its deliveries each."""
_MOST: Final = 64


def report(conn: Connection, found: Watched, tariff: Tariff) -> Report | None:
    """None while messages are still leaving; what is held for its hour is not waited for."""
    about = found.announcement
    if about.published is None or not found.is_still:
        return None
    kept = _KEPT.setdefault(conn.engine, {})
    stopped = opt_outs(conn, about.authority, about.id, about.published)
    counts = [(each.channel, tuple(sorted(each.states.items()))) for each in found.channels]
    stamp: _Stamp = (*counts, stopped)
    if (known := kept.get(about.id)) is not None and known[0] == stamp:
        return known[1]
    while len(kept) >= _MOST:
        kept.pop(next(iter(kept)), None)
    made = _made(conn, found, tariff, stopped)
    kept[about.id] = (stamp, made)
    return made


def _made(conn: Connection, found: Watched, tariff: Tariff, stopped: int) -> Report:
    about = found.announcement
    measured = measures.of(conn, about.id) if about.state is State.FINISHED else None
    if measured is None or _moved(measured, found):
        measured = measure(conn, about.id, tariff)
    costs: Counter[str] = Counter()
    for name, told in measured.channels.items():
        if told.cost is not None:
            costs[tariff.currency(name)] += told.cost
    spent = {name: each for name, each in costs.items() if each}
    unpriced = tuple(n for n, told in measured.channels.items() if told.cost is None)
    return Report(
        measured, curve(conn, about), _took(conn, found), spent or dict(costs), unpriced, stopped
    )


def _moved(measured: Measure, found: Watched) -> bool:
    """Whether a receipt came since it was measured, while its deliveries are there to be asked."""
    told = measured.channels
    return any(
        each.channel not in told or told[each.channel].received != each.received
        for each in found.channels
    )


def _took(conn: Connection, found: Watched) -> timedelta | None:
    where, published = mine(conn, found.announcement.id), found.announcement.published
    if where is None or published is None:
        return None
    last = select(func.max(delivery.c.at)).where(where, delivery.c.state.in_(sorted(REACHED)))
    at = conn.execute(last).scalar()
    return None if at is None else from_ms(at) - published
