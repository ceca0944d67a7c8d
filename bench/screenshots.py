# SPDX-License-Identifier: EUPL-1.2
"""The portal's and the console's main pages as pictures: narrow and wide, light and dark.

    python -m bench.screenshots [folder] [page ...]

Plays the demonstration town, visits it as citizens and officers do and writes
`<page>-<width>-<scheme>.png` (default folder: build/screenshots).
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Error, Page

from bench.office import OFFICE, PATIENCE, ask
from bench.visiting import AMINA, URGENT, Visited, open_browser, open_town

WIDTHS: Final = (320, 1280)
_TALL: Final = 800
_DRAWN: Final = 1_500  # ms that frames, of other processes, are given to load and be drawn
OFFICE_WIDTHS: Final = (390, 1280)
SCHEMES: Final = ("light", "dark")
NUMBERS: Final = {320: "06 39 98 77 20", 1280: "06 39 98 77 80"}
KNOWN: Final = {320: AMINA, 1280: "+33639980004"}
"""A citizen for each width: a code is asked for once a minute."""


def home(page: Page, town: Visited) -> None:
    """The home page with an urgent alert."""
    page.goto(f"{town.home}/")


def announcement(page: Page, town: Visited) -> None:
    """The alert's own page."""
    page.goto(f"{town.home}/")
    page.locator("main a[href^='/a/']").first.click()


def subscribe_1(page: Page, town: Visited) -> None:
    """What about."""
    page.goto(f"{town.home}/abonnement/themes")
    for theme in ("alertes", "eau"):
        page.check(f"[name=theme-{theme}]")


def subscribe_2(page: Page, town: Visited) -> None:
    """Where and how."""
    subscribe_1(page, town)
    page.click("main form button.button >> nth=0")
    page.check("[name=where][value=some]")
    page.check("[name=zone-tanneries]")
    page.check("[name=by-sms]")
    width = page.viewport_size["width"] if page.viewport_size else WIDTHS[0]
    page.fill("[name=mobile]", NUMBERS[width])
    page.wait_for_timeout(2100)  # a form filled faster is a machine's
    page.check("[name=consent]")


def verification(page: Page, town: Visited) -> None:
    """The code."""
    subscribe_2(page, town)
    page.locator("main form button.button:not([name])").last.click()
    page.wait_for_url("**/abonnement/verification")


def my_alerts(page: Page, town: Visited) -> None:
    """A citizen's own page."""
    width = page.viewport_size["width"] if page.viewport_size else WIDTHS[0]
    town.sign_in(page, KNOWN[width])


def my_data(page: Page, town: Visited) -> None:
    """What the town holds of them; the visit is open."""
    page.goto(f"{town.home}/mes-alertes/donnees")


def poster(page: Page, town: Visited) -> None:
    """For the wall."""
    page.goto(f"{town.home}/affiche?theme=eau&lieu=tanneries")


PAGES: Final[dict[str, Callable[[Page, Visited], None]]] = {
    "home": home,
    "announcement": announcement,
    "subscribe-1": subscribe_1,
    "subscribe-2": subscribe_2,
    "verification": verification,
    "my-alerts": my_alerts,
    "my-data": my_data,
    "poster": poster,
}


Visits = Mapping[str, Callable[[Page, Visited], None]]


def shoot(folder: Path, wanted: list[str]) -> Iterator[str]:
    """Every picture's name, or what kept a page from being shown."""
    folder.mkdir(parents=True, exist_ok=True)
    portal = {name: visit for name, visit in PAGES.items() if name in (wanted or PAGES)}
    office = {name: visit for name, visit in OFFICE.items() if name in (wanted or OFFICE)}
    with open_town() as town, open_browser() as browser:
        if office:
            with _tab(browser, OFFICE_WIDTHS[-1]) as page:
                ask(page, town)
                seat = page.context.cookies()
            for width in OFFICE_WIDTHS:
                with _tab(browser, width) as page:
                    page.context.add_cookies([{**each} for each in seat])
                    yield from _pictures(page, town, office, folder, width)
        if portal:
            town.publish(URGENT)
        for width in WIDTHS if portal else ():
            with _tab(browser, width) as page:
                yield from _pictures(page, town, portal, folder, width)


@contextmanager
def _tab(browser: Browser, width: int) -> Iterator[Page]:
    look = {"viewport": {"width": width, "height": _TALL}, "device_scale_factor": 1.5}
    context = browser.new_context(locale="fr-FR", **look)
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def _pictures(page: Page, town: Visited, visits: Visits, folder: Path, width: int) -> Iterator[str]:
    for name, visit in visits.items():
        try:
            visit(page, town)
        except (Error, TimeoutError) as wrong:
            yield f"{name}-{width}: {str(wrong).splitlines()[0]}"
            continue
        _stretch(page, width)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            picture = f"{name}-{width}-{scheme}.png"
            page.screenshot(path=folder / picture, full_page=True)
            yield picture
        page.set_viewport_size({"width": width, "height": _TALL})


def _stretch(page: Page, width: int) -> None:
    """A window as tall as its page: what sticks to the window's edge stands where the page ends,
    and every frame is within sight, and drawn."""
    tall = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": tall})
    if page.frames[1:]:
        page.wait_for_timeout(_DRAWN)


if __name__ == "__main__":
    given = sys.argv[1:]
    for line in shoot(Path(given[0] if given else "build/screenshots"), given[1:]):
        print(line, flush=True)
