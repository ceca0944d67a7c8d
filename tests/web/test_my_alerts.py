# SPDX-License-Identifier: EUPL-1.2
"""A citizen changes, pauses and stops what they receive, on pages that need no script."""

import re
from datetime import timedelta

import pytest
from visiting import MOBILE, Browser

from channels.base import ChannelName, Reason, Recipient
from hub.ledger import tables
from hub.ledger.journal import Journal
from hub.web.references import Kind
from subscribers import directory, suppression
from subscribers import tables as theirs
from subscribers.suppression import SuppressionReason

CODE = re.compile(r"code est (\d{6})")


@pytest.fixture
async def amina(door):
    """Her number, and her browser with a visit open."""

    class Amina(Browser):
        pass

    browser = Amina(door)
    browser.person = await door.person("v0001")
    await browser.sign_in()
    return browser


def beside(door, contact):
    return f"/mes-alertes/coordonnees/{door.called(Kind.CONTACT, contact)}"


async def subscriptions(door, person):
    rows = await door.rows(theirs.subscription, theirs.subscription.c.subscriber == person)
    names = {row.id: row.key for row in await door.rows(theirs.theme)}
    return {(names[row.theme], row.channel): row.cadence for row in rows}


async def theme(door, key):
    town = await door.rows(theirs.authority, theirs.authority.c.key == "valmont")
    mine = (theirs.theme.c.key == key, theirs.theme.c.authority == town[0].id)
    (row,) = await door.rows(theirs.theme, *mine)
    return row.id


async def zone(door, key):
    rows = await door.rows(theirs.zone, theirs.zone.c.key == key)
    return rows[0].id


async def me(door, person):
    (row,) = await door.rows(theirs.subscriber, theirs.subscriber.c.id == person)
    return row


async def boxes(browser, path):
    """The form as it is shown: what it would post untouched."""
    page = (await browser.get(path)).text
    found = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name = re.search(r'name="([^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        plain = 'type="checkbox"' not in tag and 'type="radio"' not in tag
        if name and (plain or " checked" in tag):
            found[name[1]] = value[1] if value else "on"
    for name, options in re.findall(
        r'<select id="[^"]*" name="([^"]+)"(.*?)</select>', page, re.DOTALL
    ):
        found[name] = re.search(r'value="([^"]+)" selected', options)[1]
    found.pop("back", None)
    return {name: value for name, value in found.items() if name != "csrf"}


async def test_the_page_says_in_one_sentence_what_is_received(door, amina):
    page = (await amina.get("/mes-alertes")).text
    said = re.search(r'class="lead">(.*?)</p>', page, re.DOTALL)[1]
    assert "Vous recevez" in said
    assert "par SMS" in said
    assert "06\N{NO-BREAK SPACE}•• •• •• 01" in page
    assert "39980001" not in page
    english = Browser(door, dict(amina.cookies), "en")
    assert "You receive" in (await english.get("/mes-alertes")).text


@pytest.mark.parametrize("path", ["", "/themes", "/lieux", "/reglages", "/coordonnees", "/donnees"])
async def test_no_page_changes_anything_by_being_looked_at(door, amina, path):
    watched = (theirs.subscription, theirs.subscriber, theirs.contact_point, tables.audit)
    before = [await door.rows(table) for table in watched]
    for _ in range(2):
        assert (await amina.get(f"/mes-alertes{path}")).status == 200
    assert [await door.rows(table) for table in watched] == before


@pytest.mark.parametrize("path", ["themes", "lieux"])
async def test_a_form_saved_untouched_changes_nothing(door, amina, path):
    before = await subscriptions(door, amina.person), await me(door, amina.person)
    zones = await door.rows(theirs.subscriber_zone)
    shown = await boxes(amina, f"/mes-alertes/{path}")
    assert (await amina.submit(f"/mes-alertes/{path}", **shown)).status == 303
    assert (await subscriptions(door, amina.person), await me(door, amina.person)) == before
    assert await door.rows(theirs.subscriber_zone) == zones


async def test_themes_are_exactly_what_is_ticked(door, amina):
    sport = await theme(door, "culture")
    done = await amina.submit("/mes-alertes/themes", **{f"t-{sport}-sms": "1"})
    assert done.headers["Location"] == "/mes-alertes?fait=themes"
    assert set(await subscriptions(door, amina.person)) == {("culture", "sms")}
    page = (await amina.get("/mes-alertes?fait=themes")).text
    assert 'role="status"' in page
    assert "Vos choix sont enregistrés." in page
    (line,) = await door.rows(tables.audit, tables.audit.c.verb == "themes")
    assert (line.actor, line.object) == ("citizen", f"subscriber:{amina.person}")


async def test_places_are_replaced_and_none_is_the_whole_town(door, amina):
    tanneries = await zone(door, "tanneries")
    await amina.submit("/mes-alertes/lieux", where="some", **{f"z-{tanneries}": "1"})
    mine = theirs.subscriber_zone.c.subscriber == amina.person
    assert [row.zone for row in await door.rows(theirs.subscriber_zone, mine)] == [tanneries]
    nothing = await amina.submit("/mes-alertes/lieux", where="some")
    assert nothing.status == 422
    assert "Choisissez au moins un lieu" in nothing.text
    await amina.submit("/mes-alertes/lieux", where="all")
    assert await door.rows(theirs.subscriber_zone, mine) == []


async def test_hours_language_and_order_are_kept(door, amina):
    form = {"quiet": "1", "start": "22h30", "end": "7:00", "urgent": "1", "language": "en"}
    await amina.submit("/mes-alertes/reglages", **form, **{"order-1": "webpush", "order-2": "sms"})
    row = await me(door, amina.person)
    assert (row.quiet_start, row.quiet_end, row.urgent_breaks_quiet) == (1350, 420, True)
    assert row.language == "en"
    assert row.channel_order[:2] == ["webpush", "sms"]
    wrong = await amina.submit("/mes-alertes/reglages", quiet="1", start="le soir", end="7:00")
    assert wrong.status == 422
    assert 'value="le soir"' in wrong.text
    await amina.submit("/mes-alertes/reglages", start="", end="")
    assert (await me(door, amina.person)).quiet_start is None


@pytest.mark.parametrize(("length", "days"), [("week", 7), ("month", 30)])
async def test_a_pause_ends_by_itself_or_by_a_button(door, amina, length, days):
    await amina.submit("/mes-alertes/pause", keeps_urgent="1", **{"for": length})
    row = await me(door, amina.person)
    left = row.paused_until - door.clock.now()
    assert timedelta(days=days, minutes=-1) < left <= timedelta(days=days)
    assert row.pause_keeps_urgent
    page = (await amina.get("/mes-alertes")).text
    assert "Vos alertes sont suspendues" in page
    assert "Recevoir de nouveau mes alertes" in page
    await amina.submit("/mes-alertes/pause", **{"for": "none"})
    assert (await me(door, amina.person)).paused_until is None


async def test_one_theme_stops_with_all_below_it_and_comes_back(door, amina):
    before = await subscriptions(door, amina.person)
    eau = await theme(door, "eau")
    stopped = await amina.submit("/mes-alertes/arreter", theme=str(eau))
    assert stopped.headers["Location"] == "/mes-alertes?fait=arret"
    left = await subscriptions(door, amina.person)
    assert {key for key, _ in before} - {key for key, _ in left} == {"eau"}
    written = list(Journal.beside(door.hub.ledger.path).entries())
    assert {(each.verb, each.person, each.themes) for each in written} == {
        ("stop", amina.person, ("eau",))
    }
    assert {("eau", each.channel) for each in written} == set(before) - set(left)
    assert "Annuler le dernier arrêt" in (await amina.get("/mes-alertes")).text
    await amina.submit("/mes-alertes/annuler", undo="1")
    assert await subscriptions(door, amina.person) == before
    assert "Annuler le dernier arrêt" not in (await amina.get("/mes-alertes")).text


async def test_everything_stops_in_one_click_and_consent_with_it(door, amina):
    before = await subscriptions(door, amina.person)
    await amina.submit("/mes-alertes/pause", keeps_urgent="1", **{"for": "week"})
    await amina.submit("/mes-alertes/arreter", theme="all")
    assert await subscriptions(door, amina.person) == {}
    consents = await door.rows(theirs.consent, theirs.consent.c.subscriber == amina.person)
    assert all(row.withdrawn_at for row in consents)
    page = (await amina.get("/mes-alertes")).text
    assert "Vous ne recevez rien pour l’instant." in page
    assert "Les alertes urgentes continuent" not in page
    await amina.submit("/mes-alertes/annuler", undo="1")
    assert await subscriptions(door, amina.person) == before
    again = await door.rows(theirs.consent, theirs.consent.c.subscriber == amina.person)
    assert [row.withdrawn_at for row in again] == [None]


async def test_a_stop_counts_for_what_is_already_on_its_way(door, amina, news):
    """The gate is told: an announcement published right after reaches her no more."""
    await amina.submit("/mes-alertes/arreter", theme="all")
    key = await door.key()
    code = (await door.post(key, news | {"channels": ["sms"], "zones": []})).json["id"]
    await door.settled(key, code)
    sent = [e.text for e in door.sandbox.effects.to(ChannelName.SMS, MOBILE)]
    assert not any("Coupure d'eau jeudi" in text for text in sent)


async def test_whoever_stopped_everything_agrees_anew_before_themes_come_back(door, amina):
    await amina.submit("/mes-alertes/arreter", theme="all")
    ticked = {f"t-{await theme(door, 'eau')}-sms": "1"}
    refused = await amina.submit("/mes-alertes/themes", **ticked)
    assert refused.status == 422
    assert "Cochez la case pour accepter" in refused.text
    assert await subscriptions(door, amina.person) == {}
    await amina.submit("/mes-alertes/themes", consent="1", **ticked)
    assert set(await subscriptions(door, amina.person)) == {("eau", "sms")}
    newest = (await door.rows(theirs.consent, theirs.consent.c.subscriber == amina.person))[-1]
    assert (newest.source, newest.withdrawn_at) == ("web", None)


async def test_a_number_is_added_once_its_code_was_typed(door, amina):
    new = "+33639985555"
    sent = await amina.submit("/mes-alertes/coordonnees", channel="sms", address="06 39 98 55 55")
    where = sent.headers["Location"]
    assert where.startswith("/mes-alertes/code?n=")
    await door.until(lambda: list(door.sandbox.effects.to(ChannelName.SMS, new)))
    code = CODE.search(next(iter(door.sandbox.effects.to(ChannelName.SMS, new))).text)[1]
    number = where.partition("=")[2]
    assert (await amina.get(where)).status == 200
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    tried = await amina.submit("/mes-alertes/code", n=number, code=wrong)
    assert "Essais restants\N{NO-BREAK SPACE}: 4" in tried.text.replace(
        " : ", "\N{NO-BREAK SPACE}: "
    )
    right = await amina.submit("/mes-alertes/code", n=number, code=f"{code[:3]} {code[3:]}")
    assert right.headers["Location"] == "/mes-alertes?fait=verifie"
    (row,) = await door.rows(theirs.contact_point, theirs.contact_point.c.address == new)
    assert row.subscriber == amina.person
    assert row.verified_at is not None


async def test_a_code_asked_for_by_somebody_else_is_not_even_looked_at(door, amina):
    new = "+33639985555"
    sent = await amina.submit("/mes-alertes/coordonnees", channel="sms", address=new)
    asked = sent.headers["Location"].partition("=")[2]
    other = Browser(door)
    await other.sign_in("claire.4@example.org")
    answer = await other.submit("/mes-alertes/code", n=asked, code="000000")
    assert answer.headers["Location"] == "/mes-alertes"
    rows = await door.rows(theirs.challenge)
    assert [row.tries for row in rows if door.called(Kind.CODE, row.id) == asked] == [0]


async def test_a_mailbox_is_added_by_the_link_it_is_sent(door, amina):
    new = "amina.demo@example.org"
    sent = await amina.submit("/mes-alertes/coordonnees", channel="email", address=new)
    assert sent.headers["Location"] == "/mes-alertes?fait=lien"
    await door.until(lambda: list(door.sandbox.effects.to(ChannelName.EMAIL, new)))
    page = (await amina.get("/mes-alertes?fait=lien")).text
    assert "en attente de vérification" in page
    assert "a•••@example.org" in page
    assert "Renvoyer le lien" in page
    letter = next(iter(door.sandbox.effects.to(ChannelName.EMAIL, new))).text
    path = re.search(r"/c/[A-Za-z0-9_=-]{28}", letter)[0]
    assert (await amina.post(path)).status < 400
    (row,) = await door.rows(theirs.contact_point, theirs.contact_point.c.address == new)
    assert (row.subscriber, row.verified_at is not None) == (amina.person, True)


async def test_what_somebody_typed_wrong_is_kept_and_explained(amina):
    page = await amina.submit("/mes-alertes/coordonnees", channel="email", address="amina chez moi")
    assert page.status == 422
    assert "Il manque un @" in page.text
    assert 'value="amina chez moi"' in page.text


async def test_a_contact_is_removed_but_never_the_last_confirmed_one(door, amina):
    for row in await door.rows(
        theirs.contact_point, theirs.contact_point.c.subscriber == amina.person
    ):
        await amina.submit(beside(door, row.id), do="remove")
    left = await door.rows(theirs.contact_point, theirs.contact_point.c.subscriber == amina.person)
    assert len(left) == 1
    answer = await amina.submit(beside(door, left[0].id), do="remove")
    assert answer.headers["Location"] == "/mes-alertes?fait=dernier"
    assert "C’est le dernier moyen" in (await amina.get("/mes-alertes?fait=dernier")).text


async def test_nobody_reaches_what_is_not_theirs(door, amina):
    other = await door.person("v0002")
    points = await door.rows(theirs.contact_point, theirs.contact_point.c.subscriber == other)
    for wish in ("remove", "again", "resend"):
        answer = await amina.submit(beside(door, points[0].id), do=wish)
        assert answer.headers["Location"] == "/mes-alertes"
    kept = await door.rows(theirs.contact_point, theirs.contact_point.c.subscriber == other)
    assert kept == points


async def test_a_theme_of_another_town_cannot_be_asked_for(door, amina):
    (foreign,) = [
        row.id
        for row in await door.rows(theirs.theme, theirs.theme.c.key == "eau")
        if row.id != await theme(door, "eau")
    ]
    await amina.submit("/mes-alertes/themes", **{f"t-{foreign}-sms": "1"})
    assert await subscriptions(door, amina.person) == {}


async def test_whoever_complained_is_told_so_and_can_take_it_back(door, amina):
    key = door.keys.suppression
    new = Recipient("amina.demo@example.org")
    hashed = suppression.address_hash(key, ChannelName.EMAIL, new.address)

    def complain(conn):
        now = door.clock.now()
        point = directory.add_contact_point(conn, amina.person, ChannelName.EMAIL, new, now)
        directory.verify(conn, point, now)
        directory.suspend(conn, point, Reason.COMPLAINT, now)
        reason = SuppressionReason.COMPLAINT
        suppression.suppress(conn, ChannelName.EMAIL, hashed, reason, now=now)
        return point

    point = await door.hub.ledger.transact(complain)
    page = (await amina.get("/mes-alertes")).text
    assert "Nous n’écrivons plus ici" in page
    assert "Écrire de nouveau ici" in page
    await amina.submit(beside(door, point), do="again")
    (row,) = await door.rows(theirs.contact_point, theirs.contact_point.c.id == point)
    assert row.suspended_at is None
    assert await door.rows(theirs.suppression) == []
