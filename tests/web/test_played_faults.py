# SPDX-License-Identifier: EUPL-1.2
"""The page of faults: each acts on its stand-in, and says what people see of it."""

import re
from html import unescape

import pytest

from channels.base import ChannelName
from hub.sandbox.faults import GOOD_DAY, ChannelFaults, Fault

SMS, EMAIL, X = ChannelName.SMS, ChannelName.EMAIL, ChannelName.X


async def save(door, **fields):
    form = {name.replace("_", "-"): value for name, value in fields.items()}
    return await door.ask("POST", "/sandbox/pannes", data=form)


async def now_wrong(door, path="/sandbox/pannes"):
    html = (await door.ask("GET", path)).text
    found = re.search(r'<ul class="troubles">(.*?)</ul>', html, re.DOTALL)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[1])) if found else ""
    return unescape(text).replace("\xa0", " ").strip()


@pytest.mark.parametrize(
    ("form", "channel", "expected", "name", "seen"),
    [
        (
            {"sms_service": "down"},
            *(SMS, ChannelFaults(rates={Fault.ERROR: 1})),
            *("SMS : en panne", "les messages attendent, rien n’est perdu"),
        ),
        (
            {"x_service": "limit"},
            *(X, ChannelFaults(rates={Fault.THROTTLE: 1})),
            *("X : limite de débit atteinte", "demande d’attendre"),
        ),
        (
            {"email_service": "silent"},
            *(EMAIL, ChannelFaults(rates={Fault.VANISH: 1})),
            *("E-mail : ne répond plus", "Envoi en cours de vérification"),
        ),
        (
            {"sms_latency": "2"},
            *(SMS, ChannelFaults(latency=2)),
            *("SMS : répond après 2 secondes.", "prend plus de temps"),
        ),
        (
            {"sms_failing": "10"},
            *(SMS, ChannelFaults(undelivered=0.1)),
            *("SMS : 10 % des messages échouent.", "la raison de chaque échec"),
        ),
        (
            {"email_failing": "25"},
            *(EMAIL, ChannelFaults(rates={Fault.ERROR: 0.25})),
            *("E-mail : 25 % des messages échouent.", "le hub essaie de nouveau"),
        ),
        (
            {"sms_lost": "1"},
            *(SMS, ChannelFaults(lost_receipts=1)),
            *("SMS : accusés perdus", "jamais « Reçu »"),
        ),
        (
            {"sms_duplicate": "1"},
            *(SMS, ChannelFaults(duplicate_receipts=1)),
            *("SMS : accusés en double", "ne comptent le message qu’une fois"),
        ),
        (
            {"sms_unordered": "1"},
            *(SMS, ChannelFaults(unordered_receipts=1)),
            *("SMS : accusés dans le désordre", "le message reste « Reçu »"),
        ),
    ],
)
async def test_each_fault_acts_and_shows_its_sentence(  # noqa: PLR0917 (a table's columns)
    door, form, channel, expected, name, seen
):
    assert (await save(door, **form)).status == 303
    assert door.sandbox.faults.of(channel) == expected
    for other in set(ChannelName) - {channel}:
        assert door.sandbox.faults.of(other) == GOOD_DAY
    for path in ("/sandbox/pannes", "/sandbox", "/sandbox/amina"):
        told = await now_wrong(door, path)
        assert told.startswith(name), path
        assert seen in told


async def test_the_form_stands_as_the_faults_do_and_ends_them_all(door):
    await save(door, sms_service="down", sms_latency="3", sms_lost="1", email_failing="40")
    await door.ask("POST", "/sandbox/amina/off", data={"on": "1"})
    page = (await door.ask("GET", "/sandbox/pannes")).text
    assert '<option value="down" selected>' in page
    assert re.search(r'name="sms-latency"[^>]*value="3"', page)
    assert re.search(r'name="email-failing"[^>]*value="40"', page)
    assert re.search(r'name="sms-lost" value="1" checked', page)
    assert "1 téléphone est éteint." in await now_wrong(door)
    await save(door)  # all is well again, but for the phone: that is another form's
    assert (await now_wrong(door)).startswith("SMS : 1 téléphone est éteint.")
    answer = await door.ask("POST", "/sandbox/pannes/fin", data={"back": "/sandbox/pannes"})
    assert answer.headers["Location"] == "/sandbox/pannes"
    assert await now_wrong(door) == ""
    assert "Tout fonctionne." in (await door.ask("GET", "/sandbox/pannes")).text


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("sms_latency", "61", "de 0 à 60"),
        ("sms_latency", "deux", "de 0 à 60"),
        ("email_failing", "101", "de 0 à 100"),
        ("x_failing", "-1", "de 0 à 100"),
        ("webpush_failing", "½", "de 0 à 100"),
    ],
)
async def test_what_is_no_number_is_said_at_its_field_and_nothing_changes(
    door, field, typed, sentence
):
    answer = await save(door, sms_service="down", **{field: typed})
    assert answer.status == 422
    assert "<title>Erreur" in answer.text
    name = field.replace("_", "-")
    assert f'href="#{name}"' in answer.text
    assert sentence in answer.text
    assert re.search(rf'name="{name}"[^>]*value="{typed}"', answer.text)
    assert '<option value="down" selected>' in answer.text
    assert all(door.sandbox.faults.of(channel) == GOOD_DAY for channel in ChannelName)


async def test_messages_wait_while_text_messages_are_down_and_leave_when_they_are_back(door, news):
    await save(door, sms_service="down")
    await door.post(await door.key(), news | {"channels": ["sms"]})
    await door.until(lambda: _waits_on_a_phone(door, "Coupure"))
    assert not door.sandbox.effects.select()
    await save(door)
    assert not await now_wrong(door)


async def _waits_on_a_phone(door, word):
    page = (await door.ask("GET", "/sandbox/amina")).text
    return word in page and re.search(r'class="state (queued|temp_failed)"', page)
