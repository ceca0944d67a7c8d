# SPDX-License-Identifier: EUPL-1.2
"""Every page of the console in every state, looked at as the portal's are."""

import pytest
from looking import EVERY, look, tab_through
from office_walks import OFFICE_WALKS, entering, writing
from test_every_page import listed

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("walk", OFFICE_WALKS, ids=lambda walk: walk.__name__)
async def test_every_state_is_accessible_and_fits(town, make_tab, walk, language):
    tab = await make_tab(language)
    found = {}
    async for state in walk(tab, town):
        if wrong := await look(tab, language):
            found[state] = wrong
    assert not found, listed(found)


# the frame and the parts are the same everywhere: `make looks` tabs through all of it
@pytest.mark.parametrize(
    "walk", OFFICE_WALKS if EVERY else (entering, writing), ids=lambda walk: walk.__name__
)
async def test_tab_alone_reaches_everything_and_shows_where_it_is(town, tab, walk):
    found = {}
    async for state in walk(tab, town):
        if wrong := await tab_through(tab):
            found[state] = wrong
    assert not found, listed(found)
