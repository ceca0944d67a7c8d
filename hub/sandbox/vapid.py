# SPDX-License-Identifier: EUPL-1.2
"""VAPID (RFC 8292) as push services check it: who is sending, and may they still."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

_LONGEST_LIFE = 24 * 3600  # RFC 8292 section 2
_REMEMBERED = 1_000
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def unpadded(raw: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The reverse of `unpadded`. Raises `ValueError` on anything else."""
    if "+" in text or "/" in text:
        raise ValueError("base64url uses - and _")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def scalar(bits: bytes) -> int:
    """A P-256 private key made of derived bits; 384 or more leave no bias worth the name."""
    return 1 + int.from_bytes(bits) % (_P256_ORDER - 1)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a push service turns a sender away."""

    status: int
    reason: str


class Vapid:
    """Checks ``Authorization: vapid t=…, k=…`` for one push service's origin.

    A sender shows the same header for hours, so a signature found good is remembered.
    """

    def __init__(self, server_key: str | None = None) -> None:
        self._server_key = server_key
        self._good: dict[str, Mapping[str, Any]] = {}

    def refusal(self, header: str, *, origin: str, now: float) -> Refused | None:
        """None for a sender to be let through; `now` is in seconds since 1970."""
        if not header:
            return Refused(401, "Missing VAPID authorization")
        claims = self._good.get(header)
        if claims is None:
            try:
                claims = self._verified(header)
            except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
                return Refused(403, "BadJwtToken")
            if len(self._good) >= _REMEMBERED:
                self._good.clear()
            self._good[header] = claims
        return _unfit(claims, origin, now)

    def _verified(self, header: str) -> Mapping[str, Any]:
        scheme, _, rest = header.partition(" ")
        if scheme.lower() != "vapid":
            raise ValueError("not the vapid scheme")
        named = dict(part.strip().split("=", 1) for part in rest.split(","))
        token, key = named["t"], named["k"].rstrip("=")
        if self._server_key is not None and key != self._server_key:
            raise ValueError("not the key the device subscribed with")
        signed, _, signature = token.rpartition(".")
        head, _, body = signed.partition(".")
        if json.loads(decoded(head)).get("alg") != "ES256":
            raise ValueError("not ES256")
        _verify(decoded(key), signed.encode(), decoded(signature))
        return dict(json.loads(decoded(body)))


def _verify(point: bytes, signed: bytes, signature: bytes) -> None:
    if len(signature) != 64:
        raise ValueError("an ES256 signature is 64 bytes (RFC 7518 section 3.4)")
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))


def _unfit(claims: Mapping[str, Any], origin: str, now: float) -> Refused | None:
    expires, subject = claims.get("exp"), claims.get("sub")
    if claims.get("aud") != origin:
        return Refused(403, "The aud claim is not this push service")
    if not isinstance(expires, int | float) or not now < expires <= now + _LONGEST_LIFE:
        return Refused(403, "ExpiredJwtToken")
    # Apple turns away senders nobody could write to, so the stand-in does too.
    if not isinstance(subject, str) or not subject.startswith(("mailto:", "https:")):
        return Refused(403, "BadJwtToken")
    return Refused(403, "BadJwtToken") if "localhost" in subject else None
