# SPDX-License-Identifier: EUPL-1.2
"""How often each theme speaks, and what it said last: what one should know before subscribing."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary

from hub.ledger.store import Ledger
from hub.reports.published import Card, Published, published
from subscribers.catalogue import Catalogue, load_catalogue

_YEAR: Final = timedelta(days=365)
_KEPT_FOR: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Frequency:
    """Of one theme and those below it: how many announcements in the last 365 days, and the last.

    Every message counts, updates and drills too: each would have reached a subscriber. The last
    one may be older than that; all three are None where nothing was ever published.
    """

    per_year: int
    last_title: str | None = None
    last_code: str | None = None
    last_published: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Counted:
    """What was counted, from which announcements and when."""

    of: Published
    at: datetime
    themes: Mapping[str, Frequency]


_KEPT: "WeakKeyDictionary[Ledger, dict[int, _Counted]]" = WeakKeyDictionary()


async def frequencies(ledger: Ledger, authority: int, now: datetime) -> Mapping[str, Frequency]:
    """By the key of every theme of the authority; counted again after a minute, or at once where
    something was published. Raises `sqlalchemy.exc.NoResultFound` for an unknown authority."""
    kept = _KEPT.setdefault(ledger, {})
    found, counted = await published(ledger, authority), kept.get(authority)
    if counted is None or counted.of is not found or abs(now - counted.at) >= _KEPT_FOR:
        catalogue = await ledger.read(lambda conn: load_catalogue(conn, authority))
        counted = kept[authority] = _Counted(found, now, _count(found, catalogue, now))
    return counted.themes


def _count(found: Published, catalogue: Catalogue, now: datetime) -> dict[str, Frequency]:
    told: dict[str, list[Card]] = defaultdict(list)
    for card in found.cards.values():
        for key in _reached(card, catalogue):
            told[key].append(card)
    return {key: _of(told[key], catalogue, now) for key in catalogue.themes_by_key}


def _reached(card: Card, catalogue: Catalogue) -> set[str]:
    """The themes whose subscribers were told; a theme that is gone from the catalogue is not."""
    known = [
        catalogue.themes_by_key[key].id for key in card.themes if key in catalogue.themes_by_key
    ]
    return {catalogue.themes[number].key for number in catalogue.theme_lineage(known)}


def _of(cards: list[Card], catalogue: Catalogue, now: datetime) -> Frequency:
    if not cards:
        return Frequency(0)
    last = max(cards, key=lambda card: (card.published, card.id))
    title = last.titles.get(catalogue.language) or next(iter(last.titles.values()))
    recent = sum(now - _YEAR < card.published <= now for card in cards)
    return Frequency(recent, title, last.code, last.published)
