# SPDX-License-Identifier: EUPL-1.2
"""A browser says itself that it wants to be told, proves itself, and is told, renewed, removed."""

import hashlib
import hmac
import json
import re
import struct
import zlib
from typing import Any

import pytest
from citizen_rig import DONE, PROOFS, Citizen, words
from door_rig import Door

from channels.base import ChannelName
from hub.flow.citizens.devices import MOST
from hub.ledger import tables
from hub.web.portal.devices import label_of
from hub.web.references import Kind
from subscribers import directory, drafts, sessions, subscriptions
from subscribers import tables as people
from subscribers.preferences import Cadence

FIREFOX = "Mozilla/5.0 (Android 14; Mobile; rv:153.0) Gecko/153.0 Firefox/153.0"
PUSH = ChannelName.WEBPUSH


def browser(door: Door, name: str) -> dict[str, str]:
    """What a browser's script posts of its subscription."""
    said: Any = door.sandbox.push.new_device(name)
    return {"endpoint": said["endpoint"], **said["keys"]}


async def visit(door: Door, person: int) -> dict[str, str]:
    """The cookie of somebody who is visiting their own pages."""
    token = await door.hub.ledger.transact(
        lambda conn: sessions.open_for(conn, person, door.clock.now())
    )
    return {"visit": token}


async def newcomer(door: Door, **document: Any) -> tuple[int, dict[str, str]]:
    """Somebody who is subscribing, without any address: their number and their draft's cookie."""

    def write(conn: Any) -> tuple[int, str]:
        now, town = door.clock.now(), door.hub.town
        person = directory.create(
            conn, town.authority, language="fr", timezone="Europe/Paris", now=now
        )
        theme = [town.themes_by_key["eau"].id]
        subscriptions.subscribe(conn, person, theme, PUSH, cadence=Cadence.NOW, catalogue=town)
        return person, drafts.keep(conn, town.authority, None, {"person": person, **document}, now)

    person, token = await door.hub.ledger.transact(write)
    return person, {"draft": token}


async def token_of(door: Door, cookies: dict[str, str]) -> str:
    """The token the page would have shown to whoever holds these cookies."""
    key = f"{cookies.get('draft', '')}|{cookies.get('visit', '')}".encode()
    return hmac.digest(key, b"device", hashlib.sha256).hex()[:32]


async def add(door: Door, cookies: dict[str, str], name: str, **changed: str) -> Any:
    said = {"token": await token_of(door, cookies), **browser(door, name), **changed}
    headers = {"User-Agent": FIREFOX, "Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())}
    return await door.ask("POST", "/appareil", json=said, headers=headers)


async def devices(door: Door, person: int) -> list[Any]:
    points = people.contact_point
    mine = (points.c.subscriber == person) & (points.c.channel == PUSH.value)
    return await door.rows(points, mine)


async def told(door: Door, name: str, text: str) -> None:
    await door.until(lambda: any(text in each.text for each in door.sandbox.effects.to(PUSH, name)))


# ------------------------------------------------------------------ who asks to be told


async def test_who_subscribes_by_this_browser_alone_needs_no_other_contact(door, news):
    person, cookies = await newcomer(door)
    answer = await add(door, cookies, "inconnu")
    assert (answer.status, answer.json) == (201, {"go": "/abonnement/fini"})
    (device,) = await devices(door, person)
    assert device.label == "Firefox, Android"
    assert device.verified_at is not None
    await door.post(await door.key(), {**news, "zones": []})
    await told(door, "inconnu", "Coupure d'eau jeudi")


async def test_the_whole_way_by_this_device_alone(door, news):
    zoe = Citizen(door)
    assert (await zoe.subscribe("eau", by_webpush="1")).headers["Location"] == PROOFS
    page = (await zoe.get(PROOFS)).text
    key = re.search(r'data-key="([\w-]+)" data-token="(\w+)"', page)
    assert len(key[1]) == 87  # an uncompressed point of P-256, in base64url
    answer = await add(door, zoe.cookies, "zoe", token=key[2])
    assert answer.json == {"go": DONE}
    zoe.cookies["visit"] = re.search(r"visit=([^;]+)", answer.headers["Set-Cookie"])[1]
    assert "Eau et coupures" in words((await zoe.get(DONE)).text)
    await door.post(await door.key(), {**news, "zones": [], "channels": ["webpush"]})
    await told(door, "zoe", "Coupure d'eau jeudi")
    mine = words((await zoe.get("/mes-alertes")).text)
    assert "Firefox, Android" in mine


async def test_a_browser_that_was_added_visits_its_own_pages(door):
    person, cookies = await newcomer(door)
    answer = await add(door, cookies, "inconnu")
    token = re.search(r"visit=([^;]+)", answer.headers["Set-Cookie"])[1]
    found = await door.hub.ledger.read(lambda conn: sessions.find(conn, token, door.clock.now()))
    assert found.person == person


async def test_a_visitor_is_told_on_the_new_device_what_they_are_told_elsewhere(door):
    person = await door.person("v0001")
    before = await door.rows(people.subscription, people.subscription.c.subscriber == person)
    answer = await add(door, await visit(door, person), "tablette")
    assert answer.json == {"go": "/mes-alertes"}
    after = await door.rows(people.subscription, people.subscription.c.subscriber == person)
    pushed = {row.theme for row in after if row.channel == PUSH.value}
    assert pushed == {row.theme for row in before}
    lines = await door.rows(tables.audit, tables.audit.c.object == f"subscriber:{person}")
    assert lines[-1].verb == "device.add"
    assert "push" not in json.dumps(lines[-1].detail)


async def test_a_browser_added_twice_is_one(door):
    cookies = await visit(door, await door.person("v0001"))
    await add(door, cookies, "tablette")
    await add(door, cookies, "tablette")
    assert len(await devices(door, await door.person("v0001"))) == 1


async def test_one_person_has_a_few_browsers_and_the_oldest_makes_room(door):
    person = await door.person("v0001")
    cookies = await visit(door, person)
    for number in range(MOST + 2):
        assert (await add(door, cookies, f"d{number}")).status == 201
    kept = {row.address for row in await devices(door, person)}
    assert kept == {browser(door, f"d{n}")["endpoint"] for n in range(2, MOST + 2)}


async def test_a_browser_that_changes_hands_shows_no_one_elses_messages(door):
    first, second = await door.person("v0001"), await door.person("v0002")
    await add(door, await visit(door, first), "tablette")
    await add(door, await visit(door, second), "tablette")
    assert await devices(door, first) == []
    assert len(await devices(door, second)) == 1


async def test_who_learned_an_address_without_its_secret_takes_nothing(door):
    first, second = await door.person("v0001"), await door.person("v0002")
    await add(door, await visit(door, first), "tablette")
    wrong = browser(door, "autre")["auth"]
    answer = await add(door, await visit(door, second), "tablette", auth=wrong)
    assert answer.status == 201  # told alike
    assert len(await devices(door, first)) == 1


async def test_who_subscribes_again_with_the_same_browser_is_one_person(door):
    first, cookies = await newcomer(door)
    await add(door, cookies, "inconnu")
    second, cookies = await newcomer(door)
    assert (await add(door, cookies, "inconnu")).status == 201
    assert len(await devices(door, first)) == 1
    assert await door.rows(people.subscriber, people.subscriber.c.id == second) == []


async def test_nobody_is_told_who_neither_subscribes_nor_visits(door):
    before = await door.counts()
    for cookies in ({}, {"visit": "x" * 43}, {"draft": "y" * 32}):
        assert (await add(door, cookies, "inconnu")).status == 403
    assert await door.counts() == before


async def test_a_page_of_another_visit_adds_nothing(door):
    person = await door.person("v0001")
    answer = await add(door, await visit(door, person), "tablette", token="0" * 32)
    assert answer.status == 403
    assert await devices(door, person) == []


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"endpoint": "https://intranet.example.org/push/1"}, "not_allowed"),
        ({"endpoint": "http://push.example.org/1"}, "not_an_endpoint"),
        ({"endpoint": ""}, "not_an_endpoint"),
        ({"auth": "short"}, "not_push_keys"),
        ({"p256dh": "A" * 87}, "not_push_keys"),
    ],
)
async def test_only_what_a_browser_would_say_is_taken(door, wrong, reason):
    answer = await add(door, await visit(door, await door.person("v0001")), "tablette", **wrong)
    assert (answer.status, answer.json) == (422, {"reason": reason})


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"endpoint": 3}', b'{"auth": "\\ud800"}'])
@pytest.mark.parametrize("path", ["/appareil", "/appareil/ouvrir"])
async def test_nonsense_is_refused_like_a_stranger(door, path, body):
    headers = {"Content-Type": "application/json"}
    assert (await door.ask("POST", path, data=body, headers=headers)).status == 403


async def test_a_form_cannot_stand_in_for_the_script(door):
    for path in ("/appareil", "/appareil/ouvrir", "/appareil/renouveler"):
        assert (await door.ask("POST", path, data={"endpoint": "x"})).status == 415


# ------------------------------------------------------------------ a browser we know


async def test_a_browser_opens_its_own_pages_by_itself(door):
    person = await door.person("v0001")
    await add(door, await visit(door, person), "tablette")
    answer = await door.ask("POST", "/appareil/ouvrir", json=browser(door, "tablette"))
    assert answer.json == {"go": "/mes-alertes"}
    token = re.search(r"visit=([^;]+)", answer.headers["Set-Cookie"])[1]
    found = await door.hub.ledger.read(lambda conn: sessions.find(conn, token, door.clock.now()))
    assert found.person == person


async def test_a_wrong_secret_and_an_unknown_browser_are_answered_alike(door):
    await add(door, await visit(door, await door.person("v0001")), "tablette")
    known, unknown = browser(door, "tablette"), browser(door, "inconnu")
    answers = [
        await door.ask("POST", "/appareil/ouvrir", json=said)
        for said in (known | {"auth": unknown["auth"]}, unknown, known | {"auth": ""})
    ]
    assert {(each.status, each.raw) for each in answers} == {(403, b"{}")}
    assert all("Set-Cookie" not in each.headers for each in answers)


async def test_guesses_are_counted(make_door):
    door = await make_door(limits={"public_per_minute": 3})
    said = browser(door, "inconnu")
    seen = [(await door.ask("POST", "/appareil/ouvrir", json=said)).status for _ in range(4)]
    assert seen == [403, 403, 403, 429]


async def test_a_renewed_subscription_goes_on_with_its_label(door, news):
    person, cookies = await newcomer(door)
    await add(door, cookies, "avant")
    before, after = browser(door, "avant"), browser(door, "apres")
    said = {"old_endpoint": before["endpoint"], "old_auth": before["auth"], **after}
    assert (await door.ask("POST", "/appareil/renouveler", json=said)).status == 204
    (device,) = await devices(door, person)
    assert (device.address, device.label) == (after["endpoint"], "Firefox, Android")
    await door.post(await door.key(), {**news, "zones": []})
    await told(door, "apres", "Coupure d'eau jeudi")
    assert not list(door.sandbox.effects.to(PUSH, "avant"))


async def test_nobody_elses_subscription_is_renewed_and_nobody_learns_so(door):
    person, cookies = await newcomer(door)
    await add(door, cookies, "avant")
    before, after = browser(door, "avant"), browser(door, "voleur")
    for old in ({"old_endpoint": before["endpoint"], "old_auth": after["auth"]}, {}):
        answer = await door.ask("POST", "/appareil/renouveler", json={**old, **after})
        assert (answer.status, answer.raw) == (204, b"")
    (device,) = await devices(door, person)
    assert device.address == before["endpoint"]


# ------------------------------------------------------------------ the list


async def csrf_of(cookies: dict[str, str]) -> str:
    return hmac.digest(cookies["visit"].encode(), b"csrf", hashlib.sha256).hex()[:32]


def name_of(door: Door, device: Any) -> str:
    return door.called(Kind.CONTACT, device.id)


async def press(
    door: Door, cookies: dict[str, str], path: str, called: str, csrf: str | None = None
) -> Any:
    headers = {"Cookie": f"visit={cookies['visit']}"}
    form = {"csrf": csrf or await csrf_of(cookies), "device": called}
    return await door.ask("POST", path, data=form, headers=headers)


async def test_a_device_is_removed_and_told_nothing_more(door):
    person = await door.person("v0001")
    cookies = await visit(door, person)
    await add(door, cookies, "tablette")
    (device,) = await devices(door, person)
    answer = await press(door, cookies, "/appareil/retirer", name_of(door, device))
    assert (answer.status, answer.headers["Location"]) == (303, "/mes-alertes?fait=appareil")
    assert await devices(door, person) == []


async def test_the_last_way_to_reach_somebody_is_not_removed_by_the_list(door):
    person, _ = await newcomer(door)
    cookies = await visit(door, person)
    await add(door, cookies, "seul")
    (device,) = await devices(door, person)
    answer = await press(door, cookies, "/appareil/retirer", name_of(door, device))
    assert answer.headers["Location"] == "/mes-alertes?fait=dernier"
    assert await devices(door, person) == [device]


async def test_nobody_removes_or_tries_a_device_of_somebody_else(door):
    owner = await door.person("v0001")
    await add(door, await visit(door, owner), "tablette")
    (device,) = await devices(door, owner)
    cookies = await visit(door, await door.person("v0002"))
    for path in ("/appareil/retirer", "/appareil/essai"):
        await press(door, cookies, path, name_of(door, device))
        await press(door, cookies, path, "1; drop table")
        assert (await press(door, cookies, path, name_of(door, device), "0" * 32)).status == 403
    assert len(await devices(door, owner)) == 1
    assert not list(door.sandbox.effects.to(PUSH, "tablette"))


async def test_a_trial_message_arrives_on_that_device_once_a_minute(door):
    person = await door.person("v0001")
    cookies = await visit(door, person)
    await add(door, cookies, "tablette")
    (device,) = await devices(door, person)
    for _ in range(2):
        answer = await press(door, cookies, "/appareil/essai", name_of(door, device))
        assert answer.status == 303
    await told(door, "tablette", "message d'essai")
    assert len(list(door.sandbox.effects.to(PUSH, "tablette"))) == 1


# ------------------------------------------------------------------ the app's files


async def test_the_manifest_says_what_the_app_is(door):
    answer = await door.ask("GET", "/manifest.webmanifest", headers={"Accept-Language": "en"})
    assert answer.kind == "application/manifest+json"
    said = answer.json
    assert (said["lang"], said["start_url"], said["scope"]) == ("en", "/?appli=1", "/")
    assert said["display"] == "standalone"
    assert said["short_name"] in said["name"]
    for picture in said["icons"]:
        drawn = await door.ask("GET", picture["src"])
        assert drawn.kind == "image/png"
        assert "{}x{}".format(*struct.unpack(">II", drawn.raw[16:24])) == picture["sizes"]


async def test_the_icon_is_the_towns_colour_with_a_white_bell(make_door):
    door = await make_door(portal={"accent": "#7d0f3c"})
    drawn = (await door.ask("GET", "/appli-192.png")).raw
    start = drawn.index(b"PLTE") + 4
    palette = drawn[start : start + 768]
    assert (palette[:3].hex(), palette[-3:].hex()) == ("7d0f3c", "ffffff")
    packed = drawn.index(b"IDAT")
    rows = zlib.decompress(drawn[packed + 4 :])
    width = 193  # each row after its filter byte
    assert rows[1] == 0  # the corner is the ground
    assert rows[width * 96 + 1 + 96] == 255  # the middle is the bell
    assert (await door.ask("GET", "/appli-1.png")).status == 404


async def test_the_worker_serves_the_whole_site_and_is_never_kept(door):
    answer = await door.ask("GET", "/sw.js")
    assert answer.headers["Service-Worker-Allowed"] == "/"
    assert answer.headers["Cache-Control"] == "no-cache"
    for path in re.findall(r'"(/static/[^"]+)"', answer.text):
        assert (await door.ask("GET", path)).status == 200


async def test_the_offline_page_lists_what_is_public(door, news):
    code = (await door.post(await door.key(), news)).json["id"]
    await door.until(lambda: _shown(door, code))
    page = await door.ask("GET", "/hors-ligne")
    assert "Dernière mise à jour le" in page.text
    assert "no-store" not in page.headers.get("Cache-Control", "")


async def _shown(door: Door, code: str) -> bool:
    return f"/a/{code}" in (await door.ask("GET", "/hors-ligne")).text


@pytest.mark.parametrize(
    ("agent", "label"),
    [
        (FIREFOX, "Firefox, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge, Windows"),
        ("curl/8.0", ""),
        ("", ""),
    ],
)
def test_a_device_is_called_by_what_its_owner_knows(agent, label):
    assert label_of(agent) == label
