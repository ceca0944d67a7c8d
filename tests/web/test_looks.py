# SPDX-License-Identifier: EUPL-1.2
"""What stands around every page: the town's look, light or dark, menu, footer, alerts, texts."""

import re
from datetime import timedelta

import pytest
from pydantic import ValidationError

from hub.settings.sections import Portal
from hub.web.portal.looks import is_ours
from hub.web.portal.texts import PATHS
from hub.web.town import read_logo, town_of

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


def links(html, tag):
    part = html[html.index(f"<{tag} ") : html.index(f"</{tag}>")]
    return re.findall(r'<a[^>]* href="([^"]*)"', part)


# ---------------------------------------------------------------------------- the town's own


@pytest.mark.parametrize("accent", ["#777777", "#ffd23f", "#FF0000"])
def test_a_colour_nobody_can_read_on_white_is_refused_with_its_contrast(accent):
    with pytest.raises(ValidationError, match=r"too pale.*to 1 on white, where 4.5"):
        Portal(accent=accent)
    assert Portal(accent="#7D0F3C").accent == "#7D0F3C"


async def test_the_town_s_colour_and_logo_are_on_every_page(make_door, tmp_path):
    (tmp_path / "logo.svg").write_bytes(SVG)
    door = await make_door(portal={"accent": "#7d0f3c", "logo": tmp_path / "logo.svg"})
    page = (await door.ask("GET", "/aide")).text
    sheet, logo = re.findall(r'(?:href|src)="(/ville\.css[^"]*|/logo[^"]*)"', page)
    answer = await door.ask("GET", sheet)
    assert (answer.status, answer.kind) == (200, "text/css")
    assert "--accent:#7d0f3c" in answer.text
    drawing = await door.ask("GET", logo)
    assert (drawing.kind, drawing.raw) == ("image/svg+xml", SVG)
    assert "sandbox" in drawing.headers["Content-Security-Policy"]
    assert "immutable" in drawing.headers["Cache-Control"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_town_without_its_own_shows_its_name_alone(shared):
    page = (await shared.ask("GET", "/aide")).text
    assert "/ville.css" not in page
    assert "/logo" not in page
    assert (await shared.ask("GET", "/logo")).status == 404
    assert (await shared.ask("GET", "/ville.css")).text == ""


@pytest.mark.parametrize("content", [b"GIF89a", b"<html>", PNG + b"0" * 100_000])
def test_a_logo_that_cannot_be_used_stops_no_hub(tmp_path, content):
    (path := tmp_path / "logo").write_bytes(content)
    with pytest.raises(ValueError, match=r"neither|at most"):
        read_logo(path)
    assert town_of(Portal(logo=path)).logo_address == ""
    assert town_of(Portal(logo=tmp_path / "none.png")).logo_address == ""
    path.write_bytes(PNG)
    assert read_logo(path) == (PNG, "image/png")


# ---------------------------------------------------------------------------- light or dark


async def choice(door, **form):
    answer = await door.ask("POST", "/affichage", data=form)
    assert answer.status == 303
    return answer


@pytest.mark.asyncio(loop_scope="module")
async def test_dark_is_kept_in_a_cookie_and_written_by_the_server(shared):
    answer = await choice(shared, look="dark", back="/annonces?theme=eau")
    assert answer.headers["Location"] == "/annonces?theme=eau"
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("look=dark;")
    assert "HttpOnly" in cookie
    page = await shared.ask("GET", "/aide", headers={"Cookie": "look=dark"})
    assert '<html lang="fr" data-theme="dark">' in page.text
    assert re.search(r'value="dark"[^>]* aria-pressed="true"', page.text)
    assert "Cookie" in page.headers["Vary"]


@pytest.mark.asyncio(loop_scope="module")
async def test_automatic_forgets_the_choice_and_a_made_up_one_is_none(shared):
    for look in ("auto", "", "<script>"):
        answer = await choice(shared, look=look)
        assert "Max-Age=0" in answer.headers["Set-Cookie"]
    page = await shared.ask("GET", "/aide", headers={"Cookie": "look=pink"})
    assert "data-theme" not in page.text


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example.org",
        "/\\evil.example.org",
        "https://evil.example.org",
        "",
        "/\r\nX: 1",
        "/é",
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_choice_never_leads_to_another_site(shared, back):
    assert not is_ours(back)
    assert (await choice(shared, look="dark", back=back)).headers["Location"] == "/"


# ---------------------------------------------------------------------------- around the page


@pytest.mark.asyncio(loop_scope="module")
async def test_the_footer_is_the_same_everywhere_in_the_same_order(shared):
    for path in ("/", "/aide", "/a/zzzzzz"):
        page = (await shared.ask("GET", path)).text
        *same, language = links(page, "footer")
        assert same == ["/aide", "/accessibilite", "/confidentialite", "/mentions-legales", "/plan"]
        assert language == f"{path}?lang=en"
        assert "Accessibilité\u00a0: non conforme" in page


@pytest.mark.asyncio(loop_scope="module")
async def test_the_menu_says_where_one_is(shared):
    page = (await shared.ask("GET", "/aide")).text
    wanted = ["/", "/annonces", "/aide", "/abonnement", "/mes-alertes"]
    assert links(page, "nav") == wanted
    assert re.findall(r'<a href="([^"]*)" aria-current="page">', page) == ["/aide"]


@pytest.mark.asyncio(loop_scope="module")
async def test_another_language_keeps_the_page_and_its_filters(shared):
    page = (await shared.ask("GET", "/aide?x=%C3%A9%26&lang=en")).text
    assert 'href="/aide?x=%C3%A9%26&amp;lang=fr"' in page
    assert 'name="back" value="/aide?x=%C3%A9%26"' in page
    assert "Site map" in page


async def test_an_urgent_alert_is_named_on_every_page_until_it_ends(door, news):
    key = await door.key()
    title = "Crue de l'Orne"
    urgent = news | {"title": title, "urgency": "urgent", "channels": ["sms"]}
    answer = await door.post(key, urgent)
    assert answer.status == 202, answer.text
    code = answer.json["id"]
    door.clock.leap(timedelta(seconds=1))

    async def named():
        page = (await door.ask("GET", "/aide")).text
        return "banner urgent" in page and f'href="/a/{code}"' in page

    await door.until(named)
    assert "banner urgent" not in (await door.ask("GET", f"/a/{code}")).text


@pytest.mark.asyncio(loop_scope="module")
async def test_a_machine_gets_no_page_and_costs_no_look_out(shared):
    assert (await shared.ask("GET", "/api/v1/nothing")).kind == "application/problem+json"


# ---------------------------------------------------------------------------- texts


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.asyncio(loop_scope="module")
async def test_every_text_is_there_and_leads_nowhere_that_is_not(shared, path, language):
    answer = await shared.ask("GET", f"{path}?lang={language}")
    assert (answer.status, answer.text.count("<h1>")) == (200, 1)
    assert f'<html lang="{language}"' in answer.text
    assert f'hreflang="{language}"' in answer.text
    for link in links(answer.text, "main"):
        if link.startswith("/") and link not in ("/mes-alertes/donnees", "/formulaire"):
            assert (await shared.ask("GET", link)).status == 200, link


async def test_the_town_s_own_words_are_shown(make_door, tmp_path):
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "legal.md").write_text("# Qui nous sommes\n\nÉcrivez\u00a0: {contact}.")
    given = {"texts": tmp_path, "contact": "mairie@example.org", "dpo": "dpo@example.org"}
    door = await make_door(portal={**given, "accessibility": "partly"})
    own = (await door.ask("GET", "/mentions-legales")).text
    assert "<h1>Qui nous sommes</h1>" in own
    assert 'href="mailto:mairie@example.org"' in own
    assert "Accessibilité\u00a0: partiellement conforme" in own
    assert "dpo@example.org" in (await door.ask("GET", "/confidentialite")).text
    assert "13&nbsp;mois" in (await door.ask("GET", "/confidentialite")).text
    signed = await door.ask("GET", "/.well-known/security.txt")
    assert "Contact: mailto:mairie@example.org" in signed.text
    assert "Expires: 2027-02-22T00:00:00Z" in signed.text


@pytest.mark.asyncio(loop_scope="module")
async def test_machines_find_what_they_look_for(shared):
    assert "Disallow: /stop/" in (await shared.ask("GET", "/robots.txt")).text
    assert (await shared.ask("GET", "/.well-known/security.txt")).status == 404
    icon = await shared.ask("GET", "/favicon.ico")
    assert icon.status == 302
    assert (await shared.ask("GET", icon.headers["Location"])).kind == "image/svg+xml"


@pytest.mark.asyncio(loop_scope="module")
async def test_every_component_is_shown_in_both_languages(shared):
    for language, word in (("fr", "Composants"), ("en", "Components")):
        page = (await shared.ask("GET", f"/composants?lang={language}")).text
        assert f"<h1>{word}</h1>" in page
        assert "sample." not in page
        assert "noindex" in page


# ---------------------------------------------------------------------------- refusals


@pytest.mark.asyncio(loop_scope="module")
async def test_a_refusal_says_what_happened_one_action_and_a_reference(shared):
    answer = await shared.ask("POST", "/affichage", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status == 403
    assert "Ce formulaire vient d&#39;un autre site." in answer.text
    assert answer.text.count('class="button"') == 1
    assert answer.headers["X-Request-Id"] in answer.text
    assert "<title>Erreur\u00a0:" in answer.text
