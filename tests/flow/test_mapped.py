# SPDX-License-Identifier: EUPL-1.2
"""An event in another system's form becomes what our form asks, or what is missing is left out."""

import pytest

from hub.flow.accept.mapped import faults, submission_of

EVENT = {
    "station": {"name": "Pont  de\nl’Orne", "code": "H12"},
    "level": "Orange",
    "topics": ["crue", "eau"],
    "figures": [{"metres": 3.2}],
    "closed": True,
    "note": None,
}
RULES = {"title": "Crue à {station.name}", "body": "{figures.0.metres} m", "themes": "{topics}"}


def test_places_are_filled_from_the_event_and_a_title_is_one_line():
    found = submission_of(EVENT, RULES | {"link": "https://example.org/{station.code}"})
    assert found == {
        "title": "Crue à Pont de l’Orne",
        "body": "3.2 m",
        "themes": ["crue", "eau"],
        "link": "https://example.org/H12",
    }


def test_their_values_take_our_names_whatever_their_capitals():
    rules = RULES | {
        "urgency": "{level}",
        "themes": "{topics}, crue",
        "same": "ORANGE = urgent\neau=crue",
    }
    found = submission_of(EVENT, rules)
    assert (found["urgency"], found["themes"]) == ("urgent", ["crue"])


@pytest.mark.parametrize(
    "rule",
    ["{nothing}", "{station}", "{note}", "{topics.9}", "{topics.x}", "{level.a}", "{figures}"],
)
def test_what_comes_out_empty_is_left_out(rule):
    assert "short" not in submission_of(EVENT, RULES | {"short": rule})


@pytest.mark.parametrize("event", [None, 3, "text", [], [[]], {"topics": {"a": 1}}])
def test_an_event_of_any_shape_is_read(event):
    assert "themes" not in submission_of(event, RULES)


def test_a_value_is_written_once_and_never_read_as_a_rule():
    event = {"a": "{b}", "b": "secret"}
    assert submission_of(event, {"title": "{a}"})["title"] == "{b}"


def test_a_title_too_long_ends_in_an_ellipsis():
    title = submission_of({"t": "a" * 300}, {"title": "{t}"})["title"]
    assert (len(title), title[-1]) == (200, "…")


@pytest.mark.parametrize("rule", ["{", "a } b", "{a b}", "{}", "{a..b}", "{.a}", "{a}}"])
def test_braces_that_hold_no_path_are_a_fault(rule):
    assert faults(RULES | {"short": rule}) == {"short": "place"}


def test_what_an_announcement_needs_has_a_rule():
    assert faults({}) == {"title": "missing", "body": "missing", "themes": "missing"}
    assert faults(RULES | {"same": "a = b\n\nc"}) == {"same": "same"}
    assert faults(RULES | {"body": "x" * 2001}) == {"body": "long"}
    assert faults(RULES) == {}
