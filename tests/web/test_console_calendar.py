# SPDX-License-Identifier: EUPL-1.2
"""The calendar: what is to come, what comes again, where announcements meet, month by month."""

from datetime import timedelta

from hub.flow.staff.roles import Role

WORKS = {"title": "Travaux rue Basse", "body": "De 8 h à 17 h.", "zones": ["tanneries"]}


async def plan(door, days=2, name="opérateur", **more):
    key = await door.key(name)
    when = (door.clock.now() + timedelta(days=days)).isoformat()
    reply = await door.post(key, {**WORKS, "themes": ["eau"], "publish_at": when, **more})
    assert reply.status == 202, reply.text
    return reply.json["id"]


async def test_two_announcements_of_one_day_in_one_place_are_said_to_meet(office):
    door = office.door
    one, other = (
        await plan(door),
        await plan(door, name="voirie", themes=["travaux"], title="Coupure"),
    )
    hand = await office.officer()
    page = await hand.get("/console/calendrier")
    assert "2 annonces le jeudi 26 novembre au même endroit\xa0: Tanneries" in page.text
    for code in (one, other):
        assert f"/console/annonces/{code}" in page.text


async def test_of_another_department_it_is_told_that_it_is_there_and_nothing_more(office):
    door = office.door
    await plan(door)
    hidden = await plan(door, name="voirie", themes=["travaux"], title="Secret de la voirie")
    hand = await office.officer({Role.READ: ("eau",)})
    page = await hand.get("/console/calendrier")
    assert "1 d’un autre service" in page.text
    assert "1 annonce au calendrier" in page.text
    assert "Secret de la voirie" not in page.text
    assert hidden not in page.text


async def test_what_comes_again_stands_on_each_of_its_days(office):
    door = office.door
    key = await door.key()
    rule = {"every": "week", "weekdays": ["friday"], "at": "08:00"}
    reply = await door.post(key, {**WORKS, "themes": ["eau"], "repeat": rule})
    assert reply.status == 202, reply.text
    hand = await office.officer()
    november = await hand.get("/console/calendrier?mois=2026-11")
    assert "vendredi 27 novembre" in november.text
    december = await hand.get("/console/calendrier?mois=2026-12")
    for day in (4, 11, 18, 25):
        assert f"vendredi {day} décembre" in december.text
    assert "Revient" in december.text


async def test_an_empty_month_says_so_and_offers_to_write(office):
    hand = await office.officer()
    page = await hand.get("/console/calendrier?mois=2027-02")
    assert "Aucune annonce planifiée." in page.text
    assert "/console/calendrier?mois=2027-01" in page.text
    assert "/console/calendrier?mois=2027-03" in page.text
    assert (await hand.get("/console/calendrier?mois=rien&jours=x")).status == 200


async def test_another_towns_calendar_is_empty_here(office):
    await plan(office.door)
    there = await office.officer(authority="autreville")
    assert "Travaux rue Basse" not in (await there.get("/console/calendrier")).text
