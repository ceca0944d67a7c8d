# SPDX-License-Identifier: EUPL-1.2
"""What officers do in a browser, step by step, and how much of their time it takes."""

import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Locator, Page

TAP, LETTER = 1.2, 0.33
"""Seconds of somebody on a telephone: to find and touch a thing; for one letter (36 words a minute,
Palin et al., 2019, 37,000 people)."""
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
PATIENCE = 60_000.0  # milliseconds; the machine has other things to do


@dataclass
class Hands:
    """What a pair of hands has done on a telephone; `waited` is how long the machine took."""

    tab: Page
    taps: int = 0
    letters: int = 0
    waited: float = 0.0

    @property
    def seconds(self) -> float:
        """How long a person takes for it, the machine's answers left out."""
        return self.taps * TAP + self.letters * LETTER

    async def tap(self, target: Locator, *, leads: bool = False) -> None:
        """Touch it; `leads`: to another page."""
        with self._touching():
            if leads:
                async with self.tab.expect_navigation(timeout=PATIENCE):
                    await target.tap()
            else:
                await target.tap()

    async def type(self, field: str, words: str) -> None:
        """Touch a field and write in it."""
        self.letters += len(words)
        with self._touching():
            await self.tab.locator(field).fill(words)

    @contextmanager
    def _touching(self) -> Iterator[None]:
        self.taps += 1
        began = time.monotonic()
        yield
        self.waited += time.monotonic() - began


async def begin(tab: Page, model: str = "") -> str:
    """Begin an announcement, from a model where one is named; its address."""
    await tab.goto("/console/annonces/nouvelle")
    form = f"main form:has([name=model][value={model}])" if model else "main form.actions"
    async with tab.expect_navigation():
        await tab.locator(f"{form} button").first.click()
    return address(tab)


def address(tab: Page) -> str:
    """The announcement this tab is about, as a path."""
    return "/console/annonces/" + tab.url.split("/console/annonces/")[1].split("/")[0]


async def write(tab: Page, title: str, body: str, *, theme: str = "eau", short: str = "") -> None:
    """Title, message, theme, the whole town."""
    await tab.fill("#title", title)
    await tab.fill("#body", body)
    if await tab.locator("#short").is_visible():
        await tab.fill("#short", short)
    await tab.check(f"#themes-{theme}")
    await tab.check("#whole-1")


async def go(tab: Page, wish: str) -> None:
    """Press the button that says so in the form: "check", "ask", "send", "decide"."""
    async with tab.expect_navigation(timeout=PATIENCE):
        await tab.locator(f"main button[name=do][value={wish}]").last.click()


async def approve(tab: Page, here: str) -> None:
    """Read the request at its address and approve it."""
    await tab.goto(f"{here}/verifier")
    await tab.check("#decision-approve")
    await go(tab, "decide")


async def ended(tab: Page) -> None:
    """Wait, touching nothing, until the page that is looked at has become the report."""
    await tab.wait_for_selector("#bilan", timeout=PATIENCE)


async def follow_up(tab: Page, here: str, kind: str) -> str:
    """Begin what is said next; its address."""
    await tab.goto(f"{here}/suite")
    await tab.check(f"#kind-{kind}")
    async with tab.expect_navigation():
        await tab.locator("main form[action$='/suite'] button").click()
    return address(tab)


async def refreshed(tab: Page) -> None:
    """Press "Actualiser", as somebody without scripts does, until the page has the report."""
    for _ in range(240):
        if await tab.locator("#bilan").count():
            return
        async with tab.expect_navigation(timeout=PATIENCE):
            await tab.locator("[data-live-refresh]").click()
    raise TimeoutError("the report never came")


async def taken(tab: Page, here: str, why: str) -> dict[tuple[str, str], str]:
    """The report as a file, for a reason: (channel, figure) -> value."""
    await tab.goto(f"{here}/rapport")
    await tab.fill("#reason", why)
    async with tab.expect_download(timeout=PATIENCE) as coming:
        await tab.locator("main form .button").first.click()
    return figures(await (await coming.value).path())


def figures(path: Path) -> dict[tuple[str, str], str]:
    """What a report's file says, reasons left out."""
    lines = path.read_text("utf-8-sig").splitlines()
    rows = csv.DictReader(lines, delimiter=";")
    return {(row["Canal"], row["Mesure"]): row["Valeur"] for row in rows if not row["Raison"]}
