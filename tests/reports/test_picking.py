# SPDX-License-Identifier: EUPL-1.2
"""What a drawing touches is found once, and again when the town's places change."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from hub.reports.picking import Pick, pick
from subscribers.catalogue import Catalogue, Zone


def _square(west: float, south: float, side: float) -> dict[str, Any]:
    east, north = west + side, south + side
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _town(north_from: float) -> Catalogue:
    """A town of two districts, `nord` beginning at that latitude."""
    zones = [
        Zone(1, "ville", None, "town", {}, _square(0.0, 48.0, 0.1), 0, archived=False),
        Zone(2, "sud", 1, "district", {}, _square(0.0, 48.0, 0.04), 1, archived=False),
        Zone(3, "nord", 1, "district", {}, _square(0.0, north_from, 0.04), 2, archived=False),
    ]
    by_number = {zone.id: zone for zone in zones}
    return Catalogue(7_001, "v", "V", "Europe/Paris", "fr", {}, by_number)


def _thread(drawn: dict[str, Any]) -> Any:
    card = SimpleNamespace(id=1, code="dessin", polygon=drawn, zones=(), themes=())
    return SimpleNamespace(current=card)


def test_a_drawing_is_looked_at_again_when_the_places_move():
    threads = [_thread(_square(0.01, 48.055, 0.01))]
    assert len(pick(threads, Pick("", "nord"), _town(48.05))) == 1
    assert len(pick(threads, Pick("", "sud"), _town(48.05))) == 0
    moved = _town(48.05)
    zones = dict(moved.zones) | {2: replace(moved.zones[2], area=_square(0.0, 48.04, 0.04))}
    assert len(pick(threads, Pick("", "sud"), replace(moved, zones=zones))) == 1


def test_a_drawing_is_looked_at_once_for_all_who_ask():
    looked: list[object] = []

    class Watched(Catalogue):
        def zones_touching(self, geojson: object) -> Any:
            looked.append(geojson)
            return super().zones_touching(geojson)

    threads = [_thread(_square(0.01, 48.055, 0.01))]
    for _ in range(3):  # each request reads the catalogue anew
        town = _town(48.051)
        watched = Watched(7_002, "v", "V", "Europe/Paris", "fr", {}, town.zones)
        assert len(pick(threads, Pick("", "nord"), watched)) == 1
    assert len(looked) == 1
