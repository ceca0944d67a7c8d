# SPDX-License-Identifier: EUPL-1.2
"""A citizen answers an SMS: obeyed at once, answered once, in their language."""

import re
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from door_rig import authority_of
from sqlalchemy import insert, update

from channels.base import ChannelName, Reason
from hub.flow.citizens.stopping import Stopping
from hub.ledger import tables
from hub.ledger.journal import Journal
from hub.sandbox.receipts import sign
from hub.web.callbacks.twilio import INBOUND
from hub.web.desk import DESK
from hub.web.sandbox.stage import PHONES
from subscribers import tables as people
from subscribers.tokens import StopToken
from templates import gsm
from templates.pages.pages import StopChoice

AMINA = "+33639980001"
STRANGER = "+33639989999"


class Phone:
    """A citizen's, which Twilio listens to."""

    def __init__(self, door):
        self.door, self.sids = door, 0

    async def writes(self, body, *, number=AMINA, sid=None, secret=None, **form):
        """The text of the answer; None where there is none."""
        answer = await self.posts(body, number=number, sid=sid, secret=secret, **form)
        assert (answer.status, answer.kind) == (200, "text/xml")
        found = ET.fromstring(answer.text).find("Message")
        return None if found is None else found.text

    async def posts(self, body, *, number=AMINA, sid=None, secret=None, **form):
        self.sids += 1
        sid = sid or f"SM{self.sids:032x}"
        told = {"MessageSid": sid, "From": number, "To": "38200", "Body": body} | form
        secret = secret or self.door.sandbox.credentials.auth_token
        headers = {"X-Twilio-Signature": sign(self.door.hub.base_url + INBOUND, told, secret)}
        return await self.door.ask("POST", INBOUND, data=told, headers=headers)

    async def holds(self, person=None):
        """Theme -> cadence of what reaches a person by SMS."""
        person = person or await self.door.person("v0001")
        rows = await self.door.rows(
            people.subscription,
            people.subscription.c.subscriber == person,
            people.subscription.c.channel == "sms",
        )
        themes = {row.id: row.key for row in await self.door.rows(people.theme)}
        return {themes[row.theme]: row.cadence for row in rows}

    async def other_channels(self):
        person = await self.door.person("v0001")
        rows = await self.door.rows(
            people.subscription,
            people.subscription.c.subscriber == person,
            people.subscription.c.channel != "sms",
        )
        return {(row.theme, row.channel) for row in rows}

    async def audited(self, verb):
        return [row for row in await self.door.rows(tables.audit) if row.verb == verb]


@pytest.fixture
async def phone(make_door):
    door = await make_door()
    sms = door.app[DESK].settings.channels.sms
    object.__setattr__(sms, "two_way", True)
    return Phone(door)


@pytest.mark.parametrize("word", ["STOP", "Arrêt.", "unsubscribe", "stop svp"])
async def test_stop_ends_every_sms_and_nothing_else(phone, word):
    others = await phone.other_channels()
    assert await phone.holds()
    before = phone.door.clock.monotonic()
    said = await phone.writes(word)
    assert "vous ne recevrez plus nos SMS" in said
    assert gsm.segments(said).count == 1
    assert await phone.holds() == {}
    assert await phone.other_channels() == others
    person = await phone.door.person("v0001")
    assert phone.door.hub.engine.wishes.since(person, before)
    (line,) = await phone.audited("stop")
    assert (line.actor, line.object) == ("citizen", f"subscriber:{person}")
    assert "33639980001" not in str(line)


async def test_a_stop_is_journaled_beside_the_ledger(phone):
    await phone.writes("STOP")
    written = Journal.beside(phone.door.hub.ledger.path).path.read_text()
    assert '"verb":"stop"' in written
    assert '"channel":"sms"' in written
    assert "33639980001" not in written


async def test_stop_and_a_theme_ends_that_one(phone):
    before = await phone.holds()
    theme = min(before)
    said = await phone.writes(f"Stop {theme.replace('-', ' ')}")
    assert "plus de SMS sur le thème" in said
    assert await phone.holds() == {key: each for key, each in before.items() if key != theme}


async def test_start_brings_back_exactly_what_the_sms_stopped(phone):
    before = await phone.holds()
    await phone.writes(f"STOP {min(before)}")
    await phone.writes("STOP")
    assert await phone.holds() == {}
    assert "à nouveau" in await phone.writes("START")
    assert await phone.holds() == before
    *_, start = Journal.beside(phone.door.hub.ledger.path).entries()
    assert start.verb == "start"
    assert {(theme, how) for theme, _, how in start.rows} == set(before.items())
    assert "rien à reprendre" in await phone.writes("START")
    assert await phone.holds() == before


async def test_start_gives_consent_again_where_it_had_ended(phone):
    person = await phone.door.person("v0001")
    table = people.subscription
    await phone.door.hub.ledger.transact(
        lambda conn: conn.execute(
            table.delete().where(table.c.subscriber == person, table.c.channel != "sms")
        )
    )
    await phone.writes("STOP")
    mine = people.consent.c.subscriber == person
    assert all(row.withdrawn_at for row in await phone.door.rows(people.consent, mine))
    await phone.writes("START")
    *_, last = await phone.door.rows(people.consent, mine)
    assert (last.source, last.withdrawn_at) == ("SMS START", None)


async def test_start_does_not_undo_a_later_stop_by_the_link(phone):
    await phone.writes("STOP")
    desk, person = phone.door.app[DESK], await phone.door.person("v0001")
    stopping = Stopping(desk.ledger, desk.engine.wishes, desk.clock)
    await stopping.stop(StopToken(ChannelName.SMS, person, 1), StopChoice.CHANNEL)
    assert "rien à reprendre" in await phone.writes("START")
    assert await phone.holds() == {}


async def test_start_lifts_the_providers_own_refusal_and_no_other(phone):
    points, person = people.contact_point, await phone.door.person("v0001")

    async def suspended(reason):
        change = update(points).where(points.c.subscriber == person, points.c.channel == "sms")
        values = {"suspended_at": phone.door.clock.now(), "suspended_reason": reason}
        await phone.door.hub.ledger.transact(lambda conn: conn.execute(change.values(values)))
        await phone.writes("START")
        mine = (points.c.subscriber == person) & (points.c.channel == "sms")
        return (await phone.door.rows(points, mine))[0].suspended_reason

    assert await suspended(Reason.OPTED_OUT) is None
    assert await suspended(Reason.NO_SUCH_ADDRESS) == "no_such_address"


async def test_a_shared_number_is_all_its_holders(phone):
    other = await phone.door.person("v0002")

    def share(conn):
        row = {"subscriber": other, "channel": "sms", "address": AMINA, "position": 9}
        row |= {"verified_at": phone.door.clock.now(), "created": phone.door.clock.now()}
        conn.execute(insert(people.contact_point).values(row))
        theme = conn.execute(people.theme.select()).first().id
        asked = {"theme": theme, "channel": "sms", "subscriber": other, "cadence": "now"}
        conn.execute(people.subscription.insert().prefix_with("OR IGNORE").values(asked))

    await phone.door.hub.ledger.transact(share)
    assert await phone.holds(other)
    await phone.writes("STOP")
    assert await phone.holds(other) == {}
    assert len(await phone.audited("stop")) == 2


async def test_a_theme_that_only_one_of_two_towns_knows_stops_nothing_of_the_other(phone):
    def move_in(conn):
        town = authority_of(conn, "autreville")
        theirs = people.theme.c.authority == town
        theme = conn.execute(people.theme.select().where(theirs)).first().id
        names = {"fr": "Pêche", "en": "Fishing"}
        mine = people.theme.c.id == theme
        conn.execute(people.theme.update().where(mine).values(key="peche", names=names))
        now = phone.door.clock.now()
        row = {"authority": town, "language": "fr", "timezone": "Europe/Paris"}
        row |= {"channel_order": ["sms"], "created": now}
        who = conn.execute(people.subscriber.insert().values(row)).inserted_primary_key[0]
        row = {"subscriber": who, "channel": "sms", "address": AMINA, "position": 0}
        row |= {"verified_at": now, "created": now}
        conn.execute(insert(people.contact_point).values(row))
        asked = {"theme": theme, "channel": "sms", "subscriber": who, "cadence": "now"}
        conn.execute(insert(people.subscription).values(asked))
        return who

    who = await phone.door.hub.ledger.transact(move_in)
    mine = await phone.holds()
    assert await phone.holds(who) == {"peche": "now"}
    assert "sur le thème Peche" in await phone.writes("STOP pêche")
    assert await phone.holds(who) == {}
    assert await phone.holds() == mine
    await phone.writes("STOP rien")  # a theme of nobody's: the right to stop outweighs spelling
    assert await phone.holds() == {}


async def test_two_machines_that_answer_each_other_fall_silent(phone):
    """Obeyed every time; whoever writes that often reads no answers, and each one is paid for."""
    answers = [await phone.writes(word) for word in ("AIDE", "STOP", "START") * 15]
    assert 0 < sum(each is not None for each in answers) <= 20
    assert answers[-1] is None
    assert await phone.holds()
    assert await phone.writes("AIDE", number=STRANGER)
    phone.door.clock.leap(timedelta(days=1, seconds=1))
    assert await phone.writes("AIDE")


async def test_an_unknown_number_is_answered_and_nothing_is_learnt(phone):
    before = await phone.door.counts()
    assert "vous ne recevrez plus" in await phone.writes("STOP", number=STRANGER)
    assert "inscrire" in await phone.writes("START", number=STRANGER)
    assert "no more texts" in await phone.writes("Help", number=STRANGER)
    assert await phone.door.counts() == before


async def test_the_answer_is_in_the_citizens_language(phone):
    person = await phone.door.person("v0001")
    table = people.subscriber
    change = update(table).where(table.c.id == person).values(language="en")
    await phone.door.hub.ledger.transact(lambda conn: conn.execute(change))
    assert "you will get no more texts" in await phone.writes("ARRET")


async def test_anything_else_is_helped_once_a_day(phone):
    assert "STOP" in await phone.writes("Merci beaucoup !")
    assert await phone.writes("Ok") is None
    assert await phone.writes("Je suis absent", number=AMINA) is None
    assert "STOP" in await phone.writes("Bonjour", number=STRANGER)
    assert "STOP" in await phone.writes("AIDE")  # who asks is always helped
    phone.door.clock.leap(timedelta(days=1, seconds=1))
    assert "STOP" in await phone.writes("Merci encore")


async def test_a_message_that_comes_again_is_answered_alike_and_done_once(phone):
    first = await phone.writes("STOP", sid="SMagain")
    assert await phone.writes("STOP", sid="SMagain") == first
    assert len(await phone.audited("stop")) == 1


@pytest.mark.parametrize("number", ["38200", "VALMONT", "", "+"])
async def test_machines_and_echoes_are_not_answered(phone, number):
    assert await phone.writes("STOP", number=number, To=number) is None


async def test_what_twilio_has_answered_is_obeyed_and_not_answered_again(phone):
    assert await phone.writes("STOP", OptOutType="STOP") is None
    assert await phone.holds() == {}


async def test_a_one_way_sender_obeys_and_does_not_answer(phone):
    object.__setattr__(phone.door.app[DESK].settings.channels.sms, "two_way", False)
    assert await phone.writes("STOP") is None
    assert await phone.holds() == {}


async def test_a_forgery_stops_nobody(phone):
    before = await phone.holds()
    answer = await phone.posts("STOP", secret="another account's token")
    assert (answer.status, answer.codes()) == (403, {"unsigned"})
    assert await phone.holds() == before


async def test_the_stand_in_of_twilio_reaches_the_door(phone):
    said = {"from": AMINA, "body": "STOP", "to": "38200"}
    answer = await phone.door.ask("POST", "/sandbox/api/inbound", json=said)
    assert answer.json == {"webhook_status": 200}
    assert await phone.holds() == {}


async def test_nothing_of_it_stands_in_the_log(phone, log):
    await phone.writes("Bonjour la mairie, mon enfant est malade")
    await phone.writes("STOP")
    written = log.getvalue()
    assert not re.search("malade|33639980001", written)


# --------------------------------------------------------------------------- the demonstration


async def test_the_demonstrations_phone_has_an_answer_box_that_works(make_door):
    door = await make_door()
    desk = door.app[DESK]
    object.__setattr__(desk.settings.channels.sms, "two_way", True)
    phones = replace(door.app[PHONES], inbound=door.sandbox.twilio.inbound)
    assert door.app[PHONES].inbound is None  # a name cannot be answered
    assert "/reponse" not in (await door.ask("GET", "/sandbox")).text
    # a running application is not meant to change
    with pytest.warns(DeprecationWarning, match="Changing state"):
        door.app[PHONES] = phones
    shown = (await door.ask("GET", "/sandbox")).text
    assert 'action="/sandbox/amina/reponse"' in shown
    assert 'action="/sandbox/claire/reponse"' not in shown  # she has no number
    answer = await door.ask("POST", "/sandbox/amina/reponse", data={"body": "Arrêt"})
    assert (answer.status, answer.headers["Location"]) == (303, "/sandbox")
    assert await Phone(door).holds() == {}
    assert "vous ne recevrez plus nos SMS" in (await door.ask("GET", "/sandbox")).text
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    for path, headers in (("claire", {}), ("zoe", {}), ("amina", elsewhere)):
        sent = {"data": {"body": "STOP"}, "headers": headers}
        assert (await door.ask("POST", f"/sandbox/{path}/reponse", **sent)).status in {403, 404}
