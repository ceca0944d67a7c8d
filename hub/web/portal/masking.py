# SPDX-License-Identifier: EUPL-1.2
"""An address as its owner recognises it and nobody else can use it (UX.md 7.3, 7.5)."""

from channels.base import ChannelName


def masked(channel: ChannelName, address: str) -> str:
    """``06 •• •• •• 42``, ``c•••@example.org``; nothing of a device's or an account's address."""
    match channel:
        case ChannelName.SMS if address.startswith("+33"):
            return f"0{address[3]}\N{NO-BREAK SPACE}•• •• •• {address[-2:]}"
        case ChannelName.SMS:
            return f"{address[:4]} •• •• {address[-2:]}"
        case ChannelName.EMAIL:
            name, _, domain = address.rpartition("@")
            return f"{name[:1]}•••@{domain}"
        case ChannelName.X | ChannelName.WEBPUSH:
            return "•••"


def readable(channel: ChannelName, address: str) -> str:
    """The whole of it, as whoever typed it a moment ago reads it again: ``06 39 98 12 34``."""
    if channel is ChannelName.SMS and address.startswith("+33"):
        digits = f"0{address[3:]}"
        pairs = (digits[start : start + 2] for start in range(0, len(digits), 2))
        return "\N{NO-BREAK SPACE}".join(pairs)
    return address
