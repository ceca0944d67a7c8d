# SPDX-License-Identifier: EUPL-1.2
"""The console's pages in every state, looked at as the portal's are."""

import pytest
from looking import EVERY
from office_looks import named, nothing_missed, nothing_wrong
from office_walks import PAGES, entering

pytestmark = pytest.mark.asyncio(loop_scope="session")


@named(PAGES)
async def test_every_state_is_accessible_and_fits(town, make_tab, walk):
    await nothing_wrong(make_tab, town, walk)


@named(PAGES if EVERY else (entering,))
async def test_tab_alone_reaches_everything_and_shows_where_it_is(town, tab, walk):
    await nothing_missed(tab, town, walk)
