# SPDX-License-Identifier: EUPL-1.2
"""Walks through the portal: each brings a tab to one state after another and names it.

Nothing here depends on the language: a walk presses what is there by its name in the form.
"""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

from playwright.async_api import Page
from towns import Town

from channels.base import ChannelName

Walk = Callable[[Page, Town], AsyncIterator[str]]
_STAGED: dict[str, dict[str, str]] = {}


async def stage(town: Town) -> dict[str, str]:
    """What the town has published, once a hub: name -> code."""
    if town.home in _STAGED:
        return _STAGED[town.home]
    codes = _STAGED[town.home] = {}
    until = town.door.clock.now() + timedelta(days=2)
    codes["urgent"] = await town.publish(
        title="Crue de l'Orne : quittez les caves",
        body="L'Orne monte.\n\n**Quittez les caves**, montez à l'étage.\n\n* Coupez le courant\n* "
        "Appelez le 112 en cas de danger",
        themes=["crue"],
        urgency="urgent",
        expires=until.isoformat(),
    )
    codes["dated"] = await town.publish(
        title="Coupure d'eau jeudi, quartier des Tanneries",
        body="L'eau sera coupée **jeudi** de 8 h à 12 h.",
        themes=["coupures"],
        zones=["tanneries"],
        link="https://example.org/une-adresse-tres-longue/qui-ne-se-coupe-nulle-part/2026",
        expires=until.isoformat(),
        channels=["sms", "email"],
    )
    return codes


async def public(tab: Page, town: Town) -> AsyncIterator[str]:
    """What anybody reads."""
    codes = await stage(town)
    await tab.goto("/")
    yield "home"
    await tab.goto(f"/a/{codes['urgent']}")
    yield "urgent"
    await tab.goto(f"/a/{codes['dated']}")
    yield "dated"
    await tab.goto("/a/nothing")
    yield "not found"


async def stopping(tab: Page, town: Town) -> AsyncIterator[str]:
    """From a message to silence."""
    codes = await stage(town)
    number = await town.door.announcement_id(codes["dated"])
    amina = await town.door.person("v0001")
    await tab.goto(f"/stop/{town.door.stop_token(ChannelName.SMS, amina, number)}")
    yield "stop"
    await tab.locator("main button[type=submit]").click()
    yield "stopped"
    await tab.goto("/stop/nothing")
    yield "nothing to stop"


WALKS: list[Walk] = [public, stopping]
PRINTED: list[Walk] = [public]
