# SPDX-License-Identifier: EUPL-1.2
"""The town's VAPID key (RFC 8292): made once, kept for ever, since every subscription hangs on it.

And the signed header made with it, kept for as long as it is good: signing costs a third of a
sealing, and a push service checks the same token for every message to it.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)
from py_vapid import Vapid02  # type: ignore[import-untyped]

LIFE = timedelta(hours=12)  # RFC 8292 section 2 allows 24, less any difference of the clocks
MARGIN = timedelta(hours=1)  # never used so near its end


def new_vapid_key() -> str:
    """A new private key, as 43 characters of base64url (the 32 bytes of the scalar)."""
    scalar = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return encoded(scalar.to_bytes(32, "big"))


def public_key(private: str) -> str:
    """The `applicationServerKey` browsers subscribe with: the uncompressed point in base64url.

    Raises ValueError where `private` is not a P-256 private key.
    """
    point = read_vapid_key(private).public_key()
    return encoded(point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def read_vapid_key(private: str) -> ec.EllipticCurvePrivateKey:
    """A private key from PEM, or from base64 or base64url of its DER or of its 32 bytes.

    Raises ValueError, without quoting it, where it is none on P-256.
    """
    try:
        key = _read(private.strip())
    except (ValueError, TypeError):  # cryptography says TypeError to an encrypted PEM
        raise ValueError("is not a P-256 private key in PEM or base64") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ValueError("is not a key on the curve P-256")
    return key


def _read(private: str) -> object:
    if private.startswith("-----BEGIN"):
        return load_pem_private_key(private.encode(), password=None)
    raw = decoded(private)
    if len(raw) == 32:
        return ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())
    return load_der_private_key(raw, password=None)


def decoded(value: str) -> bytes:
    """Base64 or base64url, padded or not. Raises ValueError (binascii.Error is one)."""
    plain = value.replace("+", "-").replace("/", "_").rstrip("=")
    return urlsafe_b64decode(plain + "=" * (-len(plain) % 4))


def encoded(raw: bytes) -> str:
    """Base64url without padding, as every web push header wants it."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


class Signer:
    """Makes the `Authorization` header of each push service, once in half a day."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, subject: str) -> None:
        self._vapid = Vapid02(key)
        self._subject = subject
        self._kept: dict[str, tuple[str, datetime]] = {}

    def header(self, origin: str, wall: datetime) -> str:
        """``vapid t=<token>,k=<key>`` for `origin` (scheme and host, with a port only where it
        is not the usual one). `wall` is the world's time."""
        kept = self._kept.get(origin)
        # The upper bound matters where the wall clock was set back: a token of a too far future
        # would be refused.
        if kept is not None and MARGIN < kept[1] - wall <= LIFE:
            return kept[0]
        expires = wall + LIFE
        claims = {"aud": origin, "exp": int(expires.timestamp()), "sub": self._subject}
        header = str(self._vapid.sign(claims)["Authorization"])
        self._kept[origin] = header, expires
        return header
