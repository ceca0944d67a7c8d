# SPDX-License-Identifier: EUPL-1.2
"""Nothing that somebody wrote is calculated by the spreadsheet that opens an export."""

import csv
import io
from datetime import UTC, datetime

import pytest

from hub.web.csv import cell, download, sheet

FORMULAS = [
    "=1+1",
    "+33639980001",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =cmd|' /C calc'!A0",
    "\u00a0=1",
    "＝1",
    "|calc",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_begins_like_a_formula_is_a_text(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_what_a_comma_would_part_is_no_formula_either() -> None:
    assert cell("Eau,=1+1") == "Eau,'=1+1"
    assert cell('Dit,"@SUM(A1)"') == 'Dit,"\'@SUM(A1)"'
    assert cell("Eau\n-2+3") == "Eau\n'-2+3"
    assert cell("De 8 h, -5 °C ; 1,5 + 2") == "De 8 h, -5 °C ; 1,5 + 2"


@pytest.mark.parametrize("text", ["", "Eau", "1-2", "l'eau = bleue", "'=1", "0639980001"])
def test_any_other_text_is_left_alone(text: str) -> None:
    assert cell(text) == text


def test_numbers_moments_and_nothing() -> None:
    assert cell(-3) == "-3"
    assert cell(None) == ""
    assert cell(datetime(2026, 11, 26, 8, tzinfo=UTC)) == "2026-11-26T08:00:00+00:00"


def test_a_file_is_read_back_as_it_was_written() -> None:
    rows = [("Thème", "Titre"), ("Eau; assainissement", 'Dit "coupure"\nà 8 h')]
    raw = sheet(rows)
    assert raw.startswith(b"\xef\xbb\xbf")
    read = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), delimiter=";")
    assert [tuple(row) for row in read] == rows


def test_a_download_is_kept_by_nobody_on_the_way() -> None:
    answer = download("statistiques-2026-11", [("Mois",)])
    assert (
        answer.headers["Content-Disposition"] == 'attachment; filename="statistiques-2026-11.csv"'
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
