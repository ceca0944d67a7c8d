# SPDX-License-Identifier: EUPL-1.2
"""The portal's icon on a phone's home screen: the house's bell in the town's colour, as PNG.

Home screens want PNG (iOS takes nothing else), and a town's colour is known only once it is set:
so it is drawn here, by its outlines and zlib, rather than kept in three sizes.
"""

import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from math import sqrt
from typing import Final

_FINE: Final = 4  # lines drawn for each line of dots: edges are smooth
_BOX: Final = 32.0  # the drawing's own width, as in icon.svg
_SAFE: Final = 0.76  # of a maskable icon, what no mask cuts (W3C manifest, section "purpose")


@lru_cache(maxsize=8)
def icon(size: int, accent: str, *, maskable: bool = False) -> bytes:
    """A square PNG of `size` dots: the bell in white on `accent` (``#rrggbb``). `maskable` keeps
    it within what every phone's mask shows. Some hundredths of a second; then it is kept."""
    scale = size / _BOX * (_SAFE if maskable else 1.0)
    middle = size / 2
    rows = []
    for row in range(size):
        cover = [0.0] * (size + 1)
        for part in range(_FINE):
            y = (row + (part + 0.5) / _FINE - middle) / scale + _BOX / 2
            for left, right in _spans(y):
                _draw(cover, middle + (left - 16) * scale, middle + (right - 16) * scale)
        shades = (min(255, max(0, round(each * 255 / _FINE))) for each in accumulate(cover))
        rows.append(b"\0" + bytes(shades)[:size])
    return _png(size, _palette(accent), b"".join(rows))


def _spans(y: float) -> Iterator[tuple[float, float]]:
    """Where a level line crosses the bell and its clapper."""
    if 8 <= y < 15:
        reach = sqrt(49 - (15 - y) ** 2)
        yield 16 - reach, 16 + reach
    elif 15 <= y < 21:
        yield 9, 23
    elif 21 <= y < 23:
        yield 9 - (y - 21), 23 + (y - 21)
    elif abs(y - 26) < 1.25:
        reach = sqrt(1.25**2 - (y - 26) ** 2)
        yield 13 - reach, 19 + reach


def _draw(cover: list[float], left: float, right: float) -> None:
    """Cover from `left` to `right`, as steps: what is covered is their sum so far."""
    for at, step in ((left, 1.0), (right, -1.0)):
        dot = int(at)
        cover[dot] += step * (dot + 1 - at)
        cover[dot + 1] += step * (at - dot)


def _palette(accent: str) -> bytes:
    """256 shades from the accent to white."""
    ground = bytes.fromhex(accent.removeprefix("#"))
    return bytes(
        round(part + (255 - part) * shade / 255) for shade in range(256) for part in ground
    )


def _png(size: int, palette: bytes, rows: bytes) -> bytes:
    """PNG, third edition: eight bits of palette index a dot, rows unfiltered."""
    head = struct.pack(">IIBBBBB", size, size, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
