# SPDX-License-Identifier: EUPL-1.2
"""The judge of live pages finds each way in which one could lie, and nothing in an honest one."""

import json
from itertools import chain

import pytest

from bench.live_page import MOST_SPOKEN, Seen

HONEST = ([3, 0, 0, 3, 0], [5, 2, 1, 3, 0], [5, 5, 4, 0, 1])
LATER = [2, 2, 0, 0, 0]
FIVE = 5


def seen(looks, said=0):
    """A tab that showed these counts of SMS, and spoke so often."""
    tab = Seen()
    shown = ({"counts": {"sms": look, "total": look}} for look in looks)
    spoken = ({"said": f"{n}"} for n in range(said))
    for told in chain([{"counts": {}}], shown, spoken):  # before the plan there is no row
        tab.noted(json.dumps(told))
    return tab


def test_an_honest_page_is_blamed_for_nothing():
    assert list(seen(HONEST, MOST_SPOKEN).wrongs(FIVE)) == []


@pytest.mark.parametrize("column", [0, 1, 2, 4])
def test_a_number_that_shrinks_is_named_with_its_column(column):
    more = list(HONEST[1])
    more[column] = 6
    wrongs = list(seen([more, *HONEST[1:]]).wrongs(FIVE))
    assert f"sms, column {column}: {more} then {HONEST[1]}" in wrongs


def test_what_waits_may_shrink_and_grow():
    assert list(seen([*HONEST[:2], [5, 2, 1, 2, 0], HONEST[1], HONEST[2]]).wrongs(FIVE)) == []


@pytest.mark.parametrize("end", [[4, 4, 4, 0, 0], [5, 5, 5, 1, 0], [5, 4, 4, 0, 0]])
def test_an_end_that_is_not_the_audience_is_named(end):
    assert list(seen([end]).wrongs(FIVE))


def test_a_page_that_speaks_too_often_is_named():
    [wrong] = seen(HONEST, MOST_SPOKEN + 1).wrongs(FIVE)
    assert "said aloud 7 times" in wrong


def test_a_channel_that_comes_later_did_not_shrink():
    tab = seen(HONEST)
    tab.noted(json.dumps({"counts": {"sms": HONEST[2], "email": LATER, "total": HONEST[2]}}))
    assert list(tab.wrongs(FIVE + 2)) == []


def test_a_channel_that_vanishes_is_named():
    both = {"sms": HONEST[2], "email": LATER}
    tab = Seen([both, {"sms": HONEST[2]}])
    assert "email: [2, 2, 0, 0, 0] then no row" in list(tab.wrongs(FIVE))
