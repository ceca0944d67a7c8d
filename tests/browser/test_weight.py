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


SHEETS = {
    "the portal": ("app.css",),
    "the console": ("app.css", "console.css"),
    "the sandbox": ("app.css", "phones.css"),
    "what is printed": ("app.css", "paper.css"),
}


@pytest.mark.parametrize("kind", SHEETS)
def test_the_styles_of_a_page_stay_under_30_kb(kind):
    weighed = {name: (STATIC_FOLDER / name).stat().st_size for name in SHEETS[kind]}
    assert sum(weighed.values()) <= 30 * KB, weighed


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "the portal"),
        ("/console/connexion", "the console"),
        ("/sandbox", "the sandbox"),
        ("/affiche", "what is printed"),
        ("/formulaire", "what is printed"),
    ],
)
async def test_a_page_loads_the_styles_of_its_kind_and_no_other(town, tab, path, kind):
    sizes = await _weigh(tab, path)
    loaded = {address.rpartition("/")[2].partition("?")[0] for address in sizes}
    assert {name for name in loaded if name.endswith(".css")} == set(SHEETS[kind])


def test_every_stylesheet_is_of_some_kind_and_all_scripts_stay_under_25_kb():
    assert {path.name for path in STATIC_FOLDER.rglob("*.css")} == set().union(*SHEETS.values())
    assert sum(path.stat().st_size for path in STATIC_FOLDER.rglob("*.js")) <= 25 * KB
