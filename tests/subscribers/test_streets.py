# SPDX-License-Identifier: EUPL-1.2
"""A street is found however it is typed; what is not a street finds nothing."""

from dataclasses import replace

import pytest

from subscribers.catalogue import Zone
from subscribers.streets import MOST, find_places


@pytest.fixture
def found(town):
    """`found(typed)`: the names found in a town of a few streets."""
    names = [
        ("Rue de la Halle", "street"),
        ("Rue du Général-de-Gaulle", "street"),
        ("Rue de l’Église", "street"),
        ("Boulevard Saint-Michel", "street"),
        ("Résidence Les Œillets", "building"),
        ("Centre", "district"),
        ("Toute la ville", "town"),
    ]
    zones = {
        n: Zone(n, f"z{n}", None, level, {"fr": name}, None, n, archived=False)
        for n, (name, level) in enumerate(names, 1)
    }
    zones[90] = Zone(90, "old", None, "street", {"fr": "Rue Ancienne"}, None, 90, archived=True)
    zones |= {
        n: Zone(
            n, f"z{n}", None, "street", {"fr": f"Allée des Saules {n}"}, None, n, archived=False
        )
        for n in range(100, 150)
    }
    wider = replace(town, zones=zones)
    return lambda typed: [zone.name("fr") for zone in find_places(wider, typed)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("halle", "Rue de la Halle"),
        ("  RUE  DE LA HALLE ", "Rue de la Halle"),
        ("3 ter, rue de la halle", "Rue de la Halle"),
        ("general de gaulle", "Rue du Général-de-Gaulle"),
        ("rue de l'eglise", "Rue de l’Église"),
        ("bd st michel", "Boulevard Saint-Michel"),
        ("cent", "Centre"),
        ("residence", "Résidence Les Œillets"),
    ],
)
def test_a_street_is_found_however_it_is_typed(found, typed, first):
    assert found(typed)[0] == first


@pytest.mark.parametrize(
    "typed", ["", "12", "de la", "rue de nulle part", "Ancienne", "toute", "%"]
)
def test_what_is_no_open_place_is_not_found(found, typed):
    assert found(typed) == []


def test_a_long_list_is_cut(found):
    assert len(found("saules")) == MOST
