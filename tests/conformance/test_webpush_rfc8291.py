# SPDX-License-Identifier: EUPL-1.2
"""RFC 8291's own example (section 5, appendix A), and pywebpush as an oracle."""

import json
from pathlib import Path
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from pywebpush import WebPusher

from channels.webpush.keys import decoded, encoded, read_vapid_key
from channels.webpush.sealing import LONGEST, RECORD, seal

VECTOR = Path(__file__).parents[2] / ".." / "shared" / "data" / "rfc8291" / "vector.json"

USER_AGENT = ec.generate_private_key(ec.SECP256R1())
POINT = USER_AGENT.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
SECRET = bytes(range(16))
P256DH, AUTH = encoded(POINT), encoded(SECRET)


@pytest.fixture
def vector() -> dict[str, Any]:
    if not VECTOR.is_file():
        pytest.skip("the RFC's vector is not beside the project (../shared/data/rfc8291)")
    found = json.loads(VECTOR.read_text())
    assert isinstance(found, dict)
    return found


def opened(body: bytes) -> bytes:
    return bytes(
        http_ece.decrypt(
            body, private_key=USER_AGENT, auth_secret=SECRET, version="aes128gcm", rs=RECORD
        )
    )


def test_the_rfc_s_example_is_sealed_to_the_same_bytes(vector: dict[str, Any]) -> None:
    body = seal(
        vector["plaintext"].encode(),
        vector["ua_public"],
        vector["auth"],
        key=read_vapid_key(vector["as_private"]),
        salt=decoded(vector["salt"]),
    )
    assert encoded(body) == vector["body"]


def test_the_rfc_s_example_is_opened_by_what_opens_ours(vector: dict[str, Any]) -> None:
    plain = http_ece.decrypt(
        decoded(vector["body"]),
        private_key=read_vapid_key(vector["ua_private"]),
        auth_secret=decoded(vector["auth"]),
        version="aes128gcm",
    )
    assert plain.decode() == vector["plaintext"]


@given(st.binary(min_size=1, max_size=LONGEST))
def test_what_is_sealed_is_what_is_opened_in_one_record(plaintext: bytes) -> None:
    body = seal(plaintext, P256DH, AUTH)
    assert opened(body) == plaintext
    assert len(body) == len(plaintext) + 103 <= RECORD


def test_the_longest_text_just_fills_what_every_push_service_takes() -> None:
    assert LONGEST == 3993
    assert len(seal(b"x" * LONGEST, P256DH, AUTH)) == 4096


def test_no_two_messages_share_a_key_or_a_salt() -> None:
    one, other = seal(b"x", P256DH, AUTH), seal(b"x", P256DH, AUTH)
    assert one[:16] != other[:16]
    assert one[21:86] != other[21:86]


@given(st.binary(min_size=1, max_size=LONGEST))
def test_pywebpush_makes_what_ours_could_be(plaintext: bytes) -> None:
    """Same shape, and opened by the same browser: header fields, length, content."""
    subscription = {"endpoint": "https://example.org/x", "keys": {"p256dh": P256DH, "auth": AUTH}}
    theirs = WebPusher(subscription).encode(plaintext, content_encoding="aes128gcm")["body"]
    ours = seal(plaintext, P256DH, AUTH)
    assert opened(theirs) == opened(ours) == plaintext
    assert len(theirs) == len(ours)
    assert theirs[16:21] == ours[16:21]  # record size and key length
