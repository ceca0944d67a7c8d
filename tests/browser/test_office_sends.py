# SPDX-License-Identifier: EUPL-1.2
"""An announcement in the making, on its way and after it: every page in every state."""

import pytest
from looking import EVERY
from office_looks import named, nothing_missed, nothing_wrong
from office_walks import SENDS, writing

pytestmark = pytest.mark.asyncio(loop_scope="session")


@named(SENDS)
async def test_every_state_is_accessible_and_fits(town, make_tab, walk):
    await nothing_wrong(make_tab, town, walk)


@named(SENDS if EVERY else (writing,))
async def test_tab_alone_reaches_everything_and_shows_where_it_is(town, tab, walk):
    await nothing_missed(tab, town, walk)
