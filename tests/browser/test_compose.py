# SPDX-License-Identifier: EUPL-1.2
"""Writing in a real browser: it saves itself, says what it becomes, and loses nothing."""

import asyncio
import itertools
import json

import pytest
from browsing import WIDE
from door_rig import START, authority_of
from office_paths import PATIENCE

from hub.demo_town import town as demo_town
from hub.flow.staff import officers
from hub.flow.staff.roles import Role
from hub.ledger.office_tables import composition

pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSWORD = "une phrase de passe assez longue"
SAMPLE = (
    "coupure d’eau jeudi 26/11 de 8 h à 12 h, quartier des Tanneries, pour réparer une fuite. "
    "Prévoyez de l'eau."
)
_numbers = itertools.count(1)


@pytest.fixture
def sign_in(town, make_tab):
    """`await sign_in()`: a tab in which somebody who writes sits at the console."""

    async def signed_in(**look):
        email = f"plume{next(_numbers)}@example.org"

        def appoint(conn):
            number = authority_of(conn, demo_town.KEY)
            grants = {Role.WRITE: None}
            officers.appoint(
                conn, number, email, "Plume", grants, actor="t", now=START, password=PASSWORD
            )

        await town.door.hub.ledger.transact(appoint)
        tab = await make_tab(**look)
        page = getattr(tab, "page", tab)
        page.set_default_timeout(PATIENCE)
        await page.goto(town.home + "/console/connexion")
        await page.fill("#email", email)
        await page.fill("#password", PASSWORD)
        await page.click("main form .button")
        await page.wait_for_url("**/console")
        return page

    return signed_in


async def begin(page, town):
    await page.goto(town.home + "/console/annonces/nouvelle")
    await page.click("main form.actions .button >> nth=0")
    await page.wait_for_url("**/rediger")
    return page.url.split("/")[-2]


async def test_what_is_typed_becomes_segments_and_people_without_a_click(sign_in, town):
    page = await sign_in(viewport=WIDE)
    await begin(page, town)
    await page.fill("#title", "Eau")
    await page.fill("#body", SAMPLE)
    await page.check("#themes-eau")
    await page.check("#zones-centre")
    await page.wait_for_selector("#figures-sms-fr:has-text('UCS-2')")
    before = await page.text_content("#people")
    await page.check("#zones-tanneries")
    await page.wait_for_function(
        "b => document.getElementById('people').textContent !== b", arg=before
    )
    assert await page.evaluate("document.activeElement.id") == "zones-tanneries"


async def test_answers_out_of_order_never_show_old_figures(sign_in, town):
    page = await sign_in()
    await begin(page, town)
    held, came = [], asyncio.Event()

    async def late(route):
        if "premier" in (route.request.post_data or "") and not held:
            answer = await route.fetch(timeout=PATIENCE)
            held.append((route, answer))
            came.set()
        else:
            await route.continue_()

    await page.route("**/apercu", late)
    await page.fill("#body", "premier")
    await page.fill("#title", "Eau")
    async with asyncio.timeout(PATIENCE / 1000):
        await came.wait()
    await page.fill("#body", "deuxieme")
    await page.wait_for_selector("#preview-sms-fr:has-text('deuxieme')")
    route, answer = held[0]
    async with page.expect_response("**/apercu"):  # its own, late: "networkidle" may never come
        await route.fulfill(response=answer)
    await page.evaluate("new Promise((shown) => setTimeout(() => requestAnimationFrame(shown)))")
    assert "deuxieme" in await page.text_content("#preview-sms-fr")


async def test_fifty_letters_are_told_to_a_screen_reader_once_at_most(sign_in, town):
    page = await sign_in()
    await begin(page, town)
    await page.evaluate(
        "window.heard = []; new MutationObserver(() => heard.push(said.textContent))"
        ".observe(document.getElementById('said'), {childList: true, characterData: true})"
    )
    await page.fill("#title", "Eau")
    await page.type("#body", "a" * 50, delay=15)
    await page.wait_for_function("() => heard.length > 0")
    assert len(json.loads(await page.evaluate("JSON.stringify(heard)"))) == 1


async def test_a_closed_tab_kept_what_was_written(sign_in, town):
    page = await sign_in()
    code = await begin(page, town)
    await page.fill("#title", "Gardé sans clic")
    await page.wait_for_function("() => document.querySelector('[name=version]').value !== '1'")
    assert "enregistré" in await page.text_content("#saved")
    other = await page.context.new_page()
    await page.close()
    await other.goto(f"{town.home}/console/annonces/{code}/rediger")
    assert await other.input_value("#title") == "Gardé sans clic"


@pytest.mark.parametrize("leaves", ["elsewhere", "closed"])
async def test_the_last_words_are_kept_whichever_way_their_page_is_left(sign_in, town, leaves):
    page = await sign_in()
    code = await begin(page, town)
    other = await page.context.new_page()
    await page.fill("#title", "Dits en partant")
    if leaves == "closed":
        await page.close(run_before_unload=True)
    else:
        await page.goto(town.home + "/console")

    async def kept():
        rows = await town.door.rows(composition, composition.c.code == code)
        return rows[0].document["title"] == "Dits en partant"

    await town.door.until(kept, 20)
    await other.goto(f"{town.home}/console/annonces/{code}/rediger")
    assert await other.input_value("#title") == "Dits en partant"


async def test_somebody_elses_change_is_told_before_it_is_met(sign_in, town):
    page = await sign_in()
    code = await begin(page, town)
    other = await page.context.new_page()
    await other.goto(f"{town.home}/console/annonces/{code}/rediger")
    await other.fill("#title", "Autre")
    await other.click(".bar button:has-text('Enregistrer')")
    await other.wait_for_load_state()
    await page.fill("#title", "Mien")
    await page.fill("#body", "Écrit avant qu’on se croise.")
    await page.wait_for_selector("#overtaken:visible")
    await page.click(".bar button:has-text('Enregistrer')")
    await page.wait_for_selector("text=Deux versions")
    assert "Mien" in await page.text_content("table")
    assert "Autre" in await page.text_content("table")
    await page.click("button:has-text('Garder ma version')")
    await page.wait_for_load_state()
    assert await page.input_value("#title") == "Mien"
    assert await page.input_value("#body") == "Écrit avant qu’on se croise."


async def test_an_area_is_drawn_by_clicking_its_corners(sign_in, town):
    page = await sign_in(viewport=WIDE)
    await begin(page, town)
    await page.click("summary:has-text('Dessiner une zone')")
    await page.click("[data-draw]")
    for x, y in ((50, 50), (150, 50), (150, 120)):
        await page.click("#map", position={"x": x, "y": y})
    points = (await page.input_value("#polygon")).split("\n")
    assert len(points) == 3
    assert all(48.9 < float(each.split(",")[0]) < 49.1 for each in points)
    assert await page.get_attribute("#traced", "d")
    await page.click("[data-undo]")
    assert len((await page.input_value("#polygon")).split("\n")) == 2


@pytest.mark.parametrize(("gone", "notice"), [("connection", "#lost"), ("session", "#ended")])
async def test_a_button_pressed_without_a_connection_or_a_session_loses_no_word(
    sign_in, town, gone, notice
):
    page = await sign_in(strict=False)  # the browser itself complains of what is taken away here
    code = await begin(page, town)
    cookies = await page.context.cookies()
    if gone == "connection":
        await page.context.set_offline(True)
    else:
        await page.context.clear_cookies(name="office")
    await page.fill("#title", "Ne me perdez pas")
    await page.click(".bar button:has-text('Vérifier')")
    await page.wait_for_selector(f"{notice}:visible")
    assert await page.evaluate("document.activeElement.id") == notice[1:]
    assert await page.input_value("#title") == "Ne me perdez pas"
    await page.context.set_offline(False)
    await page.context.add_cookies(cookies)
    async with page.expect_navigation():
        await page.click(".bar button:has-text('Enregistrer')")
    assert code in page.url
    assert await page.input_value("#title") == "Ne me perdez pas"


async def test_who_writes_in_a_draft_that_somebody_deleted_goes_on_in_another(sign_in, town):
    page = await sign_in(strict=False)  # its saving is answered 409
    code = await begin(page, town)
    other = await page.context.new_page()
    await other.goto(f"{town.home}/console/annonces/{code}/supprimer")
    async with other.expect_navigation():
        await other.click("main form button")
    await page.fill("#title", "Ne me perdez pas")
    await page.wait_for_selector("#overtaken:visible")
    async with page.expect_navigation():
        await page.click(".bar button:has-text('Enregistrer')")
    assert code not in page.url
    assert await page.get_by_text("Votre texte est gardé ici").is_visible()
    assert await page.input_value("#title") == "Ne me perdez pas"
