# SPDX-License-Identifier: EUPL-1.2
"""Officers in a browser: seated without the form where it is not the form that is tried."""

import itertools
from typing import Any

from door_rig import START, authority_of
from playwright.async_api import Page
from towns import Town

from hub.demo_town import town as demo_town
from hub.flow.staff import officers, sessions
from hub.flow.staff.roles import EVERYTHING, Grants
from hub.flow.staff.sessions import Stage
from hub.ledger.office_tables import officer as table

PASSWORD = "une phrase de passe assez longue"
_NUMBERS = itertools.count(1)


async def appoint(town: Town, grants: Grants = EVERYTHING, name: str = "Camille Martin") -> int:
    """A new officer of the town; their number."""
    email = f"agent{next(_NUMBERS)}@example.org"

    def write(conn: Any) -> int:
        number = authority_of(conn, demo_town.KEY)
        return officers.appoint(
            conn, number, email, name, grants, actor="tests", now=START, password=PASSWORD
        )

    return await town.door.hub.ledger.transact(write)


async def email_of(town: Town, officer: int) -> str:
    """What they sign in with."""
    (row,) = await town.door.rows(table, table.c.id == officer)
    return str(row.email)


async def seat(tab: Page, town: Town, officer: int) -> None:
    """Sit them down in this browser, in the place of whoever sat there."""
    now = town.door.clock.now()
    token = await town.door.hub.ledger.transact(
        lambda conn: sessions.start(conn, officer, now, stage=Stage.OPEN)
    )
    await tab.context.add_cookies([{"name": "office", "value": token, "url": town.home}])


async def press(tab: Page, words: str) -> None:
    """Press what says so, and wait for the page it leads to."""
    target = (
        tab.locator("main")
        .get_by_role("button", name=words)
        .or_(tab.locator("main").get_by_role("link", name=words))
    )
    async with tab.expect_navigation():
        await target.first.click()
