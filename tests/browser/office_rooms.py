# SPDX-License-Identifier: EUPL-1.2
"""Walks through the rooms of the administration: each listing, one of each thing, blank forms."""

from collections.abc import AsyncIterator
from itertools import count

from office_walks import Walk, blank, follow, see, sit
from playwright.async_api import Page
from towns import Town

_MADE = count(1)


async def town_hall(tab: Page, town: Town) -> AsyncIterator[str]:
    """What the town is: themes, places, look, texts, how long things are kept."""
    await sit(tab, town)
    rooms = ("themes", "lieux", "lieux/carte", "lieux/rues", "identite", "textes", "conservation")
    async for state in see(tab, "/console", "/admin", *(f"/admin/{room}" for room in rooms)):
        yield state
    for room in ("themes", "lieux", "textes"):
        one = f"a[href^='/admin/{room}/']:not([href$=carte], [href$=rues])"
        yield await follow(tab, f"/admin/{room}", one)
    for room in ("themes", "lieux", "lieux/carte", "lieux/rues"):
        await tab.goto(f"/admin/{room}")
        await blank(tab, "main form[method=post][novalidate]")
        yield f"{room}, blank"
    await tab.goto("/admin/identite")
    await tab.fill("[name=accent]", "#ffff00")
    await blank(tab)
    yield "a colour too pale"


async def team(tab: Page, town: Town) -> AsyncIterator[str]:
    """Who works here, and who else has a key."""
    await sit(tab, town)
    async for state in see(tab, "/admin/equipe", "/admin/equipe/inviter", "/admin/cles"):
        yield state
    await blank(tab)
    yield "a key without a name"
    await tab.fill("[name=name]", f"Vigicrues {next(_MADE)}")
    await blank(tab)
    yield "a key, shown once"
    await tab.goto("/admin/equipe/inviter")
    await blank(tab)
    yield "nobody invited"
    await tab.fill("[name=name]", "Nadia Lefort")
    await tab.fill("[name=email]", f"invitee{next(_MADE)}@example.org")
    await tab.locator("[name=role][value=operate]").evaluate("box => { box.checked = true; }")
    await blank(tab)
    yield "invited"
    link = await tab.input_value("main [readonly]")
    yield await follow(tab, "/admin/equipe", "a[href^='/admin/equipe/']:not([href$=inviter])")
    await tab.context.clear_cookies(name="office")
    await tab.goto(link)
    yield "the invitation"


async def plant(tab: Page, town: Town) -> AsyncIterator[str]:
    """What runs: channels, sources, queue, health, journal."""
    await sit(tab, town)
    rooms = (
        "canaux",
        "entrants",
        "file",
        "file/decider",
        "etat",
        "journal",
        "journal?qui=personne",
    )
    async for state in see(tab, *(f"/admin/{room}" for room in rooms)):
        yield state
    for channel in ("sms", "email", "x", "webpush"):
        async for state in see(tab, f"/admin/canaux/{channel}"):
            yield state
    await tab.goto("/admin/entrants")
    await blank(tab)
    yield "a source without a name"
    await tab.fill("[name=key]", f"vigicrues-{next(_MADE)}")
    await blank(tab)
    yield "a source made"
    source = await follow(tab, "/admin/entrants", "th a[href^='/admin/entrants/']")
    yield source
    async for state in see(tab, f"{source}/champs"):
        yield state


ROOMS: tuple[Walk, ...] = (town_hall, team, plant)
