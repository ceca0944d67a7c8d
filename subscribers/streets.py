# SPDX-License-Identifier: EUPL-1.2
"""Finds a street or a building by what somebody types, accents, case and small words forgiven."""

import unicodedata
from collections.abc import Iterator
from typing import Final

from subscribers.catalogue import Catalogue, Zone

MOST: Final = 12
_SEARCHED: Final = frozenset({"district", "street", "building"})
_SMALL: Final = frozenset({"de", "du", "des", "la", "le", "les", "l", "d", "a", "au", "aux", "the"})
_SHORT: Final = {
    "av": "avenue",
    "ave": "avenue",
    "bd": "boulevard",
    "bld": "boulevard",
    "all": "allee",
    "ch": "chemin",
    "imp": "impasse",
    "pl": "place",
    "r": "rue",
    "res": "residence",
    "st": "saint",
    "ste": "sainte",
}


def find_places(catalogue: Catalogue, typed: str) -> list[Zone]:
    """The places whose name holds every word typed, best first, `MOST` at most.

    A house number is not a word ("12 bis rue des Tanneurs"); the last word may be half typed. A
    name that begins as typed comes first, then a shorter one.
    """
    wanted = [word for word in _words(typed) if not word.isdigit() and word not in {"bis", "ter"}]
    if not wanted:
        return []
    ranked = []
    for zone in catalogue.zones.values():
        if zone.archived or zone.level not in _SEARCHED:
            continue
        ranks = [rank for name in _names(zone) if (rank := _rank(_words(name), wanted)) is not None]
        if ranks:
            ranked.append((min(ranks), zone.position, zone.id))
    return [catalogue.zones[number] for *_, number in sorted(ranked)[:MOST]]


def _names(zone: Zone) -> Iterator[str]:
    yield from zone.names.values()


def _rank(name: list[str], wanted: list[str]) -> tuple[int, int] | None:
    """How well a name matches (lower is better), None where a word is not in it."""
    for word in wanted:
        if not any(each.startswith(word) for each in name):
            return None
    begins = name[: len(wanted)] == wanted
    return (0 if begins else 1, len(name))


def _words(text: str) -> list[str]:
    """Words as they are compared: plain letters, no small words, abbreviations written out."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(each if each.isalnum() else " " for each in plain if not _accent(each))
    spelt = (_SHORT.get(word, word) for word in letters.split())
    return [word for word in spelt if word not in _SMALL]


def _accent(character: str) -> bool:
    return unicodedata.combining(character) > 0
