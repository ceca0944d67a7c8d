# SPDX-License-Identifier: EUPL-1.2
"""`hub backup`, `hub restore`, `hub release`: the operator's side of a bad day."""

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.ledger.journal import Journal
from hub.ledger.lock import FolderLock

Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def backed_up(hub: Any, town: Path) -> Path:
    """A backup of the town."""
    ended = hub("backup", "--to", "b.zip")
    assert ended.code == 0, ended.err
    return town / "b.zip"


def stopped(town: Path, person: int) -> None:
    Journal.beside(town / "data" / "ledger.sqlite3").append("stop", person, datetime.now(UTC))


def test_a_backup_says_what_is_in_it_and_what_is_not(hub: Any, town: Path) -> None:
    ended = hub("backup", "--to", "b.zip")
    assert ended.code == 0
    assert "b.zip: 0 announcements, 0 deliveries, 6 subscribers; checked." in ended.out
    assert "It is not encrypted, and holds every address." in ended.out
    assert "NOT IN IT: the secrets folder." in ended.out


def test_dated_backups_are_kept_to_a_number(hub: Any, town: Path) -> None:
    folder = town / "data" / "backups"
    folder.mkdir()
    for day in range(10, 30):
        (folder / f"hub-202601{day}T030000Z.zip").touch()
    said = json.loads(hub("backup", "--json").out)
    assert said["removed"] == 7
    assert (said["rows"]["subscriber"], said["encrypted"]) == (6, False)
    assert Path(said["file"]).parent == folder
    assert len(list(folder.iterdir())) == 14


def test_encrypted_it_needs_the_key_that_was_made_for_it(hub: Any, town: Path) -> None:
    shown = hub("backup-key", "key.txt").out
    recipient = shown.split('"')[1]
    assert (town / "key.txt").stat().st_mode & 0o777 == 0o600
    assert (
        "It is not encrypted" not in hub("backup", "--to", "b.age", "--encrypt-to", recipient).out
    )
    refused = hub("restore", "b.age", "--yes")
    assert (refused.code, refused.err) == (
        1,
        "hub: b.age is encrypted: name its key with --identity.\n",
    )
    assert hub("restore", "b.age", "--yes", "--identity", "key.txt").code == 0
    assert hub("backup-key", "key.txt").code == 1


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (("backup", "--to", "b.zip"), "The backup cannot be made: b.zip File exists."),
        (("backup", "--to", "no/b.zip"), "No such file or directory."),
        (("backup", "--to", "."), "The backup cannot be made: . Is a directory."),
        (("backup", "--to", ""), "The backup cannot be made: . Is a directory."),
        (("backup", "--to", "c.zip", "--encrypt-to", ""), "The key to encrypt to is not an age"),
        (("backup", "--encrypt-to", "age1x"), "The key to encrypt to is not an age recipient"),
        (("restore", "nothing.zip", "--yes"), "nothing.zip No such file or directory."),
        (("restore", "people.csv", "--yes"), "people.csv is not a backup of a hub"),
        (("restore", "b.zip", "--yes", "--identity", "people.csv"), ""),
        (("release",), "Nothing is on hold."),
    ],
)
def test_what_cannot_be_is_one_sentence(
    command: tuple[str, ...], sentence: str, hub: Any, backed_up: Path
) -> None:
    ended = hub(*command)
    assert sentence in ended.err
    assert ended.err.count("\n") <= 1
    assert ended.code == bool(sentence)


def test_without_a_ledger_there_is_nothing_to_back_up(hub: Any, bare: Path) -> None:
    (bare / "hub.toml").touch()
    assert "There is no ledger" in hub("backup").err


def test_restoring_asks_first(hub: Any, backed_up: Path, rows: Rows) -> None:
    ended = hub("restore", "b.zip", stdin=b"n\n")
    assert (ended.code, ended.err) == (1, "hub: Nothing was restored.\n")
    assert rows("SELECT * FROM restored") == []


def test_beside_a_daemon_nothing_is_restored(hub: Any, backed_up: Path, rows: Rows) -> None:
    daemon = FolderLock.take(backed_up.parent / "data")
    try:
        ended = hub("restore", "b.zip", "--yes")
    finally:
        daemon.close()
    assert "stop it first" in ended.err
    assert rows("SELECT * FROM restored") == []


def test_a_damaged_backup_leaves_the_ledger_as_it_was(
    hub: Any, backed_up: Path, rows: Rows
) -> None:
    bent = bytearray(backed_up.read_bytes())
    bent[len(bent) // 2] ^= 1
    backed_up.write_bytes(bent)
    hub("subscriber", "erase", "1", "--yes")
    assert "damaged" in hub("restore", "b.zip", "--yes").err
    assert rows("SELECT count(*) FROM subscriber") == [(5,)]
    assert list((backed_up.parent / "data").glob("replaced-*")) == []


# --------------------------------------------------------------------------- what was forgotten


def test_who_stopped_or_was_erased_since_still_is(hub: Any, backed_up: Path, rows: Rows) -> None:
    hub("subscriber", "erase", "1", "--yes", "--do-not-contact")
    stopped(backed_up.parent, 2)
    ended = hub("restore", "b.zip", "--yes")
    assert "Since then 1 stopped and 1 were erased: done again." in ended.out
    assert rows("SELECT * FROM subscriber WHERE id = 1") == []
    assert rows("SELECT * FROM contact_point WHERE subscriber = 1") == []
    assert len(rows("SELECT * FROM suppression")) == 2
    assert rows("SELECT * FROM subscription WHERE subscriber = 2") == []
    assert rows("SELECT withdrawn_at IS NULL FROM consent WHERE subscriber = 2") == [(0,)]
    assert rows("SELECT count(*) FROM subscription WHERE subscriber = 3") == [(1,)]


def test_who_stopped_before_the_backup_and_came_back_is_not_stopped_again(
    hub: Any, town: Path, rows: Rows
) -> None:
    stopped(town, 2)
    hub("backup", "--to", "b.zip")
    assert "Since then 0 stopped" in hub("restore", "b.zip", "--yes").out
    assert rows("SELECT count(*) FROM subscription WHERE subscriber = 2") == [(1,)]


def test_a_stop_taken_back_since_stays_taken_back(hub: Any, backed_up: Path, rows: Rows) -> None:
    had = "SELECT t.key, s.channel, s.cadence FROM subscription s JOIN theme t ON t.id = s.theme"
    before = rows(f"{had} WHERE subscriber = 2")
    stopped(backed_up.parent, 2)
    journal = Journal.beside(backed_up.parent / "data" / "ledger.sqlite3")
    journal.append("start", 2, datetime.now(UTC), rows=tuple(before))
    stopped(backed_up.parent, 3)
    assert hub("restore", "b.zip", "--yes").code == 0
    assert before
    assert rows(f"{had} WHERE subscriber = 2") == before
    assert rows("SELECT withdrawn_at FROM consent WHERE subscriber = 2") == [(None,)]
    assert rows(f"{had} WHERE subscriber = 3") == []


def test_a_start_of_what_the_backup_knew_as_stopped_gives_a_consent_of_its_own(
    hub: Any, town: Path, rows: Rows
) -> None:
    with sqlite3.connect(town / "data" / "ledger.sqlite3") as ledger:
        ledger.execute("DELETE FROM subscription WHERE subscriber = 2")
        ledger.execute("UPDATE consent SET withdrawn_at = 1 WHERE subscriber = 2")
        (key,) = ledger.execute("SELECT key FROM theme LIMIT 1").fetchone()
    hub("backup", "--to", "b.zip")
    journal = Journal.beside(town / "data" / "ledger.sqlite3")
    back = ((key, "sms", "now"), ("gone", "sms", "now"))
    journal.append("start", 2, datetime.now(UTC), rows=back)
    assert hub("restore", "b.zip", "--yes").code == 0
    assert rows("SELECT channel FROM subscription WHERE subscriber = 2") == [("sms",)]
    (old, new) = rows("SELECT source, withdrawn_at FROM consent WHERE subscriber = 2 ORDER BY id")
    assert (old[1], new) == (1, ("start", None))


def test_who_was_joined_and_then_erased_is_gone_under_both_numbers(
    hub: Any, backed_up: Path, rows: Rows
) -> None:
    journal = Journal.beside(backed_up.parent / "data" / "ledger.sqlite3")
    journal.append("merge", 3, datetime.now(UTC), into=2)
    journal.append("merge", 4, datetime.now(UTC), into=999)
    hub("subscriber", "erase", "2", "--yes")
    assert hub("restore", "b.zip", "--yes").code == 0
    for table in ("subscription", "contact_point", "consent"):
        assert rows(f"SELECT * FROM {table} WHERE subscriber IN (2, 3)") == []
    assert rows("SELECT id FROM subscriber WHERE id IN (2, 3, 4)") == [(4,)]


def test_no_number_is_given_a_second_time(
    hub: Any, backed_up: Path, announced: Callable[..., str], daemon: Any, rows: Rows
) -> None:
    daemon(announced(), {})
    given = rows("SELECT max(id) FROM announcement UNION ALL SELECT max(id) FROM delivery")
    assert all(number for (number,) in given)
    hub("import", "people.csv", "--verified")
    hub("restore", "b.zip", "--yes")
    assert rows("SELECT count(*) FROM announcement") == [(0,)]
    daemon(announced(), {})
    again = rows("SELECT min(id) FROM announcement UNION ALL SELECT min(id) FROM delivery")
    assert all(new > old for (new,), (old,) in zip(again, given, strict=True))


def test_on_a_new_machine_the_missing_journal_is_told(
    hub: Any, backed_up: Path, rows: Rows
) -> None:
    data = backed_up.parent / "data"
    stopped(backed_up.parent, 2)
    hub("backup", "--to", "c.zip")
    for path in data.iterdir():
        if path.name != "secrets":
            path.unlink()
    refused = hub("restore", "c.zip", "--yes")
    assert refused.code == 1
    assert "does not reach back to this backup" in refused.err
    ended = hub("restore", "c.zip", "--yes", "--without-journal")
    assert ended.code == 0, ended.err
    assert "The one it replaces" not in ended.out
    assert Journal.beside(data / "ledger.sqlite3").last() == 1
    [(seq,)] = rows("SELECT seq FROM sqlite_sequence WHERE name = 'subscriber'")
    assert seq > 1_000_000


def test_a_journal_that_was_shortened_too_far_is_told(hub: Any, backed_up: Path) -> None:
    for person in (2, 3):
        stopped(backed_up.parent, person)
    journal = Journal.beside(backed_up.parent / "data" / "ledger.sqlite3")
    journal.forget(datetime.max.replace(tzinfo=UTC))
    assert "does not reach back" in hub("restore", "b.zip", "--yes").err


def test_the_old_ledger_is_kept_aside(hub: Any, backed_up: Path) -> None:
    hub("subscriber", "erase", "1", "--yes")
    hub("restore", "b.zip", "--yes")
    [aside] = (backed_up.parent / "data").glob("replaced-*")
    assert (aside / "ledger.sqlite3").stat().st_size > 0
    assert sorted(path.name for path in (backed_up.parent / "data").glob("backup-*")) == []


def test_a_damaged_ledger_is_replaced_all_the_same(hub: Any, backed_up: Path, rows: Rows) -> None:
    ledger = backed_up.parent / "data" / "ledger.sqlite3"
    ledger.write_bytes(b"\xa5" * 40_000)
    assert hub("release").code == 1
    assert hub("restore", "b.zip", "--yes").code == 0
    assert rows("SELECT count(*) FROM subscriber") == [(6,)]


# --------------------------------------------------------------------------- released


@pytest.fixture
def waiting(hub: Any, town: Path, announced: Callable[..., str], rows: Rows) -> Path:
    """A town restored from a backup in which an announcement had only been accepted."""
    announced()
    hub("backup", "--to", "b.zip")
    assert hub("restore", "b.zip", "--yes").code == 0
    return town


def test_what_waited_is_set_aside_and_can_be_sent_by_a_human(
    hub: Any, waiting: Path, rows: Rows
) -> None:
    [(planned,)] = rows("SELECT count(*) FROM delivery WHERE state = 'ready'")
    assert planned > 0, "what the daemon would have planned since is planned"
    ended = hub("release")
    assert f"{planned} messages accepted before the restore set aside" in ended.out
    assert (
        rows("SELECT state, reason, maybe FROM delivery WHERE reason <> 'same_address'")
        == [("parked", "on_hold", 1)] * planned
    )
    assert hub("release").err == "hub: Nothing is on hold.\n"
    [(verb, detail)] = rows("SELECT verb, detail FROM audit ORDER BY id DESC LIMIT 1")
    assert (verb, json.loads(detail)) == ("release", {"send_again": False})
    hub("redrive", "--all")
    assert rows("SELECT count(*) FROM delivery WHERE state = 'parked'") == [(0,)]


def test_a_human_may_have_it_all_sent(hub: Any, waiting: Path, rows: Rows) -> None:
    assert "on the way again." in hub("release", "--send-again").out
    assert set(rows("SELECT state, maybe FROM delivery WHERE state <> 'skipped'")) == {("doubt", 1)}
    assert rows("SELECT count(*) FROM delivery WHERE state = 'doubt' AND since IS NULL") == [(0,)]
    assert rows("SELECT count(*) FROM restored WHERE released_at IS NULL") == [(0,)]


def test_what_is_accepted_on_hold_is_not_set_aside(
    hub: Any, waiting: Path, announced: Callable[..., str], daemon: Any, rows: Rows
) -> None:
    code = announced()
    daemon(code, {})
    hub("release")
    mine = "SELECT DISTINCT d.state FROM delivery d JOIN run r ON r.id = d.run JOIN announcement a"
    found = rows(f"{mine} ON a.id = r.announcement WHERE a.code = :code", code=code)
    assert ("parked",) not in found
    assert ("ready",) in found


def test_what_was_scheduled_for_between_backup_and_restore_counts_as_sent(
    hub: Any, town: Path, rows: Rows, announced: Callable[..., str]
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    announced("--publish-at", tomorrow.isoformat(timespec="seconds"))
    hub("backup", "--to", "b.zip")
    assert rows("SELECT state FROM announcement") == [("scheduled",)]
    hub("restore", "b.zip", "--yes")
    assert rows("SELECT state FROM announcement") == [("scheduled",)], "its time is to come"
    rows("UPDATE announcement SET publish_at = 1000 RETURNING 1")
    hub("backup", "--to", "c.zip")
    hub("restore", "c.zip", "--yes")
    assert rows("SELECT state FROM announcement") == [("running",)]
    hub("release")
    assert rows("SELECT count(*) FROM delivery WHERE state = 'ready'") == [(0,)]
    assert rows("SELECT count(*) FROM delivery WHERE state = 'parked'")[0][0] > 0


def test_what_the_restore_itself_plans_bears_new_numbers(
    hub: Any, town: Path, announced: Callable[..., str], daemon: Any, rows: Rows
) -> None:
    first = announced()
    hub("backup", "--to", "b.zip")
    daemon(first, {})
    [(given,)] = rows("SELECT max(id) FROM delivery")
    hub("restore", "b.zip", "--yes")
    [(lowest, n)] = rows("SELECT min(id), count(*) FROM delivery")
    assert n > 0
    assert lowest > given


def test_what_comes_again_and_came_since_counts_as_sent(
    hub: Any, town: Path, rows: Rows, announced: Callable[..., str]
) -> None:
    announced()
    rows(
        "INSERT INTO recurrence (code, authority, document, rule, source, source_key, author, next,"
        " created) SELECT code, authority, :asked, :rule, 'cli', 'r', 'clerk', 1000,"
        " created - 200000000 FROM announcement RETURNING id",
        asked=json.dumps({"title": "Marché", "body": "Ce matin.", "themes": ["coupures"]}),
        rule=json.dumps({"every": "day", "interval": 1, "at": "00:00"}),
    )
    hub("backup", "--to", "b.zip")
    hub("restore", "b.zip", "--yes")
    assert rows("SELECT count(*) FROM announcement WHERE source LIKE 'recurrence:%'") == [(1,)]
    hub("release")
    assert rows("SELECT count(*) FROM delivery WHERE state = 'ready'") == [(0,)]


def test_what_waited_for_its_undo_delay_counts_as_sent(
    hub: Any, town: Path, rows: Rows, announced: Callable[..., str]
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    announced("--publish-at", tomorrow.isoformat(timespec="seconds"))
    rows(
        "UPDATE announcement SET state = 'waiting', publish_at = NULL, release_at = 1000"
        " RETURNING 1"
    )
    hub("backup", "--to", "b.zip")
    hub("restore", "b.zip", "--yes")
    assert rows("SELECT state FROM announcement") == [("running",)]
    hub("release")
    assert rows("SELECT count(*) FROM delivery WHERE state = 'ready'") == [(0,)]
    assert rows("SELECT count(*) FROM delivery WHERE state = 'parked'")[0][0] > 0


def test_no_officers_session_link_or_letter_comes_back_with_a_backup(
    hub: Any, town: Path, rows: Rows
) -> None:
    hub("officer", "add", "jeanne@example.org", "Jeanne Morel")
    rows(
        "INSERT INTO officer_session (token_hash, officer, stage, created, seen, expires)"
        " SELECT 'h', id, 'open', 0, 0, 99999999999999 FROM officer RETURNING 1"
    )
    rows(
        "INSERT INTO letter (authority, kind, context, state, created, due)"
        " VALUES (1, 'asked', '{}', 'waiting', 0, 0) RETURNING 1"
    )
    assert rows("SELECT count(*) FROM office_link") == [(1,)]
    hub("backup", "--to", "b.zip")
    assert hub("restore", "b.zip", "--yes").code == 0
    assert rows("SELECT count(*) FROM officer WHERE disabled IS NULL")[0][0] > 0
    assert rows("SELECT count(*) FROM officer_session") == [(0,)]
    assert rows("SELECT count(*) FROM office_link") == [(0,)]
    assert rows("SELECT state FROM letter") == [("dropped",)]
