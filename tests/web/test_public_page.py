# SPDX-License-Identifier: EUPL-1.2
"""What anybody may read: what was published, in the nearest language, and nothing executed."""

import re
from collections import OrderedDict
from datetime import timedelta

import pytest

from channels.base import ChannelName, Recipient
from subscribers import directory
from templates.pages import pages
from templates.pages.pages import asset, page

OUR_OWN = re.compile(r'<script type="module" src="/static/[a-z]+\.js\?v=[0-9a-f]{12}"></script>')
NASTY = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


async def published(door, key, news, **more):
    return (await door.post(key, news | more)).json["id"]


async def test_what_is_published_can_be_read_by_anybody(door, news):
    code = await published(door, await door.key(), news)
    page = await door.ask("GET", f"/a/{code}")
    assert (page.status, page.kind) == (200, "text/html")
    assert "<strong>jeudi</strong>" in page.text
    assert "Tanneries" in page.text
    assert 'lang="fr"' in page.text
    assert (await door.ask("HEAD", f"/a/{code}")).status == 200


async def test_what_was_not_published_looks_like_what_does_not_exist(door, news):
    writer, key = await door.key("agent", may_publish=False), await door.key()
    later = {"publish_at": (door.clock.now() + timedelta(days=1)).isoformat()}
    draft = await published(door, writer, news)
    scheduled = await published(door, key, news, **later)
    withdrawn = await published(door, key, news, **later)
    await door.with_key(key, "POST", f"{withdrawn}/cancel")
    unknown = await door.ask("GET", "/a/zzzzzz")
    for code in (draft, scheduled, withdrawn):
        hidden = await door.ask("GET", f"/a/{code}")
        assert (hidden.status, hidden.kind) == (404, "text/html")
        assert without_reference(hidden).replace(code, "zzzzzz") == without_reference(unknown)
    home = await door.ask("GET", "/")
    assert news["title"].replace("'", "&#39;") not in home.text


def without_reference(answer):
    return answer.text.replace(answer.headers["X-Request-Id"], "")


async def test_a_cancelled_announcement_says_so(door, news):
    key = await door.key()
    code = await published(door, key, news)
    await door.with_key(key, "POST", f"{code}/cancel")
    page = await door.ask("GET", f"/a/{code}")
    assert page.status == 200
    assert "Annulée" in page.text
    assert "La ville a retiré cette annonce." in page.text


async def test_an_expired_announcement_says_so_and_no_longer_alerts(door, news):
    key = await door.key()
    soon = (door.clock.now() + timedelta(minutes=5)).isoformat()
    code = await published(door, key, news, urgency="urgent", expires=soon)
    assert f"/a/{code}" in alerts(await door.ask("GET", "/"))
    assert "Plus valable" not in (await door.ask("GET", f"/a/{code}")).text
    door.clock.leap(timedelta(minutes=6))
    assert "Cette annonce s’est terminée le" in (await door.ask("GET", f"/a/{code}")).text
    home = await door.ask("GET", "/")
    assert f"/a/{code}" in home.text
    assert f"/a/{code}" not in alerts(home)


def alerts(home):
    """The part of the home page above the latest announcements."""
    return home.text.partition('id="latest"')[0]


async def test_every_message_of_a_chain_opens_one_page_with_what_is_true_now_on_top(door, news):
    key = await door.key()
    first = await published(door, key, news)
    update = await published(door, key, news, kind="update", about=first, title="Encore coupée")
    end = await published(door, key, news, kind="all_clear", about=update, title="L'eau revient")
    hidden = await published(
        door, await door.key("agent", may_publish=False), news, kind="update", about=first
    )
    for code in (first, update, end):
        page = (await door.ask("GET", f"/a/{code}")).text
        assert "<h1" in page
        places = [page.index(words) for words in ("L&#39;eau revient</h1>", ">Encore coupée<")]
        assert places == sorted(places)
        for each in (first, update, end):
            assert f'id="m-{each}"' in page
        assert re.search(rf'<link rel="canonical" href="http://[^"]+/a/{first}">', page)
        assert hidden not in page
        opened = f'href="#m-{code}"' in page
        assert opened == (code != end)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("asked", "title", "lang"),
    [
        ({"Accept-Language": "en"}, "Water cut", "en"),
        ({"Accept-Language": "fr;q=0.5, en;q=0.9"}, "Water cut", "en"),
        ({"Accept-Language": "de, es"}, "Coupure", "fr"),
        ({"Accept-Language": "en;q=0, *"}, "Coupure", "fr"),
        ({"Accept-Language": "en;q=many"}, "Coupure", "fr"),
        ({"Cookie": "lang=en"}, "Water cut", "en"),
        ({"Cookie": "lang=xx", "Accept-Language": "en"}, "Water cut", "en"),
        ({}, "Coupure", "fr"),
    ],
)
async def test_the_reader_chooses_the_language(shared, news, asked, title, lang):
    english = {"title": "Water cut", "body": "Off on Thursday."}
    code = await published(shared, shared.all, news, translations={"en": english})
    page = await shared.ask("GET", f"/a/{code}", headers=asked)
    assert f'<html lang="{lang}"' in page.text
    assert title in page.text


async def test_an_announcement_not_written_in_the_readers_language_says_which_it_is(door, news):
    code = await published(door, await door.key(), news)
    page = await door.ask("GET", f"/a/{code}?lang=en")
    assert '<html lang="en"' in page.text
    assert '<h1 lang="fr">' in page.text


async def test_a_language_asked_for_is_remembered_and_only_that(door):
    chosen = await door.ask("GET", "/?lang=en")
    assert chosen.headers["Set-Cookie"].startswith("lang=en; HttpOnly; Max-Age=31536000; Path=/")
    assert "SameSite=Lax" in chosen.headers["Set-Cookie"]
    for path in ("/", "/?lang=xx", "/?lang=<script>"):
        assert "Set-Cookie" not in (await door.ask("GET", path)).headers


async def test_nothing_that_was_written_is_executed(door, news):
    link = "https://example.org/?a=%22%3E%3Cscript%3E&b='onmouseover='x"
    code = await published(
        door,
        await door.key(),
        news,
        title=NASTY,
        body=f"{NASTY}\n\n[ici](javascript:alert(3)) ![x](https://example.org/x.png)",
        link=link,
    )
    for path in (f"/a/{code}", "/", "/sandbox"):
        page = OUR_OWN.sub("", (await door.ask("GET", path)).text)
        assert "<script" not in page
        assert "<img" not in page
        assert "javascript:" not in page.replace("(javascript:", "")
        assert "onmouseover='" not in page
        assert "&lt;script" in page


async def test_the_home_page_puts_living_alerts_first_and_withdrawn_ones_nowhere_above(door, news):
    key = await door.key()
    quiet = await published(door, key, news)
    alert = await published(door, key, news, urgency="urgent", themes=["alertes"])
    withdrawn = await published(door, key, news, urgency="urgent")
    await door.with_key(key, "POST", f"{withdrawn}/cancel")
    above = alerts(await door.ask("GET", "/"))
    assert f"/a/{alert}" in above
    assert f"/a/{quiet}" not in above
    assert f"/a/{withdrawn}" not in above


async def test_what_a_crowd_comes_for_is_made_once_and_nobody_is_shown_an_older_one(
    door, news, monkeypatch
):
    made = []

    def make(name, *more, **shown):
        made.append(name)
        return page(name, *more, **shown)

    monkeypatch.setattr(pages, "page", make)
    monkeypatch.setattr(pages, "_MADE", OrderedDict())
    monkeypatch.setattr(pages, "_MOST_MADE", 2)
    key = await door.key()
    code = await published(door, key, news)
    for _ in range(5):
        assert (await door.ask("GET", f"/a/{code}")).status == 200
    assert made == ["announcement.html"]
    english = await door.ask("GET", f"/a/{code}?lang=en")
    assert 'lang="en"' in english.text
    await door.with_key(key, "POST", f"{code}/cancel")
    assert "La ville a retiré cette annonce." in (await door.ask("GET", f"/a/{code}")).text
    assert len(made) == 3
    assert len(pages._MADE) == 2
    await door.ask("GET", f"/a/{code}")
    assert len(made) == 3


async def test_the_phones_show_what_arrived_by_every_road_and_how_far_it_is(door, news):
    amina, made = await door.person("v0001"), door.sandbox.new_device("amina")

    def register(conn):
        device = Recipient(made["endpoint"], made["keys"])
        point = directory.add_contact_point(
            conn, amina, ChannelName.WEBPUSH, device, door.clock.now()
        )
        directory.verify(conn, point, door.clock.now())

    await door.hub.ledger.transact(register)
    key = await door.key()
    code = await published(door, key, news)
    await door.settled(key, code)
    page = await door.ask("GET", "/sandbox")
    assert page.status == 200
    for shown in ("Amina, 34 ans", "Sur son téléphone", "Claire, 52 ans", "@VilleValmont"):
        assert shown in page.text
    assert page.text.count("Coupure d&#39;eau jeudi") >= 5  # SMS, push, e-mail, post, progress
    assert f"/a/{code}" in page.text
    assert "{&#34;" not in page.text
    assert (await door.ask("GET", "/sandbox?lang=en")).status == 200


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", ["../pages.py", "..%2Fpages.py", "base.html", "none.css", ".css"])
async def test_only_the_files_pages_need_are_served(shared, name):
    assert (await shared.ask("GET", f"/static/{name}")).status == 404


async def test_what_pages_need_is_kept_by_browsers(door):
    answer = await door.ask("GET", asset("app.css"))
    assert (answer.status, answer.kind) == (200, "text/css")
    assert "immutable" in answer.headers["Cache-Control"]
    bare = await door.ask("GET", "/static/app.css", headers={"Accept-Encoding": "identity"})
    assert (bare.raw, bare.headers["Cache-Control"]) == (answer.raw, "no-cache")
    same = {"If-None-Match": bare.headers["ETag"]}
    assert (await door.ask("GET", "/static/app.css", headers=same)).status == 304
