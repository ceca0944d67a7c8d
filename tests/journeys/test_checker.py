# SPDX-License-Identifier: EUPL-1.2
"""The checker of the proof can fail: each way to break a promise is told by its own name."""

import base64
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.checker import Findings, Log, check
from subscribers.tokens import StopTokens

TABLES = """
CREATE TABLE announcement(id INTEGER PRIMARY KEY, code TEXT);
CREATE TABLE run(id INTEGER PRIMARY KEY, announcement INTEGER, channel TEXT, planned INTEGER);
CREATE TABLE contact_point(id INTEGER PRIMARY KEY, address TEXT);
CREATE TABLE delivery(id INTEGER PRIMARY KEY, run INTEGER, contact_point INTEGER, part INTEGER,
                      state TEXT, reason TEXT, round INTEGER, ref TEXT);
CREATE TABLE delivery_count(run INTEGER, state TEXT, reason TEXT, n INTEGER);
CREATE TABLE attempt(delivery INTEGER, round INTEGER);
"""
DEVICE = f"http://push.test/push/{base64.urlsafe_b64encode(b'device-1').decode().rstrip('=')}.beef"
PEOPLE = {
    "sms": ["+33639980001", "+33639980002"],
    "email": ["a@example.org"],
    "webpush": [DEVICE],
    "x": ["valmont"],
}
TOLD = {DEVICE: "device-1", "valmont": "public"}
EXPECTED = {
    "ABC123": {
        channel: frozenset(TOLD.get(each, each) for each in addresses)
        for channel, addresses in PEOPLE.items()
    }
}


class Town:
    """A send in which nothing went wrong, to be falsified."""

    def __init__(self, folder: Path) -> None:
        self.log, self.ledger = folder / "effects.jsonl", folder / "ledger.sqlite3"
        self.effects: list[dict[str, Any]] = []
        self.conn = sqlite3.connect(self.ledger)
        self.conn.executescript(TABLES)
        self.conn.execute("INSERT INTO announcement VALUES (1, 'ABC123')")
        point = 0
        for run, (channel, addresses) in enumerate(PEOPLE.items(), start=1):
            self.sql(
                "INSERT INTO run VALUES (?, 1, ?, ?)",
                *(run, channel, len(addresses)),
            )
            self.sql(
                "INSERT INTO delivery_count VALUES (?, 'accepted', '', ?)", run, len(addresses)
            )
            for address in addresses:
                point += 1
                self.sql("INSERT INTO contact_point VALUES (?, ?)", point, address)
                self.sql(
                    "INSERT INTO delivery VALUES (?, ?, ?, 0, 'accepted', '', 1, ?)",
                    *(point, run, point, f"ref{point}"),
                )
                self.sent(channel, TOLD.get(address, address), f"ref{point}")

    def sql(self, statement: str, *values: object) -> None:
        self.conn.execute(statement, values)

    def sent(self, channel: str, to: str, ref: str, **more: Any) -> None:
        """One more effect."""
        self.effects.append(
            {
                "seq": len(self.effects) + 1,
                "at": "2026-11-21T22:00:00+00:00",
                "channel": channel,
                "to": to,
                "subject": "",
                "text": "Eau coupée https://alertes.example.org/a/ABC123",
                "ref": ref,
                "extra": {"topic": "the topic"} if channel == "webpush" else {},
                "caller": 0,
            }
            | more
        )

    def again(self, channel: str, **more: Any) -> None:
        """A second copy, of a second round."""
        first = next(each for each in self.effects if each["channel"] == channel)
        self.effects.append(first | {"seq": len(self.effects) + 1} | more)
        self.sql(
            "UPDATE delivery SET round = 2 WHERE run IN (SELECT id FROM run WHERE channel = ?)",
            channel,
        )

    def found(self) -> Findings:
        """What the checker makes of it."""
        self.conn.commit()
        lines = "".join(json.dumps(each) + "\n" for each in self.effects)
        self.log.write_text(lines, "utf-8")
        return check(Log(self.log, self.ledger), self.ledger, EXPECTED)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def test_a_clean_send_is_clean(town: Town) -> None:
    found = town.found()
    assert found.broken == []
    assert found.expected == found.effects == 5
    assert not any(found.doubled.values())


def test_a_second_letter_with_the_first_ones_mark_is_counted_and_no_more(town: Town) -> None:
    town.again("email")
    town.again("webpush", ref="another push id")
    found = town.found()
    assert found.broken == []
    assert found.doubled == {"sms": 0, "email": 1, "webpush": 1, "x": 0}


LIES: dict[str, tuple[Callable[[Town], Any], set[str]]] = {
    "nobody told the last one": (lambda t: t.effects.pop(), {"lost", "untrue"}),
    "an SMS twice": (lambda t: t.again("sms"), {"doubled_sms"}),
    "a post twice": (lambda t: t.again("x"), {"doubled_x"}),
    "a letter with another Message-ID": (lambda t: t.again("email", ref="<b@b>"), {"unlike"}),
    "a push with another topic": (
        lambda t: t.again("webpush", extra={"topic": "other"}),
        {"unlike"},
    ),
    "a push without topic": (lambda t: t.again("webpush", extra={"topic": ""}), {"unlike"}),
    "somebody who never asked": (
        lambda t: t.sent("sms", "+33639980009", "ref9"),
        {"unexpected"},
    ),
    "somebody never planned": (
        lambda t: (
            t.sql("DELETE FROM delivery WHERE id = 1"),
            t.sql("UPDATE delivery_count SET n = 1 WHERE run = 1"),
            t.sql("UPDATE run SET planned = 1 WHERE id = 1"),
        ),
        {"unplanned"},
    ),
    "planned twice": (
        lambda t: (
            t.sql("INSERT INTO delivery VALUES (9, 1, 1, 0, 'accepted', '', 1, 'ref1')"),
            t.sql("UPDATE delivery_count SET n = 3 WHERE run = 1"),
            t.sql("UPDATE run SET planned = 3 WHERE id = 1"),
        ),
        {"planned_twice"},
    ),
    "no end": (
        lambda t: (
            t.sql("UPDATE delivery SET state = 'reserved' WHERE id = 3"),
            t.sql("UPDATE delivery_count SET state = 'reserved' WHERE run = 2"),
        ),
        {"not_final"},
    ),
    "left to a human": (
        lambda t: (
            t.sql("UPDATE delivery SET state = 'parked' WHERE id = 3"),
            t.sql("UPDATE delivery_count SET state = 'parked' WHERE run = 2"),
        ),
        {"not_final", "parked"},
    ),
    "failed, says the ledger of what arrived": (
        lambda t: (
            t.sql("UPDATE delivery SET state = 'failed' WHERE id = 3"),
            t.sql("UPDATE delivery_count SET state = 'failed' WHERE run = 2"),
        ),
        {"untrue"},
    ),
    "the sid of another copy": (
        lambda t: t.sql("UPDATE delivery SET ref = 'ref2' WHERE id = 1"),
        {"untrue"},
    ),
    "a copy before its reservation": (
        lambda t: (t.again("email"), t.sql("UPDATE delivery SET round = 1 WHERE id = 3")),
        {"rounds"},
    ),
    "an attempt of a round that never was": (
        lambda t: t.sql("INSERT INTO attempt VALUES (1, 7)"),
        {"rounds"},
    ),
    "counts that are not the rows": (
        lambda t: t.sql("UPDATE delivery_count SET n = 7 WHERE run = 1"),
        {"counts"},
    ),
    "planned that is not the rows": (
        lambda t: t.sql("UPDATE run SET planned = 7 WHERE id = 1"),
        {"counts"},
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_falsified_log_or_ledger_is_found_out(town: Town, lie: str) -> None:
    falsify, names = LIES[lie]
    falsify(town)
    assert set(town.found().broken) == names


def test_a_hole_in_the_log_is_not_read_over(town: Town) -> None:
    del town.effects[2]
    with pytest.raises(ValueError, match="hole"):
        town.found()


def test_an_effect_of_no_announcement_is_not_read_over(town: Town) -> None:
    town.effects[0]["text"] = "bonjour"
    with pytest.raises(ValueError, match="no announcement"):
        town.found()


def test_an_sms_that_bears_its_readers_own_link_is_of_the_announcement_in_it(town: Town) -> None:
    ours, unknown = (StopTokens([b"k" * 32]).issue_short(70_000, number) for number in (1, 2))
    first = next(each for each in town.effects if each["channel"] == "sms")
    first["text"] = f"Eau coupée Infos/STOP : https://alertes.example.org/s/{ours} EXERCICE"
    assert town.found().broken == []
    first["text"] = f"Eau coupée Infos/STOP : https://alertes.example.org/s/{unknown}"
    with pytest.raises(ValueError, match="no announcement"):
        town.found()


def test_a_line_still_being_written_is_read_the_next_time(town: Town) -> None:
    town.found()
    whole = town.log.read_bytes()
    town.log.write_bytes(whole[:-10])
    log = Log(town.log, town.ledger)
    assert log.read() == 4
    town.log.write_bytes(whole)
    assert log.read() == 5
