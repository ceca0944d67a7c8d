# SPDX-License-Identifier: EUPL-1.2
"""Lighthouse (mobile) on the main pages of portal and console, as JSON; needs npx, which fetches it
once.

    python -m bench.lighthouse [times] [home] [announcement] [subscribe] [my-alerts]
                               [console-home] [console-compose] [console-check] [console-live] …

Each page is loaded `times` times (default 1); the worst of each figure counts. A bench, not a
test: the figures of a busy machine say little.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Page as Tab

from bench import office
from bench.visiting import URGENT, Visited, open_browser, open_town

PINNED: Final = "lighthouse@12.8.2"
_TRIES: Final = 4
CATEGORIES: Final = ("accessibility", "performance", "best-practices", "seo")
TIMES: Final = {
    "first-contentful-paint": "fcp_ms",
    "largest-contentful-paint": "lcp_ms",
    "total-blocking-time": "tbt_ms",
    "cumulative-layout-shift": "cls",
    "total-byte-weight": "bytes",
}


def run(address: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """The scores of one page, of 100, its times, and the audits that are not perfect."""
    with tempfile.TemporaryDirectory(prefix="hub-lighthouse-") as folder:
        report = Path(folder) / "report.json"
        command = [
            *("npx", "--yes", PINNED, address, "--quiet", "--output=json"),
            f"--output-path={report}",
            f"--only-categories={','.join(CATEGORIES)}",
            f"--extra-headers={json.dumps(headers)}",
            "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
        ]
        _insist(command)
        said = json.loads(report.read_text("utf-8"))
    scores = {name: round(100 * (said["categories"][name]["score"] or 0)) for name in CATEGORIES}
    times = {name: round(said["audits"][audit]["numericValue"], 3) for audit, name in TIMES.items()}
    missed = [
        audit["id"]
        for audit in said["audits"].values()
        if audit["score"] is not None and audit["score"] < 0.9
    ]
    return {**scores, **times, "below_90": sorted(missed)}


def _insist(command: Sequence[str]) -> None:
    """Run it; again where it asks for that itself (NO_NAVSTART, on a busy machine). Raises
    `subprocess.CalledProcessError`."""
    environment = {**os.environ, "CHROME_PATH": _chromium()}
    for _ in range(_TRIES - 1):
        if subprocess.run(command, check=False, env=environment).returncode == 0:
            return
    subprocess.run(command, check=True, env=environment)


def worst(of: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The lowest score and the longest time of several runs."""
    ends: dict[str, Any] = {name: min(each[name] for each in of) for name in CATEGORIES}
    ends |= {name: max(each[name] for each in of) for name in TIMES.values()}
    return ends | {"below_90": sorted({audit for each in of for audit in each["below_90"]})}


def _chromium() -> str:
    return shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"


Page = tuple[str, Mapping[str, str]]
"""A path, and the heads that open it."""


def _cookies(page: Tab) -> dict[str, str]:
    kept = "; ".join(f"{each['name']}={each['value']}" for each in page.context.cookies())
    return {"Cookie": kept}


def portal(town: Visited) -> dict[str, Page]:
    """What citizens see."""
    with open_browser() as browser:
        page = browser.new_page(locale="fr-FR")
        town.sign_in(page)
        mine = _cookies(page)
    return {
        "home": ("/", {}),
        "announcement": (f"/a/{town.publish(URGENT)}", {}),
        "subscribe": ("/abonnement/themes", {}),
        "my-alerts": ("/mes-alertes", mine),
    }


def console(town: Visited) -> dict[str, Page]:
    """What an officer sees: a draft half way, a send in its middle, one that ended."""
    with open_browser() as browser:
        page = browser.new_page(locale="fr-FR")
        office.sit(page, town)
        draft = office.write(page, town, office.WATER, "eau", "tanneries")
        office.live(page, town)
        sent, seat = urlsplit(page.url).path, _cookies(page)
    written = urlsplit(draft).path
    paths = {
        "console-home": "/console",
        "console-compose": f"{written}/rediger",
        "console-check": f"{written}/verifier",
        "console-live": sent,
        "console-report": f"/console/annonces/{town.ready['announcement_id']}",
    }
    return {name: (path, seat) for name, path in paths.items()}


def main(times: int, wanted: Sequence[str]) -> dict[str, Any]:
    """The figures of the wanted pages."""
    found: dict[str, Any] = {}
    with open_town() as town:
        pages: dict[str, Page] = {}
        if not wanted or any(not name.startswith("console") for name in wanted):
            pages |= portal(town)
        if not wanted or any(name.startswith("console") for name in wanted):
            pages |= console(town)
        for name in wanted or list(pages):
            path, heads = pages[name]
            print(name, file=sys.stderr)
            found[name] = worst([run(town.home + path, heads) for _ in range(times)])
    return found


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]) if sys.argv[1:] else 1, sys.argv[2:]), indent=2))
