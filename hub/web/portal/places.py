# SPDX-License-Identifier: EUPL-1.2
"""The places one can choose from, as the page lists them: districts, and what lies in each."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from subscribers.catalogue import Catalogue, Zone
from subscribers.streets import find_places

_FEW: Final = 40  # streets and buildings: a longer list is searched, not read


@dataclass(slots=True)
class Place:
    """A box to tick: `inside` names what it lies in, `below` what lies in it."""

    key: str
    name: str
    inside: str = ""
    ticked: bool = False
    below: "list[Place]" = field(default_factory=list)


def listed(
    catalogue: Catalogue, language: str, ticked: Collection[str], typed: str
) -> tuple[list[Place], list[Place]]:
    """What a search for `typed` found, then all the rest: nothing is listed twice.

    Streets and buildings are listed under their district where they are few, else only those
    that are `ticked` already.
    """
    found = find_places(catalogue, typed)
    shown = {zone.id for zone in found}
    small = [z for z in _open(catalogue) if z.level in {"street", "building"}]
    tree: list[Place] = []
    tops: dict[int, Place] = {}
    for zone in _open(catalogue):
        if zone.level == "district" and zone.id not in shown:
            tops[zone.id] = _place(catalogue, zone, language, ticked)
            tree.append(tops[zone.id])
    for zone in small:
        if zone.id in shown or not (len(small) <= _FEW or zone.key in ticked):
            continue
        place = _place(catalogue, zone, language, ticked)
        top = next((tops[each] for each in _above(catalogue, zone) if each in tops), None)
        (tree if top is None else top.below).append(place)
    return [_place(catalogue, zone, language, ticked) for zone in found], tree


def _open(catalogue: Catalogue) -> list[Zone]:
    return [zone for zone in catalogue.zones.values() if not zone.archived]


def _place(catalogue: Catalogue, zone: Zone, language: str, ticked: Collection[str]) -> Place:
    parent = None if zone.parent is None else catalogue.zones[zone.parent]
    inside = "" if parent is None or parent.level == "town" else parent.name(language)
    return Place(zone.key, zone.name(language), inside, zone.key in ticked)


def _above(catalogue: Catalogue, zone: Zone) -> list[int]:
    """Every place it lies in, nearest first."""
    found: list[int] = []
    here = zone.parent
    while here is not None and here not in found:
        found.append(here)
        here = catalogue.zones[here].parent
    return found
