# SPDX-License-Identifier: EUPL-1.2
"""Two tabs on the page of a send to a whole town, while its daemon is killed and started again.

    python -m bench.live_send [people]

The daemon and the sandbox are processes of their own. An officer signs in and follows an
announcement in two tabs of Chromium; one is loaded again at a third of it, the daemon is killed
(`kill -9`) at half and started again on its folder. `bench.live_page` judges what each tab showed
and said, `bench.checker` what arrived. Prints one line of JSON; exits 1 where a promise broke.
"""

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import Browser, Page

from bench.checker import Findings, Log, check
from bench.live_page import WATCH, Seen
from bench.town import address
from bench.trial import Trial
from bench.visiting import open_browser
from channels.base import ChannelName

SHARES: Final = {ChannelName.SMS: 1.0, ChannelName.EMAIL: 0.5}
PACES: Final = {"sms": 200.0, "email": 100.0}
NEWS: Final[Mapping[str, Any]] = {
    "title": "Coupure d'eau",
    "body": "Jeudi de 8 h à 12 h.",
    "themes": ["coupures"],
    "urgency": "important",
    "channels": [str(name) for name in SHARES],
}
RELOADED, KILLED = 0.33, 0.5
"""At which share of the messages."""
OFFICER: Final = "camille@example.org"
_LOST: Final = "[data-live-lost]:not([hidden])"
_PATIENCE: Final = 900.0  # seconds; on a laden machine a send takes its time
_NO_PROOF: Final = '\n[console]\nsecond_proof = "nobody"\n'


@dataclass(slots=True)
class Follower:
    """A tab, and what it showed and said over all its loads."""

    page: Page
    seen: Seen = field(default_factory=Seen)

    def follow(self, url: str) -> None:
        """Look at this page from now on."""
        self.page.expose_function("noted", self.seen.noted)
        self.page.add_init_script(WATCH)
        self.page.goto(url)

    def until(self, selector: str, state: Literal["attached", "detached"] = "attached") -> float:
        """Wait until there is such an element, or none; how many seconds it took."""
        began = time.monotonic()
        self.page.wait_for_selector(selector, state=state, timeout=_PATIENCE * 1000)
        return round(time.monotonic() - began, 1)


def seated(trial: Trial, browser: Browser) -> list[Follower]:
    """An officer of the town, signed in by the form, with two tabs."""
    printed = trial.hub(
        *("init", "--authority", "valmont", "--officer", OFFICER, "--name", "Camille Martin")
    )
    password = re.search(r"shown this once: (\S+)", printed)
    assert password, "no officer was appointed"
    with (trial.folder / "hub.toml").open("a", encoding="utf-8") as settings:
        settings.write(_NO_PROOF)
    trial.start()
    context = browser.new_context(locale="fr-FR", viewport={"width": 1280, "height": 800})
    tabs = [context.new_page(), context.new_page()]
    tabs[0].goto(f"{trial.base_url}/console/connexion")
    tabs[0].fill("#email", OFFICER)
    tabs[0].fill("#password", password[1])
    with tabs[0].expect_navigation():
        tabs[0].locator("main form .button").first.click()
    return [Follower(each) for each in tabs]


def run(folder: Path, people: int) -> dict[str, Any]:
    """One send; its figures, and under `wrongs` every promise that broke."""
    whom = {
        str(name): frozenset(address(name, n) for n in range(1, round(people * share) + 1))
        for name, share in SHARES.items()
    }
    messages = sum(map(len, whom.values()))
    with Trial(folder, paces=PACES) as trial, open_browser() as browser:
        trial.settle(people, SHARES)
        tabs = seated(trial, browser)
        log = Log(trial.log, trial.ledger)
        began = time.monotonic()
        code = trial.post(trial.key(), NEWS)["id"]
        for each in tabs:
            each.follow(f"{trial.base_url}/console/annonces/{code}")
        _wait(tabs, lambda: log.read() >= RELOADED * messages)
        tabs[1].page.reload()
        _wait(tabs, lambda: log.read() >= KILLED * messages)
        blow = _killed(trial, tabs, log)
        for each in tabs:
            each.until("#bilan")
        took = time.monotonic() - began
        trial.stop()
        found = check(log, trial.ledger, {code: whom})
    return {
        "people": people,
        "messages": messages,
        "seconds": round(took, 1),
        **blow,
        "looks": [len(each.seen.counts) for each in tabs],
        "spoken": [len(each.seen.said) for each in tabs],
        "doubled": found.doubled,
        "wrongs": _wrongs(tabs, messages, found),
    }


def _killed(trial: Trial, tabs: list[Follower], log: Log) -> dict[str, Any]:
    """`kill -9`, until both pages say that nobody answers; then the same folder again."""
    trial.kill()
    gone = time.monotonic()
    figures: dict[str, Any] = {"killed_after": log.read()}
    figures["told_lost_s"] = [each.until(_LOST) for each in tabs]
    trial.start()
    figures["away_s"] = round(time.monotonic() - gone, 1)
    figures["told_back_s"] = [each.until(_LOST, "detached") for each in tabs]
    return figures


def _wait(tabs: list[Follower], ready: Callable[[], bool]) -> None:
    """Until it is so, while the tabs go on telling what they show."""
    until = time.monotonic() + _PATIENCE
    while not ready():
        assert time.monotonic() < until, "the send stands still"
        tabs[0].page.wait_for_timeout(100)


def _wrongs(tabs: list[Follower], messages: int, found: Findings) -> list[str]:
    wrongs = [
        f"tab {n}: {each}" for n, tab in enumerate(tabs, 1) for each in tab.seen.wrongs(messages)
    ]
    if tabs[0].seen.last != tabs[1].seen.last:
        wrongs.append(f"two ends: {tabs[0].seen.last} and {tabs[1].seen.last}")
    return wrongs + found.broken


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="hub-live-") as home:
        figures = run(Path(home), int((sys.argv[1:] or ["20000"])[0]))
    print(json.dumps(figures))
    sys.exit(bool(figures["wrongs"]))
