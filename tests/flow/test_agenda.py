# SPDX-License-Identifier: EUPL-1.2
"""On which days announcements meet, and what an officer learns of other departments' ones."""

from datetime import UTC, date, datetime

import pytest

from channels.base import Urgency
from hub.flow.office.agenda import Entry, Standing, collisions, day_bounds
from subscribers.catalogue import Catalogue, Theme, Zone


def zone(number, key, parent=None, level="district"):
    return Zone(number, key, parent, level, {"fr": key}, None, number, archived=False)


def theme(number, key, parent=None):
    return Theme(number, key, parent, {"fr": key}, number, archived=False)


TOWN = Catalogue(
    1,
    "valmont",
    "Valmont",
    "Europe/Paris",
    "fr",
    {each.id: each for each in (theme(1, "eau"), theme(2, "coupures", 1), theme(3, "travaux"))},
    {
        each.id: each
        for each in (
            zone(1, "valmont", level="town"),
            zone(2, "tanneries", 1),
            zone(3, "rue-basse", 2, "street"),
            zone(4, "gare", 1),
        )
    },
)
THURSDAY = datetime(2026, 11, 26, 7, 0, tzinfo=UTC)
made = iter(range(1000))


def entry(zones=(), themes=("eau",), at=THURSDAY, **more):
    told = {"urgency": Urgency.INFORMATION, "standing": Standing.PLANNED, "author": "J. Morel"}
    return Entry(
        code=f"c{next(made)}",
        at=at,
        day=at.date(),
        titles={"fr": "…"},
        themes=tuple(themes),
        zones=tuple(zones),
        polygon=None,
        **told | more,
    )


def met(*entries):
    return [
        (len(each.entries), tuple(z.key for z in each.places)) for each in collisions(entries, TOWN)
    ]


@pytest.mark.parametrize(
    ("one", "other", "places"),
    [
        (["tanneries"], ["tanneries"], ("tanneries",)),
        (["tanneries"], ["rue-basse"], ("rue-basse",)),
        (["tanneries"], ["gare"], None),
        (["tanneries", "gare"], ["gare"], ("gare",)),
    ],
)
def test_two_of_one_day_meet_where_both_are_told(one, other, places):
    found = met(entry(one), entry(other, themes=["travaux"]))
    assert found == ([] if places is None else [(2, places)])


def test_what_concerns_the_whole_town_meets_only_under_its_own_theme():
    assert met(entry(), entry(["tanneries"], themes=["travaux"])) == []
    assert met(entry(), entry(["tanneries"], themes=["coupures"])) == [(2, ("tanneries",))]
    assert met(entry(), entry()) == [(2, ())]


def test_another_day_and_a_drill_meet_nothing():
    friday = THURSDAY.replace(day=27)
    assert met(entry(["gare"]), entry(["gare"], at=friday)) == []
    assert met(entry(["gare"]), entry(["gare"], urgency=Urgency.DRILL)) == []


def test_what_is_out_already_meets_only_what_is_still_to_come():
    out = {"standing": Standing.OUT}
    assert met(entry(["gare"], **out), entry(["gare"], **out)) == []
    assert met(entry(["gare"], **out), entry(["gare"])) == [(2, ("gare",))]


def test_three_in_one_place_are_one_meeting():
    assert met(entry(["gare"]), entry(["gare"]), entry(["gare"])) == [(3, ("gare",))]


def test_two_of_other_departments_are_no_business_of_the_reader():
    assert met(entry(["gare"], own=False), entry(["gare"], own=False)) == []
    assert met(entry(["gare"]), entry(["gare"], own=False)) == [(2, ("gare",))]


def test_a_day_begins_and_ends_on_the_towns_clock():
    begins, ends = day_bounds(date(2026, 10, 25), date(2026, 10, 26), "Europe/Paris")
    assert (ends.astimezone(UTC) - begins.astimezone(UTC)).total_seconds() == 25 * 3600
