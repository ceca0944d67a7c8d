# SPDX-License-Identifier: EUPL-1.2
"""What a password must be: long, and not what anybody would try first. Pure.

No rule about digits or signs: they make passwords that are written down (NIST SP 800-63B 5.1.1.2,
and the CNIL's recommendation 2022-100, where a phrase counts by its length).
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

SHORTEST: Final = 12
LONGEST: Final = 1_000
_LEFT: Final = 6
"""Different characters that must be left when what anybody would try is taken away."""
_TRIED: Final = (
    *("motdepasse", "password", "passe", "azerty", "qwerty", "uiop", "qsdf", "asdf"),
    *("mairie", "commune", "ville", "bonjour", "soleil", "admin", "bienvenue", "welcome"),
    *("1234567890", "123456789", "12345678", "1234567", "123456", "12345", "1234", "2026", "2025"),
)


def fault(password: str, *words: str) -> str | None:
    """What is wrong with it: "short", "long", "easy"; None where nothing is.

    `words` are what is known of its owner: their name, their address.
    """
    typed = plain(password)
    if len(typed) < SHORTEST:
        return "short"
    if len(typed) > LONGEST:
        return "long"
    folded = _folded(typed)
    own = (part for word in words for part in re.split(r"[\W_]+", _folded(word)))
    left = _without(folded, [*_TRIED, *(part for part in own if len(part) > 2)])
    return "easy" if len(set(left)) < _LEFT else None


def plain(password: str) -> str:
    """As it is hashed: the same letters whatever the keyboard composes them of (RFC 8265)."""
    return unicodedata.normalize("NFC", password)


def _folded(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in bare if not unicodedata.combining(each))


def _without(text: str, words: Iterable[str]) -> str:
    for word in words:
        text = text.replace(word, "")
    return re.sub(r"[\W_]+", "", text)
