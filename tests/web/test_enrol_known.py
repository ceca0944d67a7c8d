# SPDX-License-Identifier: EUPL-1.2
"""Somebody who subscribes again stays one person; somebody else is never taken for them."""

import pytest
from citizen_rig import DONE, SMS, Citizen, words

from channels.base import Recipient
from hub.ledger.journal import Journal
from subscribers import directory, subscriptions
from subscribers import tables as theirs
from subscribers.catalogue import load_catalogue

PHONE, TYPED = "+33639987701", "06 39 98 77 01"
OTHER, OTHER_TYPED = "+33639987702", "06 39 98 77 02"
MAIL = "zoe@example.org"


async def held(door, person):
    """What a person has: themes by channel and cadence, places, settings, addresses, consents."""

    def read(conn):
        who = directory.load(conn, person)
        catalogue = load_catalogue(conn, who.authority)
        return {
            "themes": {
                (catalogue.themes[t].key, str(by), str(how))
                for t, by, how in subscriptions.subscriptions_of(conn, person)
            },
            "places": {catalogue.zones[z].key for z in who.zones},
            "language": who.language,
            "quiet": who.quiet and (who.quiet.start, who.quiet.end),
            "addresses": {
                (str(p.channel), p.address, p.verified_at is not None)
                for p in directory.contact_points(conn, person)
            },
        }

    found = await door.hub.ledger.read(read)
    consents = await door.rows(theirs.consent, theirs.consent.c.subscriber == person)
    return found | {"consents": len(consents)}


async def holders(door, address):
    rows = await door.rows(theirs.contact_point, theirs.contact_point.c.address == address)
    return [row.subscriber for row in rows]


async def known(door, *themes, **fields):
    """Somebody who subscribed by SMS a while ago; their number."""
    first = Citizen(door)
    assert (await first.subscribe(*themes, by_sms="1", mobile=TYPED, **fields)).status == 303
    await first.prove(await first.code(PHONE))
    (person,) = await holders(door, PHONE)
    return person


@pytest.fixture
async def roomy(make_door):
    """A hub where one may ask again at once."""
    return await make_door(sign_ups={"pause": 1, "origin_per_hour": 1000, "contact_per_day": 100})


async def test_new_answers_join_those_of_the_same_number(roomy):
    person = await known(roomy, "eau", where="some", zone_tanneries="1")
    again = Citizen(roomy)
    await again.subscribe(
        *("travaux",),
        where="some",
        zone_gare="1",
        speak="en",
        quiet="1",
        quiet_from="22:00",
        quiet_to="07:00",
        by_sms="1",
        mobile=TYPED,
    )
    pending = [each for each in await holders(roomy, PHONE) if each != person]
    assert len(pending) == 1
    answer = await again.prove(await again.code(PHONE, 2))
    assert answer.headers["Location"] == DONE
    assert await holders(roomy, PHONE) == [person]
    found = await held(roomy, person)
    assert found["themes"] == {("eau", "sms", "now"), ("travaux", "sms", "now")}
    assert found["places"] == {"tanneries", "gare"}
    assert (found["language"], found["quiet"], found["consents"]) == ("en", (22 * 60, 7 * 60), 2)
    assert "Eau et coupures, Travaux et circulation" in words((await again.get(DONE)).text)
    assert await roomy.rows(theirs.subscriber, theirs.subscriber.c.id == pending[0]) == []
    (line,) = Journal.beside(roomy.hub.ledger.path).entries()
    assert (line.verb, line.person, line.into) == ("merge", pending[0], person)


async def test_the_whole_town_absorbs_the_places(roomy):
    person = await known(roomy, "eau", where="some", zone_tanneries="1")
    again = Citizen(roomy)
    await again.subscribe("eau", by_sms="1", mobile=TYPED)
    await again.prove(await again.code(PHONE, 2))
    assert (await held(roomy, person))["places"] == set()


async def test_who_had_stopped_everything_starts_with_the_new_places(roomy):
    person = await known(roomy, "eau")
    await roomy.hub.ledger.transact(
        lambda conn: subscriptions.stop_all(conn, person, roomy.clock.now())
    )
    again = Citizen(roomy)
    await again.subscribe("eau", where="some", zone_gare="1", by_sms="1", mobile=TYPED)
    await again.prove(await again.code(PHONE, 2))
    found = await held(roomy, person)
    assert (found["themes"], found["places"]) == ({("eau", "sms", "now")}, {"gare"})


async def test_a_new_address_comes_along_proved_or_not(roomy):
    person = await known(roomy, "eau")
    again = Citizen(roomy)
    await again.subscribe(
        "eau", by_sms="1", mobile=TYPED, by_email="1", email=MAIL, cadence="daily"
    )
    await again.prove(await again.code(PHONE, 2))
    found = await held(roomy, person)
    assert found["addresses"] == {("sms", PHONE, True), ("email", MAIL, False)}
    assert ("eau", "email", "daily") in found["themes"]
    assert (await again.ask("POST", await again.link(MAIL))).headers["Location"] == DONE
    assert ("email", MAIL, True) in (await held(roomy, person))["addresses"]
    assert await holders(roomy, MAIL) == [person]


async def test_the_visit_goes_on_as_who_they_were(roomy):
    """By e-mail first, which is new; then the number, which is known: one person, one visit."""
    person = await known(roomy, "eau")
    again = Citizen(roomy)
    await again.subscribe("culture", by_sms="1", mobile=TYPED, by_email="1", email=MAIL)
    await again.ask("POST", await again.link(MAIL))
    (new,) = await holders(roomy, MAIL)
    assert new != person
    await again.prove(await again.code(PHONE, 2))
    assert await holders(roomy, MAIL) == [person]
    (visit,) = [r for r in await roomy.rows(theirs.session) if r.subscriber == person][-1:]
    assert visit.subscriber == person
    assert "Eau et coupures" in words((await again.get(DONE)).text)


async def test_a_household_on_one_mailbox_stays_two_people(roomy):
    first = Citizen(roomy)
    await first.subscribe("eau", by_sms="1", mobile=TYPED, by_email="1", email=MAIL)
    await first.prove(await first.code(PHONE))
    await first.ask("POST", await first.link(MAIL))
    second = Citizen(roomy)
    await second.subscribe("culture", by_sms="1", mobile=OTHER_TYPED, by_email="1", email=MAIL)
    await second.prove(await second.code(OTHER))
    await second.ask("POST", await second.link(MAIL, 2))
    assert len(set(await holders(roomy, MAIL))) == 2
    (her,) = await holders(roomy, PHONE)
    assert (await held(roomy, her))["themes"] == {("eau", "sms", "now"), ("eau", "email", "now")}


async def test_who_writes_down_anothers_mailbox_does_not_come_to_own_their_pages(roomy):
    """A stranger subscribes with their own telephone and Zoé's mailbox; Zoé confirms, unaware."""
    zoe = Citizen(roomy)
    await zoe.subscribe("sante", by_email="1", email=MAIL)
    await zoe.ask("POST", await zoe.link(MAIL))
    (her,) = await holders(roomy, MAIL)
    before = await held(roomy, her)
    stranger = Citizen(roomy)
    await stranger.subscribe("eau", by_sms="1", mobile=OTHER_TYPED, by_email="1", email=MAIL)
    await stranger.prove(await stranger.code(OTHER))
    unaware = Citizen(roomy)  # she reads her mail in a browser that subscribed to nothing
    assert (await unaware.ask("POST", await unaware.link(MAIL, 2))).status == 303
    assert await held(roomy, her) == before
    shown = words((await stranger.get(DONE)).text)
    assert "Santé" not in shown
    assert await holders(roomy, OTHER) != [her]


async def test_a_link_read_elsewhere_joins_a_person_of_one_address(roomy):
    zoe = Citizen(roomy)
    await zoe.subscribe("sante", by_email="1", email=MAIL)
    await zoe.ask("POST", await zoe.link(MAIL))
    (her,) = await holders(roomy, MAIL)
    await Citizen(roomy).subscribe("eau", by_email="1", email=MAIL)
    elsewhere = Citizen(roomy)
    await elsewhere.ask("POST", await elsewhere.link(MAIL, 2))
    assert await holders(roomy, MAIL) == [her]
    assert {theme for theme, _, _ in (await held(roomy, her))["themes"]} == {"sante", "eau"}


async def test_another_towns_person_stays_theirs(roomy):
    """The same number is known in Autreville: nothing of theirs moves."""
    other = await roomy.rows(theirs.authority, theirs.authority.c.key == "autreville")

    def settle_there(conn):
        now = roomy.clock.now()
        person = directory.create(
            conn, other[0].id, language="fr", timezone="Europe/Paris", now=now
        )
        point = directory.add_contact_point(conn, person, SMS, Recipient(PHONE), now)
        directory.verify(conn, point, now)
        return person

    there = await roomy.hub.ledger.transact(settle_there)
    here = await known_beside(roomy, there)
    assert here != there
    assert (await held(roomy, there))["themes"] == set()


async def known_beside(door, there):
    zoe = Citizen(door)
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED)
    await zoe.prove(await zoe.code(PHONE))
    return next(each for each in await holders(door, PHONE) if each != there)
