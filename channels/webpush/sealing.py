# SPDX-License-Identifier: EUPL-1.2
"""Sealing a message for one browser: RFC 8291 over RFC 8188, one record, by http-ece."""

import http_ece  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric import ec

from channels.webpush.keys import decoded

RECORD = 4096  # what every push service must take (RFC 8030 section 7.2)
OVERHEAD = 103  # header 86 (salt 16, size 4, key length 1, key 65), delimiter 1, tag 16
LONGEST = RECORD - OVERHEAD


class BadKeys(ValueError):
    """The subscription's keys are not a point on P-256 and a secret of 16 bytes."""


def seal(
    plaintext: bytes,
    p256dh: str,
    auth: str,
    *,
    key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The body of one push message: `plaintext` (1 to `LONGEST` bytes) that only the browser
    with the private half of `p256dh` can read.

    `key` and `salt` are fresh for every message, as RFC 8291 section 3.1 asks; a test may fix
    them. Raises `BadKeys`.
    """
    try:
        point, secret = decoded(p256dh), decoded(auth)
        if (len(point), len(secret)) != (65, 16):  # a compressed point would seal for nobody
            raise BadKeys
        body = http_ece.encrypt(
            plaintext,
            salt=salt,
            private_key=key or ec.generate_private_key(ec.SECP256R1()),
            dh=point,
            auth_secret=secret,
            version="aes128gcm",
            rs=RECORD,
        )
    except ValueError:  # not base64, or not on the curve
        raise BadKeys from None
    return bytes(body)
