# SPDX-License-Identifier: EUPL-1.2
"""The desk: staff subscribe somebody present, on the telephone or on paper, with the proof kept."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from door_rig import START, authority_of

from channels.base import ChannelName
from hub.flow.accept.credentials import Scope, issue_key, revoke_key
from hub.flow.keep.retention import Retiring, Rules
from hub.ledger import tables
from hub.web.desk import DESK
from subscribers import tables as people
from subscribers.consent_text import CONSENT_VERSION
from subscribers.suppression import SuppressionReason, address_hash, suppress

AMINA = "+33639980001"
NEW = "+33639987777"
TYPED = "06 39 98 77 77"
SMS = ChannelName.SMS
FORM = {
    "mobile": TYPED,
    "theme-eau": "1",
    "zone-tanneries": "1",
    "consent": "1",
    "given": "present",
    "checked": "code",
    "language": "fr",
    "cadence": "now",
}


class Counter:
    """An officer's browser at the desk."""

    def __init__(self, door):
        self.door, self.cookies = door, {}

    async def key(self, name="accueil"):
        def issue(conn):
            town = authority_of(conn, "valmont")
            scope = Scope(may_enrol=True)
            return issue_key(conn, town, name, scope, actor="tests", now=START)

        return await self.door.hub.ledger.transact(issue)

    async def opens(self, key=None, officer="M. Durand"):
        form = {"key": key or await self.key(), "officer": officer}
        return await self.sends("/guichet/ouvrir", form, csrf=False)

    async def sends(self, path, form, *, csrf=True):
        if csrf:
            form = {**form, "csrf": await self.csrf()}
        return await self.ask("POST", path, data=form)

    async def ask(self, method, path, **more):
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": jar} if jar else {}
        answer = await self.door.ask(method, path, headers=headers, **more)
        for line in answer.headers.getall("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
            if not self.cookies[name]:
                del self.cookies[name]
        return answer

    async def page(self, path="/guichet"):
        return unescape((await self.ask("GET", path)).text)

    async def csrf(self):
        found = re.search(r'name="csrf" value="([^"]+)"', await self.page())
        return found.group(1) if found else ""

    async def notes(self, **changed):
        form = {**FORM, **changed}
        return await self.sends("/guichet", {k: v for k, v in form.items() if v is not None})

    async def code(self):
        """The latest code that reached the new number."""
        found = []

        async def arrived():
            listed = (await self.door.ask("GET", "/sandbox/api/messages")).json
            found[:] = re.findall(r"code est (\d{6})", str(listed))
            return bool(found)

        await self.door.until(arrived)
        return found[-1]

    # ------------------------------------------------------------------ on disk

    async def points(self, address=NEW):
        table = people.contact_point
        return await self.door.rows(table, table.c.address == address)

    async def holds(self, person):
        mine = people.subscription.c.subscriber == person
        rows = await self.door.rows(people.subscription, mine)
        themes = {row.id: row.key for row in await self.door.rows(people.theme)}
        return {(themes[row.theme], row.channel) for row in rows}

    async def audited(self, verb):
        return [row for row in await self.door.rows(tables.audit) if row.verb == verb]


@pytest.fixture
async def counter(door):
    found = Counter(door)
    await found.opens()
    return found


# --------------------------------------------------------------------------- in and out


async def test_without_a_key_the_desk_shows_one_box_and_nothing_of_anybody(door):
    page = await Counter(door).page()
    assert 'name="key"' in page
    assert 'name="mobile"' not in page


async def test_a_key_opens_the_desk_and_is_never_kept(door):
    counter = Counter(door)
    key = await counter.key()
    answer = await counter.opens(key)
    assert (answer.status, answer.headers["Location"]) == (303, "/guichet")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    page = await counter.page()
    assert (
        "M. Durand, guichet « accueil »".replace(" »", "\u00a0»").replace("« ", "«\u00a0") in page
    )
    (row,) = await door.rows(tables.desk_visit)
    assert key not in str(row)
    assert counter.cookies["desk"] not in str(row)
    (line,) = await counter.audited("sign_in")
    assert (line.actor, line.detail) == ("desk:accueil", {"officer": "M. Durand"})


async def test_a_wrong_key_a_machines_and_a_revoked_one_open_nothing(door):
    counter = Counter(door)
    revoked = await counter.key("retirée")

    def end(conn):
        town = authority_of(conn, "valmont")
        revoke_key(conn, town, "retirée", actor="tests", now=START)

    await door.hub.ledger.transact(end)
    for key in ("hub_nothing", await door.key(), revoked):
        answer = await counter.opens(key)
        assert answer.status == 422
        assert "Erreur" in unescape(answer.text)
        assert key not in answer.text
    assert "M. Durand" in answer.text  # not to be typed again
    assert not await door.rows(tables.desk_visit)


async def test_a_desks_key_publishes_nothing(door, news):
    key = await Counter(door).key()
    assert (await door.post(key, news)).status == 401


async def test_keys_cannot_be_tried_by_the_thousand(door):
    counter = Counter(door)
    statuses = [(await counter.opens("hub_guess")).status for _ in range(12)]
    assert statuses[:10] == [422] * 10
    assert statuses[10:] == [429] * 2


async def test_the_desk_closes_when_idle_when_it_is_late_and_when_its_key_is_revoked(counter):
    for _ in range(7):
        counter.door.clock.leap(timedelta(minutes=29))
        assert 'name="mobile"' in await counter.page()
    counter.door.clock.leap(timedelta(minutes=31))
    assert 'name="key"' in await counter.page()
    key = await counter.key("mairie annexe")
    await counter.opens(key)
    for _ in range(9):
        counter.door.clock.leap(timedelta(minutes=29))
        shown = await counter.page()
    assert 'name="key"' in shown  # four hours are over

    await counter.opens(key)

    def end(conn):
        revoke_key(
            *(conn, authority_of(conn, "valmont"), "mairie annexe"), actor="tests", now=START
        )

    await counter.door.hub.ledger.transact(end)
    assert 'name="key"' in await counter.page()


async def test_who_leaves_closes_the_desk(counter):
    answer = await counter.sends("/guichet/fermer", {})
    assert answer.status == 303
    assert 'name="key"' in await counter.page()
    assert not await counter.door.rows(tables.desk_visit)


@pytest.mark.parametrize("path", ["/guichet", "/guichet/fermer", "/guichet/code/ZZZZZZZZ"])
async def test_a_form_without_the_visits_token_is_refused(counter, path):
    before = await counter.door.counts()
    for forged in ({}, {"csrf": "x"}, {"csrf": "é" * 64}):
        answer = await counter.sends(path, {**FORM, **forged}, csrf=False)
        assert answer.status == 403
    assert await counter.door.counts() == before
    counter.cookies.clear()
    assert (await counter.sends(path, FORM, csrf=False)).status == 403


# --------------------------------------------------------------------------- noting


async def test_somebody_present_reads_back_the_code_and_is_subscribed_with_proof(counter):
    answer = await counter.notes()
    assert answer.status == 303
    place = answer.headers["Location"]
    assert place.startswith("/guichet/code/")
    assert "06\u00a0•• •• •• 77" in await counter.page(place)
    (point,) = await counter.points()
    assert point.verified_at is None
    assert (await counter.sends(place, {"code": "000000"})).status == 422
    answer = await counter.sends(place, {"code": await counter.code()})
    assert answer.status == 303
    (point,) = await counter.points()
    assert point.verified_at is not None
    assert await counter.holds(point.subscriber) == {("eau", "sms")}
    (proof,) = await counter.door.rows(
        people.consent, people.consent.c.subscriber == point.subscriber
    )
    assert (proof.source, proof.recorded_by) == ("desk, in person", "M. Durand (accueil)")
    assert proof.text_version == CONSENT_VERSION
    leaflet = await counter.page(answer.headers["Location"])
    assert "Eau et coupures" in leaflet
    assert "Tanneries" in leaflet
    assert "STOP" not in leaflet  # this town's SMS cannot be answered
    assert "les messages peuvent partir" in leaflet


async def test_every_line_of_the_audit_names_the_officer_and_no_address(counter):
    answer = await counter.notes(checked="call", reason="téléphone à la maison")
    assert "/guichet/fait/" in answer.headers["Location"]
    lines = await counter.audited("enrol") + await counter.audited("verify")
    assert len(lines) == 2
    for line in lines:
        assert (line.actor, line.detail["officer"]) == ("desk:accueil", "M. Durand")
        assert "639987777" not in str(line)
    told = lines[0].detail
    assert (told["given"], told["checked"], told["reason"]) == (
        *("present", "call"),
        "téléphone à la maison",
    )


@pytest.mark.parametrize(
    ("changed", "source", "given_at"),
    [
        ({"given": "telephone"}, "desk, by telephone", None),
        (
            {"given": "paper", "given_on": "2026-11-20"},
            "paper form",
            datetime(2026, 11, 20, 11, tzinfo=UTC),
        ),
        (
            {"given": "paper", "given_on": "20/11/2026"},
            "paper form",
            datetime(2026, 11, 20, 11, tzinfo=UTC),
        ),
    ],
)
async def test_how_they_agreed_and_when_is_the_proof(counter, changed, source, given_at):
    await counter.notes(checked="document", reason="lecture difficile", **changed)
    (point,) = await counter.points()
    (proof,) = await counter.door.rows(
        people.consent, people.consent.c.subscriber == point.subscriber
    )
    assert proof.source == source
    assert given_at is None or proof.given_at == given_at
    assert proof.recorded_at.date() == date(2026, 11, 24)


async def test_an_officers_word_verifies_at_once_and_the_next_alert_leaves(counter, news):
    await counter.notes(checked="call", reason="rappelée")
    (point,) = await counter.points()
    assert point.verified_at is not None
    key = await counter.door.key()
    told = await counter.door.post(key, {**news, "channels": ["sms"]})
    await counter.door.settled(key, told.json["id"])
    assert NEW in (await counter.door.ask("GET", "/sandbox/api/messages")).text


async def test_an_email_gets_its_link_and_waits_for_it(counter):
    answer = await counter.notes(mobile=None, email="mme.petit@example.org")
    assert answer.headers["Location"].startswith("/guichet/fait/")
    assert "Rien ne part tant que" in await counter.page(answer.headers["Location"])
    (point,) = await counter.points("mme.petit@example.org")
    assert point.verified_at is None

    async def arrived():
        listed = (await counter.door.ask("GET", "/sandbox/api/messages")).text
        return "mme.petit@example.org" in listed and "/c/" in listed

    await counter.door.until(arrived)


async def test_hours_rhythm_and_language_are_noted(counter):
    await counter.notes(
        checked="call",
        reason="rappelée",
        email="mme.petit@example.org",
        quiet="1",
        quiet_from="20:30",
        quiet_to="07:00",
        urgent_breaks_quiet="1",
        cadence="weekly",
        language="en",
        street="rue des tanneurs",
    )
    (point,) = await counter.points()
    (person,) = await counter.door.rows(
        people.subscriber, people.subscriber.c.id == point.subscriber
    )
    assert (person.quiet_start, person.quiet_end) == (20 * 60 + 30, 7 * 60)
    assert (person.urgent_breaks_quiet, person.language) == (True, "en")
    mine = people.subscription.c.subscriber == person.id
    rows = await counter.door.rows(people.subscription, mine)
    assert {(row.channel, row.cadence) for row in rows} == {("sms", "now"), ("email", "weekly")}
    zones = {row.id: row.key for row in await counter.door.rows(people.zone)}
    places = people.subscriber_zone.c.subscriber == person.id
    chosen = await counter.door.rows(people.subscriber_zone, places)
    assert {zones[row.zone] for row in chosen} == {"tanneries", "rue-des-tanneurs"}


async def test_somebody_subscribed_already_is_joined_and_what_they_had_is_not_shown(counter):
    person = await counter.door.person("v0001")
    before = await counter.holds(person)
    new = next(k for k in ("culture", "sante", "dechets") if (k, "sms") not in before)
    form = {"mobile": AMINA, "theme-eau": None, f"theme-{new}": "1"}
    answer = await counter.notes(checked="call", reason="rappelée", **form)
    (point,) = await counter.points(AMINA)
    assert point.subscriber == person
    assert (new, "sms") in await counter.holds(person)
    page = await counter.page(answer.headers["Location"])
    assert "était déjà inscrit" in page
    names = {row.key: row.names["fr"] for row in await counter.door.rows(people.theme)}
    leaflet = page.partition("<dl")[2].partition("</dl>")[0]
    assert [name for key, name in names.items() if name in leaflet] == [names[new]]


async def test_until_the_code_is_right_nothing_tells_whether_the_number_is_known(counter):
    async def seen(mobile):
        answer = await counter.notes(mobile=mobile)
        page = await counter.page(answer.headers["Location"])
        return re.sub(r"/guichet/code/\w{8}|•• \d\d|\d\d:\d\d|\d h \d\d", "", page)

    assert await seen(AMINA) == await seen(NEW)


async def test_asking_at_the_desk_lifts_a_do_not_contact_and_says_so_in_the_audit(counter):
    hashed = address_hash(counter.door.keys.suppression, SMS, NEW)
    reason = SuppressionReason.DO_NOT_CONTACT
    await counter.door.hub.ledger.transact(
        lambda conn: suppress(conn, SMS, hashed, reason, now=START)
    )
    await counter.notes()
    assert await counter.code()
    assert not await counter.door.rows(people.suppression)
    (line,) = await counter.audited("enrol")
    assert line.detail["lifted"] is True


async def test_a_code_asked_for_twice_in_a_row_waits_and_nothing_is_kept(counter):
    await counter.notes()
    before = await counter.door.counts()
    answer = await counter.notes()
    assert answer.status == 422
    assert "Aucun code ne peut y être envoyé" in unescape(answer.text)
    assert TYPED in answer.text
    assert await counter.door.counts() == before


async def test_a_queue_of_people_at_one_desk_is_not_a_flood(counter):
    for n in range(15):
        answer = await counter.notes(mobile=f"06 39 98 {n:02d} 50")
        assert answer.status == 303


async def test_another_desk_sees_neither_the_code_nor_the_leaflet(counter):
    code = (await counter.notes()).headers["Location"]
    leaflet = (await counter.notes(mobile="0639987778", checked="call", reason="x")).headers[
        "Location"
    ]
    other = Counter(counter.door)
    await other.opens(await other.key("annexe"))
    for place in (code, leaflet, "/guichet/code/ZZZZZZZZ", "/guichet/fait/ZZZZZZZZ"):
        assert (await other.ask("GET", place)).status == 404
    assert (await other.sends(code, {"code": "000000"})).status == 404


async def test_after_five_wrong_codes_the_right_one_is_refused(counter):
    place = (await counter.notes()).headers["Location"]
    right = await counter.code()
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        answer = await counter.sends(place, {"code": wrong})
    assert "Trop d’essais" in answer.text
    assert (await counter.sends(place, {"code": right})).status == 422
    (point,) = await counter.points()
    assert point.verified_at is None


# --------------------------------------------------------------------------- what is wrong

WRONG = [
    ({"mobile": None}, "mobile", "au moins un mobile"),
    ({"mobile": "02 31 00 00 00"}, "mobile", "la mairie ne sait pas encore l'appeler"),
    ({"mobile": "12"}, "mobile", "Écrivez un numéro de mobile"),
    ({"mobile": "+1 202 555 0123"}, "mobile", "vers ce pays"),
    ({"email": "claire"}, "email", "Il manque un @"),
    ({"theme-eau": None}, "themes", "au moins un thème"),
    ({"street": "rue de nulle part"}, "street", "Aucune rue"),
    ({"street": "rue"}, "street", "Précisez la rue"),
    ({"quiet": "1", "quiet_from": "x"}, "quiet_from", "les deux heures"),
    ({"consent": None}, "consent", "cochez qu'elle l'accepte"),
    ({"given": None}, "given", "donné son accord"),
    ({"given": "paper"}, "given_on", "date du formulaire"),
    ({"given": "paper", "given_on": "2026-11-25"}, "given_on", "aujourd'hui au plus tard"),
    ({"given": "paper", "given_on": "32/13/2026"}, "given_on", "date du formulaire"),
    ({"checked": None}, "checked", "vérifié les coordonnées"),
    ({"checked": "call"}, "reason", "pourquoi aucun code"),
]


@pytest.mark.parametrize(("changed", "name", "said"), WRONG)
async def test_what_is_wrong_is_said_at_its_field_and_all_else_is_kept(
    counter, changed, name, said
):
    before = await counter.door.counts()
    answer = await counter.notes(**changed)
    page = unescape(answer.text)
    assert answer.status == 422
    assert said in page
    assert "<title>Erreur" in page
    assert f'href="#{name}"' in page
    assert re.search(rf'id="{name}"', page)
    if "theme-eau" not in changed:
        assert re.search(r'id="theme-eau"[^>]* checked', page)
    assert await counter.door.counts() == before


async def test_it_is_said_in_english_too(counter):
    await counter.ask("GET", "/guichet?lang=en")
    answer = await counter.notes(mobile="02 31 00 00 00")
    assert "This is a landline: the town cannot call it yet" in unescape(answer.text)


async def test_nothing_is_ticked_before_somebody_does(counter):
    page = await counter.page()
    assert not re.search(r"<input[^>]* checked", page)


async def test_looking_changes_nothing(counter):
    place = (await counter.notes()).headers["Location"]
    before = await counter.door.counts()
    for _ in range(2):
        for path in ("/guichet", place):
            for method in ("HEAD", "GET"):
                assert (await counter.ask(method, path)).status == 200
    assert await counter.door.counts() == before


async def test_no_number_name_or_key_stands_in_the_log(counter, log):
    await counter.notes()
    written = log.getvalue()
    assert not re.search("39987777|Durand|hub_", written)


async def test_pages_of_the_desk_are_kept_by_nobody(counter):
    answer = await counter.ask("GET", "/guichet")
    assert answer.headers["Cache-Control"] == "no-store"
    assert counter.door.app[DESK].authority_name in unescape(answer.text)


async def test_visits_that_are_over_are_erased_with_the_daily_round(counter):
    door = counter.door
    rules = Rules(**door.app[DESK].settings.retention.model_dump())
    retiring = Retiring(door.hub.ledger, rules, door.clock)
    assert "desks" not in await retiring.erase()
    door.clock.leap(timedelta(hours=4, seconds=1))
    assert (await retiring.erase())["desks"] == 1
    assert not await door.rows(tables.desk_visit)
