# SPDX-License-Identifier: EUPL-1.2
"""The town's districts drawn as one small picture, each a link to its box in the list.

No tiles and nobody else's server: the outlines are the town's own (UX.md 7.4).
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from shapely import MultiPolygon, Polygon

from subscribers.catalogue import Catalogue, Zone
from subscribers.geometry import Area, PolygonProblem, read_area

WIDTH: Final = 400
_TALLEST: Final = 480
_MARGIN: Final = 4
_FINE: Final = 1.0  # units of the drawing under which a bend is not seen


@dataclass(frozen=True, slots=True)
class Shape:
    """One district: the outline as an SVG path, and where its name stands."""

    key: str
    name: str
    path: str
    x: int
    y: int
    ticked: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of them, `width` by `height` units. A point (x, y) of it lies at longitude
    `west + x * east_step`, latitude `north - y * south_step`."""

    width: int
    height: int
    shapes: tuple[Shape, ...]
    west: float
    north: float
    east_step: float
    south_step: float


@dataclass(frozen=True, slots=True)
class _Scale:
    """From degrees to the drawing's units, north above."""

    west: float
    north: float
    narrow: float
    units: float

    @property
    def steps(self) -> tuple[float, float]:
        """Degrees of longitude and of latitude in one unit."""
        return 1 / (self.narrow * self.units), 1 / self.units

    @property
    def corner(self) -> tuple[float, float]:
        """Longitude and latitude of the picture's own corner, margin and all."""
        east, south = self.steps
        return self.west - _MARGIN * east, self.north + _MARGIN * south

    def point(self, longitude: float, latitude: float) -> tuple[float, float]:
        return (
            (longitude - self.west) * self.narrow * self.units + _MARGIN,
            (self.north - latitude) * self.units + _MARGIN,
        )


def draw(catalogue: Catalogue, language: str, ticked: Collection[str]) -> Drawing | None:
    """The districts that have an area; None where fewer than two do: no map is needed."""
    areas: list[tuple[Zone, Area]] = []
    for zone in catalogue.zones.values():
        area = read_area(zone.area) if zone.level == "district" and not zone.archived else None
        if area is not None and not isinstance(area, PolygonProblem):
            areas.append((zone, area))
    if len(areas) < 2:
        return None
    scale, height = _scale([area.bounds for _, area in areas])
    shapes = [_shape(zone, area, scale, language, zone.key in ticked) for zone, area in areas]
    return Drawing(WIDTH, height, tuple(shapes), *scale.corner, *scale.steps)


def trace(drawing: Drawing, area: Area) -> str:
    """An area on the same picture, as an SVG path."""
    narrow = drawing.south_step / drawing.east_step
    units = 1 / drawing.south_step
    corner = drawing.west + _MARGIN * drawing.east_step, drawing.north - _MARGIN / units
    return _path(area, _Scale(*corner, narrow, units))


def _scale(bounds: Sequence[tuple[float, float, float, float]]) -> tuple[_Scale, int]:
    west, south = min(b[0] for b in bounds), min(b[1] for b in bounds)
    east, north = max(b[2] for b in bounds), max(b[3] for b in bounds)
    # a degree of longitude is shorter the further from the equator one is
    narrow = math.cos(math.radians((south + north) / 2))
    across, along = (east - west) * narrow, north - south
    units = min((WIDTH - 2 * _MARGIN) / across, (_TALLEST - 2 * _MARGIN) / along)
    return _Scale(west, north, narrow, units), round(along * units) + 2 * _MARGIN


def _shape(zone: Zone, area: Area, scale: _Scale, language: str, ticked: bool) -> Shape:
    inside = area.representative_point()
    x, y = scale.point(inside.x, inside.y)
    return Shape(zone.key, zone.name(language), _path(area, scale), round(x), round(y), ticked)


def _path(area: Area, scale: _Scale) -> str:
    plain = area.simplify(_FINE / scale.units)
    parts = plain.geoms if isinstance(plain, MultiPolygon) else [plain]
    return "".join(_outline(part, scale) for part in parts if isinstance(part, Polygon))


def _outline(part: Polygon, scale: _Scale) -> str:
    drawn = []
    for ring in (part.exterior, *part.interiors):
        points = [scale.point(x, y) for x, y, *_ in ring.coords[:-1]]
        drawn.append("M" + "L".join(f"{round(x)} {round(y)}" for x, y in points) + "Z")
    return "".join(drawn)
