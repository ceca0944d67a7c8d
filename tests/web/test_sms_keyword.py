# SPDX-License-Identifier: EUPL-1.2
"""Somebody without a smartphone subscribes by one word: the SMS is the proof, and the consent."""

import pytest
from door_rig import authority_of
from sqlalchemy import insert, update

from channels.base import ChannelName, Reason
from hub.ledger import tables
from hub.sandbox.receipts import sign
from hub.web.callbacks.twilio import INBOUND
from hub.web.desk import DESK
from subscribers import tables as people
from subscribers.consent_text import CONSENT_VERSION
from subscribers.suppression import SuppressionReason, address_hash, suppress
from templates import gsm

AMINA = "+33639980001"
NEW = "+33639987777"
SMS = ChannelName.SMS


class Phone:
    """A plain mobile that writes to the town."""

    def __init__(self, door):
        self.door, self.sids = door, 0

    async def writes(self, body, number=NEW):
        """The text of the answer; one segment, always."""
        self.sids += 1
        told = {"MessageSid": f"SM{self.sids:032x}", "From": number, "To": "38200", "Body": body}
        secret = self.door.sandbox.credentials.auth_token
        headers = {"X-Twilio-Signature": sign(self.door.hub.base_url + INBOUND, told, secret)}
        answer = await self.door.ask("POST", INBOUND, data=told, headers=headers)
        said = answer.text.partition("<Message>")[2].partition("</Message>")[0]
        assert gsm.segments(said).count == 1
        return said

    async def points(self, number=NEW):
        table = people.contact_point
        return await self.door.rows(table, table.c.address == number, table.c.channel == "sms")

    async def holds(self, person):
        mine = people.subscription.c.subscriber == person
        rows = await self.door.rows(people.subscription, mine)
        themes = {row.id: row.key for row in await self.door.rows(people.theme)}
        return {(themes[row.theme], row.channel) for row in rows}

    async def consents(self, person):
        return await self.door.rows(people.consent, people.consent.c.subscriber == person)

    async def write(self, work):
        return await self.door.hub.ledger.transact(work)


@pytest.fixture
async def phone(door):
    object.__setattr__(door.app[DESK].settings.channels.sms, "two_way", True)
    return Phone(door)


async def test_one_word_and_a_theme_make_a_subscriber_with_proof(phone):
    said = await phone.writes("ABO EAU")
    assert "vous recevrez par SMS : Eau et coupures" in said
    assert "STOP" in said
    (point,) = await phone.points()
    assert point.verified_at is not None
    assert await phone.holds(point.subscriber) == {("eau", "sms")}
    (proof,) = await phone.consents(point.subscriber)
    assert (proof.source, proof.text_version) == ("sms", CONSENT_VERSION)
    assert proof.withdrawn_at is None
    (line,) = [row for row in await phone.door.rows(tables.audit) if row.verb == "subscribe"]
    assert (line.actor, line.object) == ("citizen", f"subscriber:{point.subscriber}")
    assert line.detail == {"by": "sms", "themes": ["eau"]}
    (person,) = await phone.door.rows(people.subscriber, people.subscriber.c.id == point.subscriber)
    assert person.language == "fr"


async def test_who_joined_by_sms_is_told_of_the_next_cut(phone, news):
    await phone.writes("ABO EAU")
    key = await phone.door.key()
    told = await phone.door.post(key, {**news, "channels": ["sms"]})
    await phone.door.settled(key, told.json["id"])
    effects = await phone.door.ask("GET", "/sandbox/api/messages")
    assert NEW in effects.text


@pytest.mark.parametrize("word", ["ABO", "Alerte", "inscription"])
async def test_a_word_alone_gives_the_advised_themes(phone, word):
    assert "Alertes urgentes" in await phone.writes(word)
    (point,) = await phone.points()
    assert await phone.holds(point.subscriber) == {("alertes", "sms")}


async def test_a_theme_may_be_named_in_full_in_part_and_in_english(phone):
    await phone.writes("Alertes urgentes")
    await phone.writes("abo école svp")
    await phone.writes("Join waste")
    (point,) = await phone.points()
    themes = {theme for theme, _ in await phone.holds(point.subscriber)}
    assert themes == {"alertes", "ecoles", "dechets"}


async def test_an_english_word_makes_an_english_reader(phone):
    assert "you will get texts about: Water and outages" in await phone.writes("JOIN EAU")
    (point,) = await phone.points()
    (person,) = await phone.door.rows(people.subscriber, people.subscriber.c.id == point.subscriber)
    assert person.language == "en"


async def test_an_unknown_theme_is_answered_with_those_there_are_and_writes_nothing(phone):
    before = await phone.door.counts()
    said = await phone.writes("ABO JARDINS")
    assert "ALERTES, EAU, TRAVAUX" in said
    assert await phone.door.counts() == before


async def test_asking_again_changes_nothing(phone):
    first = await phone.writes("ABO EAU")
    before = await phone.door.counts()
    assert await phone.writes("abo eau") == first
    assert await phone.writes("ABO COUPURES")  # within what she asked for already
    assert await phone.door.counts() == before
    (point,) = await phone.points()
    assert len(await phone.consents(point.subscriber)) == 1


async def test_somebody_known_keeps_all_they_had(phone):
    person = await phone.door.person("v0001")
    before = await phone.holds(person)
    await phone.writes("ABO CULTURE", AMINA)
    assert await phone.holds(person) == before | {("culture", "sms")}
    assert len(await phone.points(AMINA)) == 1
    assert len(await phone.consents(person)) == 2


async def test_after_a_stop_the_word_brings_back_what_it_names_and_the_consent(phone):
    person = await phone.door.person("v0001")
    await phone.writes("STOP", AMINA)
    await phone.writes("ABO EAU", AMINA)
    assert {each for each in await phone.holds(person) if each[1] == "sms"} == {("eau", "sms")}
    *_, last = await phone.consents(person)
    assert (last.source, last.withdrawn_at) == ("sms", None)


async def test_what_somebody_else_typed_in_for_the_number_is_not_confirmed_by_it(phone):
    """Else a stranger's choices would be hers as soon as she asks for her own."""

    now = phone.door.clock.now()

    def typed(conn):
        town = authority_of(conn, "valmont")
        row = {"authority": town, "language": "fr", "timezone": "Europe/Paris"}
        row |= {"channel_order": ["sms"], "created": phone.door.clock.now()}
        who = conn.execute(insert(people.subscriber).values(row)).inserted_primary_key[0]
        row = {"subscriber": who, "channel": "sms", "address": NEW, "position": 0}
        conn.execute(insert(people.contact_point).values(row | {"created": now}))
        return who

    stranger = await phone.write(typed)
    await phone.writes("ABO EAU")
    theirs, hers = await phone.points()
    assert (theirs.subscriber, theirs.verified_at) == (stranger, None)
    assert hers.verified_at is not None
    assert await phone.holds(stranger) == set()


async def test_of_several_at_a_number_it_is_who_proved_it_first(phone):
    other = await phone.door.person("v0002")
    now = phone.door.clock.now()
    row = {"subscriber": other, "channel": "sms", "address": AMINA, "position": 9}
    row |= {"verified_at": now, "created": now}
    await phone.write(lambda conn: conn.execute(insert(people.contact_point).values(row)))
    before = await phone.holds(other)
    await phone.writes("ABO CULTURE", AMINA)
    assert ("culture", "sms") in await phone.holds(await phone.door.person("v0001"))
    assert await phone.holds(other) == before


async def test_asking_lifts_a_do_not_contact(phone):
    hashed = address_hash(phone.door.keys.suppression, SMS, NEW)
    reason = SuppressionReason.DO_NOT_CONTACT
    await phone.write(lambda conn: suppress(conn, SMS, hashed, reason, now=phone.door.clock.now()))
    await phone.writes("ABO JARDINS")
    assert await phone.door.rows(people.suppression)  # they asked for nothing we have
    await phone.writes("ABO EAU")
    assert not await phone.door.rows(people.suppression)


async def test_a_number_the_operator_blocks_is_told_to_send_start(phone):
    points, person = people.contact_point, await phone.door.person("v0001")
    hers = (points.c.subscriber == person) & (points.c.channel == "sms")
    refused = {"suspended_at": phone.door.clock.now(), "suspended_reason": Reason.OPTED_OUT.value}
    await phone.write(lambda conn: conn.execute(update(points).where(hers).values(refused)))
    assert "envoyez START" in await phone.writes("ABO CULTURE", AMINA)
    assert ("culture", "sms") in await phone.holds(person)
    (point,) = await phone.points(AMINA)
    assert point.suspended_reason == "opted_out"
    await phone.writes("START", AMINA)
    (point,) = await phone.points(AMINA)
    assert point.suspended_reason is None


async def test_a_number_that_failed_before_is_used_again(phone):
    points, person = people.contact_point, await phone.door.person("v0001")
    hers = (points.c.subscriber == person) & (points.c.channel == "sms")
    dead = {"suspended_at": phone.door.clock.now(), "suspended_reason": "unreachable"}
    await phone.write(lambda conn: conn.execute(update(points).where(hers).values(dead)))
    await phone.writes("ABO CULTURE", AMINA)
    (point,) = await phone.points(AMINA)
    assert point.suspended_at is None


@pytest.mark.parametrize("number", ["+12025550123", "+33231000000"])
async def test_foreign_numbers_and_landlines_are_told_of_other_ways(phone, number):
    before = await phone.door.counts()
    assert "autrement" in await phone.writes("ABO EAU", number)
    assert await phone.door.counts() == before


async def test_a_town_without_advised_themes_asks_which_one(phone):
    hers = people.theme.c.advised
    await phone.write(
        lambda conn: conn.execute(update(people.theme).where(hers).values(advised=False))
    )
    assert "envoyez ABO et un thème" in await phone.writes("ABO")
    assert not await phone.points()


async def test_the_gate_hears_of_it_at_once(phone):
    before = phone.door.clock.monotonic()
    await phone.writes("ABO CULTURE", AMINA)
    assert phone.door.hub.engine.wishes.since(await phone.door.person("v0001"), before)


async def test_nothing_of_it_stands_in_the_log(phone, log):
    await phone.writes("ABO EAU")
    assert "3639987777" not in log.getvalue()


def test_the_consent_text_and_its_number_change_together():
    assert CONSENT_VERSION.startswith("2026-11-")
    assert len(CONSENT_VERSION) <= 64
