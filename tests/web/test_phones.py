# SPDX-License-Identifier: EUPL-1.2
"""The demonstration's phones: who got what, what is on its way, and what one does to them."""

import asyncio
import json
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from door_rig import PATIENCE

from channels.base import ChannelName
from hub.web.desk import DESK
from hub.web.sandbox.stage import PHONES

AMINA = "+33639980001"


async def published(door, news, **more):
    key = await door.key(f"mairie {door.clock.now()}")
    code = (await door.post(key, news | more)).json["id"]
    await door.settled(key, code)
    return code


async def shown(door, path="/sandbox"):
    answer = await door.ask("GET", path)
    assert answer.status == 200, path
    return words(answer.text)


def words(html):
    main = html[html.index("<main") : html.index("</main>")]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))).replace("\xa0", " ")


async def press(door, path, **fields):
    answer = await door.ask("POST", path, data=fields)
    assert answer.status == 303, answer.text
    return answer.headers["Location"]


def phone(html, name):
    """What stands on one phone."""
    start = html.index(f">{name}</a></h3>")
    return words("<main>" + html[start : html.index("</section>", start)] + "</main>")


# --------------------------------------------------------------------------- what is shown


async def test_an_announcement_appears_on_the_right_phones_and_not_on_others(door, news):
    await published(door, news, themes=["eau"], zones=["tanneries"])
    html = (await door.ask("GET", "/sandbox")).text
    for name in ("Amina, 34 ans", "M. Petit, 81 ans", "Claire, 52 ans"):
        assert "Coupure d'eau jeudi" in phone(html, name), name
    await published(door, news, title="Poubelles", themes=["dechets"], zones=[], channels=["sms"])
    html = (await door.ask("GET", "/sandbox")).text
    assert "Poubelles" in phone(html, "M. Petit, 81 ans")
    for name in ("Amina, 34 ans", "Louis, 22 ans", "Claire, 52 ans"):
        assert "Poubelles" not in phone(html, name), name


async def test_the_list_holds_what_the_phones_show(door, news):
    await published(door, news)
    await door.until(lambda: all_received(door))
    phones = (await door.ask("GET", "/sandbox?vue=telephones")).text
    table = (await door.ask("GET", "/sandbox?vue=liste")).text
    texts = r'class="text">(?:<strong>[^<]*</strong>\s*)?([^<]+)<'
    on_phones = Counter(re.findall(texts, phones))
    assert on_phones == Counter(re.findall(texts, table)) != Counter()
    assert 'role="log"' in table
    assert 'role="log"' not in phones
    both = (await door.ask("GET", "/sandbox")).text
    assert 'class="screen"' in both
    assert "<table" in both


async def all_received(door):
    return all(
        e.state in {"delivered", "received", "public"} for e in door.sandbox.effects.select()
    )


async def test_each_phone_has_a_page_of_its_own_and_so_has_the_timeline(door, news):
    await published(door, news)
    alone = await shown(door, "/sandbox/amina")
    assert "Amina, 34 ans" in alone
    assert "Claire" not in alone
    assert "M. Petit, 81 ans" in await shown(door, "/sandbox/m-petit")
    assert re.search(r"@VilleValmont .*\d+/280 caractères", await shown(door, "/sandbox/x"))
    assert (await door.ask("GET", "/sandbox/zoe")).status == 404


async def test_a_basic_phone_shows_plain_letters_and_the_page_says_so(door, news):
    await published(door, news, short="L’eau sera coupée jeudi")
    html = (await door.ask("GET", "/sandbox")).text
    petit, amina = phone(html, "M. Petit, 81 ans"), phone(html, "Amina, 34 ans")
    assert "L'eau sera coupée" in petit
    assert "affiche ' à la place de ’" in petit
    assert "L’eau sera coupée" in amina
    assert "à la place de" not in amina


async def test_a_text_message_says_its_parts_and_where_it_is(door, news):
    await published(door, news, short="Ville" * 40, channels=["sms"])
    await door.until(lambda: all_received(door))
    assert "2 SMS · Reçu" in await shown(door, "/sandbox/amina")


async def test_a_letter_is_read_in_a_frame_that_is_shut_in_with_its_text_beside(door, news):
    await published(door, news, channels=["email"])
    page = await door.ask("GET", "/sandbox/claire")
    (path,) = set(re.findall(r'href="(/sandbox/emails/\d+)"', page.text))
    letter = await door.ask("GET", path)
    assert "L'eau sera coupée" in words(letter.text)
    assert f'src="{path}/html" sandbox="allow-top-navigation-by-user-activation"' in letter.text
    frame = await door.ask("GET", f"{path}/html")
    policy = frame.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-top-navigation-by-user-activation; default-src 'none'")
    assert "frame-ancestors 'self'" in policy
    number = int(path.rpartition("/")[2])
    effect = door.sandbox.effects.select(since=number - 1, limit=1)[0]
    assert frame.text.replace('<base target="_top">', "", 1) == effect.html
    assert "<head><base" in frame.text
    for nothing in ("/sandbox/emails/999999", "/sandbox/emails/0/html"):
        assert (await door.ask("GET", nothing)).status == 404


async def test_clearing_hides_what_came_and_undoes_nothing(door, news):
    await published(door, news, channels=["sms"])
    assert "Coupure" in await shown(door, "/sandbox/amina")
    assert (
        await press(door, "/sandbox/telephones/vider", back="/sandbox?vue=liste")
        == "/sandbox?vue=liste"
    )
    assert "Coupure" not in await shown(door, "/sandbox/amina")
    assert door.sandbox.effects.select(limit=1)
    await published(door, news, title="Retour de l'eau", channels=["sms"])
    assert "Retour de l'eau" in await shown(door, "/sandbox/amina")


@pytest.mark.parametrize(
    "back", ["https://example.org/", "//example.org", "/console", "/sandbox/../x"]
)
async def test_a_form_leads_back_into_the_room_only(door, back):
    assert await press(door, "/sandbox/telephones/vider", back=back) == "/sandbox"


# --------------------------------------------------------------------------- what is done to them


async def test_stop_from_a_phone_changes_who_will_be_told(door, news):
    object.__setattr__(door.app[DESK].settings.channels.sms, "two_way", True)
    with pytest.warns(DeprecationWarning, match="Changing state"):
        door.app[PHONES] = replace(door.app[PHONES], inbound=door.sandbox.twilio.inbound)
    await published(door, news, channels=["sms"])
    before = {e.to for e in door.sandbox.effects.select(channel=ChannelName.SMS)}
    assert AMINA in before
    assert await press(door, "/sandbox/amina/reponse", body="STOP", back="/sandbox/amina")
    assert "vous ne recevrez plus nos SMS" in await shown(door, "/sandbox/amina")
    last = door.sandbox.effects.last
    await published(door, news, title="Encore", channels=["sms"])
    after = {e.to for e in door.sandbox.effects.select(since=last, channel=ChannelName.SMS)}
    assert after == before - {AMINA}


async def test_a_phone_that_is_off_is_unreachable_and_the_receipt_says_so(door, news):
    await press(door, "/sandbox/amina/off", on="1", back="/sandbox/amina")
    key = await door.key()
    code = (await door.post(key, news | {"channels": ["sms"]})).json["id"]
    await door.until(lambda: _reads(door, "/sandbox/amina", "Pas joignable pour l’instant"))
    assert "1 téléphone est éteint" in await shown(door, "/sandbox/pannes")
    door.clock.leap(timedelta(seconds=31))
    await door.until(lambda: _reads(door, "/sandbox/amina", "Non remis"))
    await door.until(lambda: _failed(door, key, code))
    await press(door, "/sandbox/amina/off", on="0")
    assert not door.sandbox.faults.of(ChannelName.SMS).off
    await published(door, news, title="De retour", channels=["sms"])
    await door.until(lambda: _reads(door, "/sandbox/amina", "De retour"))


async def _reads(door, path, sentence):
    return sentence in await shown(door, path)


async def _failed(door, key, code):
    runs = (await door.with_key(key, "GET", code)).json["channels"]
    return any(run["states"].get("failed") for run in runs)


async def test_a_phone_switched_on_in_time_gets_what_waited(door, news):
    await press(door, "/sandbox/amina/off", on="1")
    await published(door, news, channels=["sms"])
    await press(door, "/sandbox/amina/off", on="0")
    await door.until(lambda: _reads(door, "/sandbox/amina", "SMS · Reçu"))


async def test_a_full_mailbox_refuses_for_now_and_the_letter_waits(door, news):
    await press(door, "/sandbox/claire/full", on="1", back="/sandbox/claire")
    key = await door.key()
    await door.post(key, news | {"channels": ["email"]})
    await door.until(lambda: _reads(door, "/sandbox/claire", "Pas joignable pour l’instant"))
    assert "Boîte pleine" in await shown(door, "/sandbox/claire")
    await press(door, "/sandbox/claire/full", on="0")
    door.clock.leap(timedelta(hours=1))
    door.app[DESK].engine.changed()
    await door.until(lambda: _reads(door, "/sandbox/claire", "Ouvrir l’e-mail"))


async def test_x_beyond_its_limit_refuses_until_the_limit_is_lifted(door, news):
    await press(door, "/sandbox/x/limite", on="1", back="/sandbox/x")
    assert "X refuse les posts" in await shown(door, "/sandbox/x")
    key = await door.key()
    await door.post(key, news | {"channels": ["x"]})
    await press(door, "/sandbox/x/limite", on="0")
    assert "X refuse les posts" not in await shown(door, "/sandbox/x")


@pytest.mark.parametrize(
    "path", ["/sandbox/zoe/reponse", "/sandbox/zoe/off", "/sandbox/amina/fly", "/sandbox/x/off"]
)
async def test_what_is_not_there_cannot_be_acted_on(door, path):
    assert (await door.ask("POST", path, data={"on": "1"})).status == 404


async def test_another_site_moves_nothing_here(door):
    foreign = {"Sec-Fetch-Site": "cross-site"}
    for path in (
        "telephones/vider",
        "amina/off",
        "pannes",
        "pannes/fin",
        "heure",
        "exercices/crue/suite",
    ):
        answer = await door.ask("POST", f"/sandbox/{path}", data={"on": "1"}, headers=foreign)
        assert answer.status == 403, path
    assert door.sandbox.faults.of(ChannelName.SMS).off == frozenset()


# --------------------------------------------------------------------------- while one looks


async def _events(answer):
    """(event's name, its JSON), one after the other."""
    name = ""
    async for line in answer.content:
        key, _, value = line.decode().rstrip("\n").partition(": ")
        if key == "event":
            name = value
        elif key == "data":
            yield name, json.loads(value)


async def test_a_page_left_open_shows_a_message_as_it_comes(door, news):
    url = f"{door.hub.base_url}/sandbox/flux"
    async with door.session.get(url, headers={"Accept": "text/event-stream"}) as answer:
        assert answer.content_type == "text/event-stream"
        events = _events(answer)
        name, parts = await anext(events)
        assert name == "snapshot"
        assert {part["id"] for part in parts} == {
            *("heure", "liste", "avancement"),
            *(f"screen-{each}" for each in ("amina", "m-petit", "louis", "claire", "x")),
        }
        page = (await door.ask("GET", "/sandbox")).text
        for part in parts:
            assert f'id="{part["id"]}" data-part' in page
        await published(door, news, channels=["sms"])
        async with asyncio.timeout(PATIENCE):
            async for name, part in events:  # noqa: B007 (the last one is the news)
                if part.get("id") == "screen-amina" and "Coupure" in part["html"]:
                    break
        assert name == "fragment"


async def test_what_does_not_ask_for_a_stream_gets_none(door):
    assert (await door.ask("GET", "/sandbox/flux")).status == 404


# --------------------------------------------------------------------------- a town of one's own


async def test_a_town_without_personas_sees_the_latest_phones_by_masked_addresses(door, news):
    with pytest.warns(DeprecationWarning, match="Changing state"):
        door.app[PHONES] = replace(door.app[PHONES], personas=())
    assert "Aucune annonce" in await shown(door)
    await published(door, news, channels=["sms"])
    page = (await door.ask("GET", "/sandbox?vue=telephones")).text
    phones = set(re.findall(r'href="(/sandbox/n-[0-9a-f]{8})"', page))
    assert len(phones) == 4
    assert not re.search(r"\+?33 ?6 ?39 ?98|06 39 98", words(page))
    assert "Coupure d'eau jeudi" in await shown(door, phones.pop())
    await press(door, f"{phones.pop()}/off", on="1")
    assert len(door.sandbox.faults.of(ChannelName.SMS).off) == 1
