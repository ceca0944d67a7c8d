# SPDX-License-Identifier: EUPL-1.2
"""`hub verify`: sound is called sound, and whatever a hand changed is found and named."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from channels.base import ChannelName, Reason
from hub.delivery import DeliveryState

S, R = DeliveryState, Reason


@pytest.fixture
def sent(announced: Callable[..., str], daemon: Any) -> str:
    """The code of an announcement that was sent."""
    code = announced()
    every = {
        **{(ChannelName.SMS, rank): (S.ACCEPTED, None) for rank in range(2)},
        (ChannelName.EMAIL, 0): (S.FAILED, R.NO_SUCH_ADDRESS),
        **{(ChannelName.EMAIL, rank): (S.ACCEPTED, None) for rank in range(1, 3)},
    }
    daemon(code, every)
    return code


def by_hand(town: Path, *statements: str) -> None:
    with closing(sqlite3.connect(town / "data" / "ledger.sqlite3")) as conn, conn:
        for statement in statements:
            conn.execute(statement)


def found(hub: Any) -> list[tuple[str, str]]:
    ended = hub("verify", "--json")
    said = json.loads(ended.out)
    assert ended.code == (not said["sound"])
    return [(each["check"], each["what"]) for each in said["findings"]]


def test_a_sound_ledger_is_called_sound(hub: Any, town: Path, sent: str) -> None:
    ended = hub("verify")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("Sound: ")
    assert json.loads(hub("verify", "--json").out)["runs"] > 0


def test_a_new_ledger_is_sound(hub: Any, town: Path) -> None:
    assert hub("verify").out == "Sound: 0 deliveries in 0 runs.\n"


FIRST = "(SELECT min(id) FROM delivery WHERE state = 'accepted')"
COLUMNS = "subscriber, contact_point, part, state, due, at"


@pytest.mark.parametrize(
    ("change", "checks"),
    [
        (f"UPDATE delivery SET state = 'failed' WHERE id = {FIRST}", {"count"}),
        (f"UPDATE delivery SET reason = 'expired' WHERE id = {FIRST}", {"count"}),
        (f"UPDATE delivery SET state = 'ready' WHERE id = {FIRST}", {"count", "finished"}),
        (f"UPDATE delivery SET state = 'lost' WHERE id = {FIRST}", {"count", "word"}),
        (f"UPDATE delivery SET reason = 'bad luck' WHERE id = {FIRST}", {"count", "word"}),
        (f"UPDATE delivery SET lease = 1 WHERE id = {FIRST}", {"lease"}),
        (f"UPDATE delivery SET fallback_of = 999999 WHERE id = {FIRST}", {"fallback"}),
        (f"UPDATE delivery SET run = 99 WHERE id = {FIRST}", {"count", "run"}),
        (f"DELETE FROM delivery WHERE id = {FIRST}", {"count"}),
        ("UPDATE audit SET actor = 'nobody' WHERE id = (SELECT max(id) FROM audit)", {"audit"}),
        (
            (
                f"INSERT INTO delivery (run, {COLUMNS}) "
                f"SELECT run, 77, 77, part, state, due, at FROM delivery WHERE id = {FIRST}"
            ),
            {"count"},
        ),
        ("UPDATE delivery_count SET n = n + 1 WHERE state = 'failed'", {"count", "planned"}),
        ("DELETE FROM delivery_count WHERE state = 'failed'", {"count", "planned"}),
        ("UPDATE run SET planned = planned + 1 WHERE id = 1", {"planned"}),
        ("DELETE FROM run WHERE channel = 'sms'", {"run"}),
        ("DELETE FROM announcement", {"run"}),
        ("INSERT INTO digest_item VALUES (999998, 999999)", {"digest"}),
        (
            "INSERT INTO receipt (delivery, round, rank, code, at) VALUES (999999, 1, 1, 'x', 0)",
            {"receipt"},
        ),
        (
            "INSERT INTO attempt (delivery, round, code, at) VALUES (999999, 1, 'x', 0)",
            {"attempt"},
        ),
        ("DROP INDEX ix_delivery_ready", {"index"}),
        ("DELETE FROM theme WHERE key = 'eau'", {"file"}),
        ("UPDATE alembic_version SET version_num = '0001'", {"schema"}),
    ],
)
def test_what_a_hand_changed_is_found(
    change: str, checks: set[str], hub: Any, town: Path, sent: str
) -> None:
    by_hand(town, change)
    assert {check for check, _ in found(hub)} == checks


def test_the_announcement_and_the_run_are_named(hub: Any, town: Path, sent: str) -> None:
    by_hand(town, f"DELETE FROM delivery WHERE id = {FIRST}")
    shown = hub("verify").out.splitlines()
    assert shown[0].startswith(f"count: announcement {sent}, run ")
    assert shown[0].endswith(": accepted: counted 2, but 1 rows.")
    assert shown[-1] == "1 found wrong."


def test_a_second_row_for_one_address_is_found(hub: Any, town: Path, sent: str) -> None:
    """The unique index keeps it out: somebody who rebuilds the table without it does not."""
    by_hand(
        town,
        "CREATE TABLE other AS SELECT * FROM delivery",
        "DROP TABLE delivery",
        "ALTER TABLE other RENAME TO delivery",
        f"INSERT INTO delivery (id, run, {COLUMNS}, reason) "
        f"SELECT 900, run, {COLUMNS}, reason FROM delivery WHERE id = {FIRST}",
        "UPDATE delivery SET provider = 'sms', ref = 'SM1' WHERE state = 'accepted'",
    )
    checks = {check for check, _ in found(hub)}
    assert {"twice", "reference", "index", "count"} <= checks


def test_damage_in_the_file_is_found(hub: Any, town: Path, sent: str) -> None:
    path = town / "data" / "ledger.sqlite3"
    with path.open("r+b") as file:
        file.seek(4_096 * 3)
        file.write(b"\xa5" * 8_192)
    ended = hub("verify")
    assert ended.code == 1
    assert ended.out.startswith("file: SQLite: ")


def test_a_line_of_the_journal_cut_off_is_a_note(hub: Any, town: Path) -> None:
    (town / "data" / "journal.jsonl").write_bytes(b'{"number":1,"a')
    ended = hub("verify")
    assert ended.code == 0
    assert "note: 1 line of the journal cut off by a crash." in ended.out
