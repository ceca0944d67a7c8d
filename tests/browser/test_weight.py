# SPDX-License-Identifier: EUPL-1.2
"""What a citizen on an old telephone pays for a page, by the bytes that came over the wire."""

import pytest
from browsing import watch_of

from templates.pages.pages import STATIC_FOLDER

KB = 1000


async def _weigh(tab, path):
    """The bytes of a page and of everything it needs, by address."""
    await tab.goto(path, wait_until="networkidle")
    return dict(watch_of(tab).sizes)


@pytest.mark.asyncio(loop_scope="session")
async def test_the_home_page_weighs_less_than_60_kb_on_its_busiest_day(town, tab):
    for number in range(10):
        await town.publish(
            title=f"Crue de l'Orne : la rue des Moulins est fermée à {number} h",
            body="**Montez à l'étage.** " + "N'allez pas chercher votre voiture. " * 15,
            themes=["crue"],
            urgency="urgent",
            channels=["email"],
            settled=False,
        )
    sizes = await _weigh(tab, "/")
    assert len(sizes) > 1, "the style sheet came too"
    assert sum(sizes.values()) < 60 * KB, sizes


def test_all_styles_stay_under_30_kb_and_all_scripts_under_25_kb():
    whole = {
        kind: sum(path.stat().st_size for path in STATIC_FOLDER.rglob(f"*.{kind}"))
        for kind in ("css", "js")
    }
    assert 0 < whole["css"] <= 30 * KB
    assert whole["js"] <= 25 * KB
