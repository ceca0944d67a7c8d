# SPDX-License-Identifier: EUPL-1.2
"""What was foreseen is byte for byte what the sandbox's phones receive, on all four channels, but
for the announcement's own code, personal links of equal length and the notification's moment."""

import json
import re
import shutil
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
import pytest_asyncio
from door_rig import START, open_door
from sqlalchemy import insert, select

from channels.base import SHORT_STOP_MARK, STOP_TOKEN_MARK, ChannelName
from hub.flow.site import UNBORN_CODE
from subscribers import tables as people
from templates.frame import topic

PUBLISHED = re.compile(r'"timestamp":\d+')
SHORT = re.compile(rf"(?<=/s/)[A-Za-z0-9_-]{{{len(SHORT_STOP_MARK)}}}")
LONG = re.compile(rf"(?<=/stop/)[A-Za-z0-9_-]{{{len(STOP_TOKEN_MARK)}}}")
WORDS = (
    "De 8 h à 12 h, quartier des Tanneries. **Faites** une réserve, [ici](https://example.org/é)."
)
ENGLISH = {"title": "Water cut", "body": "From 8 to 12. *Store* water. 👍"}
AWKWARD = {
    "emoji": "Crue 👨‍👩‍👧‍👦 🌊 restez chez vous 🇫🇷",
    "no-break spaces": "De 8\u00a0h à 12\u202fh\u00a0: « restez\u00a0chez vous »",
    "right to left": "\u202bتنبيه فيضان\u202c ابتعدوا عن النهر",
    "six hundred characters": "Une phrase de dix mots pour remplir la place ici. " * 12,
    "markdown": "# Titre\n\n- un\n- deux\n\n> cité\n\n`code` **gras** <b>brut</b> &amp; 1 * 2 * 3",
    "template language": "{{ 7*7 }} {% raw %} {# non #} %(x)s ${y}",
    "trailing spaces": "  Une ligne.   \n\n\n  Une autre.\t\n  ",
    "a very long word": "https://example.org/" + "a" * 150 + " puis " + "b" * 120,
    "halves of accents": "E\u0301vacuation de l'e\u0301cole",
    "controls of lines": "Un\r\ndeux\rtrois\n\n\n\nquatre . .. \n.\nFrom ici",
}
CASES = [
    *({"body": body, "thread": True} for body in AWKWARD.values()),
    *({"urgency": urgency} for urgency in ("information", "important", "urgent", "drill")),
    *({"themes": [theme]} for theme in ("eau", "travaux", "culture", "cantine")),
    {
        "themes": ["coupures"],
        "sms_spelling": ["apostrophes", "spaces"],
        "body": "L’eau, 8\u00a0h – …",
    },
    {"post_link": False, "short": "Court, c’est tout."},
    {"overrides": {"sms": "SMS à part ê", "x": "X à part", "webpush": "Push « à part »"}},
    {
        "zones": ["tanneries"],
        "expires": "2026-11-26T14:00:00+01:00",
        "link": "https://example.org/é",
    },
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(seeded, tmp_path_factory):
    """One hub for all cases, whose town has a template of its own for one theme."""
    folder = tmp_path_factory.mktemp("bytes")
    shutil.copytree(seeded, folder / "data")
    own = folder / "words" / "fr" / "culture"
    own.mkdir(parents=True)
    (own / "sms.txt").write_text("Sortir{{ colon }}{{ text }} – {{ page_url }}\n", "utf-8")
    (own / "post.txt").write_text("À l’affiche{{ colon }}{{ text }}", "utf-8")
    async with AsyncExitStack() as stack:
        door = await open_door(stack, folder / "data", words={"overlay": folder / "words"})
        door.all = await door.key("maire")
        await door.hub.ledger.transact(lambda conn: give_devices(conn, door.sandbox.push))
        yield door


def give_devices(conn, push):
    """A device to some who have a mailbox; they ask for everything on it."""
    mailbox = people.contact_point.c.channel == "email"
    owners = conn.execute(select(people.contact_point.c.subscriber).where(mailbox).distinct())
    roots = conn.execute(select(people.theme.c.id).where(people.theme.c.parent.is_(None)))
    roots = roots.scalars().all()
    for number in owners.scalars().all()[:8]:
        device = push.new_device(f"device{number}")
        point = {"address": device["endpoint"], "keys": device["keys"], "channel": "webpush"}
        point |= {"subscriber": number, "verified_at": START, "created": START}
        conn.execute(insert(people.contact_point).values(point))
        asked = {"subscriber": number, "channel": "webpush", "cadence": "now"}
        every = insert(people.subscription).prefix_with("OR IGNORE")
        conn.execute(every, [{"theme": root, **asked} for root in roots])


def plain(text, code):
    """Without what differs from one reader, or one moment, to another."""
    text = text.replace(topic(code), topic(UNBORN_CODE)).replace(code, UNBORN_CODE)
    for pattern, mark in ((SHORT, SHORT_STOP_MARK), (LONG, STOP_TOKEN_MARK)):
        text = pattern.sub(mark, text)
    return PUBLISHED.sub('"timestamp":0', text)


def foreseen(each):
    """What a phone would hold of one of the preview's texts."""
    text, none = each["text"], ""
    match each["channel"]:
        case "sms":
            return {(plain(text["body"], UNBORN_CODE), none, none)}
        case "x":
            return {(plain(post, UNBORN_CODE), none, none) for post in text["posts"]}
        case "email":
            parts = (text["text"], text["subject"], text["html"])
            return {tuple(plain(part, UNBORN_CODE) for part in parts)}
        case _:
            return {(plain(text["payload"], UNBORN_CODE), none, none)}


async def told(door, payload):
    """What was foreseen of an announcement and what its phones received, by channel."""
    headers = {"Authorization": f"Bearer {door.all}"}
    into = door.clock.now().second
    if into > 20:  # the minute it is published at is in the text: the same when it was foreseen
        door.clock.leap(timedelta(seconds=60 - into))
    found = await door.ask("POST", "/api/v1/previews", json=payload, headers=headers)
    assert found.status == 200, found.text
    effects, seen = door.sandbox.effects, door.sandbox.effects.last
    accepted = await door.post(door.all, payload)
    assert accepted.status == 202, accepted.text
    code = accepted.json["id"]
    await door.settled(door.all, code)
    sent = {
        name: {
            (plain(each.text, code), plain(each.subject, code), plain(each.html, code))
            for each in effects.select(since=seen, channel=name)
        }
        for name in ChannelName
    }
    expected = {name: set() for name in ChannelName}
    for each in found.json["texts"]:
        if each["messages"] != 0:
            expected[ChannelName(each["channel"])] |= foreseen(each)
    return code, expected, sent


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", CASES, ids=lambda case: json.dumps(case, ensure_ascii=False)[:50])
async def test_what_was_foreseen_is_what_is_received(hub, case):
    said = {
        "title": "Coupure d’eau jeudi",
        "body": WORDS,
        "themes": ["coupures"],
        "urgency": "important",
        "translations": {"en": ENGLISH},
        "channels": ["email", "x", "webpush", "sms"],
        **case,
    }
    if len(said["body"]) > 500 or "https" in said["body"]:
        said["short"] = "Coupure d’eau jeudi de 8 h à 12 h."
    _, expected, sent = await told(hub, said)
    for name in ChannelName:
        assert sent[name] == expected[name], name
    assert all(sent.values())


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("urgency", ["important", "urgent", "drill"])
async def test_every_follow_up_too(hub, urgency):
    said = {"title": "Crue", "body": WORDS, "themes": ["alertes"], "urgency": urgency}
    said |= {"translations": {"en": ENGLISH}}
    first, *_ = await told(hub, said)
    for kind in ("update", "correction", "all_clear"):
        _, expected, sent = await told(hub, said | {"kind": kind, "about": first})
        for name in ChannelName:
            assert sent[name] == expected[name], (kind, name)
