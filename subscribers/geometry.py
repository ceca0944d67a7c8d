# SPDX-License-Identifier: EUPL-1.2
"""Areas drawn on a map: GeoJSON polygons read with care, longitude first (RFC 7946)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from shapely import MultiPolygon, Polygon

from subscribers.wording import Sentence

POINT_LIMIT: Final = 10_000

Area = Polygon | MultiPolygon
_Ring = list[tuple[float, float]]


class PolygonProblem(StrEnum):
    """Why a drawing is not an area; `sentence` says it."""

    WRONG_TYPE = "wrong_type"
    NOT_CLOSED = "not_closed"
    OUT_OF_RANGE = "out_of_range"
    TOO_MANY_POINTS = "too_many_points"
    CROSSES_ITSELF = "crosses_itself"

    @property
    def sentence(self) -> Sentence:
        """What is wrong and how to put it right."""
        return _SENTENCES[self]


_SENTENCES: Final = {
    PolygonProblem.WRONG_TYPE: Sentence(
        "Le tracé doit être un Polygon ou un MultiPolygon GeoJSON.",
        "The drawing must be a GeoJSON Polygon or MultiPolygon.",
    ),
    PolygonProblem.NOT_CLOSED: Sentence(
        "Le tracé n'est pas fermé : son dernier point doit être le premier, après trois autres.",
        "The drawing is not closed: its last point must be its first, after three others.",
    ),
    PolygonProblem.OUT_OF_RANGE: Sentence(
        "Un point est hors du globe : écrivez la longitude (-180 à 180) puis la latitude (-90 à "
        "90).",
        "A point is off the globe: write longitude (-180 to 180), then latitude (-90 to 90).",
    ),
    PolygonProblem.TOO_MANY_POINTS: Sentence(
        "Le tracé a plus de 10 000 points : simplifiez-le.",
        "The drawing has more than 10,000 points: simplify it.",
    ),
    PolygonProblem.CROSSES_ITSELF: Sentence(
        "Le tracé se croise lui-même : redessinez-le d'un seul contour.",
        "The drawing crosses itself: redraw it as a single outline.",
    ),
}


def read_area(geojson: object) -> Area | PolygonProblem:
    """The area of a GeoJSON geometry already parsed from JSON, or what is wrong with it.

    At most 10,000 points, and no area that crosses itself: an alert must not reach the wrong
    street because of a slip of the mouse.
    """
    if not isinstance(geojson, Mapping):
        return PolygonProblem.WRONG_TYPE
    shapes = geojson.get("coordinates")
    if geojson.get("type") == "Polygon":
        shapes = [shapes]
    elif geojson.get("type") != "MultiPolygon":
        return PolygonProblem.WRONG_TYPE
    if not isinstance(shapes, list) or not shapes:
        return PolygonProblem.WRONG_TYPE
    polygons, left = [], POINT_LIMIT
    for shape in shapes:
        rings = _read_rings(shape, left)
        if isinstance(rings, PolygonProblem):
            return rings
        left -= sum(map(len, rings))
        polygons.append(Polygon(rings[0], rings[1:]))
    area = polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)
    return area if area.is_valid else PolygonProblem.CROSSES_ITSELF


def _read_rings(shape: object, left: int) -> list[_Ring] | PolygonProblem:
    if not isinstance(shape, list) or not shape or not all(isinstance(r, list) for r in shape):
        return PolygonProblem.WRONG_TYPE
    if sum(map(len, shape)) > left:
        return PolygonProblem.TOO_MANY_POINTS
    rings: list[_Ring] = []
    for ring in shape:
        points: _Ring = []
        for position in ring:
            point = _read_position(position)
            if isinstance(point, PolygonProblem):
                return point
            points.append(point)
        if len(points) < 4 or points[0] != points[-1]:
            return PolygonProblem.NOT_CLOSED
        rings.append(points)
    return rings


def _read_position(position: object) -> tuple[float, float] | PolygonProblem:
    if not isinstance(position, list) or len(position) not in {2, 3}:
        return PolygonProblem.WRONG_TYPE
    if not all(type(number) in {int, float} for number in position):  # True is no number here
        return PolygonProblem.WRONG_TYPE
    longitude, latitude = position[:2]
    if not (abs(longitude) <= 180 and abs(latitude) <= 90):  # false of NaN too
        return PolygonProblem.OUT_OF_RANGE
    return float(longitude), float(latitude)
