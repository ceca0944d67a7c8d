# SPDX-License-Identifier: EUPL-1.2
"""A drawing says with lengths what its table says in figures; its kinds differ without colour."""

import re

import pytest

from templates.pages.charts import KINDS, Bar, Bars, Series, Steps, nice
from templates.pages.pages import _environment

TWO = (
    Series("SMS", "sms", (0, 5, 10), ("0", "5", "10")),
    Series("E-mail", "email", (2, 2, 10), ("2", "2", "10")),
)


def drawn(macro: str, chart: object) -> str:
    source = '{% import "charts.html" as charts %}{{ charts[macro]("c", "Titre", chart) }}'
    return _environment("fr").from_string(source).render(macro=macro, chart=chart)


def bars(*values: int) -> Bars:
    return Bars(
        tuple(Bar(f"b{v}", v, f"{v} €", kind) for v, kind in zip(values, KINDS, strict=False)),
        "Quoi",
        "Combien",
    )


def test_the_longest_bar_is_the_whole_width() -> None:
    assert [length for _, length in bars(50, 100, 25).lengths()] == ["50.00%", "100.00%", "25.00%"]


def test_parts_stand_one_after_the_other_and_fill_the_line() -> None:
    assert [(start, length) for _, start, length in bars(50, 25, 25).parts()] == [
        ("0.00%", "50.00%"),
        ("50.00%", "25.00%"),
        ("75.00%", "25.00%"),
    ]


def test_columns_are_piled_up_from_the_ground() -> None:
    boxes = Steps(("a", "b", "c"), TWO, "Mois").columns()
    assert len(boxes) == 5  # nothing is drawn for nothing
    assert boxes[-2:] == [
        ("sms", "70.00%", "50.00%", "26.67%", "50.00%"),
        ("email", "70.00%", "0.00%", "26.67%", "50.00%"),
    ]


def test_a_curve_goes_from_corner_to_corner_where_its_moments_are() -> None:
    steps = Steps(("0", "1", "4"), TWO[:1], "Délai", places=(0, 15, 60))
    assert steps.path(TWO[0]) == "M0 1000L250 500L1000 0"


def test_of_twelve_months_six_are_named_the_last_always() -> None:
    months = tuple(str(n) for n in range(1, 13))
    assert [label for _, label in Steps(months, (), "Mois").marks()] == [
        "2",
        "4",
        "6",
        "8",
        "10",
        "12",
    ]


@pytest.mark.parametrize(
    ("value", "mark"), [(0, 1), (1, 1), (3, 3), (5, 6), (10, 10), (11, 20), (501, 600), (801, 1000)]
)
def test_a_scale_ends_at_a_round_number(value: int, mark: int) -> None:
    assert nice(value) == mark


@pytest.mark.parametrize("macro", ["bars", "stack", "columns", "curve"])
def test_every_drawing_has_its_title_its_table_and_ids_of_its_own(macro: str) -> None:
    chart = bars(1, 2, 3, 4) if macro in ("bars", "stack") else Steps(("a", "b", "c"), TWO, "Mois")
    html = drawn(macro, chart)
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert all(each == "c" or each.startswith("c-") for each in ids)
    assert "<caption>Titre</caption>" in html
    assert "<title" in html
    assert "style=" not in html  # the page's policy lets no inline style through
    assert set(re.findall(r"url\(#([^)]+)\)", html)) <= set(ids)


@pytest.mark.parametrize("macro", ["bars", "stack", "columns", "curve"])
def test_nothing_to_draw_leaves_the_table_alone(macro: str) -> None:
    chart = bars(0) if macro in ("bars", "stack") else Steps((), (), "Mois")
    html = drawn(macro, chart)
    assert "<svg" not in html
    assert "<table>" in html


def test_no_two_kinds_look_alike_without_colour() -> None:
    html = drawn("stack", bars(1, 2, 3, 4))
    insides = re.findall(r"<pattern[^>]*>(.*?)</pattern>", html, re.DOTALL)
    assert len({re.sub(r"\s+", "", inside) for inside in insides}) == len(KINDS)


def test_a_name_with_markup_in_it_is_printed() -> None:
    chart = Bars((Bar("<b>Eau</b>", 1, "1"),), "Thème", "Personnes")
    assert "<b>" not in drawn("bars", chart)
