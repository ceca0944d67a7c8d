# SPDX-License-Identifier: EUPL-1.2
"""The one link of an SMS nobody can answer: it tells the news, and stops as the stop page does."""

import base64
import re
from datetime import timedelta

import pytest
from markupsafe import escape

from channels.base import ChannelName
from hub.ledger import tables
from hub.ledger.journal import Journal
from subscribers import privacy
from subscribers import tables as theirs
from subscribers.tokens import StopTokens

SMS = ChannelName.SMS


@pytest.fixture
async def sent(door, news):
    """An announcement that reached Amina's telephone, and the path of the link in it."""

    class Sent:
        pass

    sent = Sent()
    sent.key = await door.key()
    said = news | {"themes": ["coupures"], "channels": ["sms"]}
    sent.code = (await door.post(sent.key, said)).json["id"]
    await door.settled(sent.key, sent.code)
    sent.announcement = await door.announcement_id(sent.code)
    sent.amina = await door.person("v0001")
    (effect,) = door.sandbox.effects.to(SMS, "+33639980001")
    sent.text = effect.text
    sent.path = re.search(r"/s/[A-Za-z0-9_-]{16}$", effect.text)[0]
    sent.token = sent.path.removeprefix("/s/")
    return sent


async def channels(door, person):
    rows = await door.rows(theirs.subscription, theirs.subscription.c.subscriber == person)
    return {row.channel for row in rows}


async def state(door):
    return [await door.rows(table) for table in (theirs.subscription, theirs.consent, tables.audit)]


async def test_the_sms_bears_its_readers_own_link_and_no_other(door, sent):
    public = door.hub.settings.hub.public_url
    assert sent.text.endswith(f" Infos/STOP : {public}{sent.path}")
    assert sent.text.count(public) == 1
    assert sent.token == door.short_token(sent.amina, sent.announcement)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_changes_nothing(door, sent, method):
    before = await state(door)
    for _ in range(2):
        assert (await door.ask(method, f"{sent.path}?choice=all")).status == 200
    assert await state(door) == before


async def test_the_page_tells_the_news_first_and_then_asks_what_to_stop(door, sent, news):
    page = await door.ask("GET", sent.path, headers={"Accept-Language": "fr"})
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Robots-Tag"] == "noindex"
    order = [
        page.text.index(each)
        for each in (
            f">{escape(news['title'])}</h1>",
            "Publié le",
            f'href="/a/{sent.code}"',
            "<h2>Ne plus recevoir de messages</h2>",
            f'action="{sent.path}"',
            "Seulement «",
        )
    ]
    assert order == sorted(order)
    assert page.text.count("<h1") == 1
    assert "39980001" not in page.text
    english = await door.ask("GET", f"{sent.path}?lang=en")
    assert "See what followed, on its public page" in english.text
    assert english.headers["Set-Cookie"].startswith("lang=en")


async def test_the_long_link_asks_at_once(door, sent, news):
    page = await door.ask("GET", f"/stop/{door.stop_token(SMS, sent.amina, sent.announcement)}")
    assert escape(news["title"]) not in page.text


async def test_a_withdrawn_announcement_is_shown_as_such(door, sent):
    await door.with_key(sent.key, "POST", f"{sent.code}/cancel")
    page = await door.ask("GET", sent.path)
    assert "a retiré cette annonce" in page.text


@pytest.mark.parametrize(("choice", "left"), [("channel", True), ("all", False)])
async def test_the_button_stops_and_the_journal_knows(door, sent, choice, left):
    answer = await door.ask("POST", sent.path, data={"choice": choice})
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    remaining = await channels(door, sent.amina)
    assert "sms" not in remaining
    assert bool(remaining) == left
    (line,) = await door.rows(tables.audit, tables.audit.c.verb == "stop")
    assert (line.actor, line.detail) == (
        "citizen",
        {"choice": choice, "announcement": sent.announcement},
    )
    (entry,) = Journal.beside(door.hub.ledger.path).entries()
    assert (entry.verb, entry.person) == ("stop", sent.amina)


async def test_a_stop_through_it_is_obeyed_at_the_next_gate(door, sent, news):
    """Amina is asleep: the next message is held until seven, and she says stop before."""
    door.clock.leap(timedelta(hours=12, minutes=30))  # 22 h 30 in Valmont
    late = news | {"themes": ["coupures"], "channels": ["sms"]}
    number = await door.announcement_id((await door.post(sent.key, late)).json["id"])

    async def hers():
        (run,) = await door.rows(tables.run, tables.run.c.announcement == number)
        mine = (tables.delivery.c.run == run.id) & (tables.delivery.c.subscriber == sent.amina)
        return [(row.state, row.reason) for row in await door.rows(tables.delivery, mine)]

    async def became(state):
        door.hub.engine.changed()
        return await hers() == [state]

    await door.until(lambda: became(("ready", "quiet_hours")))
    await door.ask("POST", sent.path, data={"choice": "theme"})
    door.clock.leap(timedelta(hours=9))
    await door.until(lambda: became(("skipped", "unsubscribed")))
    assert len(list(door.sandbox.effects.to(SMS, "+33639980001"))) == 1


# --------------------------------------------------------------------------- links that are none


def forged(token, long):
    raw = base64.urlsafe_b64decode(token)
    return [
        token[:-1],
        token + "A",
        token.swapcase(),
        base64.urlsafe_b64encode(raw[:8] + bytes([raw[8] ^ 1]) + raw[9:]).decode(),
        base64.urlsafe_b64encode(bytes(5) + raw[5:]).decode(),
        StopTokens([b"another hub's key of 32 bytes!!!"]).issue_short(1, 1),
        long,
        long[:16],
        "x" * 16,
        "%C3%A9" * 16,
        "a" * 3000,
    ]


async def test_a_forged_link_says_gone_and_changes_nothing(door, sent):
    before = await state(door)
    long = door.stop_token(SMS, sent.amina, sent.announcement)
    paths = [f"/s/{token}" for token in forged(sent.token, long)] + [f"/stop/{sent.token}"]
    for path in paths:
        for method in ("GET", "POST"):
            answer = await door.ask(method, path)
            assert (answer.status, answer.kind) == (410, "text/html"), path
            assert "Il n’y a rien à arrêter" in answer.text
    assert await state(door) == before


async def test_an_erased_persons_link_says_gone(door, sent):
    await door.hub.ledger.transact(
        lambda conn: privacy.erase_person(conn, sent.amina, door.clock.now())
    )
    for method in ("GET", "POST"):
        assert (await door.ask(method, sent.path)).status == 410


async def test_a_link_outlives_its_announcement_and_stops_its_channel(door, sent):
    path = f"/s/{door.short_token(sent.amina, 999_999)}"
    page = await door.ask("GET", path)
    assert page.status == 200
    assert "<h1>Ne plus recevoir de messages</h1>" in page.text
    assert 'value="theme"' not in page.text
    assert (await door.ask("POST", path)).status == 200
    assert "sms" not in await channels(door, sent.amina)


async def test_who_guesses_is_soon_sent_away(make_door):
    door = await make_door(limits={"public_per_minute": 2})
    answers = [await door.ask("GET", "/s/" + "x" * 16) for _ in range(3)]
    assert [answer.status for answer in answers] == [410, 410, 429]
