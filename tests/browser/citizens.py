# SPDX-License-Identifier: EUPL-1.2
"""What citizens do in the portal, pressed and typed in a browser; the same in every language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Final

from playwright.async_api import Page
from towns import Town

from channels.base import ChannelName

_NUMBERS = count(1)
BY_SMS_ALONE: Final = (6, 11, 13, 15, 16, 19, 21, 23, 24, 26, 27, 28, 30, 33, 34, 36, 37, 38, 40)
"""Seeded citizens (`v0006`…) whom the town knows by their mobile and nothing else."""


def new_number() -> str:
    """A mobile number nobody has used here, as people type it."""
    digits = f"{7000 + next(_NUMBERS):04}"
    return f"06 39 98 {digits[:2]} {digits[2:]}"


def international(number: str) -> str:
    """As the sandbox's phones know it."""
    return "+33" + number.replace(" ", "")[1:]


async def submit(tab: Page, form: str = "main form:not([action$=quitter])") -> None:
    """Press the button that hands a form in: its last one, where several have no name; never the
    one that leaves."""
    buttons = tab.locator(f"{form} button:not([name]):not([tabindex='-1'])")
    await buttons.last.click()


@dataclass
class Wishes:
    """What somebody asks for on the two first pages."""

    themes: Sequence[str] = ("eau",)
    zones: Sequence[str] = ()
    mobile: str = ""
    email: str = ""
    device: bool = False


async def choose_themes(tab: Page, wishes: Wishes) -> None:
    """The first question, answered."""
    await tab.goto("/abonnement/themes")
    for theme in wishes.themes:
        await tab.check(f"[name=theme-{theme}]")
    await submit(tab)


async def choose_ways(tab: Page, wishes: Wishes) -> None:
    """The second question, answered; leads to what is to prove."""
    await tab.check(f"[name=where][value={'some' if wishes.zones else 'whole'}]")
    for zone in wishes.zones:
        box = tab.locator(f"[name=zone-{zone}]")
        if not await box.is_visible():
            await tab.locator("details", has=box).locator("summary").click()
        await box.check()
    for name, value in (("sms", wishes.mobile), ("email", wishes.email)):
        if value:
            await tab.check(f"[name=by-{name}]")
            await tab.fill("[name=mobile]" if name == "sms" else "[name=email]", value)
    if wishes.device:
        await tab.check("[name=by-webpush]")
    await tab.check("[name=consent]")
    await submit(tab)
    await tab.wait_for_url("**/abonnement/verification")


async def prove_number(tab: Page, town: Town, number: str) -> None:
    """Type the code that came by SMS."""
    await tab.fill("[name=code]", await town.code(international(number)))
    await submit(tab, "main form:has([name=code])")


async def prove_address(tab: Page, town: Town, address: str) -> None:
    """Open the link that came by e-mail, and press its button."""
    await tab.goto(await town.link(ChannelName.EMAIL, address, "/c/"))
    await submit(tab)


async def sign_in(tab: Page, town: Town, contact: str, channel: ChannelName) -> str:
    """Ask for the link to one's own pages and follow it; returns the link, which is over then.

    From a browser that remembers nothing, and when nothing was asked for lately: a contact gets
    no second message within minutes.
    """
    town.door.clock.leap(timedelta(minutes=6))
    since = town.latest()
    await tab.context.clear_cookies()
    await tab.goto("/mes-alertes")
    await tab.fill("[name=contact]", contact)
    await submit(tab)
    to = international(contact) if channel is ChannelName.SMS else contact
    link = await town.link(channel, to, "/l/", since)
    await tab.goto(link)
    await tab.locator("main form button").first.click()
    await tab.wait_for_url("**/mes-alertes")
    return link


def known(nth: int) -> str:
    """The mobile of the nth seeded citizen known by it alone, as people type it."""
    return f"06 39 98 00 {BY_SMS_ALONE[nth % len(BY_SMS_ALONE)]:02}"
