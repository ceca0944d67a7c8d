# SPDX-License-Identifier: EUPL-1.2
"""The officers' pages looked at, state after state: whole for `make looks`, in brief for CI.

In brief: in French alone. Two languages share a document, and the catalogues have their own tests.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from looking import EVERY, look, tab_through
from office_walks import Walk
from test_every_page import listed

LANGUAGES = ("fr", "en") if EVERY else ("fr",)


def named(walks: Sequence[Walk]) -> Any:
    """The test for each of these walks, under its name."""
    return pytest.mark.parametrize("walk", walks, ids=[walk.__name__ for walk in walks])


async def nothing_wrong(make_tab: Any, town: Any, walk: Walk) -> None:
    """Look at each state in each language; a test fails with all that is wrong."""
    found = {}
    for language in LANGUAGES:
        tab = await make_tab(language)
        async for state in walk(tab, town):
            if wrong := await look(tab, language):
                found[f"{language}, {state}"] = wrong
    assert not found, listed(found)


async def nothing_missed(tab: Any, town: Any, walk: Walk) -> None:
    """Tab through each state."""
    found = {}
    async for state in walk(tab, town):
        if wrong := await tab_through(tab):
            found[state] = wrong
    assert not found, listed(found)
