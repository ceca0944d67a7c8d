# SPDX-License-Identifier: EUPL-1.2
"""The rows of the ledger as pages, files and the API name them.

Serial numbers run through all the towns of a ledger: the gaps between one's own would count what
the others do (decision 0043). A reference is the number under a permutation that only this hub
knows. It is a name, not a secret: whoever has it still has to be entitled to the row.
"""

from base64 import b32decode, b32encode
from enum import StrEnum
from hashlib import blake2b
from re import fullmatch
from typing import Final

_ROUNDS: Final = 4  # of a Feistel network: Luby and Rackoff's strong pseudo-random permutation
_HALF: Final = 20  # bits; two halves are five bytes, which are eight signs
_MASK: Final = (1 << _HALF) - 1
_RFC_4648: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_SIGNS: Final = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none is taken for another
_SHOWN: Final = bytes.maketrans(_RFC_4648, _SIGNS)
_READ: Final = bytes.maketrans(_SIGNS, _RFC_4648)

SHAPE: Final = f"[{_SIGNS.decode()}]{{8}}"
"""Of a reference, as a regular expression."""


class Kind(StrEnum):
    """What is numbered. One number has another reference in each."""

    MESSAGE = "message"
    PERSON = "person"
    CONTACT = "contact"
    CODE = "code"
    LINE = "line"


class References:
    """Turns numbers below 2**40 (a million million) into references and back."""

    def __init__(self, key: bytes) -> None:
        self._mixers = {
            (kind, turn): blake2b(f"{kind} {turn}".encode(), key=key, digest_size=3)
            for kind in Kind
            for turn in range(_ROUNDS)
        }

    def of(self, kind: Kind, number: int) -> str:
        """Eight signs. Raises `OverflowError` for a number beyond."""
        left, right = number >> _HALF, number & _MASK
        for turn in range(_ROUNDS):
            left, right = right, left ^ self._mixed(kind, turn, right)
        whole = (left << _HALF | right).to_bytes(5)
        return b32encode(whole).translate(_SHOWN).decode()

    def number(self, kind: Kind, reference: str) -> int:
        """The number behind it, which need not be anybody's; 0, which never is, for what is no
        reference."""
        if not fullmatch(SHAPE, reference):
            return 0
        whole = int.from_bytes(b32decode(reference.encode().translate(_READ)))
        left, right = whole >> _HALF, whole & _MASK
        for turn in reversed(range(_ROUNDS)):
            left, right = right ^ self._mixed(kind, turn, left), left
        return left << _HALF | right

    def _mixed(self, kind: Kind, turn: int, half: int) -> int:
        mixer = self._mixers[kind, turn].copy()
        mixer.update(half.to_bytes(3))
        return int.from_bytes(mixer.digest()) & _MASK
