# SPDX-License-Identifier: EUPL-1.2
"""A reference names one row, says nothing of how many there are, and is read back by this hub."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.web.references import SHAPE, Kind, References

OURS = References(b"k" * 32)
NUMBERS = st.integers(0, 2**40 - 1)
KINDS = st.sampled_from(Kind)


def value(reference):
    """As the number its signs spell."""
    signs = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return sum(signs.index(sign) << 5 * place for place, sign in enumerate(reversed(reference)))


@given(KINDS, NUMBERS)
def test_a_reference_leads_back_to_its_number(kind, number):
    shown = OURS.of(kind, number)
    assert re.fullmatch(SHAPE, shown)
    assert OURS.number(kind, shown) == number


@given(KINDS, st.from_regex(SHAPE, fullmatch=True))
def test_whatever_has_the_shape_of_one_is_the_reference_of_one_number(kind, shown):
    assert OURS.of(kind, OURS.number(kind, shown)) == shown


def test_what_is_none_is_nobodys_number():
    for odd in (
        "",
        "1234567",
        "123456789",
        "1234567I",
        "1234567a",
        "１２３４５６７８",
        "ZZZZZZZZ\n",
    ):
        assert OURS.number(Kind.MESSAGE, odd) == 0


@pytest.mark.parametrize("beyond", [-1, 2**40])
def test_a_number_beyond_is_refused_not_shortened(beyond):
    with pytest.raises(OverflowError):
        OURS.of(Kind.LINE, beyond)


def test_neighbours_look_no_more_alike_than_strangers():
    shown = [value(OURS.of(Kind.PERSON, number)) for number in range(1, 2001)]
    steps = [abs(one - other) for one, other in pairwise(shown)]
    assert min(steps) > 10_000
    assert 0.28 < sum(steps) / len(steps) / 2**40 < 0.38  # a third, of two drawn by chance


def test_another_hub_and_another_kind_call_it_otherwise():
    other = References(b"K" * 32)
    ours = {OURS.of(kind, 7) for kind in Kind}
    assert len(ours) == len(Kind)
    assert not ours & {other.of(kind, 7) for kind in Kind}
