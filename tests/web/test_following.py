# SPDX-License-Identifier: EUPL-1.2
"""Who says they will follow the town on X: a number a day, on the town's calendar, and no more."""

import asyncio
from datetime import date, timedelta

from hub.flow.citizens.following import FOLLOWING, follow, follow_link
from hub.web.desk import DESK
from subscribers.tables import tally
from subscribers.tallies import counted


async def test_followers_are_counted_by_day_and_nothing_else_is_kept(door):
    desk = door.app[DESK]
    before = await door.counts()
    now = (desk.authority, "Europe/Paris", door.clock)
    await asyncio.gather(*(follow(desk.ledger, *now) for _ in range(20)))
    door.clock.leap(timedelta(hours=14, minutes=30))  # 23.30 in universal time, the next day here
    await follow(desk.ledger, *now)
    rows = [(row.name, row.day, row.n) for row in await door.rows(tally)]
    assert sorted(rows) == [("x_follow", "2026-11-24", 20), ("x_follow", "2026-11-25", 1)]
    assert await door.counts() == before

    def since(day):
        return desk.ledger.read(lambda conn: counted(conn, desk.authority, FOLLOWING, day))

    assert await since(date(2026, 11, 24)) == 21
    assert await since(date(2026, 11, 25)) == 1
    assert await since(date(2026, 11, 26)) == 0


def test_the_link_to_follow_is_x_own():
    assert follow_link("Valmont") == "https://x.com/intent/follow?screen_name=Valmont"
    assert follow_link("") is None
