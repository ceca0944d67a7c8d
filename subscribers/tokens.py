# SPDX-License-Identifier: EUPL-1.2
"""Stop tokens: the 32 characters in a citizen's personal link that let them stop without login.

Layout of the 24 bytes: channel 1, subscriber 6, announcement 5, then 12 bytes of HMAC-SHA256.
A token holds no address and never expires: a right to stop does not (GDPR art. 7.3).
"""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from channels.base import STOP_TOKEN_LENGTH, ChannelName

_MAC = 12
_PURPOSE = b"stop\x00"  # the same key may sign other things; a token of theirs is none of ours
_CODES: Final = {
    ChannelName.SMS: b"\x01",
    ChannelName.EMAIL: b"\x02",
    ChannelName.X: b"\x03",
    ChannelName.WEBPUSH: b"\x04",
}
_CHANNELS: Final = {code: channel for channel, code in _CODES.items()}


@dataclass(frozen=True, slots=True)
class StopToken:
    """Who wants to stop, through which announcement, on which channel."""

    channel: ChannelName
    subscriber: int
    announcement: int


class StopTokens:
    """Writes and reads stop tokens with a ring of keys: the first one writes, all of them read.

    A new key goes in front; an old one leaves the ring when its links may die.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys` of at least 16 bytes each. Raises `ValueError` where there is none."""
        if not keys or any(len(key) < 16 for key in keys):
            raise ValueError("stop tokens need keys of at least 16 bytes")
        self._signers = tuple(_Signer(key) for key in keys)

    def issue(self, channel: ChannelName, subscriber: int, announcement: int) -> str:
        """The token. Raises `OverflowError` past 2**48 subscribers or 2**40 announcements."""
        body = _CODES[channel] + subscriber.to_bytes(6, "big") + announcement.to_bytes(5, "big")
        return base64.urlsafe_b64encode(body + self._signers[0].mac(body)).decode("ascii")

    def read(self, token: str) -> StopToken | None:
        """What a token says, or None when it is not one of ours. Takes the same time either way."""
        try:
            raw = base64.urlsafe_b64decode(token)
        except (binascii.Error, ValueError):
            return None
        if len(token) != STOP_TOKEN_LENGTH or base64.urlsafe_b64encode(raw).decode() != token:
            return None  # one spelling only: the decoder forgives strange characters
        body, mac = raw[:-_MAC], raw[-_MAC:]
        genuine = [hmac.compare_digest(mac, signer.mac(body)) for signer in self._signers]
        channel = _CHANNELS.get(body[:1])
        if not any(genuine) or channel is None:
            return None
        return StopToken(channel, int.from_bytes(body[1:7], "big"), int.from_bytes(body[7:], "big"))


class _Signer:
    """HMAC-SHA256 (RFC 2104 section 4) with the key's two blocks hashed once and copied, a third
    of the price of `hmac.digest`: there is a token in every message."""

    def __init__(self, key: bytes) -> None:
        block = (key if len(key) <= 64 else sha256(key).digest()).ljust(64, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in block) + _PURPOSE)
        self._outer = sha256(bytes(byte ^ 0x5C for byte in block))

    def mac(self, body: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(body)
        outer.update(inner.digest())
        return outer.digest()[:_MAC]
