# SPDX-License-Identifier: EUPL-1.2
"""`/admin/cles`: a key is shown once, does what it was given for, and ends at once."""

import re

from door_rig import authority_of

from channels.base import Urgency
from hub.flow.accept import credentials
from hub.flow.accept.credentials import Scope
from hub.flow.staff.roles import Role

NEWS = {"title": "Piscine", "body": "Fermée lundi.", "themes": ["eau"]}


def key_in(reply):
    return re.search(r'value="(hub_[^"]+)"', reply.text)[1]


async def test_a_new_key_posts_what_waits_for_approval_and_is_never_shown_again(office):
    hand = await office.officer({Role.ADMIN: None})
    made = await hand.post(
        "/admin/cles", {"name": "Piscine", "kind": "system", "highest": "important"}
    )
    key = key_in(made)
    posted = await office.door.post(key, NEWS)
    assert (posted.status, posted.json["state"]) == (202, "to_approve")
    page = (await hand.get("/admin/cles")).text
    assert "Piscine" in page
    assert key not in page
    assert key[4:] not in (await hand.get("/admin/journal")).text


async def test_a_keys_limits_hold(office):
    hand = await office.officer({Role.ADMIN: None})
    fields = [("name", "Eau"), ("kind", "system"), ("highest", "information"), ("themes", "eau")]
    key = key_in(await hand.post("/admin/cles", [*fields, ("may_publish", "on")]))
    assert (await office.door.post(key, NEWS)).json["state"] in ("running", "finished")
    assert (await office.door.post(key, NEWS | {"urgency": "urgent"})).status == 403
    assert (await office.door.post(key, NEWS | {"themes": ["culture"]})).status == 403


async def test_a_desks_key_publishes_nothing_whatever_else_was_ticked(office):
    hand = await office.officer({Role.ADMIN: None})
    fields = {"name": "Accueil", "kind": "desk", "highest": "urgent", "may_publish": "on"}
    made = await hand.post("/admin/cles", fields)
    assert "/guichet" in made.text
    assert (await office.door.post(key_in(made), NEWS)).status == 401


async def test_a_revoked_key_opens_nothing_and_its_name_stays_taken(office):
    hand = await office.officer({Role.ADMIN: None})
    key = key_in(await hand.post("/admin/cles", {"name": "Piscine", "kind": "system"}))
    page = (await hand.get("/admin/cles")).text
    end = re.search(r'action="(/admin/cles/\d+/revoquer)"', page)[1]
    assert (await hand.post(end)).status == 303
    assert "n’ouvre plus rien" in (await hand.get("/admin/cles")).text
    assert (await office.door.post(key, NEWS)).status == 401
    assert (await hand.post(end)).status == 404
    again = await hand.post("/admin/cles", {"name": "Piscine", "kind": "system"})
    assert again.status == 422
    assert "Ce nom est pris" in again.text


async def test_a_key_without_a_name_is_not_made(office):
    hand = await office.officer({Role.ADMIN: None})
    reply = await hand.post("/admin/cles", {"name": "  ", "kind": "system"})
    assert reply.status == 422
    assert "Donnez un nom" in reply.text


async def test_another_towns_key_cannot_be_seen_or_ended(office):
    hand, door = await office.officer({Role.ADMIN: None}), office.door

    def issue(conn):
        number = authority_of(conn, "autreville")
        scope = Scope(highest_urgency=Urgency.URGENT, may_publish=True)
        credentials.issue_key(conn, number, "Voisine", scope, actor="t", now=door.clock.now())
        return credentials.keys(conn, number)[-1]["id"]

    theirs = await door.hub.ledger.transact(issue)
    assert "Voisine" not in (await hand.get("/admin/cles")).text
    assert (await hand.post(f"/admin/cles/{theirs}/revoquer")).status == 404


async def test_keys_are_for_who_administers(office):
    hand = await office.officer({Role.OPERATE: None, Role.APPROVE: None})
    assert (await hand.get("/admin/cles")).status == 403
    assert (await hand.post("/admin/cles", {"name": "x"})).status == 403
