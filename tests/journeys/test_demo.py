# SPDX-License-Identifier: EUPL-1.2
"""The demonstration, run as a newcomer runs it, held against the seed files read in plain Python.

Nothing of the hub's audience code is used here: who should get what is worked out again.
"""

import csv
import json
import subprocess
import sys
import time
import tomllib
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

SEEDS = Path(__file__).parents[2] / "hub" / "demo_town"
CATALOGUE = tomllib.loads((SEEDS / "catalogue.toml").read_text("utf-8"))
Expected = dict[str, Counter[str]]


def _rows(name: str) -> list[dict[str, str]]:
    with (SEEDS / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


CITIZENS = _rows("citizens.csv")
DEVICES = {row["ref"]: int(row["devices"]) for row in _rows("devices.csv")}


def _up(kind: str, key: str) -> set[str]:
    """A theme or zone and everything above it."""
    parents = {each["key"]: each.get("parent") for each in CATALOGUE[kind]}
    found = set()
    here: str | None = key
    while here:
        found.add(here)
        here = parents[here]
    return found


def _down(kind: str, key: str) -> set[str]:
    return {each["key"] for each in CATALOGUE[kind] if key in _up(kind, each["key"])}


def _quiet(citizen: Mapping[str, str], now: datetime) -> bool:
    if not citizen["quiet_hours"]:
        return False
    start, end = citizen["quiet_hours"].split("-")
    clock = f"{now.astimezone(ZoneInfo(citizen['timezone'])):%H:%M}"
    return start <= clock < end if start < end else clock >= start or clock < end


def expected(asked: Mapping[str, Any], now: datetime) -> Expected:
    """Who gets this announcement at once, by channel: addresses as the providers see them."""
    themes = set().union(*(_up("themes", key) for key in asked["themes"]))
    zones = set().union(*(_up("zones", k) | _down("zones", k) for k in asked.get("zones", [])))
    urgency = asked.get("urgency", "information")
    got: Expected = {name: Counter() for name in ("sms", "email", "webpush", "x")}
    seen: set[str] = set()
    for citizen in CITIZENS:  # in the order of their numbers: the first of a household is told
        wanted = citizen["zones"].split()
        if not themes & set(citizen["themes"].split()):
            continue
        if zones and wanted and not zones & set(wanted):
            continue
        waits = urgency in ("information", "drill") and citizen["cadence"] != "now"
        held = _quiet(citizen, now) and not (
            urgency == "urgent" and citizen["urgent_at_night"] == "yes"
        )
        for channel in citizen["channels"].split():
            if channel == "webpush":
                count = DEVICES.get(citizen["ref"], 0)
                addresses = [f"{citizen['ref']}-{n}" for n in range(1, count + 1)]
            else:
                address = citizen["phone" if channel == "sms" else "email"]
                addresses = [address] if address and address not in seen else []
                seen.update(addresses)
            if not (waits or held):
                got[channel].update(addresses)
    got["x"]["public"] = 1
    return got


# --------------------------------------------------------------------------- the demonstration


class Demo:
    """`hub demo --json`, running."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.ready = ready

    def get(self, url: str) -> Any:
        with urllib.request.urlopen(url, timeout=40) as answer:
            return json.load(answer)

    def post(self, asked: Mapping[str, Any], key: str) -> tuple[int, dict[str, Any], float]:
        headers = {
            "Authorization": f"Bearer {self.ready['api_key']}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        data = json.dumps(asked).encode()
        request = urllib.request.Request(self.ready["api_url"], data, headers)
        start = time.monotonic()
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer), time.monotonic() - start

    def received(self, code: str, at_least: int, seconds: float) -> Expected:
        """What the phones got of one announcement; waits for that many, then a little more."""
        until = time.monotonic() + seconds
        found: Expected = {}
        since, total, last = 0, 0, False
        while True:
            wait = max(0, min(2, int(until - time.monotonic())))
            page = self.get(f"{self.ready['messages_url']}?since={since}&limit=1000&wait={wait}")
            for message in page["messages"]:
                if f"/a/{code}" in message["text"]:
                    found.setdefault(message["channel"], Counter())[message["to"]] += 1
                    total += 1
            since = page["next"]
            if last and not page["messages"]:
                return found
            last = total >= at_least or time.monotonic() >= until


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    process = subprocess.Popen(
        [sys.executable, "-m", "hub", "demo", "--json", "--port", "0", "--data", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        yield Demo(json.loads(line))
    finally:
        process.terminate()
        process.communicate(timeout=60)
        assert process.returncode == 0


def _now(demo: Demo) -> datetime:
    return datetime.fromisoformat(demo.ready["now"])


def _exactly(received: Expected, wanted: Expected) -> None:
    for channel, people in wanted.items():
        assert received.get(channel, Counter()) == people, channel


def test_the_seeded_announcement_reaches_exactly_the_right_phones(demo: Demo) -> None:
    said = tomllib.loads((SEEDS / "announcement.toml").read_text("utf-8"))
    wanted = expected(said, _now(demo))
    received = demo.received(
        demo.ready["announcement_id"], sum(p.total() for p in wanted.values()), 60
    )
    _exactly(received, wanted)
    assert sum(wanted["sms"].values()) > 100, "a demonstration that reaches nobody shows nothing"


ANNOUNCEMENTS: list[dict[str, Any]] = [
    {
        "title": "Marché déplacé samedi",
        "body": "Place de la Gare, de 8 h à 13 h.",
        "themes": ["vie-municipale"],
    },
    {
        "title": "Crue de l'Orne",
        "body": "Montez à l'étage, **maintenant**.",
        "themes": ["crue"],
        "zones": ["prairie", "moulins"],
        "urgency": "urgent",
    },
    {
        "title": "Rue des Tanneurs fermée",
        "body": "Travaux jusqu'à vendredi.",
        "themes": ["travaux", "coupures"],
        "zones": ["rue-des-tanneurs"],
        "urgency": "important",
    },
    {
        "title": "Exercice d'évacuation",
        "body": "Ne faites rien : c'est un exercice.",
        "themes": ["alertes"],
        "zones": ["valmont-sur-orne"],
        "urgency": "drill",
    },
]


@pytest.mark.parametrize("asked", ANNOUNCEMENTS, ids=lambda asked: asked["title"])
def test_everyone_it_is_for_has_it_and_nobody_else(demo: Demo, asked: dict[str, Any]) -> None:
    status, answer, _ = demo.post(asked, key=asked["title"].encode().hex())
    assert status == 202
    wanted = expected(asked, _now(demo))
    received = demo.received(answer["id"], sum(p.total() for p in wanted.values()), 60)
    _exactly(received, wanted)


def test_the_same_idempotency_key_sends_nothing_twice(demo: Demo) -> None:
    asked = {"title": "Une seule fois", "body": "Vraiment.", "themes": ["sante"]}
    _, first, _ = demo.post(asked, key="only-once")
    wanted = expected(asked, _now(demo))
    demo.received(first["id"], sum(p.total() for p in wanted.values()), 60)
    status, second, _ = demo.post(asked, key="only-once")
    assert status == 202
    assert second["id"] == first["id"]
    _exactly(demo.received(first["id"], 10**9, 3), wanted)


def test_the_pages_a_newcomer_opens_are_there(demo: Demo) -> None:
    for path in ("/", "/sandbox", f"/a/{demo.ready['announcement_id']}", "/healthz", "/metrics"):
        with urllib.request.urlopen(demo.ready["base_url"] + path, timeout=20) as answer:
            assert answer.status == 200
            assert answer.read()


def test_every_officer_of_the_demonstration_signs_in(demo: Demo) -> None:
    """By the address and the words it prints, as a newcomer would type them."""
    door = demo.ready["base_url"] + "/console/connexion"
    for officer in demo.ready["officers"]:
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        page = browser.open(door, timeout=20).read().decode()
        token = page.partition('name="csrf" value="')[2].partition('"')[0]
        given = {"csrf": token, "email": officer["email"], "password": officer["password"]}
        body = urllib.parse.urlencode(given | {"suite": "/console/profil"}).encode()
        with browser.open(door, body, timeout=20) as answer:
            assert answer.url.endswith("/console/profil")
            assert officer["name"] in answer.read().decode()
