# SPDX-License-Identifier: EUPL-1.2
"""Stop tokens: the characters in a citizen's personal link that let them stop without login.

32 in a letter: channel 1 byte, subscriber 6, announcement 5, then 12 bytes of HMAC-SHA256. 16 in
an SMS: HMAC 5, announcement 3, subscriber 4 with its lowest byte first. The last character is so
an A below 2**24 subscribers: telephones leave a hyphen out that ends a link.
A token holds no address and never expires: a right to stop does not (GDPR art. 7.3).
"""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from channels.base import SHORT_STOP_LENGTH, STOP_TOKEN_LENGTH, ChannelName

_MAC = 12
_SHORT_MAC = 5  # 40 bits: whoever guesses is a stranger, of few tries a minute
# the same key may sign other things; a token of theirs is none of ours
_PURPOSE = b"stop\x00"
_SHORT_PURPOSE = b"short stop\x00"
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
        self._signers = tuple(_Signer(key, _PURPOSE, _MAC) for key in keys)
        self._short = tuple(_Signer(key, _SHORT_PURPOSE, _SHORT_MAC) for key in keys)

    def issue(self, channel: ChannelName, subscriber: int, announcement: int) -> str:
        """The token. Raises `OverflowError` past 2**48 subscribers or 2**40 announcements."""
        body = _CODES[channel] + subscriber.to_bytes(6, "big") + announcement.to_bytes(5, "big")
        return base64.urlsafe_b64encode(body + self._signers[0].mac(body)).decode("ascii")

    def issue_short(self, subscriber: int, announcement: int) -> str:
        """The token of an SMS. Raises `OverflowError` past 2**32 subscribers or 2**24
        announcements."""
        body = announcement.to_bytes(3, "big") + subscriber.to_bytes(4, "little")
        return base64.urlsafe_b64encode(self._short[0].mac(body) + body).decode("ascii")

    def read(self, token: str) -> StopToken | None:
        """What a token says, or None when it is not one of ours. Takes the same time either way."""
        raw = _decoded(token, STOP_TOKEN_LENGTH)
        if raw is None:
            return None
        body, mac = raw[:-_MAC], raw[-_MAC:]
        channel = _CHANNELS.get(body[:1])
        if not _signed(self._signers, body, mac) or channel is None:
            return None
        return StopToken(channel, int.from_bytes(body[1:7], "big"), int.from_bytes(body[7:], "big"))

    def read_short(self, token: str) -> StopToken | None:
        """What the token of an SMS says; as `read`."""
        raw = _decoded(token, SHORT_STOP_LENGTH)
        if raw is None:
            return None
        mac, body = raw[:_SHORT_MAC], raw[_SHORT_MAC:]
        if not _signed(self._short, body, mac):
            return None
        subscriber, announcement = body[3:], body[:3]
        return StopToken(
            ChannelName.SMS,
            int.from_bytes(subscriber, "little"),
            int.from_bytes(announcement, "big"),
        )


def _decoded(token: str, length: int) -> bytes | None:
    """The bytes of a token of that many characters, or None."""
    try:
        raw = base64.urlsafe_b64decode(token)
    except (binascii.Error, ValueError):
        return None
    if len(token) != length or base64.urlsafe_b64encode(raw).decode() != token:
        return None  # one spelling only: the decoder forgives strange characters
    return raw


def _signed(signers: "Sequence[_Signer]", body: bytes, mac: bytes) -> bool:
    """Whether any of them wrote this; every one is asked, so that all answers take as long."""
    genuine = [hmac.compare_digest(mac, signer.mac(body)) for signer in signers]
    return any(genuine)


class _Signer:
    """HMAC-SHA256 (RFC 2104 section 4) with the key's two blocks hashed once and copied, a third
    of the price of `hmac.digest`: there is a token in every message."""

    def __init__(self, key: bytes, purpose: bytes, length: int) -> None:
        self._length = length
        block = (key if len(key) <= 64 else sha256(key).digest()).ljust(64, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in block) + purpose)
        self._outer = sha256(bytes(byte ^ 0x5C for byte in block))

    def mac(self, body: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(body)
        outer.update(inner.digest())
        return outer.digest()[: self._length]
