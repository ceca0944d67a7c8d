# SPDX-License-Identifier: EUPL-1.2
"""Themes and zones: who hears of what, and a file that is taken whole or not at all."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.exc import NoResultFound

from subscribers.catalogue import Catalogue, Theme, Zone, load_catalogue
from subscribers.catalogue_file import import_catalogue
from subscribers.geometry import PolygonProblem, read_area

ANGERS = Path(__file__).parents[3] / "shared" / "data" / "geo-angers" / "angers.geojson"


def square(x: float, y: float, side: float = 1.0) -> dict[str, Any]:
    ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


def features(**areas: object) -> str:
    listed = [{"properties": {"key": key}, "geometry": area} for key, area in areas.items()]
    return json.dumps({"type": "FeatureCollection", "features": listed})


def keys(town: Catalogue, ids: tuple[int, ...]) -> set[str]:
    return {town.zones[number].key for number in ids}


def forest(parents: list[int | None]) -> Catalogue:
    """A catalogue whose themes and zones are both the same trees."""
    trees = dict(enumerate(parents))
    return Catalogue(
        authority=1,
        key="valmont",
        name="Valmont-sur-Orne",
        timezone="Europe/Paris",
        language="fr",
        themes={i: Theme(i, f"t{i}", p, {}, i, False) for i, p in trees.items()},
        zones={i: Zone(i, f"z{i}", p, "street", {}, None, i, False) for i, p in trees.items()},
    )


forests = st.integers(1, 12).flatmap(
    lambda size: st.tuples(
        *(st.none() | st.integers(0, i - 1) if i else st.none() for i in range(size))
    ).map(list)
)


@given(forests, st.data())
def test_zone_reach_goes_up_and_down_but_never_sideways(
    parents: list[int | None], data: st.DataObject
) -> None:
    town = forest(parents)
    start = data.draw(st.integers(0, len(parents) - 1))
    above = town.theme_lineage([start])
    assert set(town.zone_reach([start])) == {
        zone for zone in range(len(parents)) if start in town.theme_lineage([zone]) or zone in above
    }


@given(forests)
def test_a_lineage_is_a_theme_and_its_parents_lineage(parents: list[int | None]) -> None:
    town = forest(parents)
    for theme, parent in enumerate(parents):
        wider = set() if parent is None else set(town.theme_lineage([parent]))
        assert set(town.theme_lineage([theme])) == {theme} | wider
    everything = tuple(range(len(parents)))
    assert town.theme_lineage(everything) == everything


def test_the_street_hears_of_its_town_and_the_district_of_its_street(town: Catalogue) -> None:
    centre, street = town.zones_by_key["centre"].id, town.zones_by_key["rue-de-la-halle"].id
    assert keys(town, town.zone_reach([centre])) == {"ville", "centre", "rue-de-la-halle"}
    assert keys(town, town.zone_reach([street])) == {"ville", "centre", "rue-de-la-halle"}
    assert keys(town, town.zone_reach([town.zones_by_key["ville"].id])) == {
        zone.key for zone in town.zones.values()
    }


def test_what_is_not_in_the_catalogue_is_a_bug_of_the_caller(town: Catalogue) -> None:
    with pytest.raises(KeyError):
        town.theme_lineage([999])
    with pytest.raises(KeyError):
        town.zone_reach([999])


def test_names_fall_back_to_french_then_to_the_key(town: Catalogue) -> None:
    assert town.themes_by_key["eau"].name("en") == "Water and outages"
    assert town.themes_by_key["eau"].name("br") == "Eau et coupures"
    assert Theme(1, "eau", None, {}, 0, False).name("en") == "eau"
    assert town.zones_by_key["gare"].name("en") == "Station"


def test_an_authority_nobody_knows_has_no_catalogue(conn: Connection) -> None:
    with pytest.raises(NoResultFound):
        load_catalogue(conn, 7)


# --------------------------------------------------------------------------- drawings


def test_a_drawing_touches_the_areas_it_shares_ground_with(conn: Connection, valmont: str) -> None:
    area = features(centre=square(0, 0), gare=square(1, 0))  # side by side
    assert not import_catalogue(conn, valmont, area).problems
    town = load_catalogue(conn, 1)

    def touched(drawing: dict[str, Any]) -> set[str]:
        found = town.zones_touching(drawing)
        assert not isinstance(found, PolygonProblem)
        return keys(town, found)

    assert touched(square(0.2, 0.2, 0.1)) == {"centre"}
    assert touched(square(0.9, 0.2, 0.2)) == {"centre", "gare"}
    assert touched(square(2, 0)) == set()  # shares only a side with the station
    assert touched(square(1, 1)) == set()  # shares only a corner or a side
    assert touched({"type": "MultiPolygon", "coordinates": [square(5, 5)["coordinates"]]}) == set()


def test_the_town_around_is_meant_only_where_nothing_smaller_is(
    conn: Connection, valmont: str
) -> None:
    area = features(ville=square(0, 0, 3), centre=square(0, 0), gare=square(1, 0))
    assert not import_catalogue(conn, valmont, area).problems
    town = load_catalogue(conn, 1)

    def touched(drawing: dict[str, Any]) -> set[str]:
        found = town.zones_touching(drawing)
        assert not isinstance(found, PolygonProblem)
        return keys(town, found)

    assert touched(square(0.2, 0.2, 0.1)) == {"centre"}
    assert touched(square(0.9, 0.2, 0.2)) == {"centre", "gare"}
    assert touched(square(0.9, 0.9, 0.2)) == {"ville", "centre", "gare"}  # and fields beyond
    assert touched(square(2.5, 2.5, 0.1)) == {"ville"}
    assert touched(square(-1, -1, 9)) == {"ville", "centre", "gare"}


def test_a_town_without_a_map_is_touched_nowhere(town: Catalogue) -> None:
    assert town.zones_touching(square(0, 0)) == ()


def ring(*points: object) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [list(points)]}


@pytest.mark.parametrize(
    ("drawing", "problem"),
    [
        (None, PolygonProblem.WRONG_TYPE),
        ([], PolygonProblem.WRONG_TYPE),
        ({"type": "Point", "coordinates": [0, 0]}, PolygonProblem.WRONG_TYPE),
        ({"type": "Polygon"}, PolygonProblem.WRONG_TYPE),
        ({"type": "Polygon", "coordinates": []}, PolygonProblem.WRONG_TYPE),
        ({"type": "Polygon", "coordinates": [7]}, PolygonProblem.WRONG_TYPE),
        ({"type": "MultiPolygon", "coordinates": []}, PolygonProblem.WRONG_TYPE),
        ({"type": "MultiPolygon", "coordinates": "no"}, PolygonProblem.WRONG_TYPE),
        (ring([0, 0], [1, 0], "no", [0, 0]), PolygonProblem.WRONG_TYPE),
        (ring([0, 0], [1, 0], [1], [0, 0]), PolygonProblem.WRONG_TYPE),
        (ring([0, 0], [1, 0], [1, True], [0, 0]), PolygonProblem.WRONG_TYPE),
        (ring([0, 0], [1, 0], [1, "1"], [0, 0]), PolygonProblem.WRONG_TYPE),
        (ring([0, 0], [1, 0], [1, 1], [0, 1]), PolygonProblem.NOT_CLOSED),
        (ring([0, 0], [1, 0], [0, 0]), PolygonProblem.NOT_CLOSED),
        (ring(), PolygonProblem.NOT_CLOSED),
        (ring([0, 0], [181, 0], [1, 1], [0, 0]), PolygonProblem.OUT_OF_RANGE),
        (ring([0, 0], [1, 91], [1, 1], [0, 0]), PolygonProblem.OUT_OF_RANGE),
        (ring([0, 0], [1, float("nan")], [1, 1], [0, 0]), PolygonProblem.OUT_OF_RANGE),
        (ring([0, 0], [float("inf"), 0], [1, 1], [0, 0]), PolygonProblem.OUT_OF_RANGE),
        (ring([0, 0], [1, 1], [1, 0], [0, 1], [0, 0]), PolygonProblem.CROSSES_ITSELF),
        (ring(*[[0, 0]] * 10_001), PolygonProblem.TOO_MANY_POINTS),
    ],
)
def test_a_drawing_that_is_no_area_says_why(
    town: Catalogue, drawing: object, problem: PolygonProblem
) -> None:
    assert town.zones_touching(drawing) is problem
    assert problem.sentence.fr != problem.sentence.en


def test_points_are_counted_over_all_the_parts_of_a_drawing() -> None:
    fine = [[[i / 100, 0] for i in range(4_999)] + [[25, 1], [0, 0]]]
    far = [[[x, y + 5] for x, y in fine[0]]]
    assert read_area({"type": "MultiPolygon", "coordinates": [fine, far]}) is (
        PolygonProblem.TOO_MANY_POINTS
    )


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=3), st.lists))
def test_no_drawing_however_strange_is_an_error(coordinates: object) -> None:
    for kind in ("Polygon", "MultiPolygon"):
        assert isinstance(read_area({"type": kind, "coordinates": coordinates}), PolygonProblem)


def test_the_districts_of_a_real_town_find_themselves(conn: Connection, valmont: str) -> None:
    if not ANGERS.exists():
        pytest.skip("the conformance data folder is not here")
    districts = json.loads(ANGERS.read_text("utf-8"))["features"]
    zones = "".join(
        f'[[zones]]\nkey = "d{i}"\nlevel = "district"\nnames = {{ fr = "D{i}", en = "D{i}" }}\n'
        for i in range(len(districts))
    )
    areas = {f"d{i}": district["geometry"] for i, district in enumerate(districts)}
    report = import_catalogue(conn, valmont + zones, features(**areas))
    assert report.problems == ()
    town = load_catalogue(conn, 1)
    for key, area in areas.items():
        found = town.zones_touching(area)
        assert not isinstance(found, PolygonProblem)
        assert key in keys(town, found)
        assert len(found) < len(areas)  # the far side of town is not touched


# --------------------------------------------------------------------------- the file


def test_a_catalogue_read_twice_changes_nothing(conn: Connection, valmont: str) -> None:
    first = import_catalogue(conn, valmont, features(centre=square(0, 0)))
    assert "theme coupures" in first.created
    assert "zone centre" in first.created
    second = import_catalogue(conn, valmont, features(centre=square(0, 0)))
    assert (second.created, second.updated, second.archived, second.problems) == ((), (), (), ())
    assert second.unchanged == len(first.created)


def test_a_child_may_be_written_before_its_parent(conn: Connection, valmont: str) -> None:
    head, *themes = valmont.split("[[themes]]\n")
    tail, *zones = themes.pop().split("[[zones]]\n")
    turned = [f"[[themes]]\n{text}" for text in reversed([*themes, tail])]
    turned += [f"[[zones]]\n{text}" for text in reversed(zones)]
    assert import_catalogue(conn, head + "".join(turned)).problems == ()
    town = load_catalogue(conn, 1)
    assert town.themes_by_key["coupures"].parent == town.themes_by_key["eau"].id


def test_a_name_that_changes_is_an_update_of_that_row_alone(
    conn: Connection, town: Catalogue, valmont: str
) -> None:
    report = import_catalogue(conn, valmont.replace('"Écoles"', '"École"'))
    assert report.updated == ("theme ecoles",)
    again = load_catalogue(conn, 1)
    assert again.themes_by_key["ecoles"].id == town.themes_by_key["ecoles"].id
    assert again.themes_by_key["ecoles"].name("fr") == "École"


def test_what_a_file_leaves_out_is_archived_only_when_asked(
    conn: Connection, town: Catalogue, valmont: str
) -> None:
    shorter = valmont.split('[[zones]]\nkey = "rue', maxsplit=1)[0]
    assert import_catalogue(conn, shorter).archived == ()
    report = import_catalogue(conn, shorter, archive_missing=True)
    assert report.archived == ("zone rue-de-la-halle",)
    assert import_catalogue(conn, shorter, archive_missing=True).archived == ()
    assert load_catalogue(conn, 1).zones_by_key["rue-de-la-halle"].archived
    assert import_catalogue(conn, valmont).updated == ("zone rue-de-la-halle",)  # back again


THEME = '[[themes]]\nkey = "{}"\nnames = {{ fr = "F", en = "E" }}\n'


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        (THEME.format("eau"), "Duplicate theme “eau”"),
        (THEME.format("Eau"), "lower-case"),
        (THEME.format("eau potable"), "lower-case"),
        (THEME.format(""), "lower-case"),
        ("[[themes]]\nkey = 7\n", "lower-case"),
        (THEME.format("a") + 'parent = "nowhere"\n', "no parent “nowhere”"),
        (THEME.format("a") + 'parent = "a"\n', "its own ancestor"),
        (
            THEME.format("a") + 'parent = "b"\n' + THEME.format("b") + 'parent = "a"\n',
            "its own ancestor",
        ),
        (THEME.format("a") + "parent = [1]\n", "the key of another"),
        ('[[themes]]\nkey = "a"\nnames = { fr = "F" }\n', "give its names"),
        ('[[themes]]\nkey = "a"\n', "give its names"),
        ('[[zones]]\nkey = "a"\nnames = { fr = "F", en = "E" }\nlevel = "planet"\n', "level"),
        (THEME.format("a") + 'parnet = "eau"\n', "unknown “parnet”"),
        ("themes = ", "Not a TOML"),
    ],
)
def test_a_faulty_catalogue_says_what_is_wrong_and_changes_nothing(
    conn: Connection, town: Catalogue, valmont: str, extra: str, says: str
) -> None:
    report = import_catalogue(conn, valmont.replace("Écoles", "Changé") + extra)
    assert any(says in sentence.en for sentence in report.problems), report.problems
    assert load_catalogue(conn, 1).themes == town.themes


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("", "[authority] must give"),
        ('[authority]\nkey = "v"\nname = "V"\ntimezone = "Mars/Utopia"\nlanguage = "fr"', "zone"),
        ('themes = 7\nzones = [1]\n[authority]\nkey = "v"', "[[zones]]"),
    ],
)
def test_a_catalogue_needs_its_authority(conn: Connection, document: str, says: str) -> None:
    report = import_catalogue(conn, document)
    assert any(says in sentence.en for sentence in report.problems), report.problems


@pytest.mark.parametrize(
    ("geojson", "says"),
    [
        ("{", "FeatureCollection"),
        ("[]", "FeatureCollection"),
        ('{"features": [{}]}', "FeatureCollection"),
        (features(atlantide=square(0, 0)), "no zone is “atlantide”"),
        (features(centre={"type": "Point"}), "Polygon"),
        (
            json.dumps(
                {"features": [{"properties": {"key": "centre"}, "geometry": square(0, 0)}] * 2}
            ),
            "twice",
        ),
    ],
)
def test_a_faulty_map_says_what_is_wrong(
    conn: Connection, valmont: str, geojson: str, says: str
) -> None:
    report = import_catalogue(conn, valmont, geojson)
    assert any(says in sentence.en for sentence in report.problems), report.problems
    with pytest.raises(NoResultFound):
        load_catalogue(conn, 1)
