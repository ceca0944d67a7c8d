# SPDX-License-Identifier: EUPL-1.2
"""What changed between two texts is told whole: nothing lost, nothing made up."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import SHORT_STOP_LENGTH, SHORT_STOP_MARK
from templates.difference import Change, difference
from templates.preview import specimen


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_pieces_are_both_texts(before: str, after: str) -> None:
    pieces = difference(before, after)
    assert "".join(piece.gone for piece in pieces) == before
    assert "".join(piece.come for piece in pieces) == after


def test_one_letter_is_one_change() -> None:
    assert [piece for piece in difference("d’eau jeudi", "d'eau jeudi") if not piece.same] == [
        Change("’", "'")
    ]


def test_long_texts_are_compared_word_by_word() -> None:
    long = "Une phrase de dix mots pour remplir la place. " * 60
    pieces = difference(long + "Jeudi.", long + "Vendredi.")
    assert [piece for piece in pieces if not piece.same] == [Change("Jeudi", "Vendredi")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("L’eau n’est pas potable jusqu’à demain. " * 500, "L'eau n'est pas potable. " * 500),
        ("a b c " * 3_300, "b a c " * 3_300),
        ("\n" * 20_000, "\n" * 19_000),
    ],
)
def test_long_texts_keep_nobody_waiting(before: str, after: str) -> None:
    """Comparing every comma with every comma took minutes; the alerts leave by the same loop."""
    began = time.process_time()
    pieces = difference(before, after)
    assert time.process_time() - began < 2.0
    assert "".join(piece.gone for piece in pieces) == before
    assert "".join(piece.come for piece in pieces) == after


def test_a_personal_link_is_shown_as_dots_of_its_length() -> None:
    shown = specimen(f"STOP https://example.org/s/{SHORT_STOP_MARK}")
    assert shown == "STOP https://example.org/s/" + "•" * SHORT_STOP_LENGTH
