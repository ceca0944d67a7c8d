# SPDX-License-Identifier: EUPL-1.2
"""The feeds are what RFC 4287 and JSON Feed 1.1 ask for, hold one town, and cost little to ask."""

import re
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from templates.feeds import Entry, Feed, atom, json_feed

ATOM = "{http://www.w3.org/2005/Atom}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


async def published(door, key, news, **more):
    return (await door.post(key, news | more)).json["id"]


def read(raw):
    """An Atom document, once it is found to be one (RFC 4287 sections 4.1.1 and 4.1.2)."""
    root = ET.fromstring(raw)
    assert root.tag == f"{ATOM}feed"
    nodes = [root, *root.findall(f"{ATOM}entry")]
    for node in nodes:
        for name in ("id", "title", "updated"):
            assert len(node.findall(f"{ATOM}{name}")) == 1, name
        assert MOMENT.fullmatch(node.findtext(f"{ATOM}updated"))
        assert node.findtext(f"{ATOM}id").startswith("tag:")
        alternates = [
            (link.get("type"), link.get("hreflang"))
            for link in node.findall(f"{ATOM}link")
            if link.get("rel") == "alternate"
        ]
        assert len(alternates) == len(set(alternates)) == 1
    assert root.find(f"{ATOM}author/{ATOM}name").text
    assert len({node.findtext(f"{ATOM}id") for node in nodes}) == len(nodes)
    return root, nodes[1:]


def titles(raw):
    return [entry.findtext(f"{ATOM}title") for entry in read(raw)[1]]


async def test_the_town_s_feed_is_valid_and_says_what_was_published(door, news):
    code = await published(door, await door.key(), news)
    answer = await door.ask("GET", "/flux.atom")
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    root, (entry,) = read(answer.raw)
    assert root.get(LANG) == "fr"
    assert entry.findtext(f"{ATOM}title") == "Coupure d'eau jeudi"
    assert entry.find(f"{ATOM}link").get("href").endswith(f"/a/{code}")
    assert entry.findtext(f"{ATOM}id").endswith(f",2026-11-24:/a/{code}")
    assert "<strong>jeudi</strong>" in entry.findtext(f"{ATOM}content")
    assert entry.find(f"{ATOM}content").get("type") == "html"
    assert [(c.get("term"), c.get("label")) for c in entry.findall(f"{ATOM}category")] == [
        ("eau", "Eau et coupures")
    ]
    links = {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")}
    assert links["self"].endswith("/flux.atom")
    assert links["alternate"].endswith("/annonces")


async def test_json_says_the_same(door, news):
    code = await published(door, await door.key(), news)
    answer = await door.ask("GET", "/flux.json")
    assert answer.kind == "application/feed+json"
    feed, (entry,) = answer.json, read((await door.ask("GET", "/flux.atom")).raw)[1]
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"].endswith("/flux.json")
    (item,) = feed["items"]
    assert item["id"] == entry.findtext(f"{ATOM}id")
    assert item["url"].endswith(f"/a/{code}")
    assert item["date_published"] == entry.findtext(f"{ATOM}published")
    assert item["tags"] == ["Eau et coupures"]
    assert item["summary"] == "L'eau sera coupée jeudi de 8 h à 12 h."


async def test_an_empty_feed_is_a_feed(door):
    root, entries = read((await door.ask("GET", "/flux.atom")).raw)
    assert entries == []
    assert root.findtext(f"{ATOM}updated") == "1970-01-01T00:00:00Z"
    answer = await door.ask("GET", "/flux.json")
    assert answer.json["items"] == []
    assert "Last-Modified" not in answer.headers


async def test_a_follow_up_is_the_same_entry_with_what_is_true_now(door, news):
    key = await door.key()
    first = await published(door, key, news)
    before = read((await door.ask("GET", "/flux.atom")).raw)[1][0]
    door.clock.leap(timedelta(hours=1))
    await published(door, key, news, kind="update", about=first, title="Encore coupée")
    (after,) = read((await door.ask("GET", "/flux.atom")).raw)[1]
    for same in ("id", "published"):
        assert after.findtext(f"{ATOM}{same}") == before.findtext(f"{ATOM}{same}")
    assert after.findtext(f"{ATOM}title") == "Encore coupée"
    assert after.findtext(f"{ATOM}updated") > before.findtext(f"{ATOM}updated")


async def test_what_was_withdrawn_stays_and_says_so(door, news):
    key = await door.key()
    code = await published(door, key, news)
    await door.with_key(key, "POST", f"{code}/cancel")
    assert titles((await door.ask("GET", "/flux.atom")).raw) == [
        "Annulée\u00a0: Coupure d'eau jeudi"
    ]


async def test_drills_come_only_where_they_are_asked_for_and_are_called_so(door, news):
    await published(door, await door.key(), news, urgency="drill")
    assert titles((await door.ask("GET", "/flux.atom")).raw) == []
    asked = await door.ask("GET", "/flux.atom?exercices=1")
    assert titles(asked.raw) == ["EXERCICE\u00a0: Coupure d'eau jeudi"]


async def test_a_theme_s_feed_holds_what_is_narrower_and_a_place_s_what_concerns_it(door, news):
    key = await door.key()
    for title, themes, zones in (
        ("Une coupure", ["coupures"], ["tanneries"]),
        ("La cantine", ["cantine"], ["gare"]),
        ("Partout", ["eau"], []),
    ):
        await published(door, key, news, title=title, themes=themes, zones=zones)

    async def of(path):
        return titles((await door.ask("GET", path)).raw)

    assert await of("/flux/eau.atom") == ["Partout", "Une coupure"]
    assert await of("/flux/coupures.atom") == ["Une coupure"]
    assert await of("/flux/lieu/tanneries.atom") == ["Partout", "Une coupure"]
    assert await of("/flux/lieu/gare.atom") == ["Partout", "La cantine"]
    assert await of("/flux.atom?theme=eau&lieu=gare") == ["Partout"]
    items = (await door.ask("GET", "/flux/lieu/gare.json")).json["items"]
    assert [item["title"] for item in items] == ["Partout", "La cantine"]


@pytest.mark.parametrize("path", ["/flux/nothing.atom", "/flux/lieu/nowhere.json", "/flux.xml"])
async def test_what_the_town_does_not_have_has_no_feed(door, path):
    assert (await door.ask("GET", path)).status == 404


async def test_one_town_s_feeds_never_hold_another_s(door, news):
    other = await door.key("autre", authority="autreville")
    await published(door, other, news, title="Ailleurs")
    draft = await door.key("agent", may_publish=False)
    await published(door, draft, news, title="Brouillon")
    for path in ("/flux.atom", "/flux/eau.atom", "/flux/lieu/tanneries.atom"):
        assert titles((await door.ask("GET", path)).raw) == []


async def test_a_reader_who_has_it_is_told_nothing_changed(door, news):
    key = await door.key()
    await published(door, key, news)
    first = await door.ask("GET", "/flux.atom")
    assert first.headers["Cache-Control"] == "public, max-age=60"
    by_tag = {"If-None-Match": first.headers["ETag"]}
    by_date = {"If-Modified-Since": first.headers["Last-Modified"]}
    for asked in (by_tag, by_date, {"If-None-Match": "*"}):
        again = await door.ask("GET", "/flux.atom", headers=asked)
        assert (again.status, again.raw) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    stale = by_date | {"If-None-Match": '"another"'}
    assert (await door.ask("GET", "/flux.atom", headers=stale)).status == 200
    door.clock.leap(timedelta(seconds=2))
    await published(door, key, news, title="Autre chose")
    for asked in (by_tag, by_date):
        assert (await door.ask("GET", "/flux.atom", headers=asked)).status == 200


async def test_a_feed_reads_no_cookie_and_speaks_the_language_of_its_address(door, news):
    english = {"title": "Water cut", "body": "Off on Thursday."}
    await published(door, await door.key(), news, translations={"en": english})
    headers = {"Cookie": "lang=en", "Accept-Language": "en"}
    answer = await door.ask("GET", "/flux.atom", headers=headers)
    assert titles(answer.raw) == ["Coupure d'eau jeudi"]
    assert "Set-Cookie" not in answer.headers
    assert titles((await door.ask("GET", "/flux.atom?langue=en")).raw) == ["Water cut"]


async def test_pages_lead_to_the_feeds_of_what_they_show(door):
    feed = 'type="application/atom+xml"'
    home = (await door.ask("GET", "/")).text
    assert feed in home
    assert 'href="/flux.atom"' in home
    chosen = (await door.ask("GET", "/annonces?theme=eau&lieu=gare")).text
    assert 'href="/flux.atom?theme=eau&amp;lieu=gare"' in chosen


def test_what_xml_cannot_write_never_breaks_a_feed():
    now = datetime.fromisoformat("2026-11-24T09:00:00+00:00")
    nasty = 'a\x00\x0b\ud800\uffff <b>&"]]>'
    entry = Entry("tag:x,2026:1", "https://x", nasty, "fr", nasty, nasty, now, now, [("k", nasty)])
    feed = Feed("tag:x,2026:0", nasty, "fr", nasty, "https://x/f", "https://x", [entry])
    (written,) = read(atom(feed))[1]
    assert written.findtext(f"{ATOM}title") == 'a\ufffd\ufffd\ufffd\ufffd <b>&"]]>'
    del entry, feed
    plain = Feed("tag:x,2026:0", "é", "fr", "é", "https://x/f", "https://x")
    assert "é".encode() in json_feed(plain)
