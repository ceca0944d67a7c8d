# SPDX-License-Identifier: EUPL-1.2
"""The stop page: looking changes nothing, pressing the button (or a mail program's) stops."""

import asyncio
import base64
from datetime import timedelta

import aiohttp
import pytest

from channels.base import ChannelName
from hub.ledger import tables
from subscribers import directory, privacy
from subscribers import tables as theirs
from subscribers.tokens import StopTokens

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL


@pytest.fixture
async def sent(door, news):
    """An announcement about `coupures` that reached people, and Amina's link to stop by SMS."""

    class Sent:
        pass

    sent = Sent()
    sent.key = await door.key()
    sent.code = (
        await door.post(sent.key, news | {"themes": ["coupures"], "channels": ["sms", "email"]})
    ).json["id"]
    await door.settled(sent.key, sent.code)
    sent.announcement = await door.announcement_id(sent.code)
    sent.amina = await door.person("v0001")
    sent.token = door.stop_token(SMS, sent.amina, sent.announcement)
    return sent


async def subscriptions(door, person):
    rows = await door.rows(theirs.subscription, theirs.subscription.c.subscriber == person)
    names = {row.id: row.key for row in await door.rows(theirs.theme)}
    return {(names[row.theme], row.channel) for row in rows}


async def state(door):
    """Everything a stop may touch."""
    return [await door.rows(table) for table in (theirs.subscription, theirs.consent, tables.audit)]


async def test_the_link_in_a_letter_is_the_one_the_hub_reads(door, sent):
    letters = door.sandbox.effects.select(since=0, channel=EMAIL, addresses=None, limit=1)
    link = letters[0].extra["headers"]["List-Unsubscribe"].strip("<>")
    path = link.removeprefix(door.hub.settings.hub.public_url)
    assert (await door.ask("GET", path)).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_changes_nothing_however_often_a_scanner_looks(door, sent, method):
    before = await state(door)
    for _ in range(2):
        answer = await door.ask(method, f"/stop/{sent.token}?choice=all&List-Unsubscribe=One-Click")
        assert answer.status == 200
    assert await state(door) == before


async def test_the_page_names_what_stops_and_masks_the_address(door, sent):
    page = await door.ask("GET", f"/stop/{sent.token}", headers={"Accept-Language": "fr"})
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert f'action="/stop/{sent.token}"' in page.text
    assert "Coupures d’eau" in page.text
    assert "06\N{NO-BREAK SPACE}•• •• •• 01" in page.text
    assert "39980001" not in page.text
    english = await door.ask("GET", f"/stop/{sent.token}?lang=en")
    assert "Water cuts" in english.text
    assert english.headers["Set-Cookie"].startswith("lang=en")


async def test_only_the_theme_stops_the_wider_one_that_brought_it(door, sent):
    before = await subscriptions(door, sent.amina)
    answer = await door.ask("POST", f"/stop/{sent.token}", data={"choice": "theme"})
    assert answer.status == 200
    assert before - await subscriptions(door, sent.amina) == {("eau", "sms")}
    assert "Eau et coupures" in answer.text


async def test_the_channel_stops_and_other_roads_stay(door, sent):
    before = await subscriptions(door, sent.amina)
    answer = await door.ask("POST", f"/stop/{sent.token}", data={"choice": "channel"})
    assert answer.status == 200
    left = {each for each in before if each[1] != "sms"}
    assert left
    assert await subscriptions(door, sent.amina) == left


async def test_everything_stops_and_the_audit_says_by_whom(door, sent):
    answer = await door.ask("POST", f"/stop/{sent.token}", data={"choice": "all"})
    assert answer.status == 200
    assert await subscriptions(door, sent.amina) == set()
    (line,) = await door.rows(tables.audit, tables.audit.c.verb == "stop")
    assert (line.actor, line.object) == ("citizen", f"subscriber:{sent.amina}")
    assert line.detail == {"choice": "all", "announcement": sent.announcement}


async def test_stopping_twice_is_harmless(door, sent):
    for _ in range(2):
        answer = await door.ask("POST", f"/stop/{sent.token}", data={"choice": "channel"})
        assert answer.status == 200
    assert not {each for each in await subscriptions(door, sent.amina) if each[1] == "sms"}


async def test_one_click_stops_without_cookies_or_redirect(door, sent):
    """RFC 8058 section 3.2, urlencoded."""
    answer = await door.ask("POST", f"/stop/{sent.token}", data={"List-Unsubscribe": "One-Click"})
    assert answer.status == 200
    assert "Set-Cookie" not in answer.headers
    assert ("eau", "sms") not in await subscriptions(door, sent.amina)


async def test_one_click_may_come_as_multipart(door, sent):
    """RFC 8058 section 3.2 allows both encodings."""
    with aiohttp.MultipartWriter("form-data") as form:
        part = form.append("One-Click")
        part.set_content_disposition("form-data", name="List-Unsubscribe")
    answer = await door.ask("POST", f"/stop/{sent.token}", data=form)
    assert answer.status == 200
    assert ("eau", "sms") not in await subscriptions(door, sent.amina)


async def test_a_choice_in_multipart_is_read(door, sent):
    with aiohttp.MultipartWriter("form-data") as form:
        form.append("all").set_content_disposition("form-data", name="choice")
    assert (await door.ask("POST", f"/stop/{sent.token}", data=form)).status == 200
    assert await subscriptions(door, sent.amina) == set()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"choice=all"),
        ("multipart/form-data; boundary=abc", b"no such boundary"),
        ("application/x-www-form-urlencoded; charset=none", b"choice=theme"),
        ("application/x-www-form-urlencoded", b"choice=\xff&\xfe"),
        ("application/x-www-form-urlencoded", b"choice=everything"),
        ("text/plain", b""),
    ],
)
async def test_a_form_spelt_strangely_stops_the_least(door, sent, kind, body):
    before = await subscriptions(door, sent.amina)
    answer = await door.ask(
        "POST", f"/stop/{sent.token}", data=body, headers={"Content-Type": kind}
    )
    assert answer.status == 200
    assert before - await subscriptions(door, sent.amina) == {("eau", "sms")}


# --------------------------------------------------------------------------- links that are none


def forged(token):
    """Spellings that nobody was given."""
    raw = base64.urlsafe_b64decode(token)
    return [
        token[:-1],
        token + "A",
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        base64.urlsafe_b64encode(bytes([raw[0], *raw[1:6], raw[6] ^ 1, *raw[7:]])).decode(),
        base64.urlsafe_b64encode(b"\x02" + raw[1:]).decode(),
        base64.urlsafe_b64encode(raw[:12] + bytes(12)).decode(),
        StopTokens([b"another hub's key of 32 bytes!!!"]).issue(SMS, 1, 1),
        "x" * 32,
        "%C3%A9" * 32,
        "%FF" * 32,
        "a" * 3000,
    ]


async def test_a_forged_link_says_gone_and_changes_nothing(door, sent):
    before = await state(door)
    for token in forged(sent.token):
        for method in ("GET", "POST"):
            answer = await door.ask(method, f"/stop/{token}")
            assert (answer.status, answer.kind) == (410, "text/html"), token
            assert "Il n’y a rien à arrêter" in answer.text
    assert await state(door) == before


async def test_an_erased_persons_link_says_gone(door, sent):
    await door.hub.ledger.transact(
        lambda conn: privacy.erase_person(conn, sent.amina, door.clock.now())
    )
    for method in ("GET", "POST"):
        assert (await door.ask(method, f"/stop/{sent.token}")).status == 410


async def test_a_link_outlives_its_announcement_and_stops_its_channel(door, sent):
    """A restored backup has forgotten what was sent since (ENGINE.md 4.12); the right stays."""
    token = door.stop_token(SMS, sent.amina, 999_999)
    page = await door.ask("GET", f"/stop/{token}")
    assert page.status == 200
    assert 'value="theme"' not in page.text
    answer = await door.ask("POST", f"/stop/{token}", data={"List-Unsubscribe": "One-Click"})
    assert answer.status == 200
    assert "« »" not in answer.text
    left = await subscriptions(door, sent.amina)
    assert left
    assert not {each for each in left if each[1] == "sms"}


async def test_a_link_outlives_its_address(door, sent):
    (point,) = await door.rows(
        theirs.contact_point,
        theirs.contact_point.c.subscriber == sent.amina,
        theirs.contact_point.c.channel == "sms",
    )
    await door.hub.ledger.transact(lambda conn: directory.remove_contact_point(conn, point.id))
    assert (await door.ask("GET", f"/stop/{sent.token}")).status == 200
    assert (await door.ask("POST", f"/stop/{sent.token}")).status == 200


# --------------------------------------------------------------------------- what it does


async def test_what_waits_for_somebody_who_stopped_is_skipped(door, sent, news):
    """Amina is asleep: her message is held until seven, and she says stop before."""
    door.clock.leap(timedelta(hours=12, minutes=30))  # 22 h 30 in Valmont
    late = news | {"themes": ["coupures"], "channels": ["sms"]}
    code = (await door.post(sent.key, late)).json["id"]
    number = await door.announcement_id(code)

    async def hers():
        (run,) = await door.rows(tables.run, tables.run.c.announcement == number)
        mine = (tables.delivery.c.run == run.id) & (tables.delivery.c.subscriber == sent.amina)
        return await door.rows(tables.delivery, mine)

    async def held():
        return [(row.state, row.reason) for row in await hers()] == [("ready", "quiet_hours")]

    await door.until(held)
    before = [effect.to for effect in door.sandbox.effects.to(SMS, "+33639980001")]
    await door.ask("POST", f"/stop/{sent.token}", data={"choice": "channel"})
    door.clock.leap(timedelta(hours=9))

    async def skipped():
        door.hub.engine.changed()
        return [row.state for row in await hers()] == ["skipped"]

    await door.until(skipped)
    assert [(row.state, row.reason) for row in await hers()] == [("skipped", "unsubscribed")]
    assert [effect.to for effect in door.sandbox.effects.to(SMS, "+33639980001")] == before


async def test_a_form_that_never_ends_is_given_up(door, sent, monkeypatch):
    monkeypatch.setattr("hub.web.bodies._PATIENCE", 0.05)

    async def dribble():
        yield b"choice="
        await asyncio.sleep(5)
        yield b"all"

    before = await state(door)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await door.ask("POST", f"/stop/{sent.token}", data=dribble(), headers=headers)
    assert answer.status == 408
    assert await state(door) == before
