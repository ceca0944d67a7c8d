# SPDX-License-Identifier: EUPL-1.2
"""A citizen subscribes: three questions, a proof, and what was asked for is what comes."""

import json
from datetime import timedelta

import pytest
from citizen_rig import DONE, PROOFS, SMS, THEMES, WAYS, Citizen, errors, words

from hub.ledger import tables
from subscribers import tables as theirs
from subscribers.consent_text import CONSENT_VERSION

PHONE, TYPED = "+33639987701", "06 39 98 77 01"
MAIL = "zoe@example.org"


@pytest.fixture
def zoe(door):
    """Somebody new."""
    return Citizen(door)


async def whom(door, address):
    """The people written down with an address."""
    rows = await door.rows(theirs.contact_point, theirs.contact_point.c.address == address)
    return [row.subscriber for row in rows]


async def asked_for(door, person):
    """(theme, channel, cadence) of a person."""
    names = {row.id: row.key for row in await door.rows(theirs.theme)}
    rows = await door.rows(theirs.subscription, theirs.subscription.c.subscriber == person)
    return {(names[row.theme], row.channel, row.cadence) for row in rows}


async def places(door, person):
    names = {row.id: row.key for row in await door.rows(theirs.zone)}
    rows = await door.rows(theirs.subscriber_zone, theirs.subscriber_zone.c.subscriber == person)
    return {names[row.zone] for row in rows}


async def test_by_sms_from_the_first_page_to_the_alert(door, zoe, news):
    assert (await zoe.get("/abonnement")).status == 200
    answer = await zoe.choose("eau", "alertes")
    assert (answer.status, answer.headers["Location"]) == (303, WAYS)
    answer = await zoe.hand_in(
        "eau", "alertes", where="some", zone_tanneries="1", by_sms="1", mobile=TYPED
    )
    assert (answer.status, answer.headers["Location"]) == (303, PROOFS)
    assert "06\N{NO-BREAK SPACE}39" in (await zoe.get(PROOFS)).text
    answer = await zoe.prove(await zoe.code(PHONE))
    assert (answer.status, answer.headers["Location"]) == (303, DONE)
    end = words((await zoe.get(DONE)).text)
    assert "Vous recevrez Alertes urgentes, Eau et coupures par SMS, pour : Tanneries." in end
    key = await door.key()
    await door.post(key, news | {"channels": ["sms"]})
    await door.until(lambda: zoe.received(SMS, PHONE) == 2)


async def test_what_was_answered_is_what_is_written(door, zoe):
    await zoe.subscribe(
        *("eau", "travaux"),
        by_email="1",
        email="Zoe@EXAMPLE.org",
        grid_travaux_sms="1",
        mobile=TYPED,
        quiet="1",
        quiet_from="22 h",
        quiet_to="7h30",
        cadence="daily",
        speak="en",
    )
    (person,) = await whom(door, PHONE)
    assert await whom(door, "Zoe@example.org") == [person]
    assert await asked_for(door, person) == {("eau", "email", "daily"), ("travaux", "sms", "now")}
    (row,) = await door.rows(theirs.subscriber, theirs.subscriber.c.id == person)
    assert (row.quiet_start, row.quiet_end, row.urgent_breaks_quiet) == (22 * 60, 450, False)
    assert (row.language, row.channel_order) == ("en", ["sms", "email"])
    (consent,) = await door.rows(theirs.consent, theirs.consent.c.subscriber == person)
    assert (consent.source, consent.text_version) == ("web", CONSENT_VERSION)
    points = await door.rows(theirs.contact_point, theirs.contact_point.c.subscriber == person)
    assert [point.verified_at for point in points] == [None, None]


async def test_the_journal_says_who_without_an_address(door, zoe):
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED)
    await zoe.prove(await zoe.code(PHONE))
    (person,) = await whom(door, PHONE)
    lines = await door.rows(tables.audit, tables.audit.c.object == f"subscriber:{person}")
    assert [(line.actor, line.verb) for line in lines] == [
        ("citizen", "subscribe"),
        ("citizen", "confirm"),
    ]
    assert "77" not in json.dumps([line.detail for line in lines])


async def test_an_unproved_number_receives_no_news(door, zoe, news):
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED)
    await zoe.code(PHONE)
    key = await door.key()
    code = (await door.post(key, news | {"channels": ["sms"]})).json["id"]
    await door.settled(key, code)
    assert zoe.received(SMS, PHONE) == 1


async def test_by_email_a_link_and_a_button(door, zoe):
    await zoe.subscribe("eau", by_email="1", email=MAIL)
    path = await zoe.link(MAIL)
    page = await zoe.get(path)
    assert page.status == 200
    assert "Eau et coupures" in words(page.text)
    assert MAIL not in page.text
    answer = await zoe.ask("POST", path)
    assert (answer.status, answer.headers["Location"]) == (303, DONE)
    assert "par e-mail, pour : toute la ville" in words((await zoe.get(DONE)).text)


async def test_the_link_works_in_another_browser_without_any_cookie(door, zoe):
    await zoe.subscribe("eau", by_email="1", email=MAIL)
    elsewhere = Citizen(door)
    path = await zoe.link(MAIL)
    assert (await elsewhere.ask("POST", path)).headers["Location"] == DONE
    assert "par e-mail" in words((await elsewhere.get(DONE)).text)
    assert "Votre adresse est confirmée" in words((await zoe.get(DONE)).text)
    assert "visit" not in zoe.cookies


async def test_repeating_the_link_is_harmless_and_opens_nothing(door, zoe):
    await zoe.subscribe("eau", by_email="1", email=MAIL)
    path = await zoe.link(MAIL)
    await zoe.ask("POST", path)
    before = await door.counts()
    again = Citizen(door)
    for method in ("GET", "POST"):
        page = await again.ask(method, path)
        assert page.status == 200
        assert "Votre adresse est confirmée" in words(page.text)
    assert again.cookies == {}
    assert await door.counts() == before


async def test_a_scanner_that_fetches_the_link_changes_nothing(door, zoe):
    await zoe.subscribe("eau", by_email="1", email=MAIL)
    path = await zoe.link(MAIL)
    before = await door.counts(), await door.rows(theirs.challenge), await door.rows(theirs.session)
    for method in ("HEAD", "GET", "HEAD", "GET"):
        answer = await door.ask(method, path)
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
    after = await door.counts(), await door.rows(theirs.challenge), await door.rows(theirs.session)
    assert after == before
    assert (await Citizen(door).ask("POST", path)).status == 303


async def test_several_addresses_are_proved_one_by_one(door, zoe):
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED, by_email="1", email=MAIL)
    answer = await zoe.prove(await zoe.code(PHONE))
    assert answer.headers["Location"] == PROOFS
    page = words((await zoe.get(PROOFS)).text)
    assert "Votre numéro est confirmé." in page
    assert MAIL in page
    assert "pas encore confirmé" in words((await zoe.get(DONE)).text)
    assert (await zoe.ask("POST", await zoe.link(MAIL))).headers["Location"] == DONE
    assert "par SMS, par e-mail" in words((await zoe.get(DONE)).text)


async def test_a_poster_chooses_beforehand_and_says_so(door, zoe):
    start = await zoe.get("/abonnement?t=eau,inconnu&l=tanneries")
    assert "Eau et coupures, Tanneries" in words(start.text)
    page = await zoe.get(f"{THEMES}?t=eau,inconnu&l=tanneries")
    assert page.text.count(" checked") == 1
    assert 'name="zone-tanneries"' in page.text
    answer = await zoe.ask(
        "POST", THEMES, **{"theme-eau": "1", "zone-tanneries": "1", "where": "some"}
    )
    assert answer.status == 303
    ways = (await zoe.get(WAYS)).text
    assert 'id="zone-tanneries" name="zone-tanneries" value="1" checked' in ways
    assert 'id="where-some" name="where" value="some" checked' in ways


async def test_nothing_is_ticked_beforehand(door, zoe):
    assert " checked" not in (await zoe.get(THEMES)).text
    await zoe.choose("eau")
    page = (await zoe.get(WAYS)).text
    ticked = [
        part.split('id="')[1].split('"')[0]
        for part in page.split("<input")[1:]
        if " checked" in part.split(">")[0]
    ]
    assert ticked == ["quiet-spares", "cadence-now"]


async def test_going_back_finds_the_answers(door, zoe):
    await zoe.subscribe("eau", by_email="1", email=MAIL, cadence="weekly")
    page = (await zoe.get(WAYS)).text
    assert f'value="{MAIL}"' in page
    assert 'value="weekly" checked' in page
    assert 'name="theme-eau" value="1" checked' in (await zoe.get(THEMES)).text


async def test_answers_handed_in_again_replace_those_before_without_a_second_code(door, zoe):
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED)
    answer = await zoe.subscribe("travaux", by_sms="1", mobile=TYPED)
    assert (answer.status, answer.headers["Location"]) == (303, PROOFS)
    (person,) = await whom(door, PHONE)
    assert await asked_for(door, person) == {("travaux", "sms", "now")}
    assert (await zoe.prove(await zoe.code(PHONE))).headers["Location"] == DONE
    assert zoe.received(SMS, PHONE) == 1


async def test_a_changed_number_is_asked_and_the_first_forgotten(door, zoe):
    await zoe.subscribe("eau", by_sms="1", mobile="06 39 98 77 09")
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED)
    assert await whom(door, "+33639987709") == []
    assert (await zoe.prove(await zoe.code(PHONE))).headers["Location"] == DONE


async def test_two_tabs_each_hand_in_what_they_show(door, zoe):
    await zoe.choose("eau")
    await zoe.choose("travaux")  # the other tab
    answer = await zoe.hand_in("eau", by_sms="1", mobile=TYPED)
    assert answer.status == 303
    (person,) = await whom(door, PHONE)
    assert await asked_for(door, person) == {("eau", "sms", "now")}


async def test_a_draft_that_is_over_says_so_and_keeps_nothing(door, zoe):
    await zoe.subscribe("eau", by_email="1", email=MAIL)
    door.clock.leap(timedelta(minutes=31))
    for path in (WAYS, PROOFS):
        page = await zoe.get(path)
        assert page.status == 410
        assert "Vos réponses ne sont plus là" in words(page.text)
    assert (await zoe.ask("POST", WAYS, **{"theme-eau": "1"})).status == 410
    assert (await zoe.ask("POST", PROOFS, code="123456")).status == 410
    assert MAIL not in (await zoe.get(THEMES)).text


async def test_without_cookies_the_page_says_why(door):
    stranger = Citizen(door)
    await stranger.choose("eau")
    stranger.cookies.clear()
    assert "refuse les cookies" in words((await stranger.get(WAYS)).text)


async def test_what_was_typed_is_not_left_in_the_browser(door, zoe):
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED)
    await zoe.prove(await zoe.code(PHONE))
    (row,) = await door.rows(theirs.draft)
    assert "77" not in json.dumps(
        row.document["fields"] | {"p": [p[1] for p in row.document["proofs"].values()]}
    )


async def test_a_code_typed_twice_ends_the_same(door, zoe):
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED)
    code = await zoe.code(PHONE)
    await zoe.prove(code)
    assert (await zoe.prove(code)).headers["Location"] == DONE


async def test_a_trial_message_comes_and_is_limited(door, zoe):
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED)
    await zoe.prove(await zoe.code(PHONE))
    page = (await zoe.get(DONE)).text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    answer = await zoe.ask("POST", "/abonnement/essai", csrf=csrf)
    assert "vient de partir" in words((await zoe.get(answer.headers["Location"])).text)
    await door.until(lambda: zoe.received(SMS, PHONE) == 2)
    answer = await zoe.ask("POST", "/abonnement/essai", csrf=csrf)
    assert "Réessayez plus tard" in words((await zoe.get(answer.headers["Location"])).text)
    assert zoe.received(SMS, PHONE) == 2
    assert (await zoe.ask("POST", "/abonnement/essai", csrf="other")).status == 403


async def test_by_device_alone_no_message_leaves(door, zoe):
    answer = await zoe.subscribe("eau", by_webpush="1")
    assert answer.headers["Location"] == PROOFS
    page = await zoe.get(PROOFS)
    assert page.status == 200
    assert 'id="code"' not in page.text
    assert await door.rows(theirs.challenge) == []


async def test_on_x_nothing_is_kept_but_a_count(make_door):
    door = await make_door(portal={"x_account": "VilleValmont"})
    zoe = Citizen(door)
    before = await door.counts()
    answer = await zoe.subscribe("eau", by_x="1")
    assert answer.headers["Location"] == DONE
    page = await zoe.get(DONE)
    assert "https://x.com/intent/follow?screen_name=VilleValmont" in page.text
    assert "X ne garantit pas" in words(page.text)
    assert await door.counts() == before
    assert [row.n for row in await door.rows(theirs.tally)] == [1]


async def test_no_error_summary_where_all_is_well(door, zoe):
    await zoe.choose("eau")
    assert errors((await zoe.get(WAYS)).text) == {}
