# SPDX-License-Identifier: EUPL-1.2
"""Whole journeys of officers in a real browser, from the first word to the report."""

import re

import pytest
import pytest_asyncio
from browsing import WIDE
from office_paths import (
    PATIENCE,
    PHONE,
    Hands,
    address,
    approve,
    begin,
    ended,
    follow_up,
    go,
    refreshed,
    taken,
    write,
)
from officers import PASSWORD, appoint, seat
from sqlalchemy import update

from channels.base import ChannelName
from hub.flow.staff.roles import EVERYTHING, Role
from hub.ledger import office_tables
from hub.sandbox.faults import Fault
from subscribers import tables as people

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHEET = re.compile(rb"/Type\s*/Page\b(?!s)")
EDITOR, APPROVER = {Role.WRITE: None}, {Role.APPROVE: None}
AMINA = "+33639980001"
MOST_TOUCHES = 12
"""Of two people, for an urgent alert: from the home page to the approval."""
BLANK = re.compile(r"\{[^}]+\}")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(make_town):
    """Whose officers have two seconds to think again, and whose people want no digest."""
    town = await make_town(console={"undo_seconds": 2})
    at_once = update(people.subscription).values(cadence="now")
    await town.door.hub.ledger.transact(lambda conn: conn.execute(at_once))
    return town


@pytest.fixture
def sit(town, make_tab):
    """`await sit(EDITOR, "J. Morel")`: somebody in a tab of their own."""

    async def seated(grants=EVERYTHING, name="Camille Martin", **look):
        tab = await make_tab(**({"viewport": WIDE} | look))
        await seat(tab, town, await appoint(town, grants, name))
        return tab

    return seated


async def filled(tab):
    """Fill the blanks a model left, wherever they are."""
    for box in await tab.locator("#title, #body, #short").all():
        text = await box.input_value()
        await box.fill(BLANK.sub("jeudi 26 à 8 h", text))


async def test_a_routine_announcement_from_a_model_to_its_printed_report(town, sit):
    since = town.latest()
    editor = await sit(EDITOR, "J. Morel")
    here = await begin(editor, "coupure-eau")
    await filled(editor)
    await editor.check("#whole-1")
    await go(editor, "check")
    assert await editor.locator("button[value=send]").count() == 0
    await go(editor, "ask")
    assert await editor.locator("[name=decision]").count() == 0
    phone = await sit(APPROVER, "A. Diallo", **PHONE)
    await approve(phone, here)
    assert address(phone) == here
    await ended(phone)
    reached = await phone.text_content("#bilan .lead")
    assert re.search(r"\d+ personnes jointes sur \d+ en ", reached)
    message = await town.message(ChannelName.SMS, AMINA, "coupure d", since)
    assert "{" not in message.text
    await editor.goto(here)
    await editor.emulate_media(media="print")
    for hidden in ("header.site nav", ".button", "[data-live-pause]"):
        for each in await editor.locator(hidden).all():
            assert not await each.is_visible()
    paper = await editor.pdf(prefer_css_page_size=True)
    assert 1 <= len(SHEET.findall(paper)) <= 3


async def test_an_urgent_alert_is_a_handful_of_touches_on_a_telephone(town, sit):
    await town.publish(title="Marché déplacé", themes=["culture"])  # its first day is behind it
    since = town.latest()
    writer, judge = (
        await sit(EDITOR, "J. Morel", **PHONE),
        await sit(APPROVER, "A. Diallo", **PHONE),
    )
    await writer.goto("/console")
    hand, other = Hands(writer), Hands(judge)
    await hand.tap(writer.locator("main button[name=urgent]"), leads=True)
    for field, words in {
        "#six_what": "Fuite de gaz",
        "#six_where": "rue Basse",
        "#six_when": "depuis 14 h",
        "#six_do": "Restez chez vous, fermez les fenêtres.",
        "#six_check": "mairie",
    }.items():
        await hand.type(field, words)
    await hand.tap(writer.locator("label[for=themes-alertes]"))
    await hand.tap(writer.locator("label[for=whole-1]"))
    await hand.tap(writer.locator(".bar button[value=check]"), leads=True)
    if await writer.locator("#acknowledged").count():
        await hand.tap(writer.locator("#acknowledged"))
    await hand.tap(writer.locator("button[value=ask]"), leads=True)
    await judge.goto(f"{address(writer)}/verifier")
    await other.tap(judge.locator("label[for=decision-approve]"))
    if await judge.locator("#acknowledged").count():
        await other.tap(judge.locator("#acknowledged"))
    await other.tap(judge.locator("button[value=decide]"), leads=True)
    message = await town.message(ChannelName.SMS, AMINA, "Fuite de gaz", since)
    assert "fermez les fenêtres" in message.text
    for each in hand, other:
        print(f"{each.taps} touches, {each.letters} letters: {each.seconds:.0f} s of somebody")
        print(f"and {each.waited:.1f} s of the machine")
    assert hand.taps + other.taps <= MOST_TOUCHES
    await ended(judge)


async def test_a_correction_reaches_who_got_the_first_and_an_all_clear_ends_it(town, sit):
    officer = await sit()
    here = await begin(officer)
    await write(officer, "Eau coupée lundi", "De 8 h à 12 h.")
    await go(officer, "check")
    await go(officer, "send")
    await ended(officer)
    since = town.latest()
    second = await follow_up(officer, here, "correction")
    assert second != here
    await officer.fill("#title", "Rectificatif : eau coupée mardi")
    await officer.fill("#body", "Mardi et non lundi, de 8 h à 12 h.")
    await go(officer, "check")
    await go(officer, "send")
    await ended(officer)
    await town.message(ChannelName.SMS, AMINA, "Mardi et non lundi", since)
    since = town.latest()
    await follow_up(officer, second, "all_clear")
    await officer.fill("#title", "L’eau est revenue")
    await officer.fill("#body", "Laissez couler le robinet une minute.")
    await go(officer, "check")
    await go(officer, "send")
    await ended(officer)
    await town.message(ChannelName.SMS, AMINA, "robinet", since)
    await officer.goto(here)
    assert await officer.locator("main a[href^='/console/annonces/']").count() >= 2


async def test_a_drill_says_so_first_and_last_and_is_in_no_statistic(town, sit):
    officer, since = await sit(), town.latest()
    await begin(officer)
    await officer.check("#level-drill")
    await write(officer, "Évacuation de l’école", "Rejoignez la cour.", theme="alertes")
    await go(officer, "check")
    assert "exercice" in (await officer.text_content("button[value=send]")).lower()
    await go(officer, "send")
    await ended(officer)
    text = (await town.message(ChannelName.SMS, AMINA, "cour", since)).text
    words = re.findall(r"[A-Z]{8}", text)
    assert words[0] == words[-1] == "EXERCICE"
    assert text.strip().startswith("EXERCICE")
    assert "Un exercice" in await officer.text_content("#bilan")


async def test_suspended_it_keeps_back_what_has_not_left_and_stopped_it_never_leaves(town, sit):
    officer, since = await sit(), town.latest()
    faults = town.door.sandbox.faults
    faults.set(ChannelName.SMS, rates={Fault.THROTTLE: 1.0}, retry_after=0)
    await begin(officer)
    await write(officer, "Collecte déplacée à mardi", "Sortez vos bacs lundi soir.")
    await go(officer, "check")
    await go(officer, "send")
    here = address(officer)
    await officer.wait_for_selector("#canal-email progress[value]:not([value='0'])")
    async with officer.expect_navigation(timeout=PATIENCE):
        await officer.locator("#pause button").click()
    assert "Suspendue" in await officer.inner_text("#etat")
    waiting = await officer.inner_text("#canal-sms td >> nth=3")
    assert int(waiting) > 0
    faults.set(ChannelName.SMS, rates={})
    await town.publish(title="Marché", body="Il reste place de la Gare.", urgency="urgent")
    await town.message(ChannelName.SMS, AMINA, "place de la Gare", since)  # the road is open
    await officer.goto(here)
    assert await officer.inner_text("#canal-sms td >> nth=3") == waiting
    await officer.locator("#stop").click()
    assert waiting in await officer.inner_text("main .lead")
    async with officer.expect_navigation(timeout=PATIENCE):
        await officer.locator("main form .danger").click()
    assert "Annulée" in await officer.inner_text("#etat")
    sms = town.door.sandbox.effects.to(ChannelName.SMS, AMINA)
    assert not [each for each in sms if "vos bacs" in each.text]


@pytest.fixture
def by_form(town, make_tab):
    """`await by_form(EDITOR, "J. Morel")`: somebody who signed in by the form, without scripts."""

    async def signed_in(grants, name):
        tab = await make_tab(scripts=False, viewport=WIDE)
        await appoint(town, grants, name)
        newest = (await town.door.rows(office_tables.officer))[-1]
        await tab.goto("/console/connexion")
        await tab.fill("#email", newest.email)
        await tab.fill("#password", PASSWORD)
        async with tab.expect_navigation(timeout=PATIENCE):
            await tab.locator("main form .button").first.click()
        return tab

    return signed_in


async def test_the_whole_path_without_a_script(town, by_form):
    editor, approver = await by_form(EDITOR, "J. Morel"), await by_form(APPROVER, "A. Diallo")
    since = town.latest()
    here = await begin(editor, "rue-barree")
    await filled(editor)
    await editor.check("#whole-1")
    async with editor.expect_navigation(timeout=PATIENCE):
        await editor.locator("button[formaction$='/apercu']").first.click()
    assert "jeudi 26 à 8 h" in await editor.inner_text("#part-previews")
    await go(editor, "check")
    await go(editor, "ask")
    await approve(approver, here)
    await refreshed(approver)
    shown = await counted(approver)
    told = await taken(editor, here, "Pour le conseil municipal")
    arrived = await citizens_got(town, since)
    assert sum(shown.values()) == arrived > 0, "the page says what the telephones got"
    assert {row: int(told[row, "Remis"]) for row in shown} == shown, "and the file what the page"
    since = town.latest()
    second = await follow_up(editor, here, "all_clear")
    await editor.fill("#body", "La rue est rouverte.")
    await go(editor, "check")
    await go(editor, "ask")
    await approve(approver, second)
    await refreshed(approver)
    assert address(approver) == second
    await town.message(ChannelName.SMS, AMINA, "La rue est rouverte", since)


async def citizens_got(town, since):
    """How many messages, those to officers left out."""
    ours = {row.email for row in await town.door.rows(office_tables.officer)}
    return sum(each.to not in ours for each in town.door.sandbox.effects.select(since=since))


async def counted(tab):
    """What was handed over, by the channel's name."""
    rows = await tab.locator("#avancement tbody tr:not(#canal-total)").all()
    return {
        await row.locator("th").inner_text(): int(await row.locator("td >> nth=1").inner_text())
        for row in rows
    }
