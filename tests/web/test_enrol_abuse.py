# SPDX-License-Identifier: EUPL-1.2
"""Whoever guesses, floods or spies gets nothing: neither a code, nor a bill for the town, nor a
hint of who is known."""

import asyncio
import re
import time
from datetime import timedelta
from statistics import quantiles

import pytest
from citizen_rig import DONE, PROOFS, SMS, THEMES, WAYS, Citizen, words

from channels.base import ChannelName, Reason, Recipient
from hub.ledger import tables
from hub.web.desk import DESK
from hub.web.portal.drafting import Draft
from subscribers import directory, drafts
from subscribers import tables as theirs
from subscribers.suppression import SuppressionReason, address_hash, suppress
from subscribers.suspension import suspend

MANY = 1_000_000
ROOMY = {"public_per_minute": MANY, "api_per_minute": MANY}
PHONE, TYPED = "+33639987701", "06 39 98 77 01"
KNOWN, KNOWN_TYPED = "+33639980001", "06 39 98 00 01"  # Amina


def unlimited(**some):
    """Sign-ups without limits, but for those named."""
    names = (
        "contact_per_day",
        "origin_per_hour",
        "prefix_per_hour",
        "sms_per_day",
        "email_per_day",
    )
    return {"limits": ROOMY, "sign_ups": dict.fromkeys(names, MANY) | {"fill_seconds": 0} | some}


async def test_of_a_thousand_guesses_at_once_five_are_looked_at(make_door):
    door = await make_door(limits=ROOMY)
    zoe = Citizen(door)
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED)
    right = await zoe.code(PHONE)
    wrong = [f"{n:06}" for n in range(1_001) if f"{n:06}" != right][:1_000]
    answers = await asyncio.gather(*(zoe.prove(code) for code in wrong))
    assert {answer.status for answer in answers} == {422}
    looked_at = [each for each in answers if "pas le bon" in each.text]
    assert len(looked_at) == 4  # the fifth says that no try is left
    (row,) = await door.rows(theirs.challenge)
    assert (row.tries, row.used_at) == (5, None)
    assert (await zoe.prove(right)).status == 422
    points = await door.rows(theirs.contact_point, theirs.contact_point.c.address == PHONE)
    assert [point.verified_at for point in points] == [None]


async def browsers(door, how_many):
    """Browsers that answered the first question, and the stamp of the form they were shown."""
    hub, first = door.app[DESK], Citizen(door)
    await first.choose("eau")
    stamp = re.search('name="stamp" value="([^"]*)"', (await first.get(WAYS)).text)[1]
    document = Draft({"theme-eau": "1"}).document()

    def write(conn):
        now = door.clock.now()
        return [drafts.keep(conn, hub.authority, None, document, now) for _ in range(how_many)]

    shown = []
    for token in await hub.ledger.transact(write):
        shown.append(Citizen(door))
        shown[-1].cookies["draft"] = token
    return shown, {"theme-eau": "1", "where": "whole", "consent": "1", "stamp": stamp}


async def test_of_a_thousand_sign_ups_to_one_prefix_twenty_are_sent(make_door):
    door = await make_door(
        limits=ROOMY, server={"trusted_proxies": ["127.0.0.1/32"]}, sign_ups={"fill_seconds": 0}
    )
    before = await door.counts()
    robots, form = await browsers(door, 1_000)

    async def sign_up(n):
        robot = robots[n - 5_000]
        robot.headers["X-Forwarded-For"] = f"100.{64 + n // 250}.{n % 250}.7"
        number = f"+33 6 39 98 {n // 100:02} {n % 100:02}"
        return (await robot.ask("POST", WAYS, **form, **{"by-sms": "1", "mobile": number})).status

    ends = []
    for start in range(5_000, 6_000, 50):  # a browser has a few connections, not a thousand
        ends += await asyncio.gather(*(sign_up(n) for n in range(start, start + 50)))
    assert (ends.count(303), ends.count(422)) == (20, 980)

    async def sent():
        return len(door.sandbox.effects.select(since=0, channel=SMS, addresses=None, limit=5_000))

    await door.until(lambda: _equals(sent, 20))
    rows = await door.rows(tables.delivery)
    assert len(rows) == 20
    assert len(await door.rows(theirs.challenge)) == 20
    # whoever was refused is not written down at all
    assert (await door.counts())["subscriber"] - before["subscriber"] == 20


async def _equals(count, wanted):
    return await count() == wanted


async def test_one_origin_asks_ten_times_an_hour(make_door):
    door = await make_door(limits=ROOMY, sign_ups={"fill_seconds": 0, "prefix_per_hour": MANY})
    ends = []
    for n in range(12):
        answer = await Citizen(door).subscribe("eau", by_sms="1", mobile=f"06 39 98 60 {n:02}")
        ends.append(answer.status)
    assert ends == [303] * 10 + [422] * 2
    assert re.search(r"Trop d’essais. Réessayez à \d+.h.\d\d ou choisissez l’e-mail", answer.text)
    door.clock.leap(timedelta(hours=1, seconds=1))
    again = await Citizen(door).subscribe("eau", by_sms="1", mobile="06 39 98 60 55")
    assert again.status == 303


async def test_the_towns_budget_for_a_day_ends_sms_and_not_email(make_door):
    door = await make_door(**unlimited(sms_per_day=2))
    ends = [
        await Citizen(door).subscribe("eau", by_sms="1", mobile=f"06 39 98 60 {n:02}")
        for n in range(3)
    ]
    assert [answer.status for answer in ends] == [303, 303, 422]
    assert "choisissez l’e-mail" in ends[2].text
    answer = await Citizen(door).subscribe("eau", by_email="1", email="zoe@example.org")
    assert answer.status == 303


# --------------------------------------------------------------------------- machines


@pytest.mark.parametrize(
    "trap", [{"remarque": "https://spam.example"}, {"hurry": True}, {"stamp": "x"}]
)
async def test_a_machine_is_answered_as_anybody_and_gets_nothing(door, log, trap):
    robot, zoe = Citizen(door), Citizen(door)
    before, counted = await door.counts(), await turned_away(door)
    answer = await robot.subscribe("eau", by_sms="1", mobile="06 39 98 77 02", **trap)
    assert (answer.status, answer.headers["Location"]) == (303, PROOFS)
    assert await door.counts() == before
    shown = (await robot.get(PROOFS)).text.replace("77\N{NO-BREAK SPACE}02", "N")
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED)
    await zoe.code(PHONE)
    assert (await zoe.get(PROOFS)).text.replace("77\N{NO-BREAK SPACE}01", "N") == shown
    assert robot.received(SMS, "+33639987702") == 0
    assert '"sign_up.machine"' in log.getvalue()
    assert await turned_away(door) == counted + 1
    wrong = await robot.prove("123456")
    assert "Il vous reste 4 essais" in wrong.text
    door.clock.leap(timedelta(seconds=61))
    assert (await robot.ask("POST", PROOFS, again="sms")).status == 303
    assert robot.received(SMS, "+33639987702") == 0


async def turned_away(door):
    """How many machines were counted, by the metrics of this process."""
    shown = (await door.ask("GET", "/metrics")).text
    return float(re.search(r"^hub_sign_ups_turned_away_total (.*)$", shown, re.MULTILINE)[1])


async def test_a_code_guessed_for_nobody_opens_nothing(door):
    """A machine's code exists like any other; hitting it proves nobody's address."""
    robot = Citizen(door)
    await robot.subscribe("eau", by_sms="1", mobile=TYPED, remarque="x")
    (row,) = await door.rows(theirs.challenge)
    code = door.app[DESK].asking.proofs.code(row.id, row.nonce)
    assert (await robot.prove(code)).status == 422
    assert "visit" not in robot.cookies


# --------------------------------------------------------------------------- known or not


def alike(page, *personal):
    """A page without what its own reader typed."""
    for each in personal:
        page = page.replace(each, "N")
    return page


def spaced(typed):
    return typed.replace(" ", "\N{NO-BREAK SPACE}")


async def test_known_and_unknown_numbers_are_shown_the_same_bytes(make_door):
    door = await make_door(**unlimited())
    seen = []
    for typed in (KNOWN_TYPED, TYPED):
        zoe = Citizen(door)
        handed_in = await zoe.subscribe("eau", by_sms="1", mobile=typed)
        page, wrong = await zoe.get(PROOFS), await zoe.prove("1")
        headers = sorted(set(page.headers) - {"Date"})
        shown = [alike(each.text, spaced(typed), typed) for each in (handed_in, page, wrong)]
        seen.append((handed_in.status, shown, headers, page.headers["Content-Length"]))
    assert seen[0] == seen[1]


async def test_known_and_unknown_addresses_are_shown_the_same_bytes(make_door):
    door = await make_door(**unlimited())
    seen = []
    for address in ("claire.4@example.org", "nobody.4@example.org"):
        zoe = Citizen(door)
        await zoe.subscribe("eau", by_email="1", email=address)
        seen.append(alike((await zoe.get(PROOFS)).text, address))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("why", ["do not contact", "complaint"])
async def test_who_asked_to_be_left_alone_is_and_nobody_can_tell(make_door, why):
    door = await make_door(**unlimited())
    amina = await door.person("v0001")

    def shield(conn):
        if why == "do not contact":
            hashed = address_hash(door.app[DESK].asking.key, SMS, KNOWN)
            suppress(conn, SMS, hashed, SuppressionReason.DO_NOT_CONTACT, now=door.clock.now())
            return
        points = [p for p in directory.contact_points(conn, amina) if p.channel is SMS]
        suspend(conn, points[0].id, Reason.COMPLAINT, door.clock.now(), sent=None)

    await door.hub.ledger.transact(shield)
    seen = []
    for typed in (KNOWN_TYPED, TYPED):
        zoe = Citizen(door)
        await zoe.subscribe("eau", by_sms="1", mobile=typed)
        seen.append(alike((await zoe.get(PROOFS)).text, spaced(typed)))
    await zoe.code(PHONE)
    assert zoe.received(SMS, KNOWN) == 0
    assert seen[0] == seen[1]


async def test_known_and_unknown_take_as_long(make_door):
    """Eighty of each, one by one in turn: the middle halves of both overlap."""
    door = await make_door(**unlimited())
    known, unknown = (
        [f"+33 6 39 98 {hundred + n // 100} {n % 100:02}" for n in range(80)]
        for hundred in (30, 40)
    )
    await door.hub.ledger.transact(lambda conn: _write_down(conn, door, known))
    await pause_sms(door)
    robots, form = await browsers(door, 160)
    spent = {True: [], False: []}
    for pair in zip(known, unknown, strict=True):
        for typed in pair if len(spent[True]) % 2 else reversed(pair):
            started = time.perf_counter()
            answer = await robots.pop().ask(
                "POST", WAYS, **form, **{"by-sms": "1", "mobile": typed}
            )
            spent[typed in known].append(time.perf_counter() - started)
            assert answer.status == 303
    low, high = (quantiles(spent[each], n=4) for each in (True, False))
    assert low[0] <= high[2]
    assert high[0] <= low[2]


async def pause_sms(door):
    """What is written waits: sending four hundred messages would only add to both times alike."""
    key = {"Authorization": f"Bearer {await door.key()}"}
    assert (await door.ask("POST", "/api/v1/channels/sms/pause", headers=key)).status == 200
    await door.until(lambda: door.hub.engine.roads[SMS].switched_off)


def _write_down(conn, door, typed):
    now = door.clock.now()
    for number in typed:
        person = directory.create(
            conn, door.hub.town.authority, language="fr", timezone="Europe/Paris", now=now
        )
        recipient = Recipient(number.replace(" ", ""))
        point = directory.add_contact_point(conn, person, ChannelName.SMS, recipient, now)
        directory.verify(conn, point, now)


async def test_no_log_line_bears_a_number_a_code_or_a_token(door, log):
    zoe = Citizen(door)
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED, by_email="1", email="zoe@example.org")
    code, link = await zoe.code(PHONE), await zoe.link("zoe@example.org")
    await zoe.prove("999999")
    await zoe.prove(code)
    await zoe.ask("POST", link)
    assert (await zoe.get(DONE)).status == 200
    written = log.getvalue()
    for secret in (PHONE[1:], "98 77 01", code, link[3:], "zoe@", *zoe.cookies.values()):
        assert secret not in written, secret


async def test_a_form_of_another_site_is_refused(door):
    zoe = Citizen(door)
    zoe.headers["Sec-Fetch-Site"] = "cross-site"
    for path in (THEMES, WAYS, PROOFS, "/abonnement/essai", "/c/" + "a" * 28):
        assert (await zoe.ask("POST", path, **{"theme-eau": "1"})).status == 403


async def test_too_many_forms_in_a_minute_are_told_to_wait(make_door):
    door = await make_door(limits={"public_per_minute": 3})
    zoe = Citizen(door)
    ends = [(await zoe.choose("eau")).status for _ in range(5)]
    assert ends == [303, 303, 303, 429, 429]
    assert words((await zoe.choose("eau")).text)
