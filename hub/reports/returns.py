# SPDX-License-Identifier: EUPL-1.2
"""The return on what announcements cost: whom they reached, how fast, for how much, against paper.

A person counts once for each announcement that reached them. Drills count nowhere.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median_low
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from channels.base import ChannelName, Urgency
from hub.ledger import measures
from hub.ledger.assumptions import Assumptions
from hub.ledger.measures import Measure
from hub.ledger.store import Ledger
from hub.reports.published import Card, published

_SHEET: Final = 5  # grams: A4 of 80 g a square metre, of which it is a sixteenth (ISO 216)
_THOUSAND: Final = 1_000


@dataclass(frozen=True, slots=True)
class Line:
    """One announcement that ended, and what it came to."""

    card: Card
    measure: Measure


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was published in a stretch of time: `lines` ended and were measured, `running` were not
    yet; drills are left out and counted."""

    lines: tuple[Line, ...]
    running: tuple[Card, ...]
    drills: int


Mine = Callable[[Card], bool]
_Stamp = tuple[Any, ...]


@dataclass(slots=True)
class _Kept:
    """One ledger's measures, read once: each by number with the moment it was taken, and those of
    the stretches of time asked for last with the stamp they stand for."""

    each: dict[int, tuple[datetime, Measure]] = field(default_factory=dict)
    spans: dict[tuple[Any, ...], tuple[_Stamp, Mapping[int, Measure]]] = field(default_factory=dict)


_KEPT: "WeakKeyDictionary[Ledger, _Kept]" = WeakKeyDictionary()
_SPANS: Final = 32
_CHUNK: Final = 500


async def gather(
    ledger: Ledger, authority: int, start: datetime, end: datetime, mine: Mine
) -> Gathered:
    """The announcements of an authority published in [start, end) that are `mine` to see."""
    found = await published(ledger, authority)
    kept = _KEPT.setdefault(ledger, _Kept())
    known = await ledger.read(lambda conn: _fresh(conn, kept, authority, start, end))
    cards = [card for card in found.cards.values() if start <= card.published < end and mine(card)]
    cards.sort(key=lambda card: (card.published, card.id))
    real = [card for card in cards if card.urgency is not Urgency.DRILL]
    return Gathered(
        tuple(Line(card, known[card.id]) for card in real if card.id in known),
        tuple(card for card in real if card.id not in known),
        len(cards) - len(real),
    )


def _fresh(
    conn: Connection, kept: _Kept, authority: int, start: datetime, end: datetime
) -> Mapping[int, Measure]:
    """Those of a stretch of time: one small read where nothing was measured since."""
    span = (authority, start, end)
    stamp = measures.stamp_of(conn, *span)
    if (known := kept.spans.get(span)) is not None and known[0] == stamp:
        return known[1]
    taken = measures.moments(conn, *span)
    stale = [n for n, at in taken.items() if n not in kept.each or kept.each[n][0] != at]
    for first in range(0, len(stale), _CHUNK):
        for number, each in measures.load(conn, stale[first : first + _CHUNK]).items():
            kept.each[number] = taken[number], each
    found = {number: kept.each[number][1] for number in taken}
    if len(kept.spans) >= _SPANS:
        kept.spans.clear()
    kept.spans[span] = stamp, found
    return found


# --------------------------------------------------------------------------- sums


@dataclass(slots=True)
class Sum:
    """One channel's messages; `cost` in millionths, None where no price was set for any."""

    planned: int = 0
    handed_over: int = 0
    received: int = 0
    failed: int = 0
    billed: int = 0
    cost: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Of some announcements. `themes` and `zones` count people reached: an announcement of two
    themes counts in both, who follows two zones in both. `median` and `slowest` are those of the
    announcement in the middle; so is `drafting`, from its first word to its publication."""

    announcements: Mapping[Urgency, int]
    people: int
    reached: int
    channels: Mapping[ChannelName, Sum]
    themes: Mapping[str, int]
    zones: Mapping[int | None, int]
    median: timedelta | None
    slowest: timedelta | None
    drafting: timedelta | None
    drafted: int
    opt_outs: int

    @property
    def count(self) -> int:
        """Announcements in all."""
        return sum(self.announcements.values())

    @property
    def messages(self) -> int:
        """Handed over, on all channels."""
        return sum(each.handed_over for each in self.channels.values())

    @property
    def euros(self) -> int | None:
        """What all channels but X cost, in millionths; None where no price is set."""
        known = [
            each.cost
            for name, each in self.channels.items()
            if name is not ChannelName.X and each.cost is not None
        ]
        return sum(known) if known else None

    @property
    def dollars(self) -> int | None:
        """What posts on X cost, in millionths of a dollar."""
        x = self.channels.get(ChannelName.X)
        return None if x is None else x.cost

    @property
    def each(self) -> int | None:
        """Millionths of a euro for a person reached."""
        euros = self.euros
        return None if euros is None or not self.reached else euros // self.reached


@dataclass(frozen=True, slots=True)
class Tallies:
    """What is known of announcements beside their deliveries, by number."""

    drafting: Mapping[int, int] = field(default_factory=dict)  # milliseconds
    opt_outs: Mapping[int, int] = field(default_factory=dict)


def figures(lines: Iterable[Line], tallies: Tallies) -> Figures:
    """The sums of these lines."""
    lines = list(lines)
    channels: dict[ChannelName, Sum] = {}
    themes, zones, urgencies = Counter[str](), Counter[int | None](), Counter[Urgency]()
    for line in lines:
        urgencies[line.card.urgency] += 1
        for key in line.card.themes:
            themes[key] += line.measure.reached
        zones.update(line.measure.zones)
        _add(channels, line.measure)
    numbers = [line.card.id for line in lines]
    written = [tallies.drafting[n] for n in numbers if n in tallies.drafting]
    return Figures(
        announcements=urgencies,
        people=sum(line.measure.people for line in lines),
        reached=sum(line.measure.reached for line in lines),
        channels=channels,
        themes=themes,
        zones=zones,
        median=_middle(line.measure.median for line in lines),
        slowest=_middle(line.measure.slowest_in_twenty for line in lines),
        drafting=timedelta(milliseconds=median_low(written)) if written else None,
        drafted=len(written),
        opt_outs=sum(tallies.opt_outs.get(n, 0) for n in numbers),
    )


def _add(channels: dict[ChannelName, Sum], measured: Measure) -> None:
    for name, told in measured.channels.items():
        total = channels.setdefault(name, Sum())
        total.planned += told.planned
        total.handed_over += told.handed_over
        total.received += told.received
        total.failed += told.failed
        total.billed += told.billed
        if told.cost is not None:
            total.cost = (total.cost or 0) + told.cost


def _middle(spans: Iterable[timedelta | None]) -> timedelta | None:
    known = [span for span in spans if span is not None]
    return median_low(known) if known else None


# --------------------------------------------------------------------------- against paper


@dataclass(frozen=True, slots=True)
class Paper:
    """The same people told by letter, one a household: `cost` in millionths of a euro, `saved` what
    is left of it once the messages are paid, `grams` of paper, `co2` grams avoided (what the
    messages emit taken off)."""

    letters: int
    cost: int
    saved: int
    grams: int
    co2: int


def against_paper(found: Figures, supposed: Assumptions) -> Paper:
    """Whole numbers throughout; half letters are not posted."""
    letters = -(-found.reached * _THOUSAND // supposed.household)
    cost = letters * supposed.letter * _THOUSAND
    emitted = letters * supposed.letter_co2 - found.messages * supposed.message_co2
    return Paper(
        letters=letters,
        cost=cost,
        saved=cost - (found.euros or 0),
        grams=letters * supposed.sheets * _SHEET // _THOUSAND,
        co2=emitted // _THOUSAND,
    )


def by_month(lines: Sequence[Line], bounds: Sequence[datetime]) -> tuple[tuple[Line, ...], ...]:
    """The lines between each bound and the next."""
    return tuple(
        tuple(line for line in lines if start <= line.card.published < end)
        for start, end in pairwise(bounds)
    )


def handed_over(lines: Iterable[Line]) -> Mapping[ChannelName, int]:
    """Messages of these lines, by channel."""
    found = Counter[ChannelName]()
    for line in lines:
        for name, told in line.measure.channels.items():
            found[name] += told.handed_over
    return found
