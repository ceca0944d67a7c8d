# SPDX-License-Identifier: EUPL-1.2
"""What a text costs as SMS: encoding, segments, and the characters that make it dear.

The alphabet is 3GPP TS 23.038 section 6.2.1, where 0x09 is a capital cedilla: `Ç` is free and `ç`
forces UCS-2, the dearer reading where handsets and tables disagree. Nothing is replaced unasked.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import quote

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
GSM = BASIC | EXTENSION


class Family(StrEnum):
    """Characters that are replaced together: one button for the officer, the value in the API."""

    APOSTROPHES = "apostrophes"
    QUOTES = "quotes"
    DASHES = "dashes"
    SPACES = "spaces"  # and what is not seen at all
    ELLIPSES = "ellipses"
    LIGATURES = "ligatures"
    ACCENTS = "accents"  # and whatever else has a plain letter or figure inside


EVERY_FAMILY: Final = tuple(Family)

_FAMILIES: Final[Mapping[Family, Mapping[str, str]]] = {
    Family.APOSTROPHES: dict.fromkeys("’‘‚‛ʼ′", "'"),
    Family.QUOTES: dict.fromkeys("«»“”„″", '"'),
    Family.DASHES: dict.fromkeys("‐‑‒–—−•", "-"),
    Family.SPACES: {
        **dict.fromkeys("\t\u00a0\u202f\u2007\u2009\u200a", " "),
        **dict.fromkeys("\u00ad\u200b\u2060", ""),
    },
    Family.ELLIPSES: {"…": "..."},
    Family.LIGATURES: {"œ": "oe", "Œ": "OE"},
}
_REPLACEMENTS: Final = {dear: cheap for each in _FAMILIES.values() for dear, cheap in each.items()}
_FAMILY_OF: Final = {dear: family for family, each in _FAMILIES.items() for dear in each}
# French puts a space inside its quotation marks; straight ones take none.
_QUOTE = re.compile("«[ \u00a0\u202f]?|[ \u00a0\u202f]?»")
_LINK = re.compile(r"https?://\S+")
_COMBINING = "Mn"


class Encoding(StrEnum):
    """How an SMS travels; the value is what officers are shown."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"

    @property
    def single(self) -> int:
        """Units in a message of one segment."""
        return 160 if self is Encoding.GSM7 else 70

    @property
    def part(self) -> int:
        """Units in each segment of a longer one: six octets go to the header that joins them."""
        return 153 if self is Encoding.GSM7 else 67

    def width(self, character: str) -> int:
        """Units of one character: septets in GSM-7, UTF-16 code units in UCS-2."""
        if self is Encoding.GSM7:
            return 2 if character in EXTENSION else 1
        return 2 if character > "\uffff" else 1


@dataclass(frozen=True, slots=True)
class Segments:
    """The cost of a text: `units` it fills, the `count` billed, the units `left` in the last."""

    encoding: Encoding
    units: int
    count: int
    left: int


@dataclass(frozen=True, slots=True)
class Costly:
    """A character outside GSM-7, how often it stands there, and what would do instead, if any."""

    character: str
    count: int
    replacement: str | None


def encoding(text: str) -> Encoding:
    """GSM-7 when every character is in the alphabet or its extension, else UCS-2."""
    return Encoding.GSM7 if GSM.issuperset(text) else Encoding.UCS2


def parts(text: str) -> tuple[str, ...]:
    """The text of each segment, in order; no escape or surrogate pair straddles two of them."""
    alphabet = encoding(text)
    widths = [alphabet.width(character) for character in text]
    if sum(widths) <= alphabet.single:
        return (text,) if text else ()
    cuts, used = [0], 0
    for position, width in enumerate(widths):
        if used + width > alphabet.part:
            cuts.append(position)
            used = 0
        used += width
    return tuple(text[start:end] for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True))


def segments(text: str) -> Segments:
    """How many SMS a text takes, and the room left in the last of them."""
    alphabet, split = encoding(text), parts(text)
    size = alphabet.single if len(split) < 2 else alphabet.part
    used = [sum(map(alphabet.width, part)) for part in split]
    return Segments(alphabet, sum(used), len(split), size - (used[-1] if used else 0))


def replacement(character: str) -> str | None:
    """What may stand for a character in GSM-7: the table's, else the letter without its accent."""
    if character in _REPLACEMENTS:
        return _REPLACEMENTS[character]
    bare = "".join(
        mark
        for mark in unicodedata.normalize("NFKD", character)
        if unicodedata.category(mark) != _COMBINING
    )
    return bare if bare and GSM.issuperset(bare) else None


def family(character: str) -> Family | None:
    """What a costly character is replaced with; None where nothing in GSM-7 may stand for it."""
    if character in _FAMILY_OF:
        return _FAMILY_OF[character]
    return None if replacement(character) is None else Family.ACCENTS


def costly(text: str) -> tuple[Costly, ...]:
    """The characters that force UCS-2, in order of appearance. Empty for a GSM-7 text."""
    found = Counter(character for character in text if character not in GSM)
    return tuple(Costly(each, count, replacement(each)) for each, count in found.items())


def families(text: str) -> tuple[Family, ...]:
    """The families of its costly characters, each once, in the order of `Family`."""
    found = {family(character) for character in set(text) - GSM}
    return tuple(each for each in Family if each in found)


def economical(text: str, chosen: Collection[Family] = EVERY_FAMILY) -> str:
    """The text with each costly character of the `chosen` families replaced where it can be.

    Links keep their meaning: with `ACCENTS`, what is not ASCII in them is percent-encoded
    (RFC 3987 section 3.1); without, they are left alone.
    """
    pieces, end = [], 0
    for link in _LINK.finditer(text):
        address = quote(link[0], safe=_ASCII) if Family.ACCENTS in chosen else link[0]
        pieces += [_plain(text[end : link.start()], chosen), address]
        end = link.end()
    return "".join([*pieces, _plain(text[end:], chosen)])


_ASCII = "".join(map(chr, range(33, 127)))


def _plain(text: str, chosen: Collection[Family]) -> str:
    straight = _QUOTE.sub('"', text) if Family.QUOTES in chosen else text
    return "".join(each if each in GSM else _instead(each, chosen) for each in straight)


def _instead(character: str, chosen: Collection[Family]) -> str:
    cheap = replacement(character) if family(character) in chosen else None
    return character if cheap is None else cheap
