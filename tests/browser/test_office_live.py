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

BY_SMS, BY_EMAIL = 742, 258
MESSAGES = BY_SMS + BY_EMAIL
SHARES = {ChannelName.SMS: 1.0, ChannelName.EMAIL: BY_EMAIL / BY_SMS}
TOLD = {"channels": {"sms": {"price": 0.045}}, "hub": {"public_url": "http://info.example.org"}}
SAMPLE = (
    "Ville de Valmont-sur-Orne : coupure d’eau jeudi 26/11 de 8 h à 12 h, quartier des Tanneries, "
    "pour réparer une fuite. Faites une réserve et fermez bien tous vos robinets"
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(tmp_path_factory):
    """742 people of whom 258 have e-mail too; a thousand messages reach them all. X shortens the
    link of a name, not of a number, and an SMS that can be answered needs no link to stop."""
    seeded, folder = tmp_path_factory.mktemp("live"), tmp_path_factory.mktemp("town") / "data"
    Ledger.open(seeded).close()
    move_in(seeded / "ledger.sqlite3", "http://127.0.0.1:1", BY_SMS, SHARES, {})
    async with AsyncExitStack() as stack:
        yield await open_town(stack, seeded, folder, own_address=False, sender="38200", **TOLD)


@pytest.fixture
def sit(town, make_tab):
    """`await sit(officer)`: a tab of theirs."""

    async def seated(officer):
        tab = await make_tab(viewport=WIDE)
        await seat(tab, town, officer)
        return tab

    return seated


async def test_counts_only_grow_in_two_tabs_and_end_as_the_audience(town, sit):
    officer, seen, tabs = await appoint(town), [], []
    for _ in range(2):
        tab = await sit(officer)
        seen.append(Seen())
        await tab.expose_function("noted", seen[-1].noted)
        await tab.add_init_script(WATCH)
        tabs.append(tab)
    faults = town.door.sandbox.faults
    faults.set(ChannelName.SMS, latency=2.0)  # not over before anybody looks
    code = await town.publish(
        settled=False, channels=["sms", "email"], urgency="urgent", themes=["alertes"]
    )
    for tab in tabs:
        await tab.goto(f"/console/annonces/{code}")
    await tabs[0].wait_for_selector("#canal-total")
    await tabs[0].reload()
    faults.set(ChannelName.SMS, latency=0.0)
    for tab in tabs:
        await ended(tab)
    for each in seen:
        assert len(each.counts) > 1
        assert list(each.wrongs(MESSAGES)) == []
    assert seen[0].last == seen[1].last
    assert town.latest() == MESSAGES, "nobody twice, nobody forgotten"


async def test_the_sample_of_the_console_costs_what_the_console_says(town, sit):
    tab = await sit(await appoint(town))
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
