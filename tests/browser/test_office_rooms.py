# SPDX-License-Identifier: EUPL-1.2
"""The administration's pages in every state, looked at as the portal's are."""

import pytest
from looking import EVERY
from office_looks import named, nothing_missed, nothing_wrong
from office_rooms import ROOMS, team

pytestmark = pytest.mark.asyncio(loop_scope="session")


@named(ROOMS)
async def test_every_state_is_accessible_and_fits(town, make_tab, walk):
    await nothing_wrong(make_tab, town, walk)


@named(ROOMS if EVERY else (team,))
async def test_tab_alone_reaches_everything_and_shows_where_it_is(town, tab, walk):
    await nothing_missed(tab, town, walk)
