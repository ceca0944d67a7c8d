# SPDX-License-Identifier: EUPL-1.2
"""Events of other systems: signed, in time, each once, and no more than their source may say."""

import asyncio
import json
from datetime import timedelta

import pytest

from channels.base import Urgency
from hub.flow.accept.credentials import Scope, Seal, add_source, revoke_source
from hub.ledger import tables
from hub.web.hooks.standard import sign

OTHER = "whsec_" + "A" * 43 + "="


def event(news, **more):
    said = {"type": "announcement.requested", "timestamp": "2026-11-24T09:00:00Z", "data": news}
    return json.dumps(said | more).encode()


def sender(door):
    """`await send(secret, body, ...)`: one event, signed unless a header says otherwise."""

    async def post(secret, body, *, identity="evt_1", late=0, source="vigicrues", **own):
        stamp = str(int(door.clock.wall().timestamp()) - late)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": identity,
            "webhook-timestamp": stamp,
            "webhook-signature": sign(identity, stamp, body, secret),
        }
        headers |= {name.replace("_", "-"): value for name, value in own.items()}
        return await door.ask("POST", f"/hooks/{source}", data=body, headers=headers)

    return post


@pytest.fixture
def send(door):
    """Sends to a hub of this test's own."""
    return sender(door)


async def test_a_signed_event_is_an_announcement(door, send, news):
    secret = await door.source()
    answer = await send(secret, event(news))
    assert (answer.status, answer.json["state"]) == (202, "running")
    (row,) = await door.rows(tables.announcement)
    assert (row.code, row.source, row.author) == (answer.json["id"], "hook:vigicrues", "vigicrues")
    assert row.source_key == "evt_1"


async def test_an_event_sent_again_is_the_same_announcement(door, send, news):
    secret, body = await door.source(), event(news)
    answers = await asyncio.gather(*(send(secret, body) for _ in range(5)))
    door.clock.leap(timedelta(hours=5))  # the sixth retry of Standard Webhooks, signed anew
    answers.append(await send(secret, body))
    assert {answer.status for answer in answers} == {202}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert len(await door.rows(tables.announcement)) == 1


async def test_an_id_used_for_another_event_is_refused(door, send, news):
    secret = await door.source()
    await send(secret, event(news))
    answer = await send(secret, event(news | {"title": "Autre"}))
    assert answer.status == 422
    assert "idempotency_key_reused" in answer.codes()


async def test_two_sources_may_use_the_same_id(door, send, news):
    one, two = await door.source("vigicrues"), await door.source("cantine")
    first = await send(one, event(news))
    second = await send(two, event(news), source="cantine")
    assert first.json["id"] != second.json["id"]


async def test_a_source_that_may_not_publish_makes_something_to_approve(door, send, news):
    secret = await door.source(may_publish=False)
    assert (await send(secret, event(news))).json["state"] == "to_approve"
    assert await door.rows(tables.run) == []


async def test_a_source_keeps_to_its_themes_and_urgency(door, send, news):
    secret = await door.source(themes=("eau",), highest_urgency=Urgency.INFORMATION)
    answer = await send(secret, event(news | {"themes": ["alertes"], "urgency": "urgent"}))
    assert answer.status == 403
    assert {(e["pointer"], e["code"]) for e in answer.json["errors"]} == {
        ("/data/urgency", "urgency_not_allowed"),
        ("/data/themes/0", "theme_not_allowed"),
    }


# --------------------------------------------------------------------------- signatures


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook_signature": ""},
        {"webhook_signature": "v1,"},
        {"webhook_signature": "v1," + "A" * 43 + "="},
        {"webhook_signature": "v1,\udcff\udcfe"},
        {"webhook_id": ""},
        {"webhook_id": "evt.1"},
        {"webhook_id": "evt_2"},
        {"webhook_id": "e" * 256},
        {"webhook_id": "\udcff"},
        {"webhook_timestamp": ""},
        {"webhook_timestamp": "yesterday"},
        {"webhook_timestamp": "-1"},
        {"webhook_timestamp": "٣"},
        {"webhook_timestamp": "1" * 13},
        {"webhook_timestamp": "1" * 5000},
    ],
)
async def test_a_signature_that_does_not_fit_is_refused(shared, news, wrong):
    before = len(await shared.rows(tables.announcement))
    answer = await sender(shared)(shared.secret, event(news), **wrong)
    assert (answer.status, answer.json["code"]) == (401, "unsigned")
    assert len(await shared.rows(tables.announcement)) == before


async def test_a_body_changed_on_the_way_is_refused(door, send, news):
    secret = await door.source()
    stamp = str(int(door.clock.wall().timestamp()))
    signed = sign("evt_1", stamp, event(news), secret)
    changed = event(news | {"title": "Piège"})
    answer = await send(secret, changed, webhook_signature=signed)
    assert answer.json["code"] == "unsigned"


async def test_another_sources_secret_an_unknown_source_and_a_revoked_one_look_alike(
    door, send, news
):
    await door.source("cantine")
    secret = await door.source()
    number = door.hub.town.authority
    revoked = await door.source("ancien")
    await door.hub.ledger.transact(
        lambda conn: revoke_source(conn, number, "ancien", actor="tests", now=door.clock.now())
    )
    answers = [
        await send(secret, event(news), source="cantine"),
        await send(secret, event(news), source="inconnu"),
        await send(revoked, event(news), source="ancien"),
        await send(OTHER, event(news)),
    ]
    told = [{**answer.json, "instance": ""} for answer in answers]
    assert all(each == told[0] for each in told)
    assert told[0]["code"] == "unsigned"
    assert await door.rows(tables.announcement) == []


async def test_a_secret_sealed_with_another_hubs_secret_opens_nothing(door, send, news):
    number = door.hub.town.authority
    secret = await door.hub.ledger.transact(
        lambda conn: add_source(
            conn, number, "restaurée", Scope(), Seal(b"other"), actor="tests", now=door.clock.now()
        )
    )
    await door.source()
    assert (await send(secret, event(news))).json["code"] == "unsigned"


async def test_one_good_signature_among_several_is_enough(door, send, news):
    """Rotation: the sender signs with the old secret and the new one."""
    secret, body = await door.source(), event(news)
    stamp = str(int(door.clock.wall().timestamp()))
    several = " ".join(
        [
            "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
            sign("evt_1", stamp, body, OTHER),
            sign("evt_1", stamp, body, secret),
        ]
    )
    assert (await send(secret, body, webhook_signature=several)).status == 202


# --------------------------------------------------------------------------- clocks


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("late", [299, -299])
async def test_five_minutes_of_skew_either_way_are_forgiven(shared, news, late):
    answer = await sender(shared)(shared.secret, event(news), late=late, identity=f"late{late}")
    assert answer.status == 202


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("late", [302, -302, 86_400, 1_700_000_000, -900_000_000_000])
async def test_more_skew_is_refused_and_says_so(shared, news, late):
    before = len(await shared.rows(tables.announcement))
    answer = await sender(shared)(shared.secret, event(news), late=late)
    assert (answer.status, answer.json["code"]) == (401, "clock_skew")
    assert "horloge" in answer.json["detail_fr"]
    assert len(await shared.rows(tables.announcement)) == before


# --------------------------------------------------------------------------- what is inside


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"data": []}', b'"x"', b"null"])
async def test_an_event_without_an_announcement_is_refused(shared, body):
    answer = await sender(shared)(shared.secret, body)
    assert answer.status == 422
    assert [e["pointer"] for e in answer.json["errors"]] == ["/data"]


async def test_a_wrong_field_is_named_inside_the_event(door, send, news):
    answer = await send(await door.source(), event(news | {"titre": "x"}))
    assert [(e["pointer"], e["code"]) for e in answer.json["errors"]] == [
        ("/data/titre", "extra_forbidden")
    ]


async def test_what_the_town_does_not_know_is_named_inside_the_event_too(door, send, news):
    answer = await send(await door.source(), event(news | {"themes": ["piscine"]}))
    assert [(e["pointer"], e["code"]) for e in answer.json["errors"]] == [
        ("/data/themes/0", "unknown_theme")
    ]


async def test_a_signed_body_that_is_no_json_is_unreadable(door, send):
    answer = await send(await door.source(), b'{"data":')
    assert (answer.status, answer.json["code"]) == (400, "unreadable")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", ["text/plain", "application/cloudevents+json", ""])
async def test_another_media_type_is_refused(shared, news, kind):
    answer = await sender(shared)(shared.secret, event(news), Content_Type=kind)
    assert (answer.status, answer.json["code"]) == (415, "unsupported_media_type")
