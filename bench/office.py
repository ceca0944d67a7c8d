# SPDX-License-Identifier: EUPL-1.2
"""What the benches visit of the officers' console: the demonstration town's officers at work."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from playwright.sync_api import Page

from bench.visiting import Visited

WATER: Final = {
    "title": "Coupure d’eau jeudi, Tanneries",
    "body": "Ville de Valmont-sur-Orne : coupure d’eau jeudi 26/11 de 8 h à 12 h, quartier des "
    "Tanneries, pour réparer une fuite. Remplissez une carafe mercredi soir. Une fontaine est "
    "ouverte place de la Halle.",
}
SCHOOL: Final = {
    "title": "Cantine fermée vendredi",
    "body": "La cantine de l’école des Coteaux est fermée vendredi 27/11. Prévoyez un pique-nique. "
    "La garderie ouvre comme d’habitude. Renseignements : 02 31 00 00 00.",
}
MARKET: Final[Mapping[str, Any]] = {
    "title": "Marché déplacé place de la Gare samedi",
    "body": "Samedi 28/11, de 8 h à 13 h, le marché se tient place de la Gare, à cause des travaux "
    "de la place du Centre. Stationnement gratuit quai de l’Orne.",
    "themes": ["vie-municipale"],
}
PATIENCE: Final = 120_000.0  # milliseconds; the machine has other things to do
_SLOW: Final = 4  # seconds before an operator answers: a send one has time to look at


def sit(page: Page, town: Visited, name: str = "Camille Martin") -> None:
    """Sign an officer in, by the form."""
    page.set_default_timeout(PATIENCE)
    who = next(each for each in town.ready["officers"] if each["name"] == name)
    page.goto(f"{town.home}/console/connexion")
    page.fill("#email", who["email"])
    page.fill("#password", who["password"])
    with page.expect_navigation():
        page.locator("main form button.button").first.click()


def write(page: Page, town: Visited, said: Mapping[str, str], theme: str, place: str) -> str:
    """Write an announcement as far as its check; its address."""
    page.goto(f"{town.home}/console/annonces/nouvelle")
    with page.expect_navigation():
        page.locator("main form.actions button:not([name])").click()
    for field, words in said.items():
        page.fill(f"#{field}", words)
    for box in (f"[name=themes][value={theme}]", f"[name=zones][value={place}]"):
        page.locator(box).evaluate("box => { box.checked = true; }")
    with page.expect_navigation():
        page.locator(".bar button[value=check]").click()
    return page.url.removesuffix("/verifier")


def ask(page: Page, town: Visited) -> None:
    """J. Morel asks for the approval of an announcement; Camille Martin sits down after that."""
    sit(page, town, "J. Morel")
    write(page, town, SCHOOL, "ecoles", "coteaux")
    with page.expect_navigation():
        page.locator("button[value=ask]").click()
    page.context.clear_cookies()
    sit(page, town)


def slow_down(page: Page, town: Visited) -> None:
    """The operators take their time."""
    page.goto(f"{town.home}/sandbox/pannes")
    for channel in ("sms", "email"):
        page.fill(f"[name={channel}-latency]", str(_SLOW))
    with page.expect_navigation():
        page.locator("main form button.button").last.click()


# --------------------------------------------------------------------------- the pages


def compose(page: Page, town: Visited) -> None:
    """Half way: what each channel would say, who and how much."""
    page.goto(write(page, town, WATER, "eau", "tanneries") + "/rediger")


def check(page: Page, town: Visited) -> None:
    """Once more before it leaves."""
    write(page, town, WATER, "eau", "tanneries")


def live(page: Page, town: Visited) -> None:
    """A send in its middle."""
    slow_down(page, town)
    page.goto(f"{town.home}/console/annonces/{town.publish(MARKET)}")
    page.wait_for_function(_PART)


_PART: Final = """() => [...document.querySelectorAll('#avancement progress')].some(
  (each) => each.value > 0.3 * each.max)"""


def report(page: Page, town: Visited) -> None:
    """After the end."""
    page.goto(f"{town.home}/console/annonces/{town.ready['announcement_id']}")


def _at(path: str) -> Callable[[Page, Visited], None]:
    def visit(page: Page, town: Visited) -> None:
        page.goto(town.home + path)

    return visit


OFFICE: Final[dict[str, Callable[[Page, Visited], None]]] = {
    "console-compose": compose,
    "console-check": check,
    "console-live": live,
    "console-home": _at("/console"),
    "console-report": report,
    "console-announcements": _at("/console/annonces"),
    "console-models": _at("/console/modeles"),
    "console-people": _at("/console/abonnes"),
    "console-calendar": _at("/console/calendrier"),
    "console-statistics": _at("/console/statistiques"),
    "admin": _at("/admin"),
    "admin-themes": _at("/admin/themes"),
    "admin-places": _at("/admin/lieux"),
    "admin-team": _at("/admin/equipe"),
    "admin-channels": _at("/admin/canaux"),
    "admin-sources": _at("/admin/entrants"),
    "admin-queue": _at("/admin/file"),
    "admin-health": _at("/admin/etat"),
    "admin-journal": _at("/admin/journal"),
    "phones": _at("/sandbox"),
    "phones-faults": _at("/sandbox/pannes"),
    "phones-training": _at("/sandbox/exercices"),
}
"""In this order: the send is looked at from the home page too, before it ends."""
