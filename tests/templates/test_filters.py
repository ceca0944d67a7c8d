# SPDX-License-Identifier: EUPL-1.2
"""Dates, numbers and Markdown as people read them."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates import filters

PARIS = "Europe/Paris"
MORNING = datetime(2026, 11, 26, 7, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 26, 11, 0, tzinfo=UTC)
AFTERNOON = datetime(2026, 11, 26, 13, 30, tzinfo=UTC)
NEXT_DAY = datetime(2026, 11, 27, 11, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "language", "written"),
    [
        (MORNING, "fr", "jeudi 26 novembre 2026 à 8 h 00"),
        (MORNING, "en", "Thursday 26 November 2026 at 8:00 am"),
        (AFTERNOON, "fr-FR", "jeudi 26 novembre 2026 à 14 h 30"),
        (AFTERNOON, "en-GB", "Thursday 26 November 2026 at 2:30 pm"),
        (datetime(2026, 12, 1, 8, tzinfo=UTC), "fr", "mardi 1er décembre 2026 à 9 h 00"),
        (datetime(2026, 12, 1, 8, tzinfo=UTC), "en", "Tuesday 1 December 2026 at 9:00 am"),
        (MORNING, "br", "jeudi 26 novembre 2026 à 8 h 00"),
    ],
)
def test_long_dates_are_written_out_in_the_towns_time(
    moment: datetime, language: str, written: str
) -> None:
    assert filters.long_date(moment, PARIS, language) == written


def test_an_overseas_town_reads_its_own_time() -> None:
    assert filters.long_date(MORNING, "Indian/Reunion", "fr").endswith("à 11 h 00")


def test_table_dates_line_up() -> None:
    assert filters.table_date(MORNING, PARIS, "fr") == "26/11/2026 08:00"
    assert filters.table_date(MORNING, PARIS, "en") == "26 Nov 2026 08:00"


@pytest.mark.parametrize(
    ("start", "end", "language", "written"),
    [
        (MORNING, NOON, "fr", "jeu. 26/11 8h-12h"),
        (MORNING, NOON, "en", "Thu 26/11 8am-12pm"),
        (MORNING, AFTERNOON, "fr", "jeu. 26/11 8h-14h30"),
        (MORNING, AFTERNOON, "en", "Thu 26/11 8am-2:30pm"),
        (MORNING, NEXT_DAY, "fr", "jeu. 26/11 8h - ven. 27/11 12h"),
    ],
)
def test_short_ranges_are_plain_ascii(
    start: datetime, end: datetime, language: str, written: str
) -> None:
    assert filters.short_range(start, end, PARIS, language) == written
    assert written.isascii()


@given(st.floats(-1e9, 1e9), st.sampled_from(["fr", "en"]))
def test_a_number_never_makes_an_sms_dearer(value: float, language: str) -> None:
    assert filters.plain_number(value, language).isascii()


def test_numbers_follow_the_language() -> None:
    assert filters.plain_number(1284, "fr") == "1 284"
    assert filters.plain_number(66.5, "fr") == "66,5"
    assert filters.plain_number(1284.5, "en") == "1,284.5"


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("Un **mot** et *un* `code`.", "Un mot et un code."),
        ("[bassine](https://example.org/b)", "bassine (https://example.org/b)"),
        ("<https://example.org/b>", "https://example.org/b"),
        ("[https://example.org/é](https://example.org/é)", "https://example.org/é"),
        ("<mairie@example.org>", "mairie@example.org"),
        ("[appelez](tel:+33639980001)", "appelez (+33639980001)"),
        ("[](https://example.org)", "https://example.org"),
        ("# Titre\n\nUn\ndeux\n\ntrois", "Titre\n\nUn\ndeux\n\ntrois"),
        ("- a\n- b\n\nfin", "- a\n- b\n\nfin"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("- a\n  - b\n    suite\n\n  c\n- d", "- a\n  - b\n    suite\n  c\n- d"),
        ("> cité", "cité"),
        ("```\ncode\n  plus\n```", "code\n  plus"),
        ("![le plan](plan.png)", "le plan"),
        ("<b>brut</b>", "<b>brut</b>"),
        ("---", ""),
        ("[ref]: https://example.org", ""),
        ("", ""),
        ("Tom &amp; Léa &lt;3", "Tom & Léa <3"),
    ],
)
def test_markdown_becomes_plain_text(markdown: str, text: str) -> None:
    assert filters.plain(markdown) == text


def test_compact_text_has_no_empty_lines() -> None:
    assert filters.compact("a  \n\n\n b\n") == "a\n b"


def test_html_keeps_structure_and_nothing_that_acts() -> None:
    markdown = (
        "# Titre\n\n**gras** <script>alert(1)</script> [x](javascript:alert(1)) "
        "[y](https://example.org) ![i](https://example.org/i.png)\n\n2. a"
    )
    html = filters.html(markdown)
    assert "<h2>Titre</h2>" in html
    assert "<strong>gras</strong> &lt;script&gt;" in html
    assert '<a href="https://example.org" rel="noopener">y</a>' in html
    assert '<ol start="2">' in html
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html


@given(st.text(max_size=300))
def test_no_text_brings_a_tag_of_its_own(text: str) -> None:
    html = filters.html("<img src=x onerror=y>" + text)
    assert "<img" not in html
    assert "<script" not in html


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_survives_json(text: str) -> None:
    written = filters.to_json(text)
    assert json.loads(written) == text
    assert json.loads(written.encode()) == text


def test_a_sentence_gets_one_full_stop() -> None:
    assert [filters.sentence_end(each) for each in ("Eau", "Eau.", "Eau ?")] == [
        "Eau.",
        "Eau.",
        "Eau ?",
    ]
