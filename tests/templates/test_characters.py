# SPDX-License-Identifier: EUPL-1.2
"""Awkward texts: refused by name, or written in their one normal form."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import SHORT_STOP_MARK, STOP_TOKEN_MARK, ChannelName
from templates.characters import tidy
from templates.content import Content
from templates.refusals import Unwritable


@pytest.mark.parametrize(
    ("character", "what"),
    [
        ("\ud83d", "U+D83D"),
        ("\x00", "U+0000"),
        ("\x07", "U+0007"),
        ("\x1b", "U+001B"),
        ("\x7f", "U+007F"),
        ("\x85", "U+0085"),
        ("\ufeff", "U+FEFF"),
        ("\uffff", "U+FFFF"),
    ],
)
@pytest.mark.parametrize("field", ["title", "body", "short", "link"])
def test_a_character_nobody_can_read_is_refused_by_name_and_place(
    content: Content, field: str, character: str, what: str
) -> None:
    awkward = replace(content, **{field: f"https://a{character}b"})
    assert tidy(awkward) == Unwritable(field, what, 9)


def test_an_override_is_looked_at_too(content: Content) -> None:
    awkward = replace(content, overrides={ChannelName.SMS: "a\x07"})
    assert tidy(awkward) == Unwritable("sms", "U+0007", 1)


@pytest.mark.parametrize("mark", [STOP_TOKEN_MARK, SHORT_STOP_MARK])
def test_a_text_from_outside_cannot_carry_the_citizens_tokens_away(
    content: Content, mark: str
) -> None:
    thief = replace(content, body=f"Voir https://thief.example.org/{mark}")
    refused = tidy(thief)
    assert isinstance(refused, Unwritable)
    assert refused.what == "mark"


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "//example.org", "ftp://example.org", "https://"]
)
def test_a_link_leads_to_the_web(content: Content, link: str) -> None:
    assert tidy(replace(content, link=link)) == Unwritable("link", "scheme", 0)


def test_two_halves_of_an_accent_become_one_character(content: Content) -> None:
    tidied = tidy(replace(content, body="Ete\u0301", title="E\u0301te\u0301"))
    assert isinstance(tidied, Content)
    assert (tidied.title, tidied.body) == ("Été", "Eté")


def test_a_title_is_one_line_and_line_ends_are_one_character(content: Content) -> None:
    tidied = tidy(replace(content, title="Eau\r\n Bcc: x\t!", body="a\r\nb\rc", short="  "))
    assert isinstance(tidied, Content)
    assert (tidied.title, tidied.body, tidied.short) == ("Eau Bcc: x !", "a\nb\nc", None)


def test_a_blank_override_counts_as_none(content: Content) -> None:
    tidied = tidy(replace(content, overrides={ChannelName.SMS: " \n"}))
    assert isinstance(tidied, Content)
    assert tidied.overrides == {}


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=80))
def test_tidying_twice_changes_nothing_more(text: str) -> None:
    once = tidy(Content("fr", text, text, short=text))
    if isinstance(once, Content):
        assert tidy(once) == once
