# SPDX-License-Identifier: EUPL-1.2
"""The widget stands in other sites' frames: it follows nobody, and its links leave the frame."""

import html
import re

import pytest

from hub.settings.sections import Portal


async def published(door, key, news, **more):
    return (await door.post(key, news | more)).json["id"]


async def test_alerts_come_first_then_the_latest_five(door, news):
    key = await door.key()
    alert = await published(door, key, news, urgency="urgent", title="Crue")
    codes = [await published(door, key, news, title=f"Annonce {n}") for n in range(6)]
    page = (await door.ask("GET", "/widget")).text
    shown = re.findall(r'href="http://[^"]+/a/(\w+)"', page)
    assert shown == [alert, *reversed(codes[1:])]
    assert "URGENT" in page
    assert '<base target="_top">' in page


async def test_it_sets_and_reads_no_cookie(door, news):
    english = {"title": "Water cut", "body": "Off on Thursday."}
    await published(door, await door.key(), news, translations={"en": english})
    plain = await door.ask("GET", "/widget")
    chosen = {"Cookie": "lang=en; look=dark", "Accept-Language": "en"}
    same = await door.ask("GET", "/widget", headers=chosen)
    assert same.raw == plain.raw
    for answer in (plain, await door.ask("GET", "/widget?lang=en&langue=en")):
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "public, max-age=60"
        assert "Cookie" not in answer.headers.get("Vary", "")
    english_page = (await door.ask("GET", "/widget?langue=en")).text
    assert '<html lang="en">' in english_page
    assert "Water cut" in english_page


async def test_nothing_of_it_comes_from_elsewhere_and_no_script_runs(door, news):
    await published(door, await door.key(), news)
    answer = await door.ask("GET", "/widget")
    assert "<script" not in answer.text
    assert not re.findall(r'(?:src|href)="(?!http://localhost|http://127|/static/)', answer.text)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self';")


@pytest.mark.parametrize(
    ("embed_in", "ancestors"),
    [
        (("*",), "'self' *"),
        ((), "'self'"),
        (
            ("https://www.example.org", "http://b.org:81"),
            "'self' https://www.example.org http://b.org:81",
        ),
    ],
)
async def test_it_stands_only_where_the_town_allows(make_door, embed_in, ancestors):
    door = await make_door(portal={"embed_in": embed_in})
    policy = (await door.ask("GET", "/widget")).headers["Content-Security-Policy"]
    assert policy.rpartition("frame-ancestors ")[2] == ancestors
    framed = (await door.ask("GET", "/")).headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in framed


@pytest.mark.parametrize("site", ["https://x.org; script-src *", "javascript:x", "a b", "'none'"])
def test_a_site_that_would_change_the_policy_is_refused(site):
    with pytest.raises(ValueError, match="embed_in"):
        Portal(embed_in=(site,))


async def test_it_holds_a_theme_and_a_place_of_one_town(door, news):
    key = await door.key()
    await published(door, key, news, title="Coupure", themes=["coupures"])
    await published(door, key, news, title="Cantine", themes=["cantine"], zones=["gare"])
    other = await door.key("autre", authority="autreville")
    await published(door, other, news, title="Ailleurs")
    page = (await door.ask("GET", "/widget?theme=eau&lieu=tanneries")).text
    assert ("Coupure" in page, "Cantine" in page, "Ailleurs" in page) == (True, False, False)
    assert "Eau et coupures – Tanneries" in page
    nothing = await door.ask("GET", "/widget?theme=nothing")
    assert nothing.status == 200
    assert "Rien n’a encore été publié ici." in nothing.text


async def test_the_code_to_copy_opens_what_the_page_shows(door):
    page = (await door.ask("GET", "/integrer?theme=eau&lieu=gare&langue=en")).text
    code = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)[1])
    frame = re.fullmatch(
        r'<iframe src="http://[^/]+(/widget[^"]+)" title="([^"]+)" width="100%" height="480"'
        r' loading="lazy"></iframe>',
        code,
    )
    assert html.unescape(frame[1]) == "/widget?theme=eau&lieu=gare&langue=en"
    assert (await door.ask("GET", html.unescape(frame[1]))).status == 200
    assert frame[2].startswith("Ville de Valmont-sur-Orne – Water")
    assert '<iframe class="sample" src="/widget?theme=eau&amp;lieu=gare&amp;langue=en"' in page
    for address in ("/flux.atom?theme=eau", "/flux.json?theme=eau", "/agenda.ics?theme=eau"):
        assert address in page
