# SPDX-License-Identifier: EUPL-1.2
"""`/admin`: an officer sees the pages their roles open, and no other."""

import re

from hub.demo_town import town
from hub.flow.staff.roles import Role


async def linked(office, role, authority=town.KEY):
    hand = await office.officer({role: None}, authority=authority)
    page = (await hand.get("/admin")).text
    return hand, set(re.findall(r'<h2><a href="(/admin/\w+)"', page))


async def test_every_page_that_is_named_opens(office):
    for authority in (town.KEY, "autreville"):
        for role in (Role.ADMIN, Role.OPERATE):
            hand, paths = await linked(office, role, authority)
            assert paths
            for path in paths:
                assert (await hand.get(path)).status == 200, (authority, role, path)


async def test_who_runs_the_plant_is_not_shown_the_keys(office):
    _, paths = await linked(office, Role.OPERATE)
    assert "/admin/cles" not in paths
    assert "/admin/journal" in paths


async def test_the_index_is_for_who_administers_or_operates(office):
    assert (await (await office.writer()).get("/admin")).status == 403
