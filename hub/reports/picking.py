# SPDX-License-Identifier: EUPL-1.2
"""Which threads a reader asked for, by theme and by place: archive, feeds, calendar, widget."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.reports.published import Card, Thread
from subscribers.catalogue import Catalogue, Zone
from subscribers.geometry import PolygonProblem


@dataclass(frozen=True, slots=True)
class Pick:
    """The keys asked for, "" for all; one that the catalogue does not know matches nothing."""

    theme: str = ""
    place: str = ""

    def known(self, catalogue: Catalogue) -> bool:
        """Whether the town has this theme and this place."""
        return (not self.theme or self.theme in catalogue.themes_by_key) and (
            not self.place or self.place in catalogue.zones_by_key
        )

    def query(self) -> list[tuple[str, str]]:
        """As an address says it."""
        asked = [("theme", self.theme), ("lieu", self.place)]
        return [(name, key) for name, key in asked if key]


def pick(threads: Iterable[Thread], asked: Pick, catalogue: Catalogue) -> Sequence[Thread]:
    """Those that tell about the theme or one below it, and concern the place: its own, its
    district's, its streets', and the whole town's. In their order."""
    if not asked.known(catalogue):
        return ()
    themes = _below(asked.theme, catalogue) if asked.theme else None
    reach = _reach(asked.place, catalogue) if asked.place else None

    near: dict[tuple[str, ...], bool] = {}  # few places are named, by thousands
    touched = _kept(catalogue) if reach is not None else {}

    def concerns(card: Card) -> bool:
        if reach is None:
            return True
        if card.polygon is not None:
            name = (card.id, card.code)
            if name not in touched:
                touched[name] = frozenset(_touched(card.polygon, catalogue))
            return _meets(reach, card, catalogue, touched[name])
        if card.zones not in near:
            near[card.zones] = _meets(reach, card, catalogue)
        return near[card.zones]

    return [
        thread
        for thread in threads
        if (themes is None or not themes.isdisjoint(thread.current.themes))
        and concerns(thread.current)
    ]


def places(
    zones: Sequence[str], polygon: Mapping[str, Any] | None, catalogue: Catalogue
) -> list[Zone]:
    """The zones an announcement names, then those its drawn area touches; none is the whole
    town."""
    named = [catalogue.zones_by_key[key] for key in zones if key in catalogue.zones_by_key]
    drawn = [catalogue.zones[number] for number in sorted(_touched(polygon, catalogue))]
    return named + [zone for zone in drawn if zone not in named]


def _below(key: str, catalogue: Catalogue) -> set[str]:
    """The theme and all that are narrower."""
    wanted = catalogue.themes_by_key[key].id
    return {
        theme.key
        for theme in catalogue.themes.values()
        if wanted in catalogue.theme_lineage([theme.id])
    }


def _reach(key: str, catalogue: Catalogue) -> set[int]:
    return set(catalogue.zone_reach([catalogue.zones_by_key[key].id]))


_Touched = dict[tuple[int, str], frozenset[int]]
_KEPT: Final[dict[int, tuple[Mapping[int, Zone], _Touched]]] = {}
"""By authority: its zones, and those that each drawing touches (a millisecond to find, of
thousands, for whoever asks, in the loop that also sends)."""


def _kept(catalogue: Catalogue) -> _Touched:
    """What is known of drawings, while the zones are the same."""
    zones, touched = _KEPT.get(catalogue.authority, ({}, {}))
    if zones != catalogue.zones:
        touched = {}
        _KEPT[catalogue.authority] = (catalogue.zones, touched)
    return touched


def _meets(
    reach: set[int], card: Card, catalogue: Catalogue, touched: frozenset[int] = frozenset()
) -> bool:
    """Whether it concerns one of these zones; what names none is for the whole town."""
    if not card.zones and card.polygon is None:
        return True
    named = {catalogue.zones_by_key[key].id for key in card.zones if key in catalogue.zones_by_key}
    return not reach.isdisjoint(named | touched)


def _touched(polygon: Mapping[str, Any] | None, catalogue: Catalogue) -> set[int]:
    """The zones a drawn area touches."""
    found = () if polygon is None else catalogue.zones_touching(polygon)
    assert not isinstance(found, PolygonProblem)  # checked at intake
    return set(found)
