# SPDX-License-Identifier: EUPL-1.2
"""Walks through the portal: each brings a tab to one state after another and names it.

Nothing here depends on the language: a walk presses what is there by its name in the form.
"""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from itertools import count

from citizens import (
    Wishes,
    choose_ways,
    international,
    known,
    new_number,
    prove_address,
    prove_number,
    submit,
)
from playwright.async_api import Page
from towns import Town

from channels.base import ChannelName

Walk = Callable[[Page, Town], AsyncIterator[str]]
_STAGED: dict[str, dict[str, str]] = {}
_WHO = count()
_ERASED = count()


async def stage(town: Town) -> dict[str, str]:
    """What the town has published, once a hub: name -> code."""
    if town.home in _STAGED:
        return _STAGED[town.home]
    codes = _STAGED[town.home] = {}
    until = (town.door.clock.now() + timedelta(days=2)).isoformat()
    codes["urgent"] = await town.publish(
        title="Crue de l'Orne : quittez les caves",
        body="L'Orne monte.\n\n**Quittez les caves**, montez à l'étage.\n\n* Coupez le courant\n* "
        "Appelez le 112 en cas de danger",
        themes=["crue"],
        urgency="urgent",
        expires=until,
    )
    codes["dated"] = await town.publish(
        title="Coupure d'eau jeudi, quartier des Tanneries",
        body="L'eau sera coupée **jeudi** de 8 h à 12 h.",
        themes=["coupures"],
        zones=["tanneries"],
        link="https://example.org/une-adresse-tres-longue/qui-ne-se-coupe-nulle-part/2026",
        expires=until,
        channels=["sms", "email"],
    )
    codes["drill"] = await town.publish(
        title="Exercice d'évacuation",
        body="C'est un exercice.",
        themes=["alertes"],
        urgency="drill",
    )
    codes["withdrawn"] = await town.publish(title="Braderie", themes=["culture"])
    await town.door.with_key(town.key, "POST", f"{codes['withdrawn']}/cancel")
    return codes


# --------------------------------------------------------------------------- for anybody


async def reading(tab: Page, town: Town) -> AsyncIterator[str]:
    """Announcements, as anybody reads them."""
    codes = await stage(town)
    await tab.goto("/")
    yield "home"
    for name, code in codes.items():
        await tab.goto(f"/a/{code}")
        yield name
    await tab.goto("/annonces")
    yield "archive"
    await tab.goto("/annonces?theme=sante&lieu=gare")
    yield "archive, nothing found"
    await tab.goto("/a/nothing")
    yield "not found"


async def texts(tab: Page, town: Town) -> AsyncIterator[str]:
    """What stands around."""
    for path in (
        *("aide", "accessibilite", "confidentialite", "mentions-legales", "plan"),
        *("integrer", "composants", "hors-ligne", "sandbox"),
    ):
        await tab.goto(f"/{path}")
        yield path
    spoken = await tab.evaluate("document.documentElement.lang")  # a frame is told its language
    await tab.goto(f"/widget?theme=eau&langue={spoken}")
    yield "widget"


async def paper(tab: Page, town: Town) -> AsyncIterator[str]:
    """What is printed."""
    await tab.goto("/affiche?theme=eau&lieu=tanneries")
    yield "poster"
    await tab.goto("/formulaire?theme=eau&lieu=tanneries")
    yield "paper form"


async def desk(tab: Page, town: Town) -> AsyncIterator[str]:
    """The door of the desk, and somebody subscribed there."""
    await tab.goto("/guichet")
    yield "desk, closed"
    await submit(tab)
    yield "desk, nothing typed"
    await tab.fill("#key", await town.door.key(f"desk {next(_WHO)}", may_enrol=True))
    await tab.fill("#officer", "M. Durand")
    await submit(tab)
    yield "desk, open"
    note = "main form[action='/guichet']"  # another one closes the desk
    await submit(tab, note)
    yield "desk, nothing noted"
    for box in ("#theme-eau", "#zone-tanneries", "#consent", "#given-present", "#checked-code"):
        await tab.check(box)
    await tab.fill("#mobile", new_number())
    await submit(tab, note)
    yield "desk, code"
    await submit(tab)
    yield "desk, wrong code"
    await tab.goto("/guichet")
    for box in ("#theme-eau", "#consent", "#given-telephone", "#checked-call"):
        await tab.check(box)
    await tab.fill("#mobile", new_number())
    await tab.fill("#reason", "rappelée")
    await submit(tab, note)
    yield "desk, leaflet"


async def stopping(tab: Page, town: Town) -> AsyncIterator[str]:
    """From a message to silence, and back."""
    codes = await stage(town)
    number = await town.door.announcement_id(codes["dated"])
    amina = await town.door.person("v0001")
    await tab.goto(f"/stop/{town.door.stop_token(ChannelName.SMS, amina, number)}")
    yield "stop"
    await submit(tab)
    yield "stopped"
    await tab.locator("form:has([name=undo]) button").click()
    yield "undone"
    await tab.goto("/stop/nothing")
    yield "nothing to stop"


# --------------------------------------------------------------------------- subscribing


async def subscribing(tab: Page, town: Town) -> AsyncIterator[str]:
    """Three questions, each answered wrongly first."""
    mobile, email = new_number(), f"zoe.{next(_WHO)}@example.org"
    await tab.goto("/abonnement?t=eau&l=tanneries")
    yield "start, from a poster"
    await tab.goto("/abonnement/themes")
    yield "themes"
    await submit(tab)
    yield "themes, none chosen"
    await tab.check("[name=theme-eau]")
    await submit(tab)
    yield "ways"
    await submit(tab)
    yield "ways, nothing answered"
    async for state in _answered_wrongly(tab):
        yield state
    await choose_ways(tab, Wishes(mobile=mobile, email=email, device=True))
    yield "proofs"
    await tab.fill("[name=code]", "000000")
    await submit(tab, "main form:has([name=code])")
    yield "proofs, wrong code"
    await prove_number(tab, town, mobile)
    yield "proofs, the number is proved"
    link = await town.link(ChannelName.EMAIL, email, "/c/")
    await tab.goto(link)
    yield "link in the e-mail"
    await prove_address(tab, town, email)
    await tab.goto("/abonnement/fini")
    yield "done"
    await tab.goto(link)
    yield "link, pressed before"
    await tab.goto("/c/nothing")
    yield "link, none of ours"
    await tab.context.clear_cookies()
    await tab.goto("/abonnement/coordonnees")
    yield "answers lost"


async def _answered_wrongly(tab: Page) -> AsyncIterator[str]:
    await tab.check("[name=where][value=some]")
    summary = tab.locator("#trouver summary")
    if not await tab.locator("[name=q]").is_visible():
        await summary.click()
    await tab.fill("[name=q]", "tanneurs")
    await tab.click("[name=act][value=search]")
    yield "ways, a street was found"
    await tab.check("[name=where][value=whole]")
    await tab.check("[name=by-sms]")
    await tab.fill("[name=mobile]", "02 31 00 00 00")
    await tab.check("[name=by-email]")
    await submit(tab)
    yield "ways, a landline and no address"


# --------------------------------------------------------------------------- one's own pages


async def mine(tab: Page, town: Town) -> AsyncIterator[str]:
    """One's own pages: every change, then none of it left."""
    mobile = known(next(_ERASED))
    await tab.goto("/mes-alertes")
    yield "way in"
    await submit(tab)
    yield "way in, nothing typed"
    since = town.latest()
    await tab.fill("[name=contact]", mobile)
    await submit(tab)
    yield "way in, a link has left"
    link = await town.link(ChannelName.SMS, international(mobile), "/l/", since)
    await tab.goto(link)
    yield "link"
    await tab.locator("main form button").first.click()
    yield "my alerts"
    async for state in _changing(tab):
        yield state
    await tab.goto(link)
    yield "link, over"
    await tab.goto("/l/nothing")
    yield "link, none of ours"


async def _changing(tab: Page) -> AsyncIterator[str]:
    await tab.goto("/mes-alertes/themes")
    yield "my themes"
    await submit(tab)
    yield "my themes, saved"
    await tab.goto("/mes-alertes/lieux")
    yield "my places"
    await tab.goto("/mes-alertes/reglages")
    yield "my hours"
    await tab.check("[name=quiet]")
    for name in ("start", "end"):
        await tab.fill(f"[name={name}]", "07:00")
    await submit(tab)
    yield "my hours, saved or explained"
    await tab.goto("/mes-alertes/coordonnees?canal=sms")
    yield "a contact more"
    await submit(tab)
    yield "a contact more, nothing typed"
    await tab.fill("[name=address]", new_number())
    await submit(tab)
    yield "a contact more, its code"
    await tab.fill("[name=code]", "000000")
    await submit(tab)
    yield "a contact more, wrong code"
    await tab.goto("/mes-alertes")
    await tab.click("[name=for][value=week]")
    yield "paused"
    await tab.goto("/mes-alertes")
    await tab.click("[name=theme][value=all]")
    yield "everything stopped"
    await tab.click("[name=undo]")
    yield "undone"
    await tab.goto("/mes-alertes/donnees")
    yield "my data"
    await tab.goto("/mes-alertes/donnees/supprimer")
    yield "delete"
    await tab.locator("main form[action$=supprimer] button").first.click()
    yield "deleted"


WALKS: list[Walk] = [reading, texts, paper, desk, stopping, subscribing, mine]
PRINTED: list[Walk] = [reading, paper]
