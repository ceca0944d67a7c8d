# SPDX-License-Identifier: EUPL-1.2
"""Posting an announcement: kept once it says 202, once a key, and only what that key may say."""

import asyncio
import json
import threading

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from channels.base import Urgency
from hub.flow.accept.credentials import Scope, revoke_key
from hub.ledger import tables

PATH = "/api/v1/announcements"


async def test_an_accepted_announcement_is_in_the_ledger_when_the_202_leaves(door, news):
    answer = await door.post(await door.key(), news)
    assert answer.status == 202
    (row,) = await door.rows(tables.announcement)
    assert answer.headers["Location"] == f"{PATH}/{row.code}"
    assert answer.json["id"] == row.code
    assert answer.json["state"] == "running"
    runs = await door.rows(tables.run)
    assert [run.channel for run in runs] == ["sms", "email", "x", "webpush"]
    (line,) = await door.rows(tables.audit, tables.audit.c.object == f"announcement:{row.code}")
    assert (line.actor, line.verb) == ("opérateur", "publish")


async def test_no_202_without_a_commit(door, news):
    key = await door.key()

    def fail(connection):
        connection.exec_driver_sql("ROLLBACK")  # as SQLite does itself when a COMMIT fails
        raise OperationalError("COMMIT", {}, Exception("the disk went away"))

    engine = door.hub.ledger._write_engine
    event.listen(engine, "commit", fail)
    try:
        answer = await door.post(key, news, **{"Idempotency-Key": "e1"})
    finally:
        event.remove(engine, "commit", fail)
    assert answer.status == 500
    assert "went away" not in answer.text
    assert await door.rows(tables.announcement) == []
    again = await door.post(key, news, **{"Idempotency-Key": "e1"})
    assert again.status == 202
    assert len(await door.rows(tables.announcement)) == 1


# --------------------------------------------------------------------------- idempotency


async def test_the_same_key_and_body_is_the_same_announcement_and_nothing_leaves_twice(door, news):
    key = await door.key()
    first = await door.post(key, news, **{"Idempotency-Key": "vanne-12"})
    await door.settled(key, first.json["id"])
    sent = door.sandbox.effects.last
    again = await door.post(key, news, **{"Idempotency-Key": "vanne-12"})
    assert again.status == 202
    assert again.json["id"] == first.json["id"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    await door.settled(key, first.json["id"])
    assert sent > 0
    assert door.sandbox.effects.last == sent


async def test_members_in_another_order_are_the_same_body(door, news):
    key = await door.key()
    first = await door.post(key, news, **{"Idempotency-Key": "k"})
    turned = dict(reversed(news.items()))
    again = await door.post(key, json.dumps(turned, indent=2).encode(), **{"Idempotency-Key": "k"})
    assert again.json["id"] == first.json["id"]


async def test_twenty_at_once_with_one_key_are_one_announcement(door, news):
    key = await door.key()
    answers = await asyncio.gather(
        *(door.post(key, news, **{"Idempotency-Key": "once"}) for _ in range(20))
    )
    assert {answer.status for answer in answers} == {202}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert len(await door.rows(tables.announcement)) == 1
    assert len(await door.rows(tables.run)) == 4


async def test_a_key_used_for_something_else_is_refused(door, news):
    key = await door.key()
    await door.post(key, news, **{"Idempotency-Key": "once"})
    other = await door.post(key, news | {"title": "Autre chose"}, **{"Idempotency-Key": "once"})
    assert other.status == 422
    assert "idempotency_key_reused" in other.codes()
    assert len(await door.rows(tables.announcement)) == 1


async def test_two_announcements_at_once_under_one_key_are_one_and_a_refusal(door, news):
    key = await door.key()
    bodies = [news | {"title": f"Annonce {n}"} for n in range(8)]
    answers = await asyncio.gather(
        *(door.post(key, body, **{"Idempotency-Key": "once"}) for body in bodies)
    )
    assert sorted(answer.status for answer in answers) == [202] + 7 * [422]
    assert len(await door.rows(tables.announcement)) == 1


async def test_two_api_keys_may_use_the_same_idempotency_key(door, news):
    one, two = await door.key("cantine"), await door.key("voirie")
    first = await door.post(one, news, **{"Idempotency-Key": "1"})
    second = await door.post(two, news, **{"Idempotency-Key": "1"})
    assert {first.status, second.status} == {202}
    assert first.json["id"] != second.json["id"]


async def test_without_an_idempotency_key_each_post_is_an_announcement(door, news):
    key = await door.key()
    codes = {(await door.post(key, news)).json["id"] for _ in range(3)}
    assert len(codes) == 3


async def test_a_replay_tells_where_the_announcement_stands_now(door, news):
    key = await door.key()
    later = news | {"publish_at": "2026-11-26T08:00:00+01:00"}
    first = await door.post(key, later, **{"Idempotency-Key": "k"})
    assert first.json["state"] == "scheduled"
    await door.with_key(key, "POST", f"{first.json['id']}/cancel")
    again = await door.post(key, later, **{"Idempotency-Key": "k"})
    assert (again.status, again.json["state"]) == (202, "cancelled")


# --------------------------------------------------------------------------- who may say what


async def test_a_key_that_may_not_publish_makes_something_to_approve(door, news):
    answer = await door.post(await door.key(may_publish=False), news)
    assert (answer.status, answer.json["state"]) == (202, "to_approve")
    assert answer.json["published"] is None
    assert await door.rows(tables.run) == []
    (line,) = await door.rows(tables.audit, tables.audit.c.verb == "submit")
    assert line.detail["source"].startswith("api:")


def test_a_scope_that_names_nothing_more_is_to_approve_and_not_urgent():
    assert Scope() == Scope(themes=None, highest_urgency=Urgency.IMPORTANT, may_publish=False)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("theme", "status"), [("eau", 202), ("coupures", 202), ("travaux", 403), ("alertes", 403)]
)
async def test_a_key_reaches_its_themes_and_all_below_them(shared, news, theme, status):
    key = await shared.key(f"eau, {theme}", themes=("eau",))
    answer = await shared.post(key, news | {"themes": [theme]})
    assert answer.status == status


async def test_a_key_of_a_narrow_theme_does_not_reach_the_wider_one(door, news):
    key = await door.key(themes=("coupures",))
    assert (await door.post(key, news | {"themes": ["coupures"]})).status == 202
    refused = await door.post(key, news | {"themes": ["coupures", "eau", "qualite"]})
    assert refused.status == 403
    assert [e["pointer"] for e in refused.json["errors"]] == ["/themes/1", "/themes/2"]
    assert {e["code"] for e in refused.json["errors"]} == {"theme_not_allowed"}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("highest", "asked", "status"),
    [
        ("information", "information", 202),
        ("information", "drill", 202),
        ("information", "important", 403),
        ("important", "urgent", 403),
        ("urgent", "urgent", 202),
    ],
)
async def test_a_key_reaches_its_highest_urgency(shared, news, highest, asked, status):
    key = await shared.key(f"{highest}, {asked}", highest_urgency=Urgency(highest))
    answer = await shared.post(key, news | {"urgency": asked})
    assert answer.status == status
    if status == 403:
        assert answer.json["errors"][0]["pointer"] == "/urgency"
        assert answer.json["errors"][0]["code"] == "urgency_not_allowed"


async def test_nothing_follows_an_alert_its_key_could_not_have_published(door, news):
    mayor = await door.key("maire")
    alert = await door.post(mayor, news | {"themes": ["eau", "alertes"], "urgency": "urgent"})
    about = {"about": alert.json["id"], "kind": "all_clear"}
    agent = await door.key("agent", themes=("eau",))
    refused = await door.post(agent, news | about)
    assert refused.status == 403
    assert {(e["pointer"], e["code"]) for e in refused.json["errors"]} == {
        ("/about", "theme_not_allowed")
    }
    meek = await door.key("discret", highest_urgency=Urgency.INFORMATION)
    refused = await door.post(meek, news | about)
    assert [(e["pointer"], e["code"]) for e in refused.json["errors"]] == [
        ("/about", "urgency_not_allowed")
    ]
    assert (await door.post(mayor, news | about)).status == 202


async def test_what_a_key_may_not_see_it_cannot_follow_either(door, news):
    first = await door.post(await door.key("a"), news)
    school = await door.key("école", themes=("ecoles",))
    follow = {"kind": "update", "themes": ["ecoles"]}
    hidden = await door.post(school, news | follow | {"about": first.json["id"]})
    unknown = await door.post(school, news | follow | {"about": "zzzzzz"})
    assert (hidden.status, unknown.status) == (422, 422)
    assert hidden.json["errors"] == unknown.json["errors"]
    assert hidden.json["errors"][0]["code"] == "unknown_announcement"


async def test_a_correction_joins_the_chain_of_its_first(door, news):
    key = await door.key()
    first = await door.post(key, news)
    update = await door.post(key, news | {"kind": "update", "about": first.json["id"]})
    second = await door.post(key, news | {"kind": "all_clear", "about": update.json["id"]})
    assert update.json["about"] == second.json["about"] == first.json["id"]


# --------------------------------------------------------------------------- who is at the door


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer hub_none", "Basic aHViOmh1Yg==", "Bearer \udcff\udcfe"],
)
async def test_without_a_living_key_nothing_is_said(shared, news, authorization):
    before = len(await shared.rows(tables.announcement))
    headers = {"Authorization": authorization} if authorization else {}
    answer = await shared.ask("POST", PATH, json=news, headers=headers)
    assert (answer.status, answer.kind) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="hub"'
    assert len(await shared.rows(tables.announcement)) == before


async def test_a_revoked_key_is_no_key(door, news):
    key = await door.key("stagiaire")
    assert (await door.post(key, news)).status == 202
    number = door.hub.town.authority
    ended = await door.hub.ledger.transact(
        lambda conn: revoke_key(conn, number, "stagiaire", actor="tests", now=door.clock.now())
    )
    assert ended
    answer = await door.post(key, news)
    assert (answer.status, answer.json["code"]) == (401, "unauthorised")


async def test_the_bearer_scheme_is_read_whatever_its_case(door, news):
    key = await door.key()
    answer = await door.ask("POST", PATH, json=news, headers={"Authorization": f"bearer   {key} "})
    assert answer.status == 202


async def test_a_key_of_another_authority_publishes_there_and_not_here(door, news):
    elsewhere = await door.key("voisin", authority="autreville")
    answer = await door.post(elsewhere, news | {"zones": []})
    assert answer.status == 202
    (row,) = await door.rows(tables.announcement)
    assert row.authority != door.hub.town.authority
    assert (await door.ask("GET", f"/a/{row.code}")).status == 404


# --------------------------------------------------------------------------- a client that leaves


async def test_a_client_that_leaves_while_it_commits_loses_nothing(door, news):
    """Production does not cancel handlers (aiohttp's default): what was read is kept and sent."""
    key, body = await door.key(), json.dumps(news).encode()
    ledger, release = door.hub.ledger, threading.Event()
    held = ledger.transact(lambda _conn: release.wait(10))
    writer = await raw(door, key, len(body), body, key_of="gone")
    await door.until(lambda: not ledger._writer._inbox.empty())
    before = await door.answered("POST", PATH, 202)
    writer.transport.abort()
    await asyncio.sleep(0.05)  # until the server has seen it go
    release.set()
    await held

    async def told():
        return await door.answered("POST", PATH, 202) == before + 1

    await door.until(told)  # the handler came to its end, though nobody listened
    again = await door.post(key, news, **{"Idempotency-Key": "gone"})
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(await door.rows(tables.announcement)) == 1


async def test_half_a_body_is_nothing(door, news):
    key, body = await door.key(), json.dumps(news).encode()
    writer = await raw(door, key, len(body), body[:40], key_of="half")
    await asyncio.sleep(0)
    writer.transport.abort()
    assert (await door.post(key, news, **{"Idempotency-Key": "half"})).status == 202
    assert len(await door.rows(tables.announcement)) == 1


async def raw(door, key, length, body, *, key_of):
    """A POST written by hand, not waited for."""
    host, port = door.hub.base_url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        (
            f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
            f"Idempotency-Key: {key_of}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        ).encode()
        + body
    )
    await writer.drain()
    return writer
