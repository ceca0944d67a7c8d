# SPDX-License-Identifier: EUPL-1.2
"""What changed between two texts, piece by piece, for the eyes of who decides."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

_PIECES: Final = re.compile(r"\w+|\s|.", re.DOTALL)
_LETTERS: Final = 2_000
"""Up to so long a text is compared letter by letter, beyond it word by word."""


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
    letters = len(before) <= _LETTERS and len(after) <= _LETTERS
    old = list(before) if letters else _PIECES.findall(before)
    new = list(after) if letters else _PIECES.findall(after)
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [Change("".join(old[a:b]), "".join(new[c:d])) for _, a, b, c, d in steps]
