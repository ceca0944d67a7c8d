# SPDX-License-Identifier: EUPL-1.2
"""The poster and the paper form: what is printed leads to the right page and fits one sheet."""

import re
from html import unescape

import pytest

from hub.web.desk import DESK
from subscribers.consent_text import CONSENT_VERSION
from templates.pages.qr import qr_code

segno = pytest.importorskip("segno")
CODE = re.compile(r'<path[^>]*stroke="#000"[^>]*d="([^"]+)"', re.DOTALL)


@pytest.fixture
async def two_way(door):
    sms = door.app[DESK].settings.channels.sms
    object.__setattr__(sms, "two_way", True)
    object.__setattr__(sms, "sender", "38200")
    return door


def drawn(page):
    """The squares of the page's code, as the path says them."""
    return CODE.search(page).group(1)


async def test_the_code_leads_to_the_form_with_the_theme_and_place_chosen(door):
    page = (await door.ask("GET", "/affiche?theme=eau&lieu=tanneries")).text
    whole = f"{door.app[DESK].site.public_url}/abonnement?t=eau&l=tanneries"
    assert drawn(page) == drawn(str(qr_code(whole, "")))
    assert "Eau et coupures" in page
    assert "Tanneries" in page
    plain = (await door.ask("GET", "/affiche")).text
    assert drawn(plain) == drawn(str(qr_code(f"{door.app[DESK].site.public_url}/abonnement", "")))
    assert drawn(plain) != drawn(page)


async def test_the_address_stands_there_in_letters_and_for_a_screen_reader(door):
    page = unescape((await door.ask("GET", "/affiche?theme=eau")).text)
    host = door.app[DESK].site.public_url.partition("//")[2]
    assert f'<span class="address">{host}/abonnement</span>' in page
    assert f'role="img" aria-label="{host}/abonnement"' in page


async def test_the_keyword_is_named_only_where_an_sms_is_answered(two_way):
    page = unescape((await two_way.ask("GET", "/affiche?theme=eau")).text)
    assert '<span class="address">ABO EAU</span>' in page
    assert "Envoyez un SMS au 38200" in page
    english = (await two_way.ask("GET", "/affiche?theme=vie-municipale&lang=en")).text
    assert "JOIN VIE MUNICIPALE" in english
    object.__setattr__(two_way.app[DESK].settings.channels.sms, "two_way", False)
    assert "ABO" not in (await two_way.ask("GET", "/affiche?theme=eau")).text


@pytest.mark.parametrize("sheet", ["/affiche", "/formulaire"])
async def test_what_is_agreed_to_stands_on_every_sheet_with_its_number(door, sheet):
    french = unescape((await door.ask("GET", sheet)).text)
    assert "J'accepte que" in french
    assert CONSENT_VERSION in french
    assert "I agree that" in unescape((await door.ask("GET", f"{sheet}?lang=en")).text)


@pytest.mark.parametrize("sheet", ["/affiche", "/formulaire"])
@pytest.mark.parametrize("query", ["theme=nulle-part", "lieu=nulle-part", "theme=eau&lieu=%00"])
async def test_a_sheet_for_nothing_we_have_is_no_page(door, sheet, query):
    assert (await door.ask("GET", f"{sheet}?{query}")).status == 404


async def test_the_form_offers_the_widest_themes_or_one_with_all_below_it(door):
    page = unescape((await door.ask("GET", "/formulaire")).text).partition('class="sheet')[2]
    assert "Alertes urgentes" in page
    assert "Qualité de l’eau" not in page
    water = unescape((await door.ask("GET", "/formulaire?theme=eau")).text)
    sheet = water.partition('class="sheet')[2]
    assert "Qualité de l’eau" in sheet
    assert "Alertes urgentes" not in sheet
    assert "Tanneries" in sheet


async def test_nothing_on_paper_is_ticked_and_nobody_is_named(door):
    page = (await door.ask("GET", "/formulaire?lieu=tanneries")).text
    sheet = page.partition('class="sheet')[2].partition("</main>")[0]
    assert "<input" not in sheet
    assert "☑" not in sheet


def test_the_code_obeys_the_pages_policy_and_names_itself_safely():
    svg = str(qr_code("https://example.org/?a=1&b=2", '"><script>'))
    assert "style" not in svg
    assert "<script>" not in svg
    assert svg.startswith("<svg role=")
    assert "viewBox" in svg
