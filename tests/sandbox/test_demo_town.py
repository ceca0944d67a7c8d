# SPDX-License-Identifier: EUPL-1.2
"""The made-up town: generated files are what the generator draws, and hold reserved values only."""

import csv
import json
import re
import tomllib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from shapely import Polygon, unary_union
from shapely.geometry import shape

from hub.demo_town import generate
from subscribers.catalogue import load_catalogue
from subscribers.catalogue_file import import_catalogue
from subscribers.import_batch import VerdictKind
from subscribers.importer import ImportOptions, import_csv
from subscribers.tables import authority, metadata

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HERE = generate.HERE


def toml(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def people() -> list[dict[str, str]]:
    with (HERE / "citizens.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def areas() -> dict[str, Polygon]:
    features = json.loads((HERE / "zones.geojson").read_text("utf-8"))["features"]
    return {each["properties"]["key"]: shape(each["geometry"]) for each in features}


def share(people: list[dict[str, str]], column: str, pattern: str) -> float:
    return sum(bool(re.search(pattern, person[column])) for person in people) / len(people)


@pytest.mark.parametrize("name", sorted(generate.files()))
def test_the_committed_files_are_what_the_generator_draws(name: str) -> None:
    assert (HERE / name).read_text("utf-8") == generate.files()[name]


def test_only_reserved_numbers_and_addresses_appear(people: list[dict[str, str]]) -> None:
    for person in people:
        assert re.fullmatch(r"(\+3363998\d{4})?", person["phone"])
        assert re.fullmatch(r"([a-z]+\.\d+@example\.org)?", person["email"])


def test_there_are_2000_citizens_in_a_realistic_mix(people: list[dict[str, str]]) -> None:
    assert len({person["ref"] for person in people}) == len(people) == 2_000
    assert share(people, "channels", "sms") == pytest.approx(0.55, abs=0.04)
    assert share(people, "channels", "email") == pytest.approx(0.50, abs=0.04)
    assert share(people, "channels", "webpush") == pytest.approx(0.25, abs=0.04)
    assert share(people, "cadence", "now") == pytest.approx(0.80, abs=0.04)
    assert share(people, "quiet_hours", "-") == pytest.approx(0.30, abs=0.04)
    assert share(people, "language", "en") == pytest.approx(0.08, abs=0.03)
    assert 0 < share(people, "zones", "^$") < 0.4


def test_everybody_can_be_reached_on_what_they_chose(people: list[dict[str, str]]) -> None:
    for person in people:
        assert person["phone"] or "sms" not in person["channels"].split()
        assert person["email"] or "email" not in person["channels"].split()
        assert {"sms", "email"} & set(person["channels"].split())


def test_only_a_few_households_share_a_phone(people: list[dict[str, str]]) -> None:
    shared = Counter(person["phone"] for person in people if person["phone"])
    assert [times for times in shared.values() if times > 1] == [2] * 5


def test_everything_chosen_is_in_the_catalogue(people: list[dict[str, str]]) -> None:
    catalogue, announcement = toml("catalogue.toml"), toml("announcement.toml")
    themes = {theme["key"] for theme in catalogue["themes"]}
    zones = {zone["key"] for zone in catalogue["zones"]}
    for person in people:
        assert set(person["themes"].split()) <= themes
        assert set(person["zones"].split()) <= zones
    assert set(announcement["themes"]) <= themes
    assert set(announcement["zones"]) <= zones


def test_every_zone_is_on_the_map(areas: dict[str, Polygon]) -> None:
    assert {zone["key"] for zone in toml("catalogue.toml")["zones"]} == areas.keys()
    assert all(area.is_valid for area in areas.values())


def test_districts_tile_the_town_and_children_lie_within(areas: dict[str, Polygon]) -> None:
    zones = {zone["key"]: zone for zone in toml("catalogue.toml")["zones"]}
    districts = [areas[key] for key, zone in zones.items() if zone["level"] == "district"]
    town = areas["valmont-sur-orne"]
    assert unary_union(districts).symmetric_difference(town).area < 1e-12
    assert sum(area.area for area in districts) == pytest.approx(town.area)
    for key, zone in zones.items():
        if parent := zone.get("parent"):
            assert areas[parent].buffer(1e-9).contains(areas[key])
    siblings = [areas[key] for key, zone in zones.items() if zone["level"] == "street"]
    assert sum(area.area for area in siblings) == pytest.approx(unary_union(siblings).area)


def test_each_persona_is_a_citizen(people: list[dict[str, str]]) -> None:
    by_ref = {person["ref"]: person for person in people}
    personas = toml("personas.toml")["personas"]
    assert [persona["name"] for persona in personas] == ["Amina", "M. Petit", "Louis", "Claire"]
    assert {by_ref[persona["ref"]]["language"] for persona in personas} == {"fr", "en"}
    assert by_ref["v0003"]["cadence"] == "daily"


def test_devices_belong_to_citizens_who_chose_web_push(people: list[dict[str, str]]) -> None:
    with (HERE / "devices.csv").open(encoding="utf-8", newline="") as lines:
        devices = {line["ref"]: int(line["devices"]) for line in csv.DictReader(lines)}
    assert devices.keys() == {
        person["ref"] for person in people if "webpush" in person["channels"].split()
    }
    assert set(devices.values()) == {1, 2}


def test_the_ordinary_importers_take_the_town_whole(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'town.db'}")
    metadata.create_all(engine)
    documents = [(HERE / name).read_text("utf-8") for name in ("catalogue.toml", "zones.geojson")]
    with engine.begin() as conn:
        report = import_catalogue(conn, documents[0], documents[1])
        catalogue = load_catalogue(conn, conn.execute(sa.select(authority.c.id)).scalar_one())
    assert not report.problems
    options = ImportOptions(suppression_key=b"k" * 32, recorded_by="demo", verified=True)
    with (HERE / "citizens.csv").open("rb") as lines:
        verdicts = import_csv(lines, engine.begin, catalogue, options, now=NOW)
        kinds = Counter(verdict.kind for verdict in verdicts)
    engine.dispose()
    assert kinds == {VerdictKind.CREATED: 2_000}
