# SPDX-License-Identifier: EUPL-1.2
"""What fits, what does not and by how much, and how a thread is split."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import ChannelName, TextLimit
from templates import fit
from templates.refusals import TooLong, Unit

X = fit.LIMITS[ChannelName.X]
SMS = fit.LIMITS[ChannelName.SMS]
LINK = "https://alerte.example.org/a/7Kq2"

words = st.text("aéœ’€日😀", min_size=1, max_size=12)
sentences = st.builds(
    lambda parts, end: " ".join(parts) + end,
    st.lists(words, min_size=1, max_size=25),
    st.sampled_from([".", " !", " ?", "…", "\n", ""]),
)
prose = st.lists(sentences, min_size=1, max_size=12).map(" ".join)


def test_six_segments_fit_and_the_seventh_is_refused_with_what_to_remove() -> None:
    assert fit.sms("a" * 918, SMS) is None
    assert fit.sms("a" * 930, SMS) == TooLong(ChannelName.SMS, Unit.SEGMENTS, 7, 6, 12)


@given(st.text("aé€ê😀", min_size=380, max_size=1200))
@settings(max_examples=40)
def test_removing_the_characters_asked_for_makes_an_sms_fit(text: str) -> None:
    refused = fit.sms(text, SMS)
    if refused is not None:
        kept = text[: len(text) - refused.remove]
        assert fit.sms(kept, SMS) is None


def test_a_post_of_280_fits_and_one_more_is_refused() -> None:
    assert fit.post("é" * 280, X) == ("é" * 280,)
    assert fit.post("€" + "é" * 279, X) == TooLong(ChannelName.X, Unit.WEIGHTED, 281, 280, 1)


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        (LINK, 23),
        ("👨‍👩‍👧‍👦", 2),
        ("🇫🇷", 2),
        ("…", 2),
        ("’«»", 3),
        ("日", 2),
        ("\u202f", 2),
        ("مرحبا", 5),
    ],
)
def test_signs_weigh_what_x_says(text: str, weight: int) -> None:
    assert fit.weight(text) == weight


def test_a_thread_is_split_at_sentences_and_carries_its_link_first() -> None:
    one, two, three = ("Un" + " mot" * 60 + ".", "Deux" + " mot" * 60 + ".", "Fin.")
    posts = fit.thread(f"{one} {two} {three}", LINK, X)
    assert posts == (f"{one} {LINK} 1/2", f"{two} {three} 2/2")


def test_a_sentence_longer_than_a_post_is_split_between_words() -> None:
    posts = fit.thread("mot " * 150, None, X)
    assert isinstance(posts, tuple)
    assert len(posts) == 3
    assert all(re.fullmatch(r"mot( mot)* \d/3", post) for post in posts)


def test_a_paragraph_ends_a_post_like_a_sentence() -> None:
    posts = fit.thread("mot " * 40 + "\n" + "autre " * 40, None, X)
    assert isinstance(posts, tuple)
    assert posts[0].endswith("mot 1/2")


def test_a_thread_of_ten_posts_leaves_room_for_two_digits() -> None:
    posts = fit.thread(" ".join(["c" * 137] * 18 + ["d" * 138] * 2), None, X)
    assert isinstance(posts, tuple)
    assert len(posts) > 9
    assert posts[9].endswith(f" 10/{len(posts)}")
    assert max(map(fit.weight, posts)) <= 280


def test_a_thread_longer_than_allowed_is_refused_with_what_to_remove() -> None:
    refused = fit.thread("mot " * 400, None, TextLimit("weighted", 280, 280, 4))
    assert isinstance(refused, TooLong)
    assert (refused.unit, refused.limit) == (Unit.POSTS, 4)
    assert refused.size > 4
    assert refused.remove > 0


def test_a_word_longer_than_a_post_is_refused_not_cut() -> None:
    refused = fit.thread("court " + "x" * 300, None, X)
    assert refused == TooLong(ChannelName.X, Unit.WORD, 300, 276, 24)


@given(prose, st.sampled_from([None, LINK]))
@settings(max_examples=40, deadline=None)
def test_every_post_of_a_thread_fits_and_together_they_are_the_text(
    text: str, link: str | None
) -> None:
    posts = fit.thread(text, link, TextLimit("weighted", 280, 280, 99))
    assert isinstance(posts, tuple)
    assert all(fit.weight(post) <= 280 for post in posts)
    total = len(posts)
    said = [post.removesuffix(f" {number}/{total}") for number, post in enumerate(posts, 1)]
    if link and posts:
        assert said[0].endswith(f" {link}")
        said[0] = said[0].removesuffix(f" {link}")
    assert " ".join(said).split() == text.split()


def test_a_notification_fits_one_record_and_no_more() -> None:
    limit = fit.LIMITS[ChannelName.WEBPUSH]
    assert fit.notification("é" * 1996, limit) is None
    assert fit.notification("é" * 1997, limit) == TooLong(
        ChannelName.WEBPUSH, Unit.BYTES, 3994, 3993, 1
    )


@pytest.mark.parametrize(
    ("text", "length", "shown"),
    [
        ("court", 10, "court"),
        ("dix caract", 10, "dix caract"),
        ("un mot puis un autre", 10, "un mot…"),
        ("un deux, trois", 10, "un deux…"),
        ("ligne\nautre ligne", 8, "ligne…"),
        ("interminable", 6, "inter…"),
        ("ae\u0301e\u0301e\u0301", 5, "ae\u0301…"),
        ("aa👨‍👩‍👧‍👦", 6, "aa…"),
        ("a👍🏽b", 3, "a…"),
    ],
)
def test_what_phones_cut_is_cut_on_a_word_and_never_inside_a_sign(
    text: str, length: int, shown: str
) -> None:
    assert fit.shorten(text, length) == shown


@given(st.text(max_size=200), st.integers(2, 120))
def test_a_cut_text_is_never_longer_than_asked(text: str, length: int) -> None:
    assert len(fit.shorten(text, length)) <= length


GLUED = [
    "\U0001f600",
    "é",
    "a.",
    "é.",
    "a-",
    "ville.fr",
    "www.ville.fr/élus ",
    "a.b.c.d.e.f.g ",
    "@a.",
]


@pytest.mark.parametrize("piece", GLUED)
@pytest.mark.parametrize("end", ["", ".fr", " https://alerte.example.org/a/7Kq2"])
def test_no_text_is_weighed_for_long(piece: str, end: str) -> None:
    """One of 20 000 characters took twenty minutes, in which nothing else left."""
    fit.weight("warm")
    began = time.process_time()
    fit.weight((piece * 20_000)[:20_000] + end)
    assert time.process_time() - began < 1.0


WORDS = (
    "L’eau",
    "est",
    "coupée.",
    "12.30",
    "S.N.C.F.",
    "«\u00a0oui\u00a0»",
    "\n",
    "...",
    "😷",
    "日本",
)
LINKS = ("ville.fr", "www.ville.fr/élus?a=b.c", "https://ville.fr/arrêté-du-3.11.pdf,", "(t.co)")
WRITTEN = st.lists(st.sampled_from([*WORDS, *LINKS]), max_size=40)


@given(WRITTEN)
def test_word_by_word_a_text_weighs_what_x_says(words: list[str]) -> None:
    from twitter_text import parse_tweet

    said = " ".join(words)
    assert fit.weight(said) == parse_tweet(said).weightedLength


def test_a_long_link_is_a_link_however_many_dots_it_has() -> None:
    assert fit.weight("https://ville.fr/" + "a.b/" * 500 + "c") == 23


def test_a_word_full_of_dots_weighs_no_less_than_x_says() -> None:
    from twitter_text import parse_tweet

    word = "a.fr" * 60
    assert fit.weight(word) >= parse_tweet(word).weightedLength
