# SPDX-License-Identifier: EUPL-1.2
"""How many parts an SMS takes, counted as Twilio does: independent of the hub's own counting."""

# 3GPP TS 23.038 section 6.2.1; position 0x09 is the capital cedilla.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")  # section 6.2.1.1: an escape first, so two septets


def segments(text: str) -> int:
    """The number of parts: 160/153 septets in GSM-7, else 70/67 UTF-16 units."""
    if all(char in _BASIC or char in _EXTENDED for char in text):
        return _parts([2 if char in _EXTENDED else 1 for char in text], single=160, part=153)
    return _parts([2 if ord(char) > 0xFFFF else 1 for char in text], single=70, part=67)


def _parts(widths: list[int], *, single: int, part: int) -> int:
    if sum(widths) <= single:
        return 1
    count, room = 1, part
    for width in widths:  # an escape pair or a surrogate pair is never split
        if width > room:
            count, room = count + 1, part
        room -= width
    return count
