# SPDX-License-Identifier: EUPL-1.2
"""Holds the sandbox's log of effects against the ledger file: who was lost, who was pestered?

Shares no code with the hub, nor with the rest of this folder: the log is read as JSON, the ledger
with plain SQL, and who should have got what is told by whoever moved the people in. It repairs
nothing and forgives nothing: what it does not understand it raises.
"""

import base64
import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

PAGE = re.compile(r"/a/([A-Za-z0-9]{6})\b")
PERSONAL = re.compile(r"/s/([A-Za-z0-9_-]{16})(?![A-Za-z0-9_-])")
GOOD = frozenset({"accepted", "delivered"})
BAD = frozenset({"failed", "skipped", "expired", "cancelled"})
WITHOUT_DOUBLES = ("sms", "x")

Key = tuple[str, str, str]
"""(code of the announcement, channel, address): what must happen once."""
Expected = Mapping[str, Mapping[str, frozenset[str]]]
"""Code of the announcement -> channel -> addresses."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One effect. `mark` is what lets a reader's device see that it is the same message."""

    seq: int
    at: float
    ref: str
    mark: str
    caller: int


class Links:
    """Which announcement a text is of, by its link: the page's, or an SMS reader's own."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self._codes: dict[int, str] = {}

    def code(self, said: str) -> str:
        """The public code; empty where there is no such link, or no such announcement."""
        if page := PAGE.search(said):
            return page[1]
        own = PERSONAL.search(said)
        if own is None:
            return ""
        number = int.from_bytes(base64.urlsafe_b64decode(own[1])[5:8], "big")
        return self._codes.get(number) or self._looked_up(number)

    def _looked_up(self, number: int) -> str:
        conn = open_ledger(self._ledger)
        try:
            self._codes |= dict(conn.execute("SELECT id, code FROM announcement"))
        finally:
            conn.close()
        return self._codes.get(number, "")


class Log:
    """The log of effects, read on from where the last reading ended."""

    def __init__(self, path: Path, ledger: Path) -> None:
        self._path = path
        self._links = Links(ledger)
        self._offset = 0
        self.lines = 0
        self.copies: dict[Key, list[Copy]] = defaultdict(list)

    def read(self) -> int:
        """Read what is new. Returns the number of effects so far. A line still being written waits.

        Raises `ValueError` on a damaged line, an effect of no announcement, a number out of order.
        """
        with self._path.open("rb") as lines:
            lines.seek(self._offset)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                self._take(json.loads(line))
        return self.lines

    def _take(self, effect: dict[str, Any]) -> None:
        if effect["seq"] != self.lines + 1:
            raise ValueError(f"effect {effect['seq']} follows {self.lines}: the log has a hole")
        self.lines += 1
        code = self._links.code(f"{effect['subject']}\n{effect['text']}")
        if not code:
            raise ValueError(f"effect {effect['seq']} belongs to no announcement")
        channel = effect["channel"]
        mark = effect["extra"]["topic"] if channel == "webpush" else effect["ref"]
        copy = Copy(
            effect["seq"],
            datetime.fromisoformat(effect["at"]).timestamp(),
            effect["ref"],
            mark,
            effect["caller"],
        )
        self.copies[code, channel, effect["to"]].append(copy)


@dataclass(frozen=True, slots=True)
class Row:
    """One delivery of the ledger."""

    delivery: int
    state: str
    round: int
    ref: str | None


@dataclass(slots=True)
class Findings:
    """What is wrong: every list must be empty but `doubled`, whose bound is the caller's to judge.

    `doubled` counts surplus copies by channel; the others hold the first few examples, in words.
    """

    expected: int = 0
    effects: int = 0
    lost: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)  # a second copy without the first one's mark
    unplanned: list[str] = field(default_factory=list)
    planned_twice: list[str] = field(default_factory=list)
    not_final: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)  # the ledger's word is not what happened
    rounds: list[str] = field(default_factory=list)  # more copies than committed reservations
    counts: list[str] = field(default_factory=list)
    parked: int = 0
    doubled: dict[str, int] = field(default_factory=dict)

    @property
    def broken(self) -> list[str]:
        """The names of what is not as promised, doubles on SMS and X included."""
        wrong = [
            name
            for name, value in asdict(self).items()
            if name not in {"expected", "effects", "doubled"} and value
        ]
        return wrong + [f"doubled_{each}" for each in WITHOUT_DOUBLES if self.doubled.get(each)]


def check(log: Log, ledger: Path, expected: Expected) -> Findings:
    """Everything there is to find once the send is over."""
    log.read()
    conn = open_ledger(ledger)
    try:
        rows, found = rows_of(conn), Findings(effects=log.lines)
        wanted = {
            (code, channel, to)
            for code, channels in expected.items()
            for channel, addresses in channels.items()
            for to in addresses
        }
        found.expected = len(wanted)
        found.doubled = dict.fromkeys(("sms", "email", "x", "webpush"), 0)
        _who_got_what(found, log.copies, wanted)
        _who_was_planned(found, rows, wanted)
        _is_the_ledger_true(found, rows, log.copies)
        found.counts = _counts(conn)
        found.rounds += _attempts_in_order(conn)
    finally:
        conn.close()
    return found


def open_ledger(path: Path) -> sqlite3.Connection:
    """For reading only."""
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)


def rows_of(conn: sqlite3.Connection, state: str | None = None) -> dict[Key, list[Row]]:
    """Every delivery, or those in one state, by what it is for."""
    found: dict[Key, list[Row]] = defaultdict(list)
    for code, channel, address, part, *row in conn.execute(
        "SELECT a.code, r.channel, c.address, d.part, d.id, d.state, d.round, d.ref "
        "FROM delivery d JOIN run r ON r.id = d.run JOIN announcement a ON a.id = r.announcement "
        "LEFT JOIN contact_point c ON c.id = d.contact_point WHERE ? IS NULL OR d.state = ?",
        (state, state),
    ):
        found[code, channel, _told(channel, address or "", part)].append(Row(*row))
    return found


def _told(channel: str, address: str, part: int) -> str:
    """What the sandbox calls this address: a device by its name, the town's account `public`."""
    if channel == "x":
        return "public" if part == 0 else f"public #{part}"
    if channel == "webpush":
        name = address.rpartition("/")[2].partition(".")[0]
        return base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
    return address


def _some(keys: Iterable[Key]) -> list[str]:
    ordered = sorted(keys)
    shown = [" ".join(key) for key in ordered[:5]]
    return [*shown, f"… {len(ordered)} in all"] if len(ordered) > 5 else shown


def _who_got_what(found: Findings, copies: Mapping[Key, Sequence[Copy]], wanted: set[Key]) -> None:
    found.lost = _some(wanted - copies.keys())
    found.unexpected = _some(copies.keys() - wanted)
    unlike = set()
    for key, all_of_them in copies.items():
        first, *more = all_of_them
        found.doubled[key[1]] += len(more)
        if key[1] in {"email", "webpush"} and any(
            not copy.mark or copy.mark != first.mark for copy in more
        ):
            unlike.add(key)
    found.unlike = _some(unlike)


def _who_was_planned(found: Findings, rows: Mapping[Key, Sequence[Row]], wanted: set[Key]) -> None:
    found.unplanned = _some(wanted ^ rows.keys())
    found.planned_twice = _some(key for key, several in rows.items() if len(several) > 1)
    states = {key: {row.state for row in several} for key, several in rows.items()}
    found.not_final = _some(key for key, these in states.items() if these - GOOD - BAD)
    found.parked = sum(row.state == "parked" for several in rows.values() for row in several)


def _is_the_ledger_true(
    found: Findings, rows: Mapping[Key, Sequence[Row]], copies: Mapping[Key, Sequence[Copy]]
) -> None:
    untrue, early = set(), set()
    for key, (row, *_) in rows.items():
        sent = copies.get(key, ())
        told = row.state in GOOD
        if told != bool(sent) and row.state in GOOD | BAD:
            untrue.add(key)
        if told and key[1] in WITHOUT_DOUBLES and row.ref not in {copy.ref for copy in sent}:
            untrue.add(key)
        if len(sent) > row.round:
            early.add(key)
    found.untrue, found.rounds = _some(untrue), _some(early)


def _counts(conn: sqlite3.Connection) -> list[str]:
    kept = Counter(
        {
            (run, state, reason): n
            for run, state, reason, n in conn.execute(
                "SELECT run, state, reason, n FROM delivery_count WHERE n <> 0"
            )
        }
    )
    real = Counter(
        {
            (run, state, reason): n
            for run, state, reason, n in conn.execute(
                "SELECT run, state, reason, count(*) FROM delivery GROUP BY 1, 2, 3"
            )
        }
    )
    wrong = [f"run {run}: {state} {reason}" for run, state, reason in sorted(kept - real)]
    wrong += [f"run {run}: {state} {reason}" for run, state, reason in sorted(real - kept)]
    planned = conn.execute(
        "SELECT r.id FROM run r WHERE r.planned <> "
        "(SELECT count(*) FROM delivery d WHERE d.run = r.id)"
    )
    return wrong[:5] + [f"run {run}: planned is not what there is" for (run,) in planned]


def _attempts_in_order(conn: sqlite3.Connection) -> list[str]:
    above = conn.execute(
        "SELECT a.delivery FROM attempt a JOIN delivery d ON d.id = a.delivery "
        "WHERE a.round > d.round LIMIT 5"
    )
    return [f"delivery {each}: an attempt of a round that never was" for (each,) in above]
