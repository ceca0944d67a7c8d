# SPDX-License-Identifier: EUPL-1.2
"""Streets read from a CSV, a town's extract of the national address base (BAN) or a plain list."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import shapely

from subscribers.catalogue import Catalogue, Zone
from subscribers.catalogue_edit import key_of
from subscribers.geometry import PolygonProblem, read_area

MOST: Final = 5_000
"""Streets of one file."""
LONGEST: Final = 80
_STREET: Final = ("nom-voie", "voie-nom", "rue", "street", "voie", "nom", "name", "libelle")
_DISTRICT: Final = ("quartier", "nom-quartier", "district", "lieu")
_EAST: Final = ("lon", "longitude", "long")
_NORTH: Final = ("lat", "latitude")


@dataclass(frozen=True, slots=True)
class Street:
    """One to be added: its name, and the key of the district it lies in, "" where none is known."""

    name: str
    district: str = ""


@dataclass(slots=True)
class Streets:
    """A file read. `unknown` are districts it names that the town does not have; `known` counts the
    streets there already; `left_out` those that are too long or beyond the first `MOST`."""

    fresh: list[Street] = field(default_factory=list)
    known: int = 0
    unknown: tuple[str, ...] = ()
    left_out: int = 0


@dataclass(slots=True)
class _Seen:
    """What the lines of a file say of one street."""

    name: str
    said: str  # its district, as the file writes it
    points: list[tuple[float, float]] = field(default_factory=list)


def read_streets(content: bytes, catalogue: Catalogue) -> Streets | None:
    """Judge a CSV, one line a street or an address; None where no column holds a street's name.

    Columns looked for, whatever their case: `nom_voie`, `rue`, `nom`, `name`…; `quartier` or
    `district`; `lon` and `lat`, from which the district is found where its outline is known.
    """
    seen = _seen(content)
    if seen is None:
        return None
    districts = {key_of(each.name("fr")): each for each in _districts(catalogue)}
    unknown = {each.said for each in seen if each.said and key_of(each.said) not in districts}
    areas = _areas(catalogue)
    asked = [Street(each.name, _district(each, districts, areas)) for each in seen]
    found = judged(asked, catalogue)
    found.unknown = tuple(sorted(unknown))
    return found


def judged(asked: Sequence[Street], catalogue: Catalogue) -> Streets:
    """Which of these are new. A street of the same name in the same district is the same one; one
    without a district is any of that name."""
    there: dict[str, set[int | None]] = {}
    for zone in catalogue.zones.values():
        if zone.level == "street" and not zone.archived:
            there.setdefault(key_of(zone.name("fr")), set()).add(zone.parent)
    found, met = Streets(), set[tuple[str, str]]()
    for each in asked:
        key, district = key_of(each.name), catalogue.zones_by_key.get(each.district)
        if not key or (key, each.district) in met:
            continue
        met.add((key, each.district))
        parents = there.get(key, set())
        if parents and (district is None or district.id in parents):
            found.known += 1
        elif len(each.name) > LONGEST or len(found.fresh) >= MOST:
            found.left_out += 1
        else:
            found.fresh.append(each)
    return found


def _districts(catalogue: Catalogue) -> Iterator[Zone]:
    return (z for z in catalogue.zones.values() if z.level == "district" and not z.archived)


def _areas(catalogue: Catalogue) -> Mapping[str, shapely.Geometry]:
    read = {each.key: read_area(each.area) for each in _districts(catalogue) if each.area}
    return {key: area for key, area in read.items() if not isinstance(area, PolygonProblem)}


def _district(
    street: _Seen, districts: Mapping[str, Zone], areas: Mapping[str, shapely.Geometry]
) -> str:
    """As the file says; else where most of its addresses lie; "" where neither helps."""
    if street.said:
        named = districts.get(key_of(street.said))
        return "" if named is None else named.key
    if not street.points:
        return ""
    east, north = zip(*street.points, strict=True)
    held = Counter(
        {key: int(shapely.contains_xy(a, east, north).sum()) for key, a in areas.items()}
    )
    best = held.most_common(1)
    return best[0][0] if best and best[0][1] else ""


def _seen(content: bytes) -> list[_Seen] | None:
    """The streets of a file in its order, each once for each district it is said to lie in."""
    rows = csv.reader(io.StringIO(_text(content)), delimiter=_delimiter(content))
    found: dict[tuple[str, str], _Seen] = {}
    try:
        header = [key_of(each) for each in next(rows, [])]
        columns = [_column(header, names) for names in (_STREET, _DISTRICT, _EAST, _NORTH)]
        if columns[0] is None:
            return None
        for row in rows:
            name, said, east, north = (_cell(row, column) for column in columns)
            street = found.setdefault((key_of(name), key_of(said)), _Seen(name, said))
            point = _point(east, north)
            if point is not None:
                street.points.append(point)
    except csv.Error:
        return None
    return list(found.values())


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")  # what a spreadsheet writes


def _delimiter(content: bytes) -> str:
    first = content.split(b"\n", 1)[0].decode("latin-1")
    return max(";,\t", key=first.count)


def _column(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _cell(row: Sequence[str], column: int | None) -> str:
    return "" if column is None or column >= len(row) else " ".join(row[column].split())


def _point(east: str, north: str) -> tuple[float, float] | None:
    try:
        x, y = float(east.replace(",", ".")), float(north.replace(",", "."))
    except ValueError:
        return None
    return (x, y) if abs(x) <= 180 and abs(y) <= 90 else None
