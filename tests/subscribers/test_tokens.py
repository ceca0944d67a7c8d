# SPDX-License-Identifier: EUPL-1.2
"""Stop tokens: only ours, for ever, in exactly the room they were promised."""

import base64
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import (
    SHORT_STOP_LENGTH,
    SHORT_STOP_MARK,
    STOP_TOKEN_LENGTH,
    STOP_TOKEN_MARK,
    ChannelName,
)
from subscribers.tokens import StopToken, StopTokens

OLD, NEW = b"o" * 32, b"n" * 32
TOKENS = StopTokens([OLD])


@given(st.sampled_from(ChannelName), st.integers(0, 2**48 - 1), st.integers(0, 2**40 - 1))
def test_a_token_says_who_stops_what_in_32_characters(
    channel: ChannelName, subscriber: int, announcement: int
) -> None:
    token = TOKENS.issue(channel, subscriber, announcement)
    assert re.fullmatch(rf"[A-Za-z0-9_-]{{{STOP_TOKEN_LENGTH}}}", token)
    assert TOKENS.read(token) == StopToken(channel, subscriber, announcement)


@given(st.integers(0, STOP_TOKEN_LENGTH - 1), st.sampled_from("ABab01-_+/= é\0"))
def test_a_token_with_any_character_changed_is_none_of_ours(place: int, letter: str) -> None:
    token = TOKENS.issue(ChannelName.SMS, 7, 9)
    changed = token[:place] + letter + token[place + 1 :]
    assert (TOKENS.read(changed) is None) == (changed != token)


@given(st.text(max_size=60))
def test_reading_never_fails_whatever_is_in_the_link(text: str) -> None:
    assert TOKENS.read(text) is None


def test_the_place_holder_of_the_preview_is_no_token() -> None:
    assert TOKENS.read(STOP_TOKEN_MARK) is None


def test_a_new_key_writes_while_the_old_one_is_still_read() -> None:
    both = StopTokens([NEW, OLD])
    assert both.read(TOKENS.issue(ChannelName.EMAIL, 1, 2)) is not None
    assert TOKENS.read(both.issue(ChannelName.EMAIL, 1, 2)) is None
    assert StopTokens([NEW]).read(both.issue(ChannelName.EMAIL, 1, 2)) is not None


@pytest.mark.parametrize("keys", [[], [b"short"], [OLD, b""]])
def test_a_weak_ring_of_keys_is_refused(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        StopTokens(keys)


def test_a_number_that_does_not_fit_is_an_error_not_a_wrong_token() -> None:
    with pytest.raises(OverflowError):
        TOKENS.issue(ChannelName.SMS, 2**48, 0)


@pytest.mark.parametrize("key", [b"k" * 16, b"k" * 64, b"k" * 65, bytes(range(200))])
def test_the_signature_is_hmac_sha256_cut_to_twelve_bytes(key: bytes) -> None:
    raw = base64.urlsafe_b64decode(StopTokens([key]).issue(ChannelName.X, 5, 6))
    assert raw[12:] == hmac.digest(key, b"stop\0" + raw[:12], "sha256")[:12]


# --------------------------------------------------------------------------- in an SMS


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**24 - 1))
def test_a_short_token_says_who_stops_what_in_16_characters(
    subscriber: int, announcement: int
) -> None:
    token = TOKENS.issue_short(subscriber, announcement)
    assert re.fullmatch(rf"[A-Za-z0-9_-]{{{SHORT_STOP_LENGTH}}}", token)
    assert TOKENS.read_short(token) == StopToken(ChannelName.SMS, subscriber, announcement)


@given(st.integers(0, 2**24 - 1), st.integers(0, 2**24 - 1))
def test_no_short_token_ends_in_a_hyphen_that_a_telephone_leaves_out(
    subscriber: int, announcement: int
) -> None:
    assert TOKENS.issue_short(subscriber, announcement).endswith("A")


@given(st.integers(0, SHORT_STOP_LENGTH - 1), st.sampled_from("ABab01-_+/= é\0"))
def test_a_short_token_with_any_character_changed_is_none_of_ours(place: int, letter: str) -> None:
    token = TOKENS.issue_short(7, 9)
    changed = token[:place] + letter + token[place + 1 :]
    assert (TOKENS.read_short(changed) is None) == (changed != token)


@given(st.text(max_size=40))
def test_reading_a_short_token_never_fails_whatever_is_in_the_link(text: str) -> None:
    assert TOKENS.read_short(text) is None


def test_the_two_kinds_of_token_are_not_taken_for_each_other() -> None:
    long, short = TOKENS.issue(ChannelName.SMS, 7, 9), TOKENS.issue_short(7, 9)
    assert TOKENS.read(short) is None
    assert TOKENS.read_short(long) is None
    assert TOKENS.read_short(long[:SHORT_STOP_LENGTH]) is None
    assert TOKENS.read_short(SHORT_STOP_MARK) is None


def test_a_new_key_writes_short_tokens_while_the_old_one_is_still_read() -> None:
    both = StopTokens([NEW, OLD])
    assert both.read_short(TOKENS.issue_short(1, 2)) is not None
    assert TOKENS.read_short(both.issue_short(1, 2)) is None


@pytest.mark.parametrize(("subscriber", "announcement"), [(2**32, 0), (0, 2**24), (-1, 0)])
def test_a_number_that_does_not_fit_a_short_token_is_an_error(
    subscriber: int, announcement: int
) -> None:
    with pytest.raises(OverflowError):
        TOKENS.issue_short(subscriber, announcement)


def test_the_short_signature_is_of_a_purpose_of_its_own() -> None:
    raw = base64.urlsafe_b64decode(TOKENS.issue_short(5, 6))
    assert raw[5:] == b"\0\0\6" + b"\5\0\0\0"
    assert raw[:5] == hmac.digest(OLD, b"short stop\0" + raw[5:], "sha256")[:5]
    assert raw[:5] != hmac.digest(OLD, b"stop\0" + raw[5:], "sha256")[:5]
