# SPDX-License-Identifier: EUPL-1.2
"""What anybody may read: an authority's public announcements, as threads, kept in memory.

The whole town opens a page at once, and some thousand announcements take a tenth of a second to
read: they are read once, then only those that were published since.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, func, select

from channels.base import Urgency
from hub.ledger.announcements import UNSEEN
from hub.ledger.store import Ledger
from hub.ledger.tables import announcement as table
from templates.content import Kind


@dataclass(frozen=True, slots=True)
class Card:
    """A public announcement without its words: what a list shows, what a filter asks.

    `titles` are by language; `head` is the number of the first of its chain.
    """

    id: int
    code: str
    head: int
    kind: Kind
    urgency: Urgency
    titles: Mapping[str, str]
    themes: tuple[str, ...]
    zones: tuple[str, ...]
    polygon: Mapping[str, Any] | None
    published: datetime
    expires: datetime | None
    cancelled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Thread:
    """An announcement and what was published about it since, oldest first; never empty.

    `current` is what is true now: the latest that was not withdrawn, or the latest where all were.
    """

    cards: tuple[Card, ...]
    current: Card = field(init=False)

    def __post_init__(self) -> None:
        standing = [card for card in self.cards if card.cancelled_at is None]
        object.__setattr__(self, "current", (standing or self.cards)[-1])

    @property
    def first(self) -> Card:
        """The one whose address is the thread's."""
        return self.cards[0]

    @property
    def published(self) -> datetime:
        """When the latest was published: newest threads are listed by it."""
        return self.cards[-1].published

    @property
    def updated(self) -> datetime:
        """When anything about it last changed, a withdrawal too."""
        withdrawn = [card.cancelled_at for card in self.cards if card.cancelled_at is not None]
        return max([self.published, *withdrawn])

    @property
    def is_withdrawn(self) -> bool:
        """Whether the town took back everything it said."""
        return self.current.cancelled_at is not None

    @property
    def is_over(self) -> bool:
        """Whether the all-clear was given."""
        return not self.is_withdrawn and self.current.kind is Kind.ALL_CLEAR

    @property
    def is_drill(self) -> bool:
        """A drill's follow-ups are drills: intake sees to it."""
        return self.current.urgency is Urgency.DRILL

    def is_expired(self, now: datetime) -> bool:
        """Whether what is true now was so until a moment that has passed."""
        expires = self.current.expires
        return expires is not None and expires <= now

    def is_alert(self, now: datetime) -> bool:
        """Whether it puts people at risk now: urgent, valid, not withdrawn, no all-clear."""
        if self.current.urgency is not Urgency.URGENT:  # of thousands in an archive, all but a few
            return False
        return not (self.is_withdrawn or self.is_over or self.is_expired(now))

    def uncorrected(self, since: datetime) -> tuple[Card, ...]:
        """The urgent ones that were withdrawn since a moment, with nothing standing said after
        them: whoever had one still believes it."""
        last = takewhile(lambda card: card.cancelled_at is not None, reversed(self.cards))
        return tuple(
            card
            for card in last
            if card.urgency is Urgency.URGENT and card.cancelled_at and card.cancelled_at > since
        )


@dataclass(frozen=True, slots=True)
class Published:
    """All threads of an authority, the one last published in first, as they were at one moment.

    `stamp` changes with any of them.
    """

    stamp: tuple[Any, ...]
    cards: Mapping[int, Card]
    threads: tuple[Thread, ...]
    of_code: Mapping[str, Thread] = field(repr=False)

    def alerts(self, now: datetime) -> tuple[Thread, ...]:
        """The urgent ones that are under way."""
        return tuple(thread for thread in self.threads if thread.is_alert(now))


_KEPT: "WeakKeyDictionary[Ledger, dict[int, Published]]" = WeakKeyDictionary()
_READING: "WeakKeyDictionary[Ledger, asyncio.Lock]" = WeakKeyDictionary()


async def published(ledger: Ledger, authority: int) -> Published:
    """What an authority has published, as of now: one small read where nothing changed."""
    kept = _KEPT.setdefault(ledger, {})
    lock = _READING.setdefault(ledger, asyncio.Lock())

    def read(conn: Connection) -> Published:
        return _read(conn, authority, kept.get(authority))

    async with lock:  # the crowd after an alert reads it once
        kept[authority] = await ledger.read(read)
        return kept[authority]


_CHUNK: Final = 500


def _read(conn: Connection, authority: int, kept: Published | None) -> Published:
    """`kept` itself where it still holds, else it with what changed."""
    theirs = (
        table.c.authority == authority,
        table.c.published.is_not(None),
        table.c.source.not_in(UNSEEN),
    )
    withdrawn = table.c.cancelled_at
    counted = select(
        func.count(), func.max(table.c.published), func.count(withdrawn), func.max(withdrawn)
    )
    stamp = tuple(conn.execute(counted.where(*theirs)).one())
    if kept is not None and kept.stamp == stamp:
        return kept
    known = {} if kept is None else kept.cards
    rows = conn.execute(select(table.c.id, table.c.cancelled_at).where(*theirs)).all()
    same = {row.id: known[row.id] for row in rows if _holds(known.get(row.id), row.cancelled_at)}
    changed = [row.id for row in rows if row.id not in same]
    cards = {**same, **{card.id: card for card in _cards(conn, changed)}}
    threads = _threads(cards.values())
    return Published(
        stamp,
        cards,
        threads,
        {card.code: thread for thread in threads for card in thread.cards},
    )


def _holds(card: Card | None, cancelled_at: datetime | None) -> bool:
    """Whether a card is known as it is: of what was published, nothing else changes."""
    return card is not None and card.cancelled_at == cancelled_at


def _cards(conn: Connection, ids: Sequence[int]) -> Iterable[Card]:
    for start in range(0, len(ids), _CHUNK):
        asked = select(table).where(table.c.id.in_(ids[start : start + _CHUNK]))
        for row in conn.execute(asked):
            said = row.document
            yield Card(
                id=row.id,
                code=row.code,
                head=row.first or row.id,
                kind=Kind(row.kind),
                urgency=Urgency(row.urgency),
                titles={name: words["title"] for name, words in said["contents"].items()},
                themes=tuple(said["themes"]),
                zones=tuple(said["zones"]),
                polygon=said["polygon"],
                published=row.published,
                expires=row.expires,
                cancelled_at=row.cancelled_at,
            )


def _threads(cards: Iterable[Card]) -> tuple[Thread, ...]:
    by_head: dict[int, list[Card]] = {}
    for card in sorted(cards, key=lambda each: (each.published, each.id)):
        by_head.setdefault(card.head, []).append(card)
    threads = [Thread(tuple(chain)) for chain in by_head.values()]
    threads.sort(key=lambda each: (each.published, each.cards[-1].id), reverse=True)
    return tuple(threads)
