# SPDX-License-Identifier: EUPL-1.2
"""Addresses as people write them."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import Recipient
from subscribers.addresses import (
    AddressProblem,
    normalise_email,
    normalise_phone,
    normalise_push,
    normalise_x,
)

RFC8291 = Path(__file__).parents[3] / "shared" / "data" / "rfc8291" / "vector.json"
# The generator of P-256 (FIPS 186-4, D.1.2.3) is a point of the curve anybody can check.
GENERATOR = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
ENDPOINT = "https://push.example.org/send/abc"


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


P256DH, AUTH = b64(GENERATOR), b64(bytes(16))


# Overseas and special ranges have no numbers reserved for fiction: these are counted up, and
# nothing is ever sent to them.
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("06 39 98 12 34", "+33639981234"),
        ("+33 6 39 98 12 34", "+33639981234"),
        ("0033639981234", "+33639981234"),
        ("06.39.98.12.34", "+33639981234"),
        ("06-39-98-12-34", "+33639981234"),
        ("+33 (0)6 39 98 12 34", "+33639981234"),
        ("\u00a006\u00a039\u202f98 12 34 ", "+33639981234"),
        ("０６ ３９ ９８ １２ ３４", "+33639981234"),
        ("0692 12 34 56", "+262692123456"),
        ("+590 690 00 12 34", "+590690001234"),
        ("+687 75 12 34", "+687751234"),
    ],
)
def test_a_mobile_number_is_kept_in_one_form(text: str, kept: str) -> None:
    assert normalise_phone(text) == kept


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", AddressProblem.NOT_A_NUMBER),
        ("06 39 98 12", AddressProblem.NOT_A_NUMBER),
        ("06 39 98 12 34 56", AddressProblem.NOT_A_NUMBER),
        ("quarante-deux", AddressProblem.NOT_A_NUMBER),
        ("0800 ALLO", AddressProblem.NOT_A_NUMBER),
        ("+999 12 34 56", AddressProblem.NOT_A_NUMBER),
        ("75 12 34", AddressProblem.NOT_A_NUMBER),  # a mobile in Nouméa, a slip in Valmont
        ("01 42 68 53 00", AddressProblem.LANDLINE),
        ("09 72 12 34 56", AddressProblem.LANDLINE),
        ("0899 12 34 56", AddressProblem.PREMIUM),
        ("0800 12 34 56", AddressProblem.PREMIUM),
        ("+44 7400 123456", AddressProblem.COUNTRY),
        ("+1 202 555 0123", AddressProblem.COUNTRY),
    ],
)
def test_what_is_no_mobile_of_ours_is_refused_with_its_reason(
    text: str, problem: AddressProblem
) -> None:
    assert normalise_phone(text) is problem


def test_the_town_says_how_a_short_number_is_read_and_which_countries_are_paid_for() -> None:
    assert normalise_phone("75 12 34", ("NC", "FR")) == "+687751234"
    assert normalise_phone("+44 7400 123456", ("FR", "GB")) == "+447400123456"
    assert normalise_phone("0692 12 34 56", ("FR",)) is AddressProblem.NOT_A_NUMBER


@given(st.text(max_size=40) | st.from_regex(r"\+?[\d ().-]{0,30}", fullmatch=True))
def test_whatever_is_typed_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise_phone(text)
    assert isinstance(once, AddressProblem) or normalise_phone(once) == once


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Claire.Roche@Example.ORG", "Claire.Roche@example.org"),
        (" claire@example.org ", "claire@example.org"),
        ("claire@münchen.example.org", "claire@xn--mnchen-3ya.example.org"),
    ],
)
def test_an_email_address_keeps_its_name_and_lowers_its_domain(text: str, kept: str) -> None:
    assert normalise_email(text) == kept


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("claire.example.org", AddressProblem.NO_AT_SIGN),
        ("", AddressProblem.NO_AT_SIGN),
        ("claire@", AddressProblem.NOT_AN_EMAIL),
        ("@example.org", AddressProblem.NOT_AN_EMAIL),
        ("a@b@example.org", AddressProblem.NOT_AN_EMAIL),
        ("claire@example", AddressProblem.NOT_AN_EMAIL),
        ("é@example.org", AddressProblem.NOT_AN_EMAIL),
        ("claire@example.org\nBcc: x@example.org", AddressProblem.NOT_AN_EMAIL),
    ],
)
def test_a_broken_email_address_is_refused(text: str, problem: AddressProblem) -> None:
    assert normalise_email(text) is problem


@pytest.mark.parametrize("text", ["public", "1", "14159265358979323846"])
def test_an_x_account_is_a_number_or_the_towns_own(text: str) -> None:
    assert normalise_x(f" {text} ") == text


@pytest.mark.parametrize("text", ["", "@valmont", "0123", "123456789012345678901", "Public"])
def test_a_name_that_may_change_hands_is_no_x_account(text: str) -> None:
    assert normalise_x(text) is AddressProblem.NOT_AN_X_ACCOUNT


def test_a_browsers_subscription_is_kept_whole() -> None:
    kept = Recipient(ENDPOINT, {"p256dh": P256DH, "auth": AUTH})
    assert normalise_push(ENDPOINT, P256DH + "=", AUTH + "==") == kept


def test_the_key_of_the_standard_is_on_the_curve() -> None:
    if not RFC8291.exists():
        pytest.skip("the conformance data folder is not here")
    vector = json.loads(RFC8291.read_text("utf-8"))
    keys = [v for v in _strings(vector) if len(v) == 87 and v.startswith("B")]
    assert keys
    for key in keys:
        assert isinstance(normalise_push(ENDPOINT, key, AUTH), Recipient)


def _strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _strings(each)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "http://push.example.org/x",
        "https://user@push.example.org/x",
        "https://push.example.org:8443/x",
        "https://push.example.org:no/x",
        "https://push.example.org/x#y",
        "https://push.example.org/a b",
        "https://push.example.org/é",
        "https:///x",
        "ftp://push.example.org/x",
        "http://127.0.0.1:9000/x",
        "https://push.example.org/" + "x" * 2048,
    ],
)
def test_an_endpoint_is_a_plain_https_address(endpoint: str) -> None:
    assert normalise_push(endpoint, P256DH, AUTH) is AddressProblem.NOT_AN_ENDPOINT


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:9000/x", "http://localhost:9000/x", "http://[::1]:9000/x"]
)
def test_the_sandbox_may_push_to_this_machine_alone(endpoint: str) -> None:
    assert isinstance(normalise_push(endpoint, P256DH, AUTH, allow_loopback=True), Recipient)
    elsewhere = endpoint.replace("127.0.0.1", "192.0.2.1").replace("localhost", "example.org")
    refused = normalise_push(
        elsewhere.replace("[::1]", "[2001:db8::1]"), P256DH, AUTH, allow_loopback=True
    )
    assert refused is AddressProblem.NOT_AN_ENDPOINT


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        (b64(GENERATOR[:-1] + b"\0"), AUTH),  # beside the curve
        (b64(GENERATOR[:-1]), AUTH),
        (b64(b"\x02" + GENERATOR[1:33]), AUTH),  # compressed
        (b64(b"\x04" + b"\xff" * 64), AUTH),  # beyond the field
        ("pas du base64", AUTH),
        ("A", AUTH),
        (P256DH, b64(bytes(15))),
        (P256DH, "!"),
    ],
)
def test_keys_that_could_not_seal_a_message_are_refused(p256dh: str, auth: str) -> None:
    assert normalise_push(ENDPOINT, p256dh, auth) is AddressProblem.NOT_PUSH_KEYS


@pytest.mark.parametrize("problem", AddressProblem)
def test_every_problem_speaks_both_languages(problem: AddressProblem) -> None:
    assert problem.sentence.spoken("fr") != problem.sentence.spoken("en")
    assert problem.sentence.spoken("br") == problem.sentence.fr
