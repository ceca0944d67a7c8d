# SPDX-License-Identifier: EUPL-1.2
"""`/admin/canaux`: a channel is closed, opened and checked here; a secret goes in and never out."""

import stat

import pytest

from hub.flow.staff.roles import Role
from hub.ledger import tables

SMS = "/admin/canaux/sms"


@pytest.fixture
async def hand(office):
    return await office.officer({Role.OPERATE: None})


async def test_every_channel_is_listed_and_has_its_page(hand):
    page = (await hand.get("/admin/canaux")).text
    for name in ("sms", "email", "x", "webpush"):
        assert f'href="/admin/canaux/{name}"' in page
        assert (await hand.get(f"/admin/canaux/{name}")).status == 200
    assert (await hand.get("/admin/canaux/fax")).status == 404


async def test_a_channel_is_closed_and_opened_and_the_journal_says_who(office, hand):
    assert (await hand.post(f"{SMS}/suspendre")).status == 303
    page = (await hand.get(SMS)).text
    assert "Le canal est fermé" in page
    assert "Rouvrir ce canal" in page
    assert (await hand.post(f"{SMS}/reprendre")).status == 303
    assert "Fermer ce canal" in (await hand.get(SMS)).text
    lines = await office.door.rows(tables.audit, tables.audit.c.object == "channel:sms")
    assert [line.verb for line in lines] == ["pause", "resume"]


async def test_a_check_says_what_the_provider_answers_and_is_not_asked_for_without_end(hand):
    replies = [await hand.post(f"{SMS}/verifier") for _ in range(8)]
    assert "Le prestataire prendrait nos messages" in replies[0].text
    assert replies[-1].status == 429


async def test_a_secret_is_written_for_us_alone_and_stands_on_no_page(office, hand):
    secret = "tr3s-secret-9f8e7d"
    name = "channels__sms__auth_token"
    assert (await hand.post(f"{SMS}/secrets", {name: secret})).status == 303
    file = office.door.folder / "secrets" / name
    assert file.read_text() == secret
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for path in (SMS, "/admin/journal", "/admin/canaux"):
        assert secret not in (await hand.get(path)).text
    (line,) = await office.door.rows(tables.audit, tables.audit.c.verb == "keep_secret")
    assert (line.object, line.detail) == ("secret:channels.sms.auth_token", {})
    assert not [each for each in file.parent.iterdir() if each.name.startswith(".")]


async def test_an_unfit_secret_is_refused_without_being_repeated(office, hand):
    name = "channels__webpush__private_key"
    reply = await hand.post("/admin/canaux/webpush/secrets", {name: "pas-une-clef-zz"})
    assert reply.status == 422
    assert "pas-une-clef-zz" not in reply.text
    assert not (office.door.folder / "secrets" / name).exists()


async def test_an_empty_form_and_a_setting_that_is_no_secret_change_nothing(office, hand):
    folder = office.door.folder / "secrets"
    before = sorted(folder.iterdir()) if folder.exists() else []
    for fields in ({}, {"channels__sms__auth_token": " "}, {"channels__sms__base_url": "x"}):
        assert (await hand.post(f"{SMS}/secrets", fields)).status == 303
    assert (sorted(folder.iterdir()) if folder.exists() else []) == before


async def test_a_channel_is_for_the_town_that_runs_the_hub_and_for_who_operates(office):
    theirs = await office.officer({Role.OPERATE: None}, authority="autreville")
    assert (await theirs.get(SMS)).status == 404
    assert (await theirs.post(f"{SMS}/suspendre")).status == 404
    assert (await theirs.post(f"{SMS}/secrets", {"channels__sms__auth_token": "x"})).status == 404
    other = await office.officer({Role.ADMIN: None})
    assert (await other.get("/admin/canaux")).status == 403
    assert (await other.post(f"{SMS}/suspendre")).status == 403
