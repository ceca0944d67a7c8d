# SPDX-License-Identifier: EUPL-1.2
"""The console's home: what waits, what goes out, what went out; each number opens its rows."""

import re
from datetime import timedelta

import pytest

from channels.base import ChannelDown, ChannelName, Reason
from hub.flow.staff.roles import Role
from hub.ledger import tables

WATER = {"title": "Coupure d'eau rue Basse", "body": "Jeudi de 8 h à 12 h.", "themes": ["eau"]}
URGENT = {**WATER, "urgency": "urgent", "title": "Fuite de gaz rue Basse"}
UNDER_WAY = {"ready", "reserved", "doubt"}
STOPPED = "Arrêtée, mais déjà reçue par des habitants"


@pytest.fixture
async def told(office):
    """An announcement of water that has left, and the officer who may see it all."""
    door = office.door
    key = await door.key()
    reply = await door.post(key, WATER)
    await door.settled(key, reply.json["id"])
    return reply.json["id"], await office.officer()


def numbers(page, pattern):
    return re.findall(pattern, page.text)


async def test_a_town_that_wrote_nothing_yet_is_told_what_to_do_first(office):
    hand = await office.officer()
    page = await hand.get("/console")
    assert page.status == 200
    for words in ("Créer un thème", "Connecter un canal", "bac à sable", "Imprimer l’affiche"):
        assert words in page.text


async def test_an_approval_is_asked_of_whoever_may_give_it_and_of_nobody_else(office):
    door = office.door
    key = await door.key("régie", may_publish=False)
    code = (await door.post(key, WATER)).json["id"]
    approver, writer = await office.approver(), await office.writer()
    page = await approver.get("/console")
    assert "À faire (1)" in page.text
    assert f"/console/annonces/{code}/verifier" in page.text
    other = await office.officer({Role.APPROVE: ("voirie",)})
    for nobody in (writer, other):
        assert "À faire (0)" in (await nobody.get("/console")).text


async def test_every_number_of_the_week_opens_a_list_with_that_many_rows(told):
    _, hand = told
    page = await hand.get("/console")
    links = numbers(page, r'href="(/console/envois\?canal=\w+&amp;etat=\w+)">([\d\s\u202f]+)<')
    assert links
    for address, said in links:
        rows, where = 0, address.replace("&amp;", "&")
        while where:
            reply = await hand.get(where)
            rows += reply.text.count('<tr><td data-label="Quand">')
            more = re.search(r'href="(/console/envois\?[^"]*apres=[^"]*)"', reply.text)
            where = more[1].replace("&amp;", "&") if more else ""
        assert rows == int(re.sub(r"\D", "", said)), address
    listed = await hand.get("/console/envois")
    assert listed.text.count("<li><time") == 1


async def test_an_urgent_announcement_without_its_all_clear_waits_for_one(office):
    door = office.door
    key = await door.key()
    code = (await door.post(key, URGENT)).json["id"]
    hand = await office.officer()
    page = await hand.get("/console")
    assert "Pas encore de fin d’alerte" in page.text
    assert f"/console/annonces/{code}/suite" in page.text


async def stopped(office, *closed):
    """An urgent announcement stopped once all had it whom the channels left open may reach."""
    door = office.door
    key, hand = await door.key(), await office.officer()
    for channel in closed:
        bearer = {"Authorization": f"Bearer {key}"}
        done = await door.ask("POST", f"/api/v1/channels/{channel}/pause", headers=bearer)
        assert done.status == 200
    code = (await door.post(key, URGENT)).json["id"]

    async def rested():
        runs = (await door.with_key(key, "GET", code)).json["channels"]
        told = [each["states"] for each in runs if each["channel"] not in closed]
        found = await door.rows(tables.run)
        planned = found and all(run.state != "planning" for run in found)
        return planned and not any(states.keys() & UNDER_WAY for states in told)

    await door.until(rested)
    assert (await hand.post(f"/console/annonces/{code}/arreter")).status == 303
    return code, key, hand


async def test_an_urgent_announcement_stopped_after_some_had_it_waits_for_a_correction(office):
    code, key, hand = await stopped(office, "email")
    page = await hand.get("/console")
    assert STOPPED in page.text
    assert "À faire (1)" in page.text
    assert f"/console/annonces/{code}/suite" in page.text
    reader = await office.officer({Role.READ: None})
    assert STOPPED not in (await reader.get("/console")).text, "who reads corrects nothing"
    told = URGENT | {"kind": "correction", "about": code, "title": "Pas de gaz rue Basse"}
    assert (await office.door.post(key, told)).status == 202
    assert STOPPED not in (await hand.get("/console")).text


async def test_one_stopped_before_anybody_had_it_waits_for_nothing(office):
    *_, hand = await stopped(office, *ChannelName)
    assert STOPPED not in (await hand.get("/console")).text


async def test_what_another_town_or_another_theme_tells_is_never_counted(office, told):
    there = await office.officer(authority="autreville")
    page = await there.get("/console")
    assert "Créer un thème" in page.text, "nothing was ever written there"
    road = await office.officer({Role.READ: ("voirie",)})
    page = await road.get("/console")
    assert "0 annonce publiée" in page.text
    assert not numbers(page, r"canal=\w+&amp;etat=remis")
    listed = await road.get("/console/envois?canal=sms&etat=remis")
    assert "0 message" in listed.text
    assert "<tr><td" not in listed.text


async def test_what_is_planned_stands_in_the_next_seven_days_and_in_the_calendar(office):
    door = office.door
    key = await door.key()
    when = (door.clock.now() + timedelta(days=2)).isoformat()
    code = (await door.post(key, {**WATER, "publish_at": when})).json["id"]
    hand = await office.officer()
    page = await hand.get("/console")
    assert "1 annonce au calendrier" in page.text
    listed = await hand.get("/console/calendrier?jours=7")
    assert "1 annonce au calendrier" in listed.text
    assert f"/console/annonces/{code}" in listed.text
    month = await hand.get("/console/calendrier?mois=2026-11")
    assert "jeudi 26 novembre" in month.text


async def test_a_channel_out_of_order_is_said_with_its_hour(office, told):
    _, hand = told
    door = office.door
    breaker = door.hub.engine.roads["sms"].providers.first.breaker
    now = door.clock.monotonic()
    breaker.close(breaker.admit(now), ChannelDown(Reason.NETWORK), now)
    page = await hand.get("/console")
    assert re.search(r"en panne depuis <time[^>]*>10\xa0h\xa00\d</time>", page.text)
    assert "Les messages attendent, rien n’est perdu." in page.text
    elsewhere = await hand.get("/console/calendrier")
    assert "Les messages attendent, rien n’est perdu." in elsewhere.text
