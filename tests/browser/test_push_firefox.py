# SPDX-License-Identifier: EUPL-1.2
"""A real push to a real Firefox: subscribed by a click, sealed by the hub, opened by the worker.

Between them stands a push service that speaks autopush's protocol (`autopush.py`): it sees no
word of what it passes on.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from autopush import Autopush, autopush
from firefox import Firefox, FirefoxError, firefox

from channels.base import ChannelName
from subscribers import sessions
from subscribers import tables as people

BINARY = shutil.which("firefox-esr") or shutil.which("firefox")
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(BINARY is None, reason="no firefox on this machine"),
]
SHOWN = """
const worker = await navigator.serviceWorker.getRegistration("/");
const shown = await worker.getNotifications();
return shown.map(({title, body, lang, tag, data}) => ({title, body, lang, tag, data}));
"""
SAYS = """
return [...document.querySelectorAll("#appareil [data-state]")]
  .filter((each) => each.checkVisibility()).map((each) => each.dataset.state);
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(seeded: Path, tmp_path_factory: Any) -> AsyncIterator[Any]:
    """A town, a push service, and a Firefox that knows no other."""
    from towns import open_town

    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(autopush())
        town = await open_town(stack, seeded, tmp_path_factory.mktemp("town") / "data")
        profile = tmp_path_factory.mktemp("profile")
        prefs: dict[str, Any] = {
            "dom.push.serverURL": service.socket_url,
            "dom.push.testing.allowInsecureServerURL": True,
            "dom.push.connection.enabled": True,
        }
        assert BINARY is not None
        window = await stack.enter_async_context(firefox(BINARY, profile, **prefs))
        yield town, service, window


async def visiting(town: Any, window: Firefox, ref: str) -> int:
    """`ref` of citizens.csv visits their own pages in this window; their number."""
    door = town.door
    person = await door.person(ref)
    token = await door.hub.ledger.transact(
        lambda conn: sessions.open_for(conn, person, door.clock.now())
    )
    await window.open(f"{town.home}/aide")
    cookie = {"name": "visit", "value": token, "path": "/", "httpOnly": True}
    await window.ask("WebDriver:AddCookie", cookie=cookie)
    await window.open(f"{town.home}/mes-alertes")
    return int(person)


async def until(true: Any, seconds: float = 20.0) -> Any:
    """What `true()` gives once it gives something; the browser tells nobody when. A page that goes
    away meanwhile gives nothing."""
    async with asyncio.timeout(seconds):
        while True:
            with suppress(FirefoxError):
                if found := await true():
                    return found
            await asyncio.sleep(0.05)


async def says(window: Firefox, state: str) -> None:
    """The one sentence that is shown, of the five states and of what was done."""

    async def look() -> bool:
        return bool(await window.run(SAYS) == [state])

    await until(look)


async def shown(window: Firefox, containing: str) -> Any:
    """The notification on the screen that says so."""

    async def look() -> Any:
        return next((n for n in await window.run(SHOWN) if containing in n["body"]), None)

    return await until(look)


async def test_a_click_subscribes_and_an_announcement_is_shown_word_for_word(stage: Any) -> None:
    town, service, window = stage
    person = await visiting(town, window, "v0001")
    await says(window, "possible")
    assert service.keys == {}  # nothing is asked before the click
    await window.click("#appareil [data-do=turn-on]")

    async def added() -> Any:
        points = people.contact_point
        mine = (points.c.subscriber == person) & (points.c.label == "Firefox, Linux")
        return await town.door.rows(points, mine)

    (device,) = await until(added)
    assert device.address.startswith(service.origin)
    await says(window, "on")

    code = await town.publish(
        channels=["webpush"],
        title="Coupure d’eau jeudi : « Tanneries »",
        body="De 8 h à 12 h. Prévoyez 2 € d’eau…",
    )
    found = await shown(window, "Prévoyez 2 € d’eau…")
    assert found["title"] == "Coupure d’eau jeudi : « Tanneries »"
    assert found["lang"] == "fr"
    assert found["data"]["navigate"] == f"{town.home}/a/{code}"
    assert found["data"]["links"]["stop"].startswith(f"{town.home}/stop/")
    (pushed,) = service.pushed
    assert pushed.headers["Topic"] == found["tag"]
    assert pushed.headers["Content-Encoding"] == "aes128gcm"
    assert b"Tanneries" not in pushed.body
    assert await until(lambda: _acked(service))


async def _acked(service: Autopush) -> bool:
    return all(each.acked for each in service.pushed)


async def test_a_correction_takes_the_place_of_what_it_corrects(stage: Any) -> None:
    town, _, window = stage
    code = await town.publish(
        channels=["webpush"], title="Rue barrée", body="Rue de la Gare, demain."
    )
    first = await shown(window, "Rue de la Gare")
    corrected = {
        "title": "Rue barrée",
        "body": "Rue du Port, demain. Pas celle de la Gare.",
        "kind": "correction",
        "about": code,
        "themes": ["eau"],
        "channels": ["webpush"],
    }
    answer = await town.door.post(town.key, corrected)
    assert answer.status == 202, answer.text
    second = await shown(window, "Rue du Port")
    assert second["tag"] == first["tag"]
    bodies = [each["body"] for each in await window.run(SHOWN)]
    assert not any(body.startswith("Rue de la Gare") for body in bodies)


async def test_a_trial_message_arrives(stage: Any) -> None:
    _, _, window = stage
    await window.click("#appareil form[action='/appareil/essai'] button")
    assert (await shown(window, "message d'essai"))["data"]["navigate"]


async def test_a_subscription_that_its_service_lost_is_renewed_without_anybody(stage: Any) -> None:
    town, service, window = stage
    (before,) = await devices(town)
    await service.forget()

    async def renewed() -> Any:
        return [each for each in await devices(town) if each.address != before.address]

    (after,) = await until(renewed, 60)
    assert after.label == before.label
    await town.publish(channels=["webpush"], title="Marché", body="Toujours samedi.")
    await shown(window, "Toujours samedi.")


async def devices(town: Any) -> list[Any]:
    """The Firefox among the devices of whoever visits."""
    points, person = people.contact_point, await town.door.person("v0001")
    mine = (points.c.subscriber == person) & (points.c.label == "Firefox, Linux")
    return list(await town.door.rows(points, mine))


async def test_the_browser_opens_its_own_pages_by_itself(stage: Any) -> None:
    town, _, window = stage
    await window.ask("WebDriver:DeleteAllCookies")
    await window.open(f"{town.home}/mes-alertes")

    async def offered() -> Any:
        return await window.run(
            "return document.querySelector('#ouvrir-appareil')?.checkVisibility() || false;"
        )

    await until(offered)
    await window.click("#ouvrir-appareil [data-do=open]")
    await says(window, "on")


async def test_a_device_that_is_removed_is_forgotten_by_both(stage: Any) -> None:
    town, service, window = stage
    person = await town.door.person("v0001")
    await window.click("#appareil form[action='/appareil/retirer'] button")

    async def gone() -> bool:
        return service.keys == {}

    await until(gone)
    points = people.contact_point
    mine = (points.c.subscriber == person) & (points.c.channel == ChannelName.WEBPUSH.value)
    assert await town.door.rows(points, mine) == []
