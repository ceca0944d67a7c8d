# SPDX-License-Identifier: EUPL-1.2
"""The catalogue as a file: read from TOML, checked whole, then written all or nothing."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, RowMapping, Table, insert, select, update

from subscribers.geometry import PolygonProblem, read_area
from subscribers.tables import authority, theme, zone
from subscribers.wording import Sentence

LEVELS: Final = ("town", "district", "street", "building")
_FIELDS: Final = {
    "theme": {"key", "names", "parent", "about", "advised"},
    "zone": {"key", "names", "parent", "level"},
}
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import changed, as keys ("theme eau", "zone centre"), or why it changed nothing."""

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    archived: tuple[str, ...] = ()
    unchanged: int = 0
    problems: tuple[Sentence, ...] = ()


@dataclass(slots=True)
class _Reading:
    """A document being read: rows ready for their tables, and all that is wrong with it."""

    authority: dict[str, Any] = field(default_factory=dict)
    themes: dict[str, dict[str, Any]] = field(default_factory=dict)
    zones: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[Sentence] = field(default_factory=list)

    def refuse(self, fr: str, en: str) -> None:
        self.problems.append(Sentence(fr, en))


def import_catalogue(
    conn: Connection, document: str, geojson: str | None = None, *, archive_missing: bool = False
) -> ImportReport:
    """Write the authority, themes and zones of a TOML text, all or nothing.

    The document has ``[authority]`` (key, name, timezone, language), ``[[themes]]`` (key, names
    {fr, en}, parent, about {fr, en}, advised) and ``[[zones]]`` (key, names, parent, level), shown
    in the order written.
    `geojson` is a FeatureCollection whose features bear the property ``key`` of their zone.
    Running it twice changes nothing; what the document no longer names is archived only with
    `archive_missing`. A report with problems means nothing was written.
    """
    reading = _read(document)
    if geojson is not None and not reading.problems:
        _read_areas(reading, geojson)
    if reading.problems:
        return ImportReport(problems=tuple(reading.problems))
    tally = _Tally()
    owner = _write_authority(conn, reading.authority, tally)
    for table, rows in ((theme, reading.themes), (zone, reading.zones)):
        missing = _write_tree(conn, table, owner, rows, tally)
        if archive_missing:
            _archive(conn, table, missing, tally)
    return ImportReport(
        tuple(tally.created), tuple(tally.updated), tuple(tally.archived), tally.unchanged
    )


# --------------------------------------------------------------------------- reading


def _read(document: str) -> _Reading:
    reading = _Reading()
    try:
        root = tomllib.loads(document)
    except tomllib.TOMLDecodeError as error:
        reading.refuse(f"Le fichier n'est pas du TOML : {error}.", f"Not a TOML file: {error}.")
        return reading
    reading.authority = _read_authority(reading, root.get("authority"))
    reading.themes = _read_tree(reading, root.get("themes", []), "theme")
    reading.zones = _read_tree(reading, root.get("zones", []), "zone")
    return reading


def _read_authority(reading: _Reading, raw: object) -> dict[str, Any]:
    names = ("key", "name", "timezone", "language")
    if not isinstance(raw, dict) or not all(isinstance(raw.get(n), str) for n in names):
        reading.refuse(
            "[authority] doit donner key, name, timezone et language.",
            "[authority] must give key, name, timezone and language.",
        )
        return {}
    _check_key(reading, "authority", raw["key"])
    try:
        ZoneInfo(raw["timezone"])
    except (ZoneInfoNotFoundError, ValueError):
        reading.refuse(
            "[authority] timezone doit être un fuseau comme Europe/Paris.",
            "[authority] timezone must be a time zone such as Europe/Paris.",
        )
    return {name: raw[name] for name in names}


def _read_tree(reading: _Reading, raw: object, kind: str) -> dict[str, dict[str, Any]]:
    if not isinstance(raw, list) or not all(isinstance(entry, dict) for entry in raw):
        reading.refuse(f"Écrivez chaque {kind} sous [[{kind}s]].", f"Write [[{kind}s]] entries.")
        return {}
    rows: dict[str, dict[str, Any]] = {}
    for position, entry in enumerate(raw):
        key = entry.get("key")
        if not _check_key(reading, kind, key):
            continue
        if key in rows:
            reading.refuse(f"La clé {kind} « {key} » est en double.", f"Duplicate {kind} “{key}”.")
        rows[key] = _read_entry(reading, entry, kind, position)
    _check_parents(reading, rows, kind)
    return rows


def _read_entry(
    reading: _Reading, entry: Mapping[str, Any], kind: str, position: int
) -> dict[str, Any]:
    key, names = entry["key"], entry.get("names")
    for name in entry.keys() - _FIELDS[kind]:  # a misspelt parent must not make an orphan
        reading.refuse(
            f"{kind} « {key} » : « {name} » est inconnu.", f"{kind} “{key}”: unknown “{name}”."
        )
    if not isinstance(names, dict) or not all(
        isinstance(names.get(language), str) and names[language] for language in ("fr", "en")
    ):
        reading.refuse(
            f"{kind} « {key} » : donnez ses noms, names = {{fr = …, en = …}}.",
            f"{kind} “{key}”: give its names, names = {{fr = …, en = …}}.",
        )
    if not isinstance(entry.get("parent"), str | None):
        reading.refuse(
            f"{kind} « {key} » : parent est la clé d'un autre.",
            f"{kind} “{key}”: parent is the key of another one.",
        )
        entry = {**entry, "parent": None}
    row = {"key": key, "parent": entry.get("parent"), "names": names, "position": position}
    if kind == "theme":
        row |= _read_words(reading, entry)
    else:
        row["level"] = entry.get("level")
        if row["level"] not in LEVELS:
            reading.refuse(
                f"zone « {key} » : level doit être {', '.join(LEVELS)}.",
                f"zone “{key}”: level must be one of {', '.join(LEVELS)}.",
            )
    return row


def _read_words(reading: _Reading, entry: Mapping[str, Any]) -> dict[str, Any]:
    key, about, advised = entry["key"], entry.get("about", {}), entry.get("advised", False)
    if not isinstance(about, dict) or not all(isinstance(each, str) for each in about.values()):
        reading.refuse(
            f"theme « {key} » : about s'écrit about = {{fr = …, en = …}}.",
            f"theme “{key}”: about is written about = {{fr = …, en = …}}.",
        )
    if not isinstance(advised, bool):
        reading.refuse(
            f"theme « {key} » : advised est true ou false.", f"theme “{key}”: advised is a boolean."
        )
    return {"about": about, "advised": advised}


def _check_key(reading: _Reading, kind: str, key: object) -> bool:
    if isinstance(key, str) and _KEY.fullmatch(key):
        return True
    reading.refuse(
        f"Une clé {kind} s'écrit en minuscules sans accent, chiffres et tirets (reçu : {key!r}).",
        f"A {kind} key is made of lower-case letters, digits and hyphens (got: {key!r}).",
    )
    return False


def _check_parents(reading: _Reading, rows: Mapping[str, Mapping[str, Any]], kind: str) -> None:
    sound: set[str] = set()
    for key in rows:
        path: list[str] = []
        here: str | None = key
        while here is not None and here not in sound:
            if here not in rows:
                reading.refuse(
                    f"{kind} « {path[-1]} » : le parent « {here} » n'existe pas.",
                    f"{kind} “{path[-1]}”: there is no parent “{here}”.",
                )
                break
            if here in path:
                reading.refuse(
                    f"{kind} « {here} » est son propre ancêtre.",
                    f"{kind} “{here}” is its own ancestor.",
                )
                break
            path.append(here)
            here = rows[here]["parent"]
        sound.update(path)


def _read_areas(reading: _Reading, geojson: str) -> None:
    try:
        features = json.loads(geojson)["features"]
        drawn = [(str(each["properties"]["key"]), each["geometry"]) for each in features]
    except (ValueError, TypeError, KeyError):
        reading.refuse(
            "Le GeoJSON doit être une FeatureCollection dont chaque objet a une propriété key.",
            "The GeoJSON must be a FeatureCollection whose features have a property key.",
        )
        return
    for key, geometry in drawn:
        area = read_area(geometry)
        if key not in reading.zones:
            reading.refuse(
                f"GeoJSON : aucune zone ne s'appelle « {key} ».", f"GeoJSON: no zone is “{key}”."
            )
        elif "area" in reading.zones[key]:
            reading.refuse(f"GeoJSON : « {key} » est en double.", f"GeoJSON: “{key}” twice.")
        elif isinstance(area, PolygonProblem):
            fr, en = area.sentence
            reading.refuse(f"zone « {key} » : {fr}", f"zone “{key}”: {en}")
        else:
            reading.zones[key]["area"] = geometry


# --------------------------------------------------------------------------- writing


@dataclass(slots=True)
class _Tally:
    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    archived: list[str] = field(default_factory=list)
    unchanged: int = 0


def _write_authority(conn: Connection, row: Mapping[str, Any], tally: _Tally) -> int:
    query = select(authority).where(authority.c.key == row["key"])
    held = conn.execute(query).mappings().first()
    if held is None:
        tally.created.append(f"authority {row['key']}")
        write = insert(authority).values(row).returning(authority.c.id)
        return int(conn.execute(write).scalar_one())
    owner = int(held["id"])
    _update_where_different(conn, authority, held, row, tally)
    return owner


def _write_tree(
    conn: Connection, table: Table, owner: int, rows: Mapping[str, Mapping[str, Any]], tally: _Tally
) -> list[RowMapping]:
    """Write `rows`; what the table holds beside them is returned."""
    query = select(table).where(table.c.authority == owner)
    held = {row["key"]: row for row in conn.execute(query).mappings()}
    ids = {key: row["id"] for key, row in held.items()}
    for key in (key for key in rows if key not in held):  # parents once all have their number
        tally.created.append(f"{table.name} {key}")
        new = {**rows[key], "authority": owner, "parent": None}
        ids[key] = conn.execute(insert(table).values(new).returning(table.c.id)).scalar_one()
    for key, row in rows.items():
        parent = ids[row["parent"]] if row["parent"] is not None else None
        if key in held:
            wanted = {**row, "parent": parent, "archived": False}
            _update_where_different(conn, table, held[key], wanted, tally)
        elif parent is not None:
            conn.execute(update(table).where(table.c.id == ids[key]).values(parent=parent))
    return [row for key, row in held.items() if key not in rows]


def _archive(conn: Connection, table: Table, missing: list[RowMapping], tally: _Tally) -> None:
    for row in missing:
        if not row["archived"]:
            tally.archived.append(f"{table.name} {row['key']}")
            conn.execute(update(table).where(table.c.id == row["id"]).values(archived=True))


def _update_where_different(
    conn: Connection,
    table: Table,
    held: Mapping[Any, Any],
    wanted: Mapping[str, Any],
    tally: _Tally,
) -> None:
    changed = {name: value for name, value in wanted.items() if held[name] != value}
    if not changed:
        tally.unchanged += 1
        return
    tally.updated.append(f"{table.name} {wanted['key']}")
    conn.execute(update(table).where(table.c.id == held["id"]).values(changed))
