# SPDX-License-Identifier: EUPL-1.2
"""`/admin/canaux/{name}`: a trial message to an address that is typed there, and kept nowhere."""

import pytest

from channels.base import ChannelName
from hub.flow.staff.roles import Role
from hub.ledger import tables
from subscribers.suppression import SuppressionReason, address_hash, suppress

EMAIL, SMS = "/admin/canaux/email", "/admin/canaux/sms"
NUMBER = "+33639989999"


@pytest.fixture
async def hand(office):
    return await office.officer({Role.OPERATE: None})


def effects(office, channel):
    return office.door.sandbox.effects.select(channel=channel)


async def test_a_trial_leaves_at_once_and_the_answer_is_a_sentence(office, hand, log):
    assert "Envoyer un message d’essai" in (await hand.get(EMAIL)).text
    reply = await hand.post(f"{EMAIL}/essai", {"address": " Chef.Reseau@example.org "})
    assert reply.status == 200
    assert "Le prestataire a pris le message en charge" in reply.text
    (letter,) = effects(office, ChannelName.EMAIL)
    assert letter.to == "Chef.Reseau@example.org"
    assert letter.subject.endswith("message d’essai")
    reply = await hand.post(f"{SMS}/essai", {"address": "06 39 98 99 99"})
    assert "Le prestataire a pris le message en charge" in reply.text
    (text,) = effects(office, ChannelName.SMS)
    assert text.to == NUMBER
    assert "message d'essai de la console" in text.text
    lines = await office.door.rows(tables.audit, tables.audit.c.verb == "probe")
    assert [line.object for line in lines] == ["channel:email", "channel:sms"]
    for kept in (str(lines), log.getvalue()):
        assert "Reseau" not in kept
        assert "3998" not in kept
    assert await office.door.rows(tables.delivery) == []


async def test_a_closed_channel_sends_no_trial(office, hand):
    await hand.post(f"{SMS}/suspendre")
    await office.door.hub.engine.reload()
    reply = await hand.post(f"{SMS}/essai", {"address": NUMBER})
    assert "Rien ne part sur ce canal" in reply.text
    assert effects(office, ChannelName.SMS) == []


async def test_what_the_provider_refuses_is_told_with_its_reason(office, hand):
    office.door.sandbox.faults.set(ChannelName.EMAIL, dead={"gone@example.org"})
    reply = await hand.post(f"{EMAIL}/essai", {"address": "gone@example.org"})
    assert "Le message d’essai n’est pas parti." in reply.text
    assert office.door.hub.engine.roads[ChannelName.EMAIL].open


async def test_no_trial_goes_to_who_wants_nothing_or_to_no_address(office, hand):
    door = office.door
    hashed = address_hash(door.keys.suppression, ChannelName.SMS, NUMBER)
    why = SuppressionReason.DO_NOT_CONTACT
    await door.hub.ledger.transact(
        lambda conn: suppress(conn, ChannelName.SMS, hashed, why, now=door.clock.now())
    )
    reply = await hand.post(f"{SMS}/essai", {"address": NUMBER})
    assert "a demandé à ne rien recevoir" in reply.text
    for path, address in ((SMS, "+14155550100"), (SMS, ""), (EMAIL, "x@"), (EMAIL, "a b@c.org")):
        reply = await hand.post(f"{path}/essai", {"address": address})
        assert reply.status in {422, 429}
    assert effects(office, ChannelName.SMS) == []
    assert effects(office, ChannelName.EMAIL) == []


async def test_a_post_or_a_device_has_no_trial_and_another_town_sends_none(office, hand):
    assert (await hand.post("/admin/canaux/x/essai", {"address": "x"})).status == 404
    assert "message d’essai" not in (await hand.get("/admin/canaux/webpush")).text
    other = await office.officer({Role.OPERATE: None}, authority="autreville")
    assert (await other.post(f"{SMS}/essai", {"address": NUMBER})).status == 404


async def test_trials_are_few_a_minute(hand):
    replies = [await hand.post(f"{EMAIL}/essai", {"address": "a@example.org"}) for _ in range(6)]
    assert [each.status for each in replies][-1] == 429
