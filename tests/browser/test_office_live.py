# SPDX-License-Identifier: EUPL-1.2
"""The page of a send to a thousand people, looked at in two tabs until it is the report."""

from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from browsing import WIDE
from office_paths import PATIENCE, ended
from officers import appoint, seat
from towns import open_town

from bench.live_page import WATCH, Seen
from bench.town import move_in
from channels.base import ChannelName
from hub.ledger.store import Ledger

pytestmark = pytest.mark.asyncio(loop_scope="session")

PEOPLE = 1_000
SHARES = {ChannelName.SMS: 0.6, ChannelName.EMAIL: 0.4}
MESSAGES = 1_000
SAMPLE = (
    "Ville de Valmont-sur-Orne : coupure d’eau jeudi 26/11 de 8 h à 12 h, quartier des Tanneries, "
    "pour réparer une fuite. Faites une réserve et fermez bien tous vos robinets"
)


@pytest_asyncio.fixture(loop_scope="session")
async def stack():
    """What is closed when a test ends: hubs and tabs."""
    async with AsyncExitStack() as kept:
        yield kept


async def populate(folder, people, shares):
    """A seeded folder of so many people."""
    Ledger.open(folder).close()
    move_in(folder / "ledger.sqlite3", "http://127.0.0.1:1", people, shares, {})
    return folder


async def test_counts_only_grow_in_two_tabs_and_end_as_the_audience(
    browser, stack, tmp_path_factory
):
    seeded = await populate(tmp_path_factory.mktemp("live"), PEOPLE, SHARES)
    town = await open_town(stack, seeded, tmp_path_factory.mktemp("live") / "data")
    officer, seen, tabs = await appoint(town), [], []
    for _ in range(2):
        tab = await stack.enter_async_context(browser.tab(town.home, viewport=WIDE))
        await seat(tab, town, officer)
        seen.append(Seen())
        await tab.expose_function("noted", seen[-1].noted)
        await tab.add_init_script(WATCH)
        tabs.append(tab)
    code = await town.publish(
        settled=False, channels=["sms", "email"], urgency="urgent", themes=["alertes"]
    )
    for tab in tabs:
        await tab.goto(f"/console/annonces/{code}")
    await tabs[0].wait_for_function("document.querySelector('#canal-total, #bilan')")
    await tabs[0].reload()
    for tab in tabs:
        await ended(tab)
    for each in seen:
        assert len(each.counts) > 1
        assert list(each.wrongs(MESSAGES)) == []
    assert seen[0].last == seen[1].last
    assert town.latest() == MESSAGES, "nobody twice, nobody forgotten"


async def test_the_sample_of_the_console_costs_what_the_console_says(
    browser, stack, tmp_path_factory
):
    seeded = await populate(tmp_path_factory.mktemp("sample"), 742, {ChannelName.SMS: 1.0})
    told = {"channels": {"sms": {"price": 0.045}}, "hub": {"public_url": "http://info.example.org"}}
    folder = tmp_path_factory.mktemp("sample") / "data"
    # X shortens a name's link, not a number's; an SMS that can be answered needs no link to stop.
    town = await open_town(stack, seeded, folder, own_address=False, sender="38200", **told)
    tab = await stack.enter_async_context(browser.tab(town.home, viewport=WIDE))
    await seat(tab, town, await appoint(town))
    await tab.goto("/console/annonces/nouvelle")
    async with tab.expect_navigation():
        await tab.locator("main form.actions .button").first.click()
    await tab.fill("#title", "Coupure d'eau")
    await tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    await tab.fill("#override_sms", SAMPLE)
    await tab.fill("#override_x", SAMPLE)
    await tab.check("#themes-eau")
    await tab.check("#whole-1")
    figures = tab.locator("#figures-sms-fr")
    await figures.filter(has_text="UCS-2").wait_for(timeout=PATIENCE)
    await tab.locator("#part-costs", has_text="100,17").wait_for(timeout=PATIENCE)
    assert "201 caractères · 3 SMS" in await figures.inner_text()
    await tab.check("#tab-x")
    assert "1 post · 192 / 280" in await tab.inner_text("#figures-x-fr")
    await tab.check("#tab-sms")
    button = tab.locator(".respelt button").first
    assert "33,39" in await button.inner_text()
    await button.click()
    await figures.filter(has_text="GSM-7").wait_for(timeout=PATIENCE)
    await tab.locator("#part-costs", has_text="66,78").wait_for(timeout=PATIENCE)
    assert "2 SMS" in await figures.inner_text()
