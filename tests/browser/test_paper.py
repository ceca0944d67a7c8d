# SPDX-License-Identifier: EUPL-1.2
"""What a town prints comes out of the printer on one sheet, and nothing of the screen with it."""

import re

import pytest
from sqlalchemy import select

from hub.web.desk import DESK
from subscribers import tables as people

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = re.compile(rb"/Type\s*/Page\b(?!s)")
SHEETS = ("/affiche", "/affiche?theme=eau&lieu=tanneries", "/formulaire", "/formulaire?theme=eau")


async def sheets_of(tab) -> int:
    return len(PAGE.findall(await tab.pdf(prefer_css_page_size=True)))


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("sheet", SHEETS)
async def test_one_sheet_of_a4_each(make_tab, sheet, language):
    tab = await make_tab(language)
    await tab.goto(sheet)
    assert await sheets_of(tab) == 1


async def test_a_town_with_many_themes_and_places_still_fits(town, make_tab):
    def one(conn, table, key):
        ours = table.c.authority == town.door.app[DESK].authority
        return conn.execute(select(table).where(ours, table.c.key == key)).one()

    def grow(conn):
        theme, zone = one(conn, people.theme, "eau"), one(conn, people.zone, "gare")
        names = {"fr": "Un nom qui prend de la place", "en": "A name that takes its room"}
        for n in range(25):
            for table, like in ((people.theme, theme), (people.zone, zone)):
                row = dict(like._mapping) | {"key": f"de-plus-{n}", "names": names}
                del row["id"]
                conn.execute(table.insert().values(row))

    await town.door.hub.ledger.transact(grow)
    tab = await make_tab("fr")
    for sheet in ("/affiche", "/formulaire"):
        await tab.goto(sheet)
        assert await sheets_of(tab) == 1


async def test_paper_bears_no_button_and_no_menu(make_tab):
    tab = await make_tab("fr")
    await tab.goto("/affiche")
    await tab.emulate_media(media="print")
    for hidden in ("header.site", "footer.site", "main form", ".button"):
        assert not await tab.locator(hidden).first.is_visible()
    assert await tab.locator(".qr").is_visible()
