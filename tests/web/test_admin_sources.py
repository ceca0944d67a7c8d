# SPDX-License-Identifier: EUPL-1.2
"""`/admin/entrants`: a source's secret is shown once, what it posts is seen, it ends at once."""

import asyncio
import html
import json
import re
import subprocess
from datetime import timedelta

import pytest
from door_rig import authority_of

from hub.flow.accept import credentials, payloads
from hub.flow.accept.credentials import Scope, Seal
from hub.flow.office.roles import Role
from hub.ledger import office_tables, tables
from hub.web.hooks.standard import sign

NEWS = {"title": "Crue", "body": "L’Orne monte.", "themes": ["eau"]}
PAGE = "/admin/entrants/vigicrues"


@pytest.fixture
async def hand(office):
    return await office.officer({Role.ADMIN: None, Role.APPROVE: None})


def secret_in(reply):
    return re.search(r'value="(whsec_[^"]+)"', reply.text)[1].replace("&#43;", "+")


async def added(hand, **fields):
    given = {"key": "vigicrues", "highest": "important"} | fields
    return secret_in(await hand.post("/admin/entrants", given))


async def event(door, secret, payload=NEWS, identity="e1"):
    body = json.dumps({"type": "crue", "data": payload}).encode()
    stamp = str(int(door.clock.wall().timestamp()))
    headers = {
        "Content-Type": "application/json",
        "webhook-id": identity,
        "webhook-timestamp": stamp,
        "webhook-signature": sign(identity, stamp, body, secret),
    }
    return await door.ask("POST", "/hooks/vigicrues", data=body, headers=headers)


async def test_a_sources_event_waits_for_approval_and_is_seen_with_what_it_became(office, hand):
    secret = await added(hand)
    assert "Aucune requête reçue" in (await hand.get(PAGE)).text
    reply = await event(office.door, secret)
    assert (reply.status, reply.json["state"]) == (202, "to_approve")
    page = (await hand.get(PAGE)).text
    assert f'href="/console/annonces/{reply.json["id"]}"' in page
    assert "L’Orne monte." in html.unescape(page)


async def test_what_is_refused_is_seen_with_the_field_that_was_wrong(office, hand):
    secret = await added(hand)
    assert (await event(office.door, secret, {"title": "Sans thème"})).status == 422
    assert (await event(office.door, secret, NEWS | {"urgency": "urgent"}, "e2")).status == 403
    page = (await hand.get(PAGE)).text
    assert page.count("Refusée") == 2
    assert "Sans thème" in page
    assert "<code>/" in page


async def test_what_bears_no_signature_is_not_kept(office, hand):
    await added(hand)
    assert (await event(office.door, "whsec_" + "A" * 44)).status == 401
    assert await office.door.rows(office_tables.payload) == []


async def test_the_last_twenty_are_kept_for_a_month(office, hand):
    secret = await added(hand)
    for n in range(22):
        await event(office.door, secret, {"title": f"Essai {n}"}, f"e{n}")
    rows = await office.door.rows(office_tables.payload)
    assert (len(rows), b"Essai 2" in rows[0].body) == (20, True)
    later = office.door.clock.now() + timedelta(days=31)
    gone = await office.door.hub.ledger.transact(lambda c: payloads.forget(c, later, 100))
    assert gone == 20


async def test_the_secret_is_shown_once_and_a_new_one_ends_it(office, hand):
    first = await added(hand)
    second = secret_in(await hand.post(f"{PAGE}/secret"))
    assert (await event(office.door, first)).status == 401
    assert (await event(office.door, second)).status == 202
    for path in ("/admin/entrants", PAGE, "/admin/journal"):
        page = (await hand.get(path)).text
        assert first not in page
        assert second not in page
    lines = await office.door.rows(tables.audit, tables.audit.c.object == "source:vigicrues")
    assert [line.verb for line in lines] == ["add", "renew_secret"]


async def test_a_revoked_source_posts_nothing_and_stays_revoked(office, hand):
    secret = await added(hand)
    assert (await hand.post(f"{PAGE}/revoquer")).status == 303
    assert (await event(office.door, secret)).status == 401
    assert "Révoquée" in (await hand.get("/admin/entrants")).text
    assert (await hand.post(f"{PAGE}/secret")).status == 404
    assert (await hand.post(f"{PAGE}/revoquer")).status == 404


async def test_a_name_that_is_taken_or_unfit_is_told_at_its_field(hand):
    await added(hand)
    for key in ("vigicrues", "Vigi Crues", ""):
        reply = await hand.post("/admin/entrants", {"key": key, "highest": "urgent"})
        assert (reply.status, 'id="key-error"' in reply.text) == (422, True), key


async def test_a_source_publishes_by_itself_only_where_that_was_ticked(office, hand):
    secret = await added(hand, may_publish="on", themes="eau")
    assert (await event(office.door, secret)).json["state"] != "to_approve"
    assert (await event(office.door, secret, NEWS | {"themes": ["culture"]}, "e2")).status == 403


async def test_the_first_try_that_is_shown_signs_as_we_do(hand):
    reply = await hand.post("/admin/entrants", {"key": "vigicrues", "highest": "important"})
    script = html.unescape(re.search(r"<pre[^>]*><code>(.*?)</code>", reply.text, re.DOTALL)[1])
    shown = script.split("curl ")[0] + 'printf "%s\\n%s\\n%s\\n%s" "$id" "$t" "$sig" "$body"'
    done = await asyncio.create_subprocess_exec("/bin/sh", "-c", shown, stdout=subprocess.PIPE)
    told, _ = await done.communicate()
    identity, stamp, signature, body = told.decode().split("\n", 3)
    assert sign(identity, stamp, body.encode(), secret_in(reply)) == f"v1,{signature}"
    assert json.loads(body)["data"]["themes"]


async def test_another_towns_source_is_not_seen_or_ended_and_sources_are_for_who_administers(
    office, hand
):
    door = office.door

    def add(conn):
        number, seal = authority_of(conn, "autreville"), Seal(door.keys.seal)
        credentials.add_source(
            conn, number, "voisine", Scope(), seal, actor="t", now=door.clock.now()
        )

    await door.hub.ledger.transact(add)
    assert "voisine" not in (await hand.get("/admin/entrants")).text
    assert (await hand.get("/admin/entrants/voisine")).status == 404
    for verb in ("secret", "revoquer"):
        assert (await hand.post(f"/admin/entrants/voisine/{verb}")).status == 404
    other = await office.officer({Role.OPERATE: None})
    assert (await other.get("/admin/entrants")).status == 403
