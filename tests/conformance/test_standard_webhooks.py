# SPDX-License-Identifier: EUPL-1.2
"""Webhooks are believed as Standard Webhooks 1.0.0 says: its vectors, and its library as oracle."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from hub.web.hooks.standard import TOLERANCE, sign, verify
from hub.web.problems import ProblemError

VECTORS = Path(__file__).parents[3] / "shared/data/standard-webhooks/vectors.json"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

secrets = st.binary(min_size=24, max_size=64).map(
    lambda raw: "whsec_" + base64.b64encode(raw).decode()
)
ids = st.text("abcdefghijklmnopqrstuvwxyzABCDEF0123456789_-", min_size=1, max_size=60)


@pytest.fixture(scope="module")
def published():
    if not VECTORS.exists():
        pytest.skip("shared/data/standard-webhooks is not beside the project")
    return json.loads(VECTORS.read_text("utf-8"))


def headers_of(vector, **own):
    sent = {
        "webhook-id": vector["msg_id"],
        "webhook-timestamp": str(vector["timestamp"]),
        "webhook-signature": vector["signature"],
    }
    return sent | {name.replace("_", "-"): value for name, value in own.items()}


def at(vector, late=0):
    return datetime.fromtimestamp(vector["timestamp"] + late, UTC)


def test_published_signatures_are_believed(published):
    for vector in published["valid"]:
        body = vector["payload"].encode()
        found = verify(headers_of(vector), body, vector["secret"], at(vector))
        assert found == vector["msg_id"]
        stamp = str(vector["timestamp"])
        assert sign(vector["msg_id"], stamp, body, vector["secret"]) == vector["signature"]


def test_a_secret_may_come_without_prefix_or_padding(published):
    for vector in published["valid"]:
        bare = vector["secret"].removeprefix("whsec_").rstrip("=")
        assert verify(headers_of(vector), vector["payload"].encode(), bare, at(vector))


def test_published_forgeries_are_refused(published):
    (vector,) = published["valid"]
    for forged in [*published["invalid_signatures"], *published["multi_signature_decoys"]]:
        with pytest.raises(ProblemError, match="401 unsigned"):
            verify(
                headers_of(vector, webhook_signature=forged),
                vector["payload"].encode(),
                vector["secret"],
                at(vector),
            )


def test_a_published_signature_is_found_among_decoys(published):
    (vector,) = published["valid"]
    several = " ".join([*published["multi_signature_decoys"], vector["signature"]])
    sent = headers_of(vector, webhook_signature=several)
    assert verify(sent, vector["payload"].encode(), vector["secret"], at(vector))


def test_the_published_tolerance_is_ours_both_ways(published):
    assert timedelta(seconds=published["tolerance_seconds"]) == TOLERANCE
    (vector,) = published["valid"]
    body = vector["payload"].encode()
    for late in (-300, -1, 0, 300):
        assert verify(headers_of(vector), body, vector["secret"], at(vector, late))
    for late in (-301, 301):
        with pytest.raises(ProblemError, match="401 clock_skew"):
            verify(headers_of(vector), body, vector["secret"], at(vector, late))


@given(secret=secrets, identity=ids, body=st.text(max_size=200))
def test_what_the_library_signs_we_sign_the_same(secret, identity, body):
    theirs = Webhook(secret).sign(identity, NOW, body)
    stamp = str(int(NOW.timestamp()))
    assert sign(identity, stamp, body.encode("utf-8", "surrogatepass"), secret) == theirs
    sent = {"webhook-id": identity, "webhook-timestamp": stamp, "webhook-signature": theirs}
    assert verify(sent, body.encode(), secret, NOW) == identity


@given(secret=secrets, other=secrets, body=st.binary(max_size=50), flip=st.integers(0, 49))
def test_another_secret_or_one_other_byte_is_refused(secret, other, body, flip):
    stamp = str(int(NOW.timestamp()))
    sent = {"webhook-id": "e1", "webhook-timestamp": stamp}
    sent["webhook-signature"] = sign("e1", stamp, body, secret)
    if other != secret:
        with pytest.raises(ProblemError, match="unsigned"):
            verify(sent, body, other, NOW)
    if flip < len(body):
        changed = body[:flip] + bytes([body[flip] ^ 1]) + body[flip + 1 :]
        with pytest.raises(ProblemError, match="unsigned"):
            verify(sent, changed, secret, NOW)


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_is_needed(missing):
    secret = "whsec_" + base64.b64encode(b"s" * 32).decode()
    stamp = str(int(NOW.timestamp()))
    sent = {
        "webhook-id": "e1",
        "webhook-timestamp": stamp,
        "webhook-signature": sign("e1", stamp, b"{}", secret),
    }
    assert verify(sent, b"{}", secret, NOW) == "e1"
    del sent[missing]
    with pytest.raises(ProblemError, match="unsigned"):
        verify(sent, b"{}", secret, NOW)


def test_a_secret_that_is_no_base64_is_a_mistake_of_ours_not_of_the_sender():
    with pytest.raises(ValueError, match="base64"):
        sign("e1", "0", b"{}", "whsec_é")
