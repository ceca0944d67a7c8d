# SPDX-License-Identifier: EUPL-1.2
"""Over the API: what an announcement would become, without writing it."""

import pytest

from channels.base import ChannelName
from subscribers import tables

WATER = {
    "title": "Coupure d’eau jeudi",
    "body": "De 8 h à 12 h, quartier des Tanneries. Faites une réserve.",
    "themes": ["coupures"],
    "urgency": "important",
}


async def ask(door, key, path, payload):
    headers = {"Authorization": f"Bearer {key}"}
    return await door.ask("POST", f"/api/v1/{path}", json=payload, headers=headers)


async def test_what_is_foreseen_is_what_the_phones_then_hold(door):
    key, before = await door.key(), await door.counts()
    foreseen = await ask(door, key, "previews", WATER)
    assert foreseen.status == 200
    assert await door.counts() == before
    accepted = await door.post(key, WATER)
    await door.settled(key, accepted.json["id"])
    texts = {(each["channel"], each["language"]): each for each in foreseen.json["texts"]}
    sent = door.sandbox.effects.select(channel=ChannelName.SMS)
    assert texts["sms", "fr"]["messages"] == len(sent)


async def test_the_audience_alone_is_counted_and_small_counts_are_not_told(door):
    key = await door.key()
    told = (await ask(door, key, "audience", WATER)).json
    assert set(told) == {"at", "people", "channels", "zones"}
    assert told["people"] > 5
    everything = [told["people"], *told["zones"].values()]
    assert told["channels"].pop("x")["messages"] == 1  # the town's own post is nobody's
    for each in told["channels"].values():
        everything += [each["messages"], each["held"], *each["not_reached"].values()]
    assert not {1, 2, 3, 4} & set(everything)


async def test_a_small_counts_cost_is_not_told_either(door):
    key = await door.key()
    drop = tables.subscription.delete().where(
        tables.subscription.c.channel == "sms", tables.subscription.c.subscriber > 6
    )
    await door.hub.ledger.transact(lambda conn: conn.execute(drop))
    found = (await ask(door, key, "previews", WATER)).json
    [sms] = [each for each in found["texts"] if each["channel"] == "sms"]
    assert (sms["messages"], sms["cost"]) == (None, None)
    assert found["costs"]["EUR"] is None


async def test_each_family_of_characters_says_what_it_would_save(door):
    key = await door.key()
    found = (await ask(door, key, "previews", WATER)).json
    [sms] = [each for each in found["texts"] if each["channel"] == "sms"]
    [other] = sms["cheaper"]
    assert other["sms_spelling"] == ["apostrophes"]
    assert "Coupure d'eau" in other["body"]
    assert other["segments"]["encoding"] == "GSM-7"
    chosen = await ask(door, key, "previews", WATER | {"sms_spelling": ["apostrophes"]})
    [cheap] = [each for each in chosen.json["texts"] if each["channel"] == "sms"]
    assert cheap["text"]["body"] == other["body"]
    assert cheap["cheaper"] == []


async def test_what_it_says_and_leaves_unsaid_is_told(door):
    key = await door.key()
    found = (await ask(door, key, "previews", WATER)).json
    assert found["says"] == {
        "fr": {
            "source": True,
            "hazard": True,
            "place": True,
            "time": True,
            "action": True,
            "link": True,
        }
    }


@pytest.mark.parametrize("path", ["previews", "audience"])
async def test_what_could_not_be_published_is_refused_alike(door, path):
    key = await door.key()
    refused = await ask(door, key, path, WATER | {"themes": ["nope"]})
    assert refused.status == 422
    assert refused.codes() == {"invalid", "unknown_theme"}
    limited = await door.key("cantine", themes=("cantine",))
    assert (await ask(door, limited, path, WATER)).status == 403
    assert (await ask(door, "hub_no", path, WATER)).status == 401


@pytest.mark.parametrize(("setting", "status"), [("never", 422), ("propose", 202), ("always", 202)])
async def test_a_town_that_replaces_no_character_refuses_to(make_door, setting, status):
    door = await make_door(words={"sms_transliteration": setting})
    key = await door.key()
    answer = await door.post(key, WATER | {"sms_spelling": ["apostrophes", "accents"]})
    assert answer.status == status
    if status == 422:
        assert answer.codes() == {"invalid", "spelling_not_offered"}
        return
    await door.settled(key, answer.json["id"])
    sent = door.sandbox.effects.select(channel=ChannelName.SMS)
    assert {"d'eau" in each.text for each in sent} == {True}


async def test_an_unknown_family_is_refused_by_name(door):
    key = await door.key()
    answer = await door.post(key, WATER | {"sms_spelling": ["emoji"]})
    assert answer.status == 422
    assert [error["pointer"] for error in answer.json["errors"]] == ["/sms_spelling/0"]
