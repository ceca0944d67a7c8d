# SPDX-License-Identifier: EUPL-1.2
"""The town's key, as it is made, kept and read; and the settings that hold it."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from channels.webpush.keys import decoded, encoded, new_vapid_key, public_key, read_vapid_key
from channels.webpush.settings import WebPushSettings


def test_a_new_key_is_one_line_and_never_the_same() -> None:
    one, other = new_vapid_key(), new_vapid_key()
    assert one != other
    assert len(one) == 43
    assert len(public_key(one)) == 87  # 65 bytes, as browsers want it


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_one_key_is_read_alike_from_every_form(form: PrivateFormat) -> None:
    raw = new_vapid_key()
    key = read_vapid_key(raw)
    pem = key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
    der = b64encode(key.private_bytes(Encoding.DER, form, NoEncryption())).decode()
    padded = b64encode(decoded(raw)).decode()
    assert {public_key(each) for each in (raw, pem, "\n" + pem, der, padded)} == {public_key(raw)}


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes = b"") -> str:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


@pytest.mark.parametrize(
    "private",
    [
        "",
        "s3cret",
        "A" * 43,  # zero is no key
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        _pem(ec.generate_private_key(ec.SECP384R1())),
        _pem(rsa.generate_private_key(65537, 2048)),
        _pem(ec.generate_private_key(ec.SECP256R1()), b"password"),
    ],
    ids=["empty", "word", "zero", "broken", "p384", "rsa", "encrypted"],
)
def test_what_is_not_a_key_is_refused_at_the_start_and_not_quoted(private: str) -> None:
    with pytest.raises(ValueError, match="P-256") as refused:
        read_vapid_key(private)
    assert not private or private not in str(refused.value)
    with pytest.raises(ValueError, match="P-256"):
        WebPushSettings.model_validate({"private_key": private, "sender": "mailto:a@example.org"})


@given(st.binary())
def test_base64url_is_read_back(raw: bytes) -> None:
    assert decoded(encoded(raw)) == raw
    assert decoded(b64encode(raw).decode()) == raw


@pytest.mark.parametrize("sender", ["mailto:mairie@example.org", "https://valmont.example.org"])
def test_a_sender_that_can_be_reached_is_taken(sender: str) -> None:
    settings = WebPushSettings.model_validate({"private_key": new_vapid_key(), "sender": sender})
    assert settings.sender == sender


@pytest.mark.parametrize(
    "sender", ["", "mairie@example.org", "mailto:root@localhost", "https://localhost", "http://a.b"]
)
def test_a_sender_nobody_can_reach_is_refused(sender: str) -> None:
    with pytest.raises(ValueError, match="must be mailto"):
        WebPushSettings.model_validate({"private_key": new_vapid_key(), "sender": sender})


def test_the_key_is_not_shown() -> None:
    key = new_vapid_key()
    settings = WebPushSettings.model_validate({"private_key": key, "sender": "mailto:a@b.example"})
    assert key not in repr(settings)
