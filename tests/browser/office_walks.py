# SPDX-License-Identifier: EUPL-1.2
"""Walks through the console: state after state, whatever the language. Its rooms: office_rooms."""

from collections.abc import AsyncIterator, Callable
from itertools import count

from door_rig import START
from officers import PASSWORD, appoint, email_of, seat
from playwright.async_api import FilePayload, Page
from pyotp import TOTP
from sqlalchemy import insert
from towns import Town
from walks import stage

from hub.flow.staff.roles import EVERYTHING, Role
from subscribers.tables import contact_point

Walk = Callable[[Page, Town], AsyncIterator[str]]
AMINA = "06 39 98 00 01"
_LIST: FilePayload = {
    "name": "liste.csv",
    "mimeType": "text/csv",
    "buffer": b"ref;phone;email;themes;zones;consent_source;consent_date;consent_text_version\n"
    b"n1;06 39 98 77 01;;eau;tanneries;formulaire papier;2026-11-02;2026-01\n"
    b"n2;12;;eau;;formulaire papier;2026-11-02;2026-01\n",
}
_SHARED = count(7700)
_SEATS: dict[tuple[str, str], int] = {}


async def sit(tab: Page, town: Town, who: str = "Camille Martin") -> None:
    """One officer of each name, who may do everything; "Jules" only writes."""
    if (town.home, who) not in _SEATS:
        grants = {Role.WRITE: None} if who == "Jules" else EVERYTHING
        _SEATS[town.home, who] = await appoint(town, grants, who)
    await seat(tab, town, _SEATS[town.home, who])


async def blank(tab: Page, form: str = "main form[method=post]") -> None:
    """Send a form as it stands."""
    async with tab.expect_navigation():
        await tab.locator(form).last.evaluate("form => form.requestSubmit()")


async def see(tab: Page, *paths: str) -> AsyncIterator[str]:
    for path in paths:
        await tab.goto(path)
        yield path


async def follow(tab: Page, listing: str, link: str) -> str:
    """The first thing a listing leads to; its address."""
    await tab.goto(listing)
    path = await tab.locator(f"main {link}").first.get_attribute("href") or ""
    return await _follow(tab, path)


async def _follow(tab: Page, path: str) -> str:
    await tab.goto(path)
    return path


async def begun(tab: Page) -> str:
    """A composition's address, just begun."""
    await tab.goto("/console/annonces/nouvelle")
    async with tab.expect_navigation():
        await tab.locator("main form.actions .button").first.click()
    return tab.url.rpartition("/")[0].removeprefix(tab.url.split("/console")[0])


# --------------------------------------------------------------------------- the walks


async def entering(tab: Page, town: Town) -> AsyncIterator[str]:
    """The way in, and one's own account."""
    yield await _follow(tab, "/console/connexion")
    await tab.fill("#email", "personne@example.org")
    await tab.fill("#password", "autre chose")
    await blank(tab)
    yield "refused"
    await sit(tab, town)
    for path in ("", "/mot-de-passe", "/preuve", "/cles"):
        yield await _follow(tab, f"/console/profil{path}")
    await tab.goto("/console/profil/mot-de-passe")
    await blank(tab, "main form[action*='mot-de-passe'], main form[method=post]")
    yield "password refused"


async def proving(tab: Page, town: Town) -> AsyncIterator[str]:
    """A second proof, from the making of it to the box at the way in."""
    who = await appoint(town)
    await seat(tab, town, who)
    await tab.goto("/console/profil/preuve")
    proof = TOTP((await tab.inner_text("main code")).replace(" ", ""))
    await tab.fill("#code", proof.at(town.door.clock.now()))
    await tab.fill("#current", PASSWORD)
    await blank(tab, "main form:has(#code)")
    yield "the codes to print"
    async for state in see(tab, "/console/profil/preuve", "/console/profil/cles"):
        yield state
    await tab.context.clear_cookies(name="office")
    await tab.goto("/console/connexion")
    await tab.fill("#email", await email_of(town, who))
    await tab.fill("#password", PASSWORD)
    await blank(tab, "main form:has(#password)")
    yield "a code is asked for"
    await tab.fill("#code", "000000")
    await blank(tab, "main form:has(#code)")
    yield "not that one"
    yield await _follow(tab, "/console/connexion/oubli")
    await tab.fill("#email", "personne@example.org")
    await blank(tab, "main form:has(#email)")
    yield "a letter may have left"


async def looking_around(tab: Page, town: Town) -> AsyncIterator[str]:
    """What is only looked at."""
    await stage(town)
    await sit(tab, town)
    async for state in see(
        tab,
        "/console",
        "/console/annonces",
        "/console/annonces?q=introuvable",
        "/console/calendrier",
        "/console/statistiques",
        "/console/statistiques/hypotheses",
        "/console/aide",
        "/console/envois",
        "/console/envois?canal=sms&etat=remis",
        "/console/annonces/zzzzzz",
        "/console/modeles/nouveau",
    ):
        yield state
    await blank(tab)
    yield "a model without a name"
    yield await follow(tab, "/console/modeles", "a[href^='/console/modeles/']:not(.button)")
    yield await follow(tab, "/console/aide", "a[href^='/console/aide/']")


async def writing(tab: Page, town: Town) -> AsyncIterator[str]:
    """From the choice of a model to what is asked of somebody else."""
    await sit(tab, town, "Jules")
    async for state in see(tab, "/console/annonces/nouvelle", "/console/modeles"):
        yield state
    here = await begun(tab)
    yield "blank page"
    await tab.goto(f"{here}/verifier")
    yield "nothing written yet"
    await tab.goto(f"{here}/rediger")
    await tab.fill("[name=title]", "Coupure d’eau jeudi, Tanneries")
    await tab.fill("[name=body]", "De 8 h à 12 h, pour réparer une fuite. Prévoyez de l’eau.")
    for box in ("[name=themes][value=eau]", "[name=whole]"):
        await tab.locator(box).evaluate("box => { box.checked = true; }")
    async with tab.expect_navigation():
        await tab.locator(".bar button[value=save]").click()
    yield "written"
    for page in ("pieces", "supprimer"):
        yield await _follow(tab, f"{here}/{page}")
    await tab.goto(f"{here}/rediger")
    await tab.locator("[name=version]").evaluate("field => { field.value = '1'; }")
    await tab.fill("[name=title]", "Coupure d’eau vendredi")
    async with tab.expect_navigation():
        await tab.locator(".bar button[value=save]").click()
    yield "somebody else wrote meanwhile"
    await tab.goto(f"{here}/verifier")
    yield "to be checked"
    await blank(tab)
    yield "asked"
    await sit(tab, town)
    await tab.goto(f"{here}/verifier")
    yield "before the approver"
    await blank(tab)
    yield "no verdict chosen"
    here = await begun(tab)
    await tab.context.clear_cookies(name="office")
    await blank(tab, "#compose")
    yield "the session ended meanwhile"


async def following(tab: Page, town: Town) -> AsyncIterator[str]:
    """An announcement on its way and after it."""
    codes = await stage(town)
    await sit(tab, town)
    one = f"/console/annonces/{codes['dated']}"
    async for state in see(
        tab,
        one,
        f"{one}/suite",
        f"{one}/destinataires",
        f"{one}/destinataires?canal=x",
        f"{one}/rapport",
        f"{one}/arreter",
        f"/console/annonces/{codes['urgent']}",
        f"/console/annonces/{codes['drill']}",
        f"/console/annonces/{codes['withdrawn']}",
    ):
        yield state
    await tab.goto(f"{one}/destinataires")
    await tab.locator("main td a, main th a").first.click()
    await tab.wait_for_load_state()
    yield "one delivery"
    await blank(tab)
    yield "its address"
    await tab.goto(f"{one}/rapport")
    await blank(tab)
    yield "a file without a reason"


async def shared(town: Town) -> str:
    """A mobile number that two people have."""
    number = f"+3363998{next(_SHARED):04}"
    for who in ("v0003", "v0004"):
        point = {"subscriber": await town.door.person(who), "channel": "sms", "address": number}
        row = insert(contact_point).values(point | {"created": START, "verified_at": START})
        await town.door.hub.ledger.transact(lambda conn, row=row: conn.execute(row))
    return number


async def people(tab: Page, town: Town) -> AsyncIterator[str]:
    """Who is told."""
    await sit(tab, town)
    async for state in see(tab, "/console/abonnes", "/console/abonnes/import"):
        yield state
    await blank(tab)
    yield "no file"
    await tab.set_input_files("#file", files=[_LIST])
    for box in await tab.locator("main form [type=checkbox]").all():
        await box.evaluate("box => { box.checked = true; }")
    await blank(tab)
    yield "the verdicts"
    await tab.goto("/console/abonnes")
    await blank(tab)
    yield "nobody looked for"
    await tab.fill("[name=contact]", AMINA)
    await blank(tab)
    yield "somebody found"
    await tab.goto(tab.url.partition("?")[0])
    yield "their page, before it opens"
    await tab.goto("/console/abonnes")
    await tab.fill("[name=contact]", await shared(town))
    await blank(tab)
    yield "two who share a number"


async def phones(tab: Page, town: Town) -> AsyncIterator[str]:
    """The sandbox."""
    await stage(town)
    await sit(tab, town)
    views = ("?vue=liste", "/x", "/pannes", "/heure", "/exercices", "/agents")
    async for state in see(tab, "/sandbox", *(f"/sandbox{view}" for view in views)):
        yield state
    await tab.goto("/sandbox/pannes")
    await tab.fill("[name=sms-latency]", "vite")
    await blank(tab)
    yield "seconds that are no number"
    yield await follow(tab, "/sandbox/exercices", "a[href^='/sandbox/exercices/']")
    yield await follow(tab, "/sandbox", "h3 a[href^='/sandbox/']")
    yield await follow(tab, "/sandbox?vue=liste", "a[href^='/sandbox/emails/']")


PAGES: tuple[Walk, ...] = (entering, proving, looking_around, people, phones)
SENDS: tuple[Walk, ...] = (writing, following)
