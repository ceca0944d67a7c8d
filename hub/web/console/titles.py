# SPDX-License-Identifier: EUPL-1.2
"""An announcement's title for a reader of a language, and the language it is in."""

from collections.abc import Mapping
from typing import NamedTuple


class Title(NamedTuple):
    """`words` in `language`."""

    words: str
    language: str


def title_of(titles: Mapping[str, str], language: str, default: str = "fr") -> Title:
    """In the reader's language, else the town's, else any; "" where nothing was written yet."""
    for name in (language, default, *titles):
        if titles.get(name):
            return Title(titles[name], name)
    return Title("", language)
