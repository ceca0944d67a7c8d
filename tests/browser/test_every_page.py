# SPDX-License-Identifier: EUPL-1.2
"""Every page of the portal in every state, both languages, three widths, light, dark and forced."""

import re
from urllib.parse import urlsplit

import pytest
from looking import look, print_out, tab_through
from walks import PRINTED, WALKS, stage

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(scope="module")
def titles():
    """The titles met so far, by language: of which address."""
    return {"fr": {}, "en": {}}


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.__name__)
async def test_every_state_is_accessible_and_fits(town, make_tab, titles, walk, language):
    await stage(town)
    tab = await make_tab(language)
    found = {}
    async for state in walk(tab, town):
        wrong = await look(tab, language)
        title, place = await tab.title(), _place(tab.url)
        if titles[language].setdefault(title, place) != place:
            wrong.append(f"the title of {titles[language][title]}: {title}")
        if wrong:
            found[state] = wrong
    assert not found, listed(found)


def listed(found):
    """What is wrong, a line each."""
    return "\n" + "\n".join(f"{state}: {each}" for state, all_ in found.items() for each in all_)


def _place(url):
    """An address without what differs from one citizen to the next."""
    path = urlsplit(url).path
    return re.sub(r"^/([acls]|stop)/.*", r"/\1/", path)


async def test_the_look_sees_what_is_wrong(town, tab):
    await tab.goto("/")
    assert await look(tab, "fr") == []
    await tab.evaluate(_SPOILT)
    wrong = await look(tab, "fr")
    for what in ("2 h1", "ids twice", "wider than 320", "spaced out", "small: button"):
        assert any(what in each for each in wrong), (what, wrong)
    for rule in ("image-alt", "label", "color-contrast"):
        assert any(each.startswith(rule) for each in wrong), (rule, wrong)


_SPOILT = """() => {
  const main = document.querySelector('main');
  main.innerHTML = '<h1 id=a>Un</h1><h1 id=a>Deux</h1><img src="/favicon.ico"><input name=x>'
    + '<button>Petit</button><p id=wide>Large</p><p id=pale>Pâle</p>';
  document.getElementById('wide').style.width = '2000px';
  document.getElementById('pale').style.color = '#bbb';
  main.querySelector('button').style.cssText = 'min-height: 0; height: 20px; padding: 0';
}"""


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.__name__)
async def test_tab_alone_reaches_everything_and_shows_where_it_is(town, tab, walk):
    found = {}
    async for state in walk(tab, town):
        wrong = await tab_through(tab)
        if wrong:
            found[state] = wrong
    assert not found, listed(found)


@pytest.mark.parametrize("walk", PRINTED, ids=lambda walk: walk.__name__)
async def test_what_is_printed_is_the_text_and_nothing_to_press(town, tab, walk):
    found = {}
    async for state in walk(tab, town):
        printed, pages = await print_out(tab)
        if printed or not 1 <= pages <= 3:
            found[state] = [*printed, f"{pages} pages"]
    assert not found, listed(found)


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.__name__)
async def test_every_state_is_reached_without_scripts(town, make_tab, walk):
    tab = await make_tab(scripts=False)
    async for state in walk(tab, town):
        assert await tab.locator("main h1").count() == 1, state
