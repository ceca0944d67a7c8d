# SPDX-License-Identifier: EUPL-1.2
"""An area as an officer draws it without a mouse: points line by line, GeoJSON, or a circle."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

Geometry = Mapping[str, Any]

_POINT: Final = re.compile(r"(-?\d{1,3}(?:\.\d+)?)\s*[,; \t]\s*(-?\d{1,3}(?:\.\d+)?)")
_METRES_OF_A_DEGREE: Final = 111_320.0
_SIDES: Final = 48
WIDEST: Final = 50_000
"""Metres: a circle that covers more is no part of a town."""


class UnreadableOutlineError(Exception):
    """Neither points nor GeoJSON; `line` is where, from 1, or 0 for the whole."""

    def __init__(self, line: int = 0) -> None:
        super().__init__(f"line {line}")
        self.line = line


def read_outline(written: str) -> Geometry:
    """The polygon of a text: GeoJSON of any wrapping, or one "latitude, longitude" a line, as maps
    show them; the last point need not repeat the first. Raises `UnreadableOutlineError`."""
    if written.lstrip().startswith(("{", "[")):
        return _geojson(written)
    points = []
    for number, line in enumerate(written.splitlines(), start=1):
        if not line.strip():
            continue
        point = _point(line)
        if point is None:
            raise UnreadableOutlineError(number)
        points.append(point)
    if len(points) < 3:
        raise UnreadableOutlineError
    if points[0] != points[-1]:
        points.append(points[0])
    return {"type": "Polygon", "coordinates": [points]}


def circle(centre: str, metres: str) -> Geometry:
    """Everything within so many metres of "latitude, longitude", as a polygon that contains the
    circle. Raises `UnreadableOutlineError`: line 1 for the centre, 2 for the distance."""
    point = _point(centre)
    if point is None:
        raise UnreadableOutlineError(1)
    if not re.fullmatch(r"\d{1,5}", metres.strip()) or not 10 <= int(metres) <= WIDEST:
        raise UnreadableOutlineError(2)
    longitude, latitude = point
    reach = int(metres) / math.cos(math.pi / _SIDES) / _METRES_OF_A_DEGREE
    narrow = max(math.cos(math.radians(latitude)), 0.01)
    ring = []
    for step in range(_SIDES):
        angle = 2 * math.pi * step / _SIDES
        east, north = math.cos(angle) * reach / narrow, math.sin(angle) * reach
        ring.append([round(longitude + east, 6), round(latitude + north, 6)])
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def written_as(geometry: Geometry) -> str:
    """An area as the text that gives it again: points where it is one outline, else GeoJSON."""
    shapes = geometry["coordinates"]
    if geometry["type"] == "Polygon" and len(shapes) == 1:
        return "\n".join(f"{y}, {x}" for x, y, *_ in shapes[0][:-1])
    return json.dumps(dict(geometry))


def _point(line: str) -> list[float] | None:
    """Longitude first, as GeoJSON has it."""
    match = _POINT.fullmatch(line.strip())
    if match is None:
        return None
    latitude, longitude = float(match[1]), float(match[2])
    return [longitude, latitude] if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def _geojson(written: str) -> Geometry:
    try:
        found = json.loads(written)
    except (ValueError, RecursionError):
        raise UnreadableOutlineError from None
    polygons: list[Any] = []
    for geometry in _geometries(found):
        match geometry:
            case {"type": "Polygon", "coordinates": list(rings)}:
                polygons.append(rings)
            case {"type": "MultiPolygon", "coordinates": list(several)}:
                polygons.extend(several)
            case _:
                raise UnreadableOutlineError
    if not polygons:
        raise UnreadableOutlineError
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _geometries(found: Any) -> list[Any]:
    match found:
        case {"type": "FeatureCollection", "features": list(features)}:
            return [each.get("geometry") if isinstance(each, dict) else None for each in features]
        case {"type": "Feature", "geometry": geometry}:
            return [geometry]
        case _:
            return [found]
