# SPDX-License-Identifier: EUPL-1.2
"""The portal as an app in Chromium: five states, notifications as they were sent, no connection.

Chromium's own push service is far away; DevTools hands the worker the very payload that the hub
sealed for a device and that the device opened.
"""

import asyncio
import json
from typing import Any

import pytest
import pytest_asyncio

from channels.base import ChannelName, Recipient
from hub.browsers import devices_of
from subscribers import sessions

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOWN = """async () => {
  const worker = await navigator.serviceWorker.ready;
  const shown = await worker.getNotifications();
  return shown.map(({title, body, lang, tag, data, actions, renotify}) =>
    ({title, body, lang, tag, data, actions, renotify}));
}"""
IPHONE = """delete window.PushManager;
Object.defineProperty(navigator, 'userAgent', {get: () => 'iPhone'});"""
COUNTING = """window.asked = 0;
Notification.requestPermission = async () => { window.asked++; return 'denied'; };"""
STATES = """() => [...document.querySelectorAll('#appareil [data-state]')]
  .filter(each => each.checkVisibility()).map(each => each.dataset.state)"""
CLICKED = """async (action) => {  // a browser opens windows only after a finger's click
  const opened = new Promise((done) => { self.clients.openWindow = done; });
  const [notification] = await self.registration.getNotifications();
  const event = new NotificationEvent("notificationclick", { notification, action });
  event.waitUntil = () => {};  // its own is for the browser's events
  self.dispatchEvent(event);
  return opened;
}"""
READY = """() => navigator.serviceWorker.getRegistration("/")
  .then(worker => worker?.active?.state === "activated"
    && Boolean(navigator.serviceWorker.controller))"""


async def visiting(tab: Any, town: Any, ref: str = "v0001") -> None:
    """Their own pages, with the section on this device."""
    door = town.door
    person = await door.person(ref)
    token = await door.hub.ledger.transact(
        lambda conn: sessions.open_for(conn, person, door.clock.now())
    )
    await tab.context.add_cookies([{"name": "visit", "value": token, "url": town.home}])
    await tab.goto("/mes-alertes")


async def publish(town: Any, **said: Any) -> str:
    """An announcement by notification alone; its code."""
    return str(await town.publish(channels=["webpush"], **said))


async def pushed(town: Any, code: str) -> str:
    """What a device of the sandbox opened of this announcement, to the byte."""
    found: list[str] = []

    def came() -> bool:
        texts = [e.text for e in town.door.sandbox.effects.to(ChannelName.WEBPUSH, "tablette")]
        found.extend(text for text in texts if f"/a/{code}" in text)
        return bool(found)

    await town.door.until(came)
    return found[0]


@pytest_asyncio.fixture(loop_scope="session")
async def tablet(town: Any) -> None:
    """Somebody has a device of the sandbox, whose messages can be read."""
    door = town.door
    devices = devices_of(door.hub.settings, door.hub.engine, door.hub.town.authority)
    said: Any = door.sandbox.push.new_device("tablette")
    browser = devices.read(said["endpoint"], **said["keys"])
    assert isinstance(browser, Recipient)
    await devices.add(await door.person("v0002"), browser, "Firefox, Android")


async def deliver(tab: Any, town: Any, payload: str) -> None:
    """Hand the page's worker a push message, as the browser's own push service would."""
    session = await tab.context.new_cdp_session(tab)
    workers: list[Any] = []

    def told(event: Any) -> None:  # of other tests' towns too, whose workers are gone
        ours = (each for each in event["registrations"] if each["scopeURL"].startswith(town.home))
        workers.extend(each for each in ours if not each["isDeleted"])

    session.on("ServiceWorker.workerRegistrationUpdated", told)
    await session.send("ServiceWorker.enable")
    await town.door.until(lambda: bool(workers))
    number = workers[-1]["registrationId"]
    message = {"origin": town.home, "registrationId": number, "data": payload}
    async with asyncio.timeout(30):
        await session.send("ServiceWorker.deliverPushMessage", message)
    await session.detach()


async def shown(tab: Any, town: Any, containing: str) -> list[Any]:
    """What stands on the screen, once something says so."""
    found: list[Any] = []

    async def look() -> bool:
        found[:] = await tab.evaluate(SHOWN)
        return any(containing in each["body"] for each in found)

    await town.door.until(look, 60)
    return found


async def allowed(tab: Any, town: Any) -> None:
    await tab.context.grant_permissions(["notifications"], origin=town.home)
    await tab.goto("/")
    await town.door.until(lambda: tab.evaluate(READY), 30)
    await town.door.until(lambda: tab.evaluate("Notification.permission === 'granted'"), 30)


# ------------------------------------------------------------------ notifications


async def test_a_message_is_shown_word_for_word_with_what_can_be_done(town, tab, tablet):
    await allowed(tab, town)
    code = await publish(town, title="Coupure d’eau : « Gare »", body="Prévoyez 2 € d’eau…")
    payload = await pushed(town, code)
    said = json.loads(payload)["notification"]
    await deliver(tab, town, payload)
    (found,) = await shown(tab, town, "2 €")
    for name in ("title", "body", "lang", "tag"):
        assert found[name] == said[name]
    assert [each["title"] for each in found["actions"]] == ["Lire l'annonce", "Ne plus recevoir"]
    assert found["data"]["navigate"] == f"{town.home}/a/{code}"
    assert found["data"]["links"]["stop"].startswith(f"{town.home}/stop/")


async def test_a_correction_replaces_and_is_heard_and_a_second_copy_is_silent(town, tab, tablet):
    await allowed(tab, town)
    code = await publish(town, title="Rue barrée", body="Rue de la Gare.")
    first = await pushed(town, code)
    for _ in range(2):  # the same message again, as after a crash
        await deliver(tab, town, first)
        (found,) = await shown(tab, town, "Rue de la Gare.")
        assert found["renotify"] is False
    about = {"kind": "correction", "about": code}
    code = await publish(town, title="Rue barrée", body="Rue du Port.", **about)
    await deliver(tab, town, await pushed(town, code))
    (found,) = await shown(tab, town, "Rue du Port.")
    assert found["renotify"] is True


@pytest.mark.parametrize(
    ("action", "path"), [("", "/a/"), ("open", "/a/"), ("stop", "/stop/"), ("unknown", "/a/")]
)
async def test_a_click_opens_the_announcement_or_its_stop_page(town, tab, tablet, action, path):
    await allowed(tab, town)
    await deliver(tab, town, await pushed(town, await publish(town, title="Eau", body="Clic.")))
    await shown(tab, town, "Clic.")
    (worker,) = tab.context.service_workers
    async with asyncio.timeout(60):
        opened = await worker.evaluate(CLICKED, action)
    assert opened.startswith(town.home + path)
    assert await tab.evaluate(SHOWN) == []


# ------------------------------------------------------------------ five states


@pytest.mark.parametrize(
    ("state", "script", "words"),
    [
        ("unsupported", "delete window.PushManager", "ne sait pas afficher"),
        (
            "insecure",
            "Object.defineProperty(window, 'isSecureContext', {get: () => false})",
            "commence par https",
        ),
        ("install", IPHONE, "Sur l’écran d’accueil"),
        (
            "denied",
            "Object.defineProperty(Notification, 'permission', {get: () => 'denied'})",
            "refuse nos notifications",
        ),
        ("possible", "", "Activer sur cet appareil"),
    ],
)
async def test_each_state_has_its_own_sentence(town, make_tab, state, script, words):
    tab = await make_tab()
    await tab.add_init_script(script)
    await visiting(tab, town)
    await tab.wait_for_selector(f"#appareil [data-state={state}]:not([hidden])")
    assert await tab.evaluate(STATES) == [state]
    assert words in await tab.inner_text("#appareil")


async def test_nothing_is_asked_before_a_click(town, make_tab):
    tab = await make_tab()
    await tab.add_init_script(COUNTING)
    await visiting(tab, town)
    await tab.wait_for_selector("#appareil [data-state=possible]:not([hidden])")
    assert await tab.evaluate("window.asked") == 0
    await tab.click("[data-do=turn-on]")
    await town.door.until(lambda: tab.evaluate("window.asked"))


async def test_without_scripts_the_page_says_what_works(town, make_tab):
    tab = await make_tab(scripts=False)
    await visiting(tab, town)
    assert "Le SMS et l’e-mail marchent sans lui" in await tab.inner_text("#appareil")


# ------------------------------------------------------------------ without a connection


async def test_offline_the_last_announcements_are_there_and_say_their_age(town, make_tab):
    code = await publish(town, title="Marché déplacé", body="Place de la Gare, samedi.")
    other = await publish(town, title="Piscine fermée", body="Toute la semaine.")
    tab = await make_tab(strict=False)
    await tab.goto("/")
    await town.door.until(lambda: tab.evaluate(READY), 20)
    await town.door.until(
        lambda: tab.evaluate("path => caches.match(path).then(Boolean)", f"/a/{code}"), 20
    )
    await tab.context.set_offline(True)
    await tab.goto("/")
    assert "Dernière mise à jour le" in await tab.inner_text("main")
    await tab.click("text=Marché déplacé")
    said = await tab.inner_text("main")
    assert "Place de la Gare, samedi." in said
    assert "Vous êtes hors ligne. Cette page date du" in said
    await tab.goto(f"/a/{other}")
    assert "Toute la semaine" in await tab.inner_text("main")
    await tab.goto("/aide")
    assert await tab.inner_text("h1") == "Vous êtes hors ligne"
    await tab.context.set_offline(False)
    await tab.goto(f"/a/{code}")
    assert "hors ligne" not in await tab.inner_text("main")


async def test_nothing_personal_is_kept(town, make_tab):
    tab = await make_tab()
    await tab.goto("/")
    await town.door.until(lambda: tab.evaluate(READY), 20)
    await visiting(tab, town)
    await tab.goto("/annonces")
    await town.door.until(lambda: tab.evaluate("caches.match('/annonces').then(Boolean)"), 20)
    kept = await tab.evaluate(
        """async () => {
          const found = [];
          for (const name of await caches.keys())
            for (const asked of await (await caches.open(name)).keys())
              found.push(new URL(asked.url).pathname);
          return found;
        }"""
    )
    assert kept
    assert all(
        path in {"/", "/annonces", "/hors-ligne"} or path.startswith(("/a/", "/static/"))
        for path in kept
    )
