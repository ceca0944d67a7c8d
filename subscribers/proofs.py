# SPDX-License-Identifier: EUPL-1.2
"""Codes and links that only one person is sent: derived when they are sent, and again to compare.

Nothing that opens a door is kept, not even hashed (a million codes are tried in a second): the
ledger holds a number and a nonce, the rest is the hub's own secret.
"""

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

CODE_DIGITS: Final = 6
LINK_LENGTH: Final = 28
_ID = 6  # bytes
_MAC = 15


def new_nonce() -> str:
    """128 random bits, in hexadecimal."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Proofs:
    """Makes and compares what a challenge is answered with."""

    secret: bytes

    def code(self, challenge: int, nonce: str) -> str:
        """Six digits, as somebody types them."""
        mac = self._mac("code", challenge, nonce)
        return f"{int.from_bytes(mac[:8], 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}d}"

    def is_code(self, challenge: int, nonce: str, given: str) -> bool:
        """Whether this is the code, spaces and hyphens between its digits forgiven."""
        plain = "".join(each for each in given if not each.isspace() and each not in "-.")
        return hmac.compare_digest(self.code(challenge, nonce).encode(), plain.encode())

    def link(self, challenge: int, nonce: str) -> str:
        """The token of a link: 28 characters of the base64url alphabet."""
        mac = self._mac("link", challenge, nonce)[:_MAC]
        return base64.urlsafe_b64encode(challenge.to_bytes(_ID, "big") + mac).decode("ascii")

    def is_link(self, challenge: int, nonce: str, given: str) -> bool:
        """Whether this is the token of that challenge."""
        return hmac.compare_digest(self.link(challenge, nonce).encode(), given.encode())

    def _mac(self, what: str, challenge: int, nonce: str) -> bytes:
        return hmac.digest(self.secret, f"{what}:{challenge}:{nonce}".encode(), "sha256")


def challenge_of(link: str) -> int | None:
    """The challenge a link's token claims to answer; whether it does is `is_link`'s to say."""
    try:
        raw = base64.urlsafe_b64decode(link)
    except (binascii.Error, ValueError):
        return None
    return int.from_bytes(raw[:_ID], "big") if len(link) == LINK_LENGTH else None
