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
    """A file judged: `areas` are the outlines to write, {key of a place: GeoJSON}."""

    verdicts: list[Verdict] = field(default_factory=list)
    areas: dict[str, Mapping[str, Any]] = field(default_factory=dict)


def read_map(text: str, catalogue: Catalogue) -> Reading | None:
    """Judge a FeatureCollection whose features bear a place's key or name; None where it is none.

    Properties looked at: `key`, `name`, `nom`. A name is compared without accents or case.
    """
    try:
        features = json.loads(text)["features"]
        given = [(_called(each["properties"]), each["geometry"]) for each in features[:MOST]]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    by_name = {key_of(n): z for z in catalogue.zones.values() for n in (*z.names.values(), z.key)}
    reading, seen = Reading(), set[str]()
    for called, geometry in given:
        zone = by_name.get(key_of(called)) if called else None
        verdict = _verdict(called, zone, geometry, seen)
        reading.verdicts.append(verdict)
        if zone is not None:
            seen.add(zone.key)
            if verdict.found in (Found.DRAWN, Found.REDRAWN):
                reading.areas[zone.key] = geometry
    return reading


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
    return Verdict(called, Found.SAME if zone.area == geometry else Found.REDRAWN)
