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
from hub.flow.staff.roles import Role
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
    secret = await added(hand, mode="publish", themes="eau")
    assert (await event(office.door, secret)).json["state"] != "to_approve"
    assert (await event(office.door, secret, NEWS | {"themes": ["culture"]}, "e2")).status == 403


async def test_what_a_source_leaves_as_a_draft_is_taken_up_written_on_and_asked_for(office, hand):
    secret = await added(hand, mode="draft")
    reply = await event(office.door, secret)
    assert (reply.status, reply.json["state"]) == (202, "draft")
    page = f"/console/annonces/{reply.json['id']}"
    writer = await office.officer({Role.READ: None, Role.WRITE: None})
    assert f'href="{page}"' in (await writer.get("/console")).text
    assert "Reprendre ce brouillon" in (await writer.get(page)).text
    assert (await writer.post(f"{page}/corriger")).headers["Location"] == f"{page}/rediger"
    assert "L’Orne monte." in html.unescape((await writer.get(f"{page}/rediger")).text)
    assert f'href="{page}"' not in (await writer.get("/console")).text
    assert (await writer.post(f"{page}/corriger")).status == 409


async def test_a_draft_of_a_source_that_is_thrown_away_is_over_for_its_system_too(office, hand):
    secret = await added(hand, mode="draft")
    code = (await event(office.door, secret)).json["id"]
    writer = await office.officer({Role.READ: None, Role.WRITE: None})
    await writer.post(f"/console/annonces/{code}/corriger")
    assert (await writer.post(f"/console/annonces/{code}/supprimer")).status == 303
    [row] = await office.door.rows(tables.announcement, tables.announcement.c.code == code)
    assert row.state == "cancelled"
    assert code not in (await writer.get("/console")).text


async def test_a_draft_is_no_writers_whose_themes_do_not_hold_it(office, hand):
    secret = await added(hand, mode="draft")
    code = (await event(office.door, secret)).json["id"]
    other = await office.officer({Role.READ: None, Role.WRITE: ("culture",)})
    assert code not in (await other.get("/console")).text
    assert (await other.post(f"/console/annonces/{code}/corriger")).status in (403, 404)


async def test_what_a_source_may_do_changes_from_its_next_event_on(office, hand):
    secret = await added(hand)
    given = {"mode": "draft", "highest": "urgent", "themes": "eau"}
    assert (await hand.post(PAGE, given)).headers["Location"] == PAGE
    assert (await event(office.door, secret, NEWS | {"urgency": "urgent"})).json["state"] == "draft"
    assert (await event(office.door, secret, NEWS | {"themes": ["culture"]}, "e2")).status == 403
    assert (await hand.post(PAGE, given)).status == 303
    lines = await office.door.rows(tables.audit, tables.audit.c.object == "source:vigicrues")
    assert [line.verb for line in lines] == ["add", "rights"]


FOREIGN = {"station": {"name": "Pont <b>neuf</b>"}, "level": "orange", "topic": "Inondation"}
RULES = {
    "title": "Crue à {station.name}",
    "body": "Niveau {level}.",
    "themes": "{topic}",
    "urgency": "{level}",
    "same": "inondation = eau\norange = important",
}


async def foreign(door, secret, sent=FOREIGN, identity="f1"):
    body = json.dumps(sent).encode()
    stamp = str(int(door.clock.wall().timestamp()))
    headers = {
        "Content-Type": "application/json",
        "webhook-id": identity,
        "webhook-timestamp": stamp,
        "webhook-signature": sign(identity, stamp, body, secret),
    }
    return await door.ask("POST", "/hooks/vigicrues", data=body, headers=headers)


async def test_an_event_in_another_form_is_read_by_rules_tried_before_and_waits_for_approval(
    office, hand
):
    secret = await added(hand)
    assert (await foreign(office.door, secret)).status == 422
    page = (await hand.get(f"{PAGE}/champs")).text
    assert "Inondation" in page  # the last request is there to be tried
    shown = await hand.post(f"{PAGE}/champs", RULES | {"act": "try", "sample": json.dumps(FOREIGN)})
    assert shown.status == 200
    assert "Crue à Pont &lt;b&gt;neuf&lt;/b&gt;" in shown.text
    assert 'class="tag important"' in shown.text
    assert await office.door.rows(tables.announcement) == []
    kept = await hand.post(f"{PAGE}/champs", RULES | {"act": "keep"})
    assert kept.headers["Location"] == PAGE
    reply = await foreign(office.door, secret, identity="f2")
    assert (reply.status, reply.json["state"]) == (202, "to_approve")
    again = await foreign(office.door, secret, identity="f2")
    assert again.json["id"] == reply.json["id"]
    approver = await office.officer({Role.READ: None, Role.APPROVE: None})
    home = (await approver.get("/console")).text
    assert f"/console/annonces/{reply.json['id']}/verifier" in home


async def test_rules_gain_a_source_nothing_it_may_not_do(office, hand):
    secret = await added(hand, themes="culture")
    await hand.post(f"{PAGE}/champs", RULES | {"act": "keep"})
    assert (await foreign(office.door, secret)).status == 403
    shown = await hand.post(f"{PAGE}/champs", RULES | {"act": "try", "sample": json.dumps(FOREIGN)})
    assert "Cet événement serait refusé" in shown.text


async def test_rules_and_samples_that_cannot_be_read_are_told_at_their_fields(hand):
    await added(hand)
    wrong = await hand.post(f"{PAGE}/champs", RULES | {"act": "keep", "title": "{", "body": ""})
    assert wrong.status == 422
    assert 'id="title-error"' in wrong.text
    assert 'id="body-error"' in wrong.text
    for sample in ("", "{", "[" * 100_000):
        reply = await hand.post(f"{PAGE}/champs", RULES | {"act": "try", "sample": sample})
        assert (reply.status, 'id="sample-error"' in reply.text) == (422, True)
    for sample in ("3", "[]", '{"a": null}'):
        reply = await hand.post(f"{PAGE}/champs", RULES | {"act": "try", "sample": sample})
        assert (reply.status, "serait refusé" in reply.text) == (200, True)


async def test_rules_are_removed_and_are_another_towns_or_a_revoked_sources_to_nobody(office, hand):
    secret = await added(hand)
    await hand.post(f"{PAGE}/champs", RULES | {"act": "keep"})
    await hand.post(f"{PAGE}/champs", {"act": "none"})
    assert (await event(office.door, secret)).status == 202
    assert (await hand.get("/admin/entrants/voisine/champs")).status == 404
    await hand.post(f"{PAGE}/revoquer")
    assert (await hand.get(f"{PAGE}/champs")).status == 404
    assert (await hand.post(f"{PAGE}/champs", RULES | {"act": "keep"})).status == 404
    assert (await hand.post(PAGE, {"mode": "publish"})).status == 404


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
