# SPDX-License-Identifier: EUPL-1.2
"""Money, shares and waits, as a mayor reads them."""

from datetime import timedelta

import pytest

from templates.pages.amounts import money, share, unit_price, wait

NB = "\u00a0"


def test_money_is_told_to_the_cent_in_both_languages() -> None:
    assert money(66_780_000, "fr") == f"66,78{NB}€"
    assert money(66_780_000, "en") == "€66.78"
    assert money(4_999, "fr") == f"0,00{NB}€"
    assert money(5_000, "fr") == f"0,01{NB}€"
    assert money(200_000, "fr", "USD") == f"0,20{NB}$US"


def test_what_one_costs_is_told_finer() -> None:
    assert unit_price(51_300, "fr") == f"0,0513{NB}€"
    assert unit_price(50_000, "fr") == f"0,05{NB}€"
    assert unit_price(51_300, "en") == "€0.0513"


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [(0, 0, "0"), (1, 3, "33,3"), (1_279, 1_284, "99,6"), (9_999, 10_000, "99,9"), (4, 4, "100")],
)
def test_all_but_a_few_is_never_all(part: int, whole: int, told: str) -> None:
    assert share(part, whole, "fr") == f"{told}{NB}%"


def test_english_puts_no_blank_before_the_sign() -> None:
    assert share(1, 3, "en") == "33.3%"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (41, "41 s"), (60, "1 min"), (161, "2 min 41 s"), (7_260, "2 h 1 min")],
)
def test_a_wait_in_its_two_largest_units(seconds: int, told: str) -> None:
    assert wait(timedelta(seconds=seconds), "fr").replace(NB, " ") == told


def test_days_have_a_letter_in_each_language() -> None:
    assert wait(timedelta(days=3, hours=4), "fr") == f"3{NB}j 4{NB}h"
    assert wait(timedelta(days=3, minutes=4), "en") == f"3{NB}d"
