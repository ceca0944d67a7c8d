# SPDX-License-Identifier: EUPL-1.2
"""What one can subscribe to: an authority's themes and zones, as two small trees in memory."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from shapely import STRtree, unary_union
from sqlalchemy import Connection, Table, select

from subscribers import tables
from subscribers.geometry import Area, PolygonProblem, read_area

_TOWN: Final = "town"
_SLIVER: Final = 0.01
"""Of a drawing: what is less lies between two districts that were not drawn quite side by side."""


@dataclass(frozen=True, slots=True)
class Theme:
    """What an announcement is about; `parent` is the number of a wider theme.

    `about` says a few words more, by language; an `advised` one is shown first, and as such.
    """

    id: int
    key: str
    parent: int | None
    names: Mapping[str, str]
    position: int
    archived: bool
    about: Mapping[str, str] = field(default_factory=dict)
    advised: bool = False

    def name(self, language: str) -> str:
        """The name in `language`, else in French, else the key."""
        return self.names.get(language) or self.names.get("fr") or self.key

    def description(self, language: str) -> str:
        """What is told under it, in `language`, else in French, else nothing."""
        return self.about.get(language) or self.about.get("fr") or ""


@dataclass(frozen=True, slots=True)
class Zone:
    """A place; `level` is town, district, street or building, `area` GeoJSON or None."""

    id: int
    key: str
    parent: int | None
    level: str
    names: Mapping[str, str]
    area: Mapping[str, Any] | None
    position: int
    archived: bool

    def name(self, language: str) -> str:
        """The name in `language`, else in French, else the key."""
        return self.names.get(language) or self.names.get("fr") or self.key


@dataclass(frozen=True, slots=True)
class Authority:
    """A town, without its themes and zones. `timezone` is IANA's name."""

    id: int
    key: str
    name: str
    timezone: str
    language: str


@dataclass(frozen=True)
class Catalogue:
    """One authority's themes and zones, by number, in the order they are shown. Immutable: load
    a new one after a change."""

    authority: int
    key: str
    name: str
    timezone: str
    language: str
    themes: Mapping[int, Theme]
    zones: Mapping[int, Zone]

    @cached_property
    def themes_by_key(self) -> Mapping[str, Theme]:
        """Every theme, archived ones too, by its key."""
        return {theme.key: theme for theme in self.themes.values()}

    @cached_property
    def zones_by_key(self) -> Mapping[str, Zone]:
        """Every zone, archived ones too, by its key."""
        return {zone.key: zone for zone in self.zones.values()}

    def theme_lineage(self, ids: Iterable[int]) -> tuple[int, ...]:
        """These themes and all their ancestors, ascending: who asked for the wider theme asked
        for these too. Raises `KeyError` for a theme of nobody here."""
        return tuple(sorted(_upwards(ids, lambda each: self.themes[each].parent)))

    def zone_reach(self, ids: Iterable[int]) -> tuple[int, ...]:
        """These zones, their ancestors and their descendants, ascending: the whole district hears
        of its street, and the street hears of its town. Raises `KeyError` as above."""
        asked = set(ids)
        reach = _upwards(asked, lambda each: self.zones[each].parent)
        below = list(asked)
        while below:
            children = self._zone_children.get(below.pop(), ())
            below.extend(children)
            reach.update(children)
        return tuple(sorted(reach))

    def zones_touching(self, geojson: object) -> tuple[int, ...] | PolygonProblem:
        """The zones whose area shares ground with a GeoJSON polygon, ascending; neighbours that
        only share a boundary do not. Archived zones count: people still live there.

        The town around them is not meant by a drawing inside its districts, or a metre drawn there
        would reach everybody; it is where some of the drawing lies in no smaller area, for whoever
        lives there can only be reached so. A district is meant beside its street: most streets
        have no area of their own.
        """
        drawn = read_area(geojson)
        if isinstance(drawn, PolygonProblem):
            return drawn
        ids, areas, tree = self._areas
        near = tree.query(drawn, predicate="intersects")
        touched = {ids[i]: areas[i] for i in near if not areas[i].touches(drawn)}
        smaller = [area for each, area in touched.items() if self.zones[each].level != _TOWN]
        if smaller:
            rest = drawn.difference(unary_union(smaller))
            touched = {
                each: area
                for each, area in touched.items()
                if self.zones[each].level != _TOWN
                or rest.intersection(area).area > _SLIVER * drawn.area
            }
        return tuple(sorted(touched))

    @cached_property
    def _zone_children(self) -> Mapping[int, list[int]]:
        children: dict[int, list[int]] = {}
        for zone in self.zones.values():
            if zone.parent is not None:
                children.setdefault(zone.parent, []).append(zone.id)
        return children

    @cached_property
    def _areas(self) -> tuple[list[int], list[Area], STRtree]:
        ids: list[int] = []
        areas: list[Area] = []
        for zone in self.zones.values():
            area = read_area(zone.area)
            if not isinstance(area, PolygonProblem):  # most streets have none
                ids.append(zone.id)
                areas.append(area)
        return ids, areas, STRtree(areas)


def _upwards(ids: Iterable[int], parent_of: Callable[[int], int | None]) -> set[int]:
    seen: set[int] = set()
    for start in ids:
        here: int | None = start
        while here is not None and here not in seen:
            parent = parent_of(here)
            seen.add(here)
            here = parent
    return seen


def load_authority(conn: Connection, number: int) -> Authority:
    """Raises `sqlalchemy.exc.NoResultFound` where there is no such authority."""
    row = conn.execute(select(tables.authority).where(tables.authority.c.id == number)).one()
    return Authority(row.id, row.key, row.name, row.timezone, row.language)


def load_catalogue(conn: Connection, authority_id: int) -> Catalogue:
    """Read an authority's catalogue. Raises `sqlalchemy.exc.NoResultFound` where there is no such
    authority."""
    who = load_authority(conn, authority_id)
    themes = _rows(conn, tables.theme, authority_id)
    zones = _rows(conn, tables.zone, authority_id)
    return Catalogue(
        authority=who.id,
        key=who.key,
        name=who.name,
        timezone=who.timezone,
        language=who.language,
        themes={row["id"]: Theme(**row) for row in themes},
        zones={row["id"]: Zone(**row) for row in zones},
    )


def _rows(conn: Connection, table: Table, authority_id: int) -> list[dict[str, Any]]:
    columns = [column for column in table.c if column is not table.c.authority]
    query = select(*columns).where(table.c.authority == authority_id)
    return [dict(r) for r in conn.execute(query.order_by(table.c.position, table.c.id)).mappings()]
