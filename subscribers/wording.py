# SPDX-License-Identifier: EUPL-1.2
"""A sentence somebody will read, in the two languages the town speaks."""

from typing import NamedTuple


class Sentence(NamedTuple):
    """What is wrong and how to put it right (UX.md section 9), French first."""

    fr: str
    en: str

    def spoken(self, language: str) -> str:
        """The sentence in `language`; French for a language we do not have."""
        return self.en if language.startswith("en") else self.fr
