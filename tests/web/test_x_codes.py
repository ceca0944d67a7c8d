# SPDX-License-Identifier: EUPL-1.2
"""A citizen proves an account on X by sending the town's account a code; then it is told there."""

import re
from datetime import timedelta
from html import unescape

import pytest
from visiting import Browser

from channels.base import ChannelName
from hub.sandbox.x import participant_id
from hub.web.desk import DESK
from hub.web.portal.x_account import X_CODES
from subscribers import tables as people
from subscribers.consent_text import CONSENT_VERSION
from subscribers.suppression import SuppressionReason, address_hash, suppress

ON = {"channels": {"x": {"direct_messages": True}}}
X = ChannelName.X


@pytest.fixture
async def amina(make_door):
    """Her browser, with a visit open, in a town that takes direct messages."""
    door = await make_door(**ON)
    browser = Browser(door)
    browser.person = await door.person("v0001")
    await browser.sign_in()
    return browser


async def code_of(browser):
    """What her page shows after the button."""
    answer = await browser.post("/mes-alertes/x", csrf=await csrf(browser))
    assert (answer.status, answer.headers["Location"]) == (303, "/mes-alertes/x")
    page = unescape((await browser.get("/mes-alertes/x")).text)
    return re.search(r'<strong class="address">(\d+-\d{6})</strong>', page).group(1)


async def csrf(browser):
    page = (await browser.get("/mes-alertes/x")).text
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    return found.group(1) if found else ""


async def accounts(door, person):
    table = people.contact_point
    return await door.rows(table, table.c.subscriber == person, table.c.channel == "x")


def codes(door):
    return door.app[X_CODES]


async def test_without_direct_messages_there_is_no_such_page(door):
    assert (await door.ask("GET", "/mes-alertes/x")).status == 404
    assert (await door.ask("POST", "/mes-alertes/x", data={})).status == 404


async def test_without_a_visit_the_way_in_is_shown(make_door):
    door = await make_door(**ON)
    for method in ("GET", "POST"):
        answer = await door.ask(method, "/mes-alertes/x")
        assert (answer.status, answer.headers["Location"]) == (303, "/mes-alertes")


async def test_a_code_from_her_account_proves_it_and_her_themes_come_there(amina):
    door = amina.door
    code = await code_of(amina)
    door.sandbox.x.inbound("@amina_v", f"Bonjour, mon code : {code}. Merci")
    assert await codes(door).look() == 1
    (point,) = await accounts(door, amina.person)
    assert point.address == participant_id("@amina_v")
    assert point.verified_at is not None
    mine = people.subscription.c.subscriber == amina.person
    held = await door.rows(people.subscription, mine)
    themes = {row.theme for row in held}
    assert {row.theme for row in held if row.channel == "x"} == themes
    *_, proof = await door.rows(people.consent, people.consent.c.subscriber == amina.person)
    assert (proof.source, proof.text_version) == ("x", CONSENT_VERSION)
    assert "compte X est confirmé" in unescape((await amina.get("/mes-alertes/x")).text)


async def test_the_next_announcement_comes_by_direct_message(amina, news):
    door = amina.door
    code = await code_of(amina)
    account = door.sandbox.x.inbound("@amina_v", code)
    await codes(door).look()
    mine = people.subscription.c.subscriber == amina.person
    held = {row.theme for row in await door.rows(people.subscription, mine)}
    keys = {row.id: row.key for row in await door.rows(people.theme)}
    key = await door.key()
    asked = {**news, "themes": [min(keys[theme] for theme in held)], "channels": ["x"]}
    del asked["zones"]
    await door.settled(key, (await door.post(key, asked)).json["id"])
    assert door.sandbox.effects.to(X, account)


@pytest.mark.parametrize("said", ["000000", "1-000000", "999999-123456", "bonjour", "-", ""])
async def test_what_is_no_open_code_proves_nothing(amina, said):
    door = amina.door
    code = await code_of(amina)
    assert code != said
    door.sandbox.x.inbound("@mallory", said)
    assert await codes(door).look() == 0
    assert not await accounts(door, amina.person)


async def test_guesses_are_few_and_a_wrong_one_is_counted_once(amina):
    door = amina.door
    code = await code_of(amina)
    number, _, right = code.partition("-")
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    door.sandbox.x.inbound("@clumsy", f"{number}-{wrong}")
    for _ in range(9):  # X lists it each time
        assert await codes(door).look() == 0
    door.sandbox.x.inbound("@amina_v", code)
    assert await codes(door).look() == 1


async def test_after_five_wrong_ones_the_right_one_is_refused(amina):
    door = amina.door
    code = await code_of(amina)
    number, _, right = code.partition("-")
    for n in range(1, 6):
        door.sandbox.x.inbound("@mallory", f"{number}-{(int(right) + n) % 10**6:06d}")
    door.sandbox.x.inbound("@amina_v", code)
    assert await codes(door).look() == 0
    assert not await accounts(door, amina.person)


async def test_a_code_is_good_for_half_an_hour_and_once(amina):
    door = amina.door
    code = await code_of(amina)
    door.sandbox.x.inbound("@amina_v", code)
    assert await codes(door).look() == 1
    door.sandbox.x.inbound("@mallory", code)
    assert await codes(door).look() == 0
    door.clock.leap(timedelta(minutes=5))
    late = await code_of(amina)
    door.clock.leap(timedelta(minutes=31))
    door.sandbox.x.inbound("@late", late)
    assert await codes(door).look() == 0
    (point,) = await accounts(door, amina.person)
    assert point.address == participant_id("@amina_v")


async def test_x_is_asked_only_while_somebody_waits(amina):
    door = amina.door
    asked = []

    class Reader:
        async def written(self, since):
            asked.append(since)
            return []

    watched = codes(door)
    watched.reader = Reader()
    await watched.look()
    assert asked == []
    await code_of(amina)
    await watched.look()
    assert len(asked) == 1


async def test_another_account_takes_the_place_of_the_first(amina):
    door = amina.door
    door.sandbox.x.inbound("@old", await code_of(amina))
    await codes(door).look()
    door.clock.leap(timedelta(minutes=5))
    door.sandbox.x.inbound("@new", await code_of(amina))
    assert await codes(door).look() == 1
    (point,) = await accounts(door, amina.person)
    assert point.address == participant_id("@new")


async def test_asking_lifts_a_do_not_contact(amina):
    door = amina.door
    hashed = address_hash(door.keys.suppression, X, participant_id("@amina_v"))
    reason = SuppressionReason.DO_NOT_CONTACT
    await door.hub.ledger.transact(
        lambda conn: suppress(conn, X, hashed, reason, now=door.clock.now())
    )
    door.sandbox.x.inbound("@amina_v", await code_of(amina))
    assert await codes(door).look() == 1
    assert not await door.rows(people.suppression)


async def test_her_own_page_leads_there(amina):
    assert 'href="/mes-alertes/x"' in (await amina.get("/mes-alertes")).text


async def test_a_form_without_her_visits_token_opens_no_code(amina):
    answer = await amina.post("/mes-alertes/x", csrf="x")
    assert answer.status == 403
    assert not await amina.door.rows(people.challenge, people.challenge.c.channel == "x")


async def test_pressing_twice_shows_the_same_code(amina):
    first = await code_of(amina)
    page = unescape((await amina.get("/mes-alertes/x?lang=en")).text)
    assert first in page
    assert "by direct message" in page


async def test_neither_code_nor_account_stands_in_the_log(amina, log):
    code = await code_of(amina)
    amina.door.sandbox.x.inbound("@amina_v", code)
    await codes(amina.door).look()
    written = log.getvalue()
    assert code not in written
    assert participant_id("@amina_v") not in written
    assert amina.door.app[DESK].authority_name not in code
