# SPDX-License-Identifier: EUPL-1.2
"""What changed between two texts, piece by piece, for the eyes of who decides."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

_WORDS: Final = re.compile(r"\w+ ?|\s|.", re.DOTALL)
_LINES: Final = re.compile(r".*\n|.+")
_LETTERS: Final = 2_000
"""Up to so long a text is compared letter by letter, beyond it word by word."""
_MOST: Final = 5_000
"""Pieces of a text: more of them, and larger ones are compared."""
_PAIRS: Final = 500_000
"""Pieces of one text times the same ones of the other: comparing takes as long, again and again,
and whatever sends the alerts waits for it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A piece of the text: `gone` from before and `come` after; the same where nothing changed."""

    gone: str
    come: str

    @property
    def same(self) -> bool:
        """Whether it stands in both."""
        return self.gone == self.come


def difference(before: str, after: str) -> Sequence[Change]:
    """The pieces in order: all `gone` joined are the text before, all `come` the text after."""
    for old, new in _cuts(before, after):
        if max(len(old), len(new)) <= _MOST and _pairs(old, new) <= _PAIRS:
            steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
            return [Change("".join(old[a:b]), "".join(new[c:d])) for _, a, b, c, d in steps]
    return [Change(before, after)]


def _cuts(before: str, after: str) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """Both texts in pieces, smaller ones first."""
    if len(before) <= _LETTERS and len(after) <= _LETTERS:
        yield before, after
    for pieces in (_WORDS, _LINES):
        yield pieces.findall(before), pieces.findall(after)


def _pairs(old: Sequence[str], new: Sequence[str]) -> int:
    times = Counter(old)
    return sum(times[piece] for piece in new)
