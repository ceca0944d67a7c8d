# SPDX-License-Identifier: EUPL-1.2
"""Citizens' whole stories, in a real browser on a real hub, read on the sandbox's phones."""

import csv
import io
import json
import re
from datetime import timedelta

import pytest
from citizens import (
    Wishes,
    choose_themes,
    choose_ways,
    international,
    new_number,
    prove_address,
    prove_number,
    sign_in,
    submit,
)
from sqlalchemy import text

from channels.base import ChannelName

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def subscribe(tab, town, wishes):
    """All three questions, and the proof of each contact that has one."""
    await choose_themes(tab, wishes)
    await choose_ways(tab, wishes)
    if wishes.mobile:
        await prove_number(tab, town, wishes.mobile)
    if wishes.email:
        await prove_address(tab, town, wishes.email)
    await tab.wait_for_url("**/abonnement/fini")


async def got(town, channel, to, title):
    """Whether this address received an announcement of that title, once it is settled."""
    return any(
        title in (each.subject + each.text) for each in town.door.sandbox.effects.to(channel, to)
    )


async def said(tab):
    """The page's text, spaces as they are typed."""
    return (await tab.locator("main").inner_text()).replace("\N{NO-BREAK SPACE}", " ")


async def everything(town):
    """Every cell of every table of the ledger, as text."""

    def read(conn):
        names = conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars()
        return {
            name: [
                " ".join(str(cell) for cell in row)
                for row in conn.execute(text(f'SELECT * FROM "{name}"'))
            ]
            for name in names
        }

    return await town.door.hub.ledger.read(read)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
async def test_by_sms_from_the_first_question_to_the_last_trace(town, make_tab, scripts):
    tab, mobile = await make_tab(scripts=scripts), new_number()
    number = international(mobile)
    await subscribe(tab, town, Wishes(["eau", "travaux"], ["tanneries"], mobile))
    assert "Eau et coupures" in await said(tab)
    assert "Tanneries" in await said(tab)

    about = {"channels": ["sms"], "zones": ["tanneries"]}
    await town.publish(title="Eau coupée lundi", **about)
    assert await got(town, SMS, number, "Eau coupée lundi")

    await _change_and_pause(tab, town, mobile, about)
    await _stop_and_undo(tab, town, number, about)
    await _take_the_data_and_go(tab, town, mobile)


async def _change_and_pause(tab, town, mobile, about):
    number = international(mobile)
    await sign_in(tab, town, mobile, SMS)
    await tab.goto("/mes-alertes/themes")
    boxes = tab.locator("fieldset:has(legend:text-is('Travaux et circulation')) input")
    await boxes.first.uncheck()
    await submit(tab)
    assert "Vos choix sont enregistrés." in await said(tab)
    await town.publish(title="Rue fermée mardi", themes=["travaux"], **about)
    assert not await got(town, SMS, number, "Rue fermée mardi")

    await tab.click("[name=for][value=week]")
    assert "Vos alertes sont suspendues" in await said(tab)
    await town.publish(title="Eau coupée mercredi", **about)
    assert not await got(town, SMS, number, "Eau coupée mercredi")
    await town.publish(title="Eau non potable", urgency="urgent", **about)
    assert await got(town, SMS, number, "Eau non potable"), "urgent alerts go on"
    await tab.click("[name=for][value=none]")
    await town.publish(title="Eau coupée jeudi", **about)
    assert await got(town, SMS, number, "Eau coupée jeudi")


async def _stop_and_undo(tab, town, number, about):
    await tab.goto(await town.link(SMS, number, "/s/"))  # the first click, in the message
    await submit(tab)  # the second
    assert "Vous ne recevrez plus" in await said(tab)
    await town.publish(title="Eau coupée vendredi", **about)
    assert not await got(town, SMS, number, "Eau coupée vendredi")
    await tab.locator("form:has([name=undo]) button").click()
    await town.publish(title="Eau coupée samedi", **about)
    assert await got(town, SMS, number, "Eau coupée samedi")


async def _take_the_data_and_go(tab, town, mobile):
    number = international(mobile)
    await tab.goto("/mes-alertes/donnees")
    assert "Eau coupée samedi" in await said(tab)
    held = json.loads(await (await tab.context.request.get("/mes-alertes/donnees.json")).body())
    assert number in json.dumps(held)
    table = (await (await tab.context.request.get("/mes-alertes/donnees.csv")).body()).decode(
        "utf-8-sig"
    )
    rows = list(csv.reader(io.StringIO(table), delimiter=";"))
    assert any(number in cell for row in rows for cell in row)

    before = await everything(town)
    assert any(number in row for rows in before.values() for row in rows)
    await tab.goto("/mes-alertes/donnees/supprimer")
    await submit(tab, "main form[action$=supprimer]")
    assert "Vos données sont supprimées" in await said(tab)
    for name, rows in (await everything(town)).items():
        assert not [row for row in rows if number in row or number[3:] in row], name
    await tab.goto("/mes-alertes/donnees")
    await tab.wait_for_url("**/mes-alertes")
    await town.publish(title="Eau coupée dimanche", channels=["sms"])
    assert not await got(town, SMS, number, "Eau coupée dimanche")


async def test_a_mail_scanner_changes_nothing_and_the_human_comes_after_it(town, tab):
    address = "lea.scanner@example.org"
    await choose_themes(tab, Wishes(["culture"]))
    await choose_ways(tab, Wishes(["culture"], email=address))
    confirm = await town.message(EMAIL, address, f"{town.home}/c/")
    await _scan(town, confirm)
    await prove_address(tab, town, address)
    await tab.wait_for_url("**/abonnement/fini")

    await town.publish(title="Concert samedi", themes=["culture"], channels=["email"])
    letter = await town.message(EMAIL, address, "Concert samedi")
    await _scan(town, letter)
    await town.publish(title="Concert dimanche", themes=["culture"], channels=["email"])
    assert await got(town, EMAIL, address, "Concert dimanche"), "the scanner stopped nothing"

    town.door.clock.leap(timedelta(minutes=6))
    await tab.context.clear_cookies()
    since = town.latest()
    await tab.goto("/mes-alertes")
    await tab.fill("[name=contact]", address)
    await submit(tab)
    opening = await town.message(EMAIL, address, f"{town.home}/l/", since)
    await _scan(town, opening)
    await tab.goto(await town.link(EMAIL, address, "/l/", since))
    await tab.locator("main form button").first.click()
    await tab.wait_for_url("**/mes-alertes")
    assert "Culture" in await said(tab)

    await tab.goto(await town.link(EMAIL, address, "/stop/"))
    await submit(tab)
    await town.publish(title="Concert lundi", themes=["culture"], channels=["email"])
    assert not await got(town, EMAIL, address, "Concert lundi")


async def _scan(town, message):
    """HEAD and GET, twice, on every link of a letter, its HTML and its heads; counts stay."""
    heads = " ".join(str(each) for each in message.extra.get("headers", {}).values())
    found = re.findall(
        re.escape(town.home) + r"(/[^\s<>\"')]*)", f"{message.text} {message.html} {heads}"
    )
    assert found
    before = await _people(town)
    for path in dict.fromkeys(found):
        for method in ("HEAD", "GET") * 2:
            assert (await town.door.ask(method, path)).status < 400, path
    assert await _people(town) == before


async def _people(town):
    """Every table but those the engine works in meanwhile: a digest may wait for its hour."""
    return {n: rows for n, rows in (await everything(town)).items() if n not in _OF_THE_ENGINE}


_OF_THE_ENGINE = {"lease", "run", "announcement", "delivery", "delivery_count"}


async def test_one_click_in_the_mail_program_stops_without_a_page(town, tab):
    address = "ines.un-clic@example.org"
    await subscribe(tab, town, Wishes(["sante"], email=address))
    await town.publish(title="Vaccination", themes=["sante"], channels=["email"])
    letter = await town.message(EMAIL, address, "Vaccination")
    link = letter.extra["headers"]["List-Unsubscribe"].split(">")[0].strip("< ")
    answer = await town.door.ask(
        "POST", link.removeprefix(town.home), data={"List-Unsubscribe": "One-Click"}
    )
    assert answer.status == 200
    await town.publish(title="Don du sang", themes=["sante"], channels=["email"])
    assert not await got(town, EMAIL, address, "Don du sang")


async def test_what_a_poster_chose_is_ticked_and_said_again_at_the_end(town, tab):
    mobile = new_number()
    await tab.goto("/abonnement?t=eau&l=tanneries")
    assert "Eau et coupures" in await said(tab)
    await tab.locator("main a.button").click()
    assert await tab.is_checked("[name=theme-eau]")
    assert not await tab.is_checked("[name=theme-culture]")
    await submit(tab)
    assert await tab.is_checked("[name=where][value=some]")
    assert await tab.is_checked("[name=zone-tanneries]")
    assert not await tab.is_checked("[name=consent]"), "consent is never ticked beforehand"
    await choose_ways(tab, Wishes(zones=["tanneries"], mobile=mobile))
    await prove_number(tab, town, mobile)
    await tab.wait_for_url("**/abonnement/fini")
    assert "Eau et coupures" in await said(tab)
    assert "Tanneries" in await said(tab)


async def test_the_keyboard_alone_subscribes(town, tab):
    mobile = new_number()
    await tab.goto("/abonnement/themes")
    await _tab_to(tab, "[name=theme-eau]")
    await tab.keyboard.press("Space")
    await tab.keyboard.press("Enter")  # a box hands its form in
    await tab.wait_for_url("**/abonnement/coordonnees")
    await _tab_to(tab, "[name=where]")
    await tab.keyboard.press("Space")
    await _tab_to(tab, "[name=by-sms]")
    await tab.keyboard.press("Space")
    await _tab_to(tab, "[name=mobile]")
    await tab.keyboard.type(mobile)
    await _tab_to(tab, "[name=consent]")
    await tab.keyboard.press("Space")
    await tab.keyboard.press("Enter")
    await tab.wait_for_url("**/abonnement/verification")
    await _tab_to(tab, "[name=code]")
    await tab.keyboard.type(await town.code(international(mobile)))
    await tab.keyboard.press("Enter")
    await tab.wait_for_url("**/abonnement/fini")


async def test_what_was_not_chosen_is_folded_without_scripts(town, make_tab):
    tab = await make_tab(scripts=False)
    await choose_themes(tab, Wishes(["eau"]))
    folded = {
        "#where-some": ["#zone-tanneries"],
        "#by-sms": ["#mobile"],
        "#by-email": ["#email", "#rythme"],
        "#quiet": ["#quiet-from", "#quiet-spares"],
    }
    for choice, places in folded.items():
        for place in places:
            assert not await tab.locator(place).is_visible(), place
        await tab.check(choice)
        for place in places:
            assert await tab.locator(place).is_visible(), place
    await tab.uncheck("#by-email")
    await tab.locator("details:has([name^=grid-]) > summary").click()
    await tab.check("[name=grid-eau-email]")
    assert await tab.locator("#email").is_visible(), "the grid asks for the address"


async def _tab_to(tab, css):
    """Press Tab until this has the focus; a page has an end."""
    for _ in range(150):
        await tab.keyboard.press("Tab")
        if await tab.evaluate("css => document.activeElement.matches(css)", css):
            return
    raise AssertionError(f"Tab never reaches {css}")


async def test_the_app_is_offered_where_the_browser_can_install_it(town, tab):
    mobile = new_number()
    await subscribe(tab, town, Wishes(mobile=mobile))
    room = tab.locator("#installer")
    assert not await room.is_visible()
    await tab.evaluate(_OFFER)
    await room.locator("button").click()
    assert await tab.evaluate("window.asked") == 1
    await tab.evaluate("dispatchEvent(new Event('appinstalled'))")
    assert not await room.is_visible()


# What Chromium says once it finds a page worth installing; a headless one never does.
_OFFER = """() => {
  window.asked = 0;
  const offer = new Event('beforeinstallprompt', {cancelable: true});
  offer.prompt = () => { window.asked += 1; };
  dispatchEvent(offer);
}"""
