# SPDX-License-Identifier: EUPL-1.2
"""Streets of a CSV find their district, by its name or by where they lie; none is there twice."""

from dataclasses import replace

import pytest

from subscribers.street_file import MOST, Street, judged, read_streets

BAN = (
    "id;numero;nom_voie;code_postal;lon;lat\n"
    "1;1;Rue du Moulin;61000;0.5;0.5\n"
    "2;3;Rue du Moulin;61000;0.6;0.5\n"
    "3;5;Rue du Moulin;61000;2.5;0.5\n"
    "4;1;Rue de la Halle;61000;0.5;0.5\n"
    "5;1;Chemin loin;61000;9;9\n"
    "6;1;;61000;0.5;0.5\n"
    "7;x\n"
)


@pytest.fixture
def drawn(town):
    """The town with two districts drawn, `centre` west of `gare`."""
    zones = dict(town.zones)
    for key, west in (("centre", 0), ("gare", 2)):
        zone = town.zones_by_key[key]
        ring = [[west, 0], [west + 1, 0], [west + 1, 1], [west, 1], [west, 0]]
        zones[zone.id] = replace(zone, area={"type": "Polygon", "coordinates": [ring]})
    return replace(town, zones=zones)


def test_addresses_become_streets_in_the_district_where_most_of_them_lie(drawn):
    found = read_streets(BAN.encode(), drawn)
    assert found.fresh == [Street("Rue du Moulin", "centre"), Street("Chemin loin")]
    assert (found.known, found.left_out, found.unknown) == (1, 0, ())


def test_a_column_of_districts_counts_before_the_position(drawn):
    lines = "\ufeffRUE,Quartier,lon,lat\nRue A,GARE,0.5,0.5\nRue A,Centre,,\nRue B,Lune,0.5,0.5\n"
    found = read_streets(lines.encode(), drawn)
    assert found.fresh == [Street("Rue A", "gare"), Street("Rue A", "centre"), Street("Rue B")]
    assert found.unknown == ("Lune",)


def test_what_a_spreadsheet_wrote_is_read(drawn):
    found = read_streets("Nom\tQuartier\nAllée des Chênes\tGare\n".encode("cp1252"), drawn)
    assert found.fresh == [Street("Allée des Chênes", "gare")]


@pytest.mark.parametrize(
    "content", [b"a;b\n1;2\n", b"", b"\x00\xff\xfe", b'rue\n"' + b"a" * 200_000]
)
def test_what_holds_no_streets_is_none_or_nothing(drawn, content):
    found = read_streets(content, drawn)
    assert found is None or not found.fresh


def test_streets_beyond_the_most_or_too_long_are_counted_not_dropped_in_silence(town):
    asked = [Street(f"Rue {n}") for n in range(MOST + 3)] + [Street("x" * 81)]
    found = judged(asked, town)
    assert (len(found.fresh), found.left_out) == (MOST, 4)
