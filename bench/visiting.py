# SPDX-License-Identifier: EUPL-1.2
"""The demonstration town, and a browser that visits it as a citizen does: for the benches."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

AMINA = "+33639980001"
URGENT: Mapping[str, Any] = {
    "title": "Crue de l'Orne : quittez les caves de la Prairie",
    "body": "L'Orne dépassera 3,20 m vers 18 h.\n\n**Quittez les caves** et montez à l'étage.\n\n"
    "* Coupez le courant avant de partir\n* Ne descendez pas chercher votre voiture\n"
    "* En danger : appelez le 112",
    "themes": ["crue"],
    "zones": ["prairie", "moulins"],
    "urgency": "urgent",
}
NEWS: tuple[Mapping[str, Any], ...] = (
    {
        "title": "Le marché de samedi se tient place de la Gare",
        "body": "De 8 h à 13 h, à cause des travaux de la place du Centre.",
        "themes": ["vie-municipale"],
    },
    {
        "title": "Rue des Tanneurs fermée jusqu'à vendredi",
        "body": "Déviation par le quai. Les piétons passent.",
        "themes": ["travaux"],
        "zones": ["tanneries"],
        "urgency": "important",
    },
)


@dataclass(frozen=True, slots=True)
class Visited:
    """A town that runs. `ready` is what `hub demo --json` said."""

    ready: Mapping[str, Any]

    @property
    def home(self) -> str:
        """The address before every path."""
        return str(self.ready["base_url"])

    def publish(self, said: Mapping[str, Any]) -> str:
        """Through the API; the announcement's code."""
        headers = {
            "Authorization": f"Bearer {self.ready['api_key']}",
            "Content-Type": "application/json",
        }
        asked = urllib.request.Request(self.ready["api_url"], json.dumps(said).encode(), headers)
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return str(json.load(answer)["id"])

    def received(self, number: str, pattern: str, seconds: int = 30) -> str:
        """What the first SMS to this number that matches says there; waits for it."""
        since = 0
        for _ in range(seconds):
            address = f"{self.ready['messages_url']}?since={since}&limit=1000&wait=1"
            with urllib.request.urlopen(address, timeout=20) as answer:
                page = json.load(answer)
            for message in page["messages"]:
                found = re.search(pattern, message["text"])
                if message["to"] == number and found:
                    return found[0]
            since = page["next"]
        raise TimeoutError(f"no SMS to {number} says {pattern}")

    def sign_in(self, page: Page, number: str = AMINA) -> None:
        """Ask for the link as a citizen does, and follow it."""
        page.goto(f"{self.home}/mes-alertes")
        page.fill("[name=contact]", number)
        page.click("main form button")
        page.goto(self.received(number, re.escape(self.home) + r"/l/[\w.~=-]+"))
        page.click("main form button")


@contextmanager
def open_town() -> Iterator[Visited]:
    """The demonstration, thrown away afterwards, with an urgent alert under way."""
    with tempfile.TemporaryDirectory(prefix="hub-visit-") as folder:
        command = [sys.executable, "-m", "hub", "demo", "--json", "--port", "0", "--data", folder]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            try:
                assert process.stdout is not None
                town = Visited(json.loads(process.stdout.readline()))
                for said in NEWS:
                    town.publish(said)
                yield town
            finally:
                process.terminate()


@contextmanager
def open_browser() -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as engine:
        browser = engine.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--lang=fr"],
        )
        yield browser
        browser.close()
