# SPDX-License-Identifier: EUPL-1.2
"""One town's sends, and what is done to the daemon meanwhile: killed, killed again, or stopped.

An announcement to everybody on every channel, an alert in its middle, posts on X at a steady pace,
and providers that now and then take a message and never answer. `Ordeal` does it and writes down
what stood reserved at each blow; `bench.checker` says afterwards who was lost or pestered.
"""

import json
import random
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.checker import Key, Log, open_ledger, rows_of
from bench.town import address
from bench.trial import Trial, wait_for
from channels.base import ChannelName

SHARES: Final = {ChannelName.SMS: 1.0, ChannelName.EMAIL: 0.5, ChannelName.WEBPUSH: 0.5}
ALERTED: Final = 200
"""How many follow the alerts' theme; the first ones."""

NEWS: Final = {"title": "Coupure d'eau", "body": "Jeudi de 8 h à 12 h.", "themes": ["coupures"]}
ALERT: Final = {
    "title": "Crue de l'Orne",
    "body": "Montez à l'étage maintenant.",
    "themes": ["crue"],
    "urgency": "urgent",
    "channels": ["sms", "email", "webpush"],
}
POST: Final = {"title": "Travaux", "body": "Rue fermée.", "themes": ["travaux"], "channels": ["x"]}
TROUBLE: Final = {
    # What leaves and is never answered for: the look-up has to find it.
    "sms": {"rates": {"vanish": 0.002}},
    "x": {"rates": {"drip": 0.3}},
}
_POST_EVERY: Final = 3.0
Strike = Callable[["Ordeal", float], None]
"""What is done to the daemon, and at which share of the leg."""


@dataclass(slots=True)
class Blow:
    """One kill or stop, and what it found. `unrecorded` are copies that had left and of which the
    ledger knew no more than the reservation: what a crash doubles, or loses, in other engines.

    Of a stopped hub: `woken` had passed its last check when the stop caught it, and is written the
    moment it wakes (the second double that no protocol can exclude); `stale` is what it sent later.
    """

    kind: str
    at: float
    reserved: Mapping[str, int]
    doubt: int
    unrecorded: Mapping[str, int]
    planning: bool = False
    looked_up: int = 0
    exit_code: int | None = None
    woken: Mapping[str, int] = field(default_factory=dict)
    stale: Mapping[str, int] = field(default_factory=dict)
    again: int = 0


@dataclass(slots=True)
class Ordeal:
    """A trial that is under way. `tell` is called with the share of the present leg."""

    trial: Trial
    people: int
    chance: random.Random
    tell: Callable[[float], None] = lambda _: None
    log: Log = field(init=False)
    expected: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)
    blows: list[Blow] = field(default_factory=list)
    start_seconds: float = 2.5
    _key: str = ""
    _counted: "Counter[Key]" = field(default_factory=Counter)
    _posted: float = 0.0
    _began: int = 0
    _total: int = 1

    def begin(self) -> None:
        """Move in, start the daemon, let the providers misbehave."""
        self.trial.settle(self.people, SHARES, {"alertes": ALERTED})
        self.log = Log(self.trial.log, self.ledger)
        self._key = self.trial.key()
        self.start()

    # ------------------------------------------------------------------ one leg

    def leg(self, strikes: "Sequence[Strike]", patience: float = 900) -> None:
        """One announcement to everybody, struck so; returns when all of it is over."""
        self._began = self.log.read()
        misbehave(self.trial, TROUBLE)
        shares = sorted(self.chance.uniform(0.05, 0.95) for _ in strikes)
        alert_at = self.chance.uniform(0.1, 0.6)
        everybody, alerted = wanted(self.people), wanted(self.people, ALERTED)
        self._total = sum(map(len, [*everybody.values(), *alerted.values()]))
        self._announce(NEWS, everybody)
        for strike, share in zip(strikes, shares, strict=True):
            if share > alert_at:
                alert_at = 2.0
                self._announce(ALERT, alerted)
            strike(self, share)
        if alert_at < 1:
            self._announce(ALERT, alerted)
        self._settle_down(patience)

    def _announce(self, asked: Mapping[str, Any], whom: Mapping[str, frozenset[str]]) -> None:
        code = self.trial.post(self._key, asked)["id"]
        self.expected[code] = dict(whom)

    def start(self) -> None:
        """Start the daemon again, and wait until its doors are open."""
        began = time.monotonic()
        self.trial.spawn()
        self.trial.wait_until_ready()
        self.start_seconds = time.monotonic() - began

    def wait_for_share(self, share: float) -> None:
        """Until so much of the leg has left; X gets its posts meanwhile."""

        def reached() -> bool:
            self.post_on_x()
            done = (self.log.read() - self._began) / self._total
            self.tell(min(done, 1.0))
            return done >= share

        wait_for(f"{share:.0%} of the send", 600, reached, 0.02)

    def post_on_x(self) -> None:
        """Another post, when it is time for one and somebody answers."""
        if time.monotonic() - self._posted >= _POST_EVERY:
            self._posted = time.monotonic()
            with suppress(OSError):
                self._announce(POST, {"x": frozenset({"public"})})

    def _settle_down(self, patience: float) -> None:
        """Until everything has its outcome. The providers behave again: one that lists for minutes
        what it will not tell proves nothing more."""
        misbehave(self.trial, {})

        def over() -> bool:
            done = (self.log.read() - self._began) / self._total
            self.tell(min(done, 1.0))
            return not self.busy()

        wait_for("the end of the leg", patience, over, 0.3)

    # ------------------------------------------------------------------ what the ledger says

    def busy(self) -> int:
        """Announcements that are not finished. A leg is over when there is none."""
        with closing(open_ledger(self.ledger)) as conn:
            asked = "SELECT count(*) FROM announcement WHERE state NOT IN ('finished')"
            return int(conn.execute(asked).fetchone()[0])

    def doubt(self) -> int:
        """How many rows stand in doubt."""
        return self._rows("state = 'doubt'")

    def ready(self) -> int:
        """How many rows are to leave, or are leaving."""
        return self._rows("state IN ('ready', 'reserved')")

    def _rows(self, which: str) -> int:
        with closing(open_ledger(self.ledger)) as conn:
            asked = f"SELECT count(*) FROM delivery WHERE {which}"
            return int(conn.execute(asked).fetchone()[0])

    @property
    def ledger(self) -> Path:
        """The file."""
        return self.trial.folder / "data" / "ledger.sqlite3"

    def write_down(self, kind: str, at: float) -> Blow:
        """What the blow found, read once nothing moves any more."""
        time.sleep(0.05)  # what was on the wire arrives
        self.log.read()
        with closing(open_ledger(self.ledger)) as conn:
            reserved = rows_of(conn, "reserved")
            doubt = sum(map(len, rows_of(conn, "doubt").values()))
            planning = conn.execute("SELECT count(*) FROM run WHERE state = 'planning'").fetchone()
        unrecorded: Counter[str] = Counter()
        for key in reserved:
            copies = len(self.log.copies.get(key, ()))
            if copies > self._counted[key]:
                unrecorded[key[1]] += 1
                self._counted[key] = copies
        by_channel = Counter(channel for _, channel, _ in reserved)
        blow = Blow(kind, at, by_channel, doubt, unrecorded, bool(planning[0]))
        self.blows.append(blow)
        return blow


def wanted(people: int, most: int | None = None) -> dict[str, frozenset[str]]:
    """Who should get an announcement to everybody, or to the first `most`; X only the former."""
    found = {
        channel.value: frozenset(
            address(channel, n) for n in range(1, min(round(people * share), most or people) + 1)
        )
        for channel, share in SHARES.items()
    }
    return found if most else {**found, "x": frozenset({"public"})}


def misbehave(trial: Trial, faults: Mapping[str, Any]) -> None:
    """Tell the sandbox what goes wrong from now on."""
    request = urllib.request.Request(
        f"{trial.ready['base_url']}/sandbox/api/faults",
        json.dumps(faults).encode(),
        {"Content-Type": "application/json"},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=10):
        pass
