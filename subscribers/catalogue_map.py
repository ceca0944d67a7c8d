# SPDX-License-Identifier: EUPL-1.2
"""A map of the town's places, read from GeoJSON and judged feature by feature before it is kept."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from subscribers.catalogue import Catalogue, Zone
from subscribers.catalogue_edit import key_of
from subscribers.geometry import PolygonProblem, read_area

MOST: Final = 1_000
"""Features of one file."""
_NAMES: Final = ("key", "name", "nom", "NAME", "NOM")


class Found(StrEnum):
    """What a feature comes to."""

    DRAWN = "drawn"
    REDRAWN = "redrawn"
    SAME = "same"
    UNKNOWN = "unknown"  # no place has this name
    SEVERAL = "several"  # more than one has it: its key says which is meant
    TWICE = "twice"
    UNUSABLE = "unusable"  # a `PolygonProblem` says why


@dataclass(frozen=True, slots=True)
class Verdict:
    """One feature: what it calls itself, what it comes to, and what is wrong with its outline."""

    name: str
    found: Found
    problem: PolygonProblem | None = None


@dataclass(slots=True)
class Reading:
    """A file judged: `areas` are the outlines to write, {key of a place: GeoJSON}; `left_out` is
    how many features beyond the first `MOST` were not read."""

    verdicts: list[Verdict] = field(default_factory=list)
    areas: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    left_out: int = 0


def read_map(text: str, catalogue: Catalogue) -> Reading | None:
    """Judge a FeatureCollection whose features bear a place's key or name; None where it is none.

    Properties looked at: `key`, `name`, `nom`. A name is compared without accents or case; what was
    archived is found by its key alone.
    """
    try:
        features = json.loads(text)["features"]
        given = [(_called(each["properties"]), each["geometry"]) for each in features[:MOST]]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    named = _by_name(catalogue)
    reading, seen = Reading(left_out=len(features) - len(given)), set[str]()
    for called, geometry in given:
        meant = named.get(key_of(called), {})
        zone = next(iter(meant.values())) if len(meant) == 1 else None
        zone = catalogue.zones_by_key.get(called, zone)
        several = zone is None and len(meant) > 1
        verdict = (
            Verdict(called, Found.SEVERAL) if several else _verdict(called, zone, geometry, seen)
        )
        reading.verdicts.append(verdict)
        if zone is not None:
            seen.add(zone.key)
            if verdict.found in (Found.DRAWN, Found.REDRAWN):
                reading.areas[zone.key] = _outline(geometry)
    return reading


def _by_name(catalogue: Catalogue) -> Mapping[str, Mapping[int, Zone]]:
    """The living places by each of their names, as keys are written; streets share names."""
    found: dict[str, dict[int, Zone]] = {}
    for zone in catalogue.zones.values():
        for name in (*zone.names.values(), zone.key):
            if key_of(name) and not zone.archived:
                found.setdefault(key_of(name), {})[zone.id] = zone
    return found


def _outline(geometry: Mapping[str, Any]) -> Mapping[str, Any]:
    """A geometry without what a file may say beside it."""
    return {"type": geometry["type"], "coordinates": geometry["coordinates"]}


def redrawn(catalogue: Catalogue, areas: Mapping[str, Any]) -> Catalogue:
    """The catalogue as it would be with these outlines."""
    zones = {
        number: replace(zone, area=areas[zone.key]) if zone.key in areas else zone
        for number, zone in catalogue.zones.items()
    }
    return replace(catalogue, zones=zones)


def _called(properties: Mapping[str, Any]) -> str:
    return next((str(properties[n])[:80] for n in _NAMES if properties.get(n)), "")


def _verdict(called: str, zone: Zone | None, geometry: object, seen: set[str]) -> Verdict:
    if zone is None:
        return Verdict(called, Found.UNKNOWN)
    if zone.key in seen:
        return Verdict(called, Found.TWICE)
    area = read_area(geometry)
    if isinstance(area, PolygonProblem):
        return Verdict(called, Found.UNUSABLE, area)
    if zone.area is None:
        return Verdict(called, Found.DRAWN)
    assert isinstance(geometry, dict)  # an area was read from it
    return Verdict(called, Found.SAME if zone.area == _outline(geometry) else Found.REDRAWN)
