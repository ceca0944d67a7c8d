# SPDX-License-Identifier: EUPL-1.2
"""The journal beside the ledger keeps who stopped and who was erased, whatever happens to it."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from hub.ledger.journal import Journal

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path):
    return Journal.beside(tmp_path / "ledger.sqlite3")


def test_entries_count_up_and_come_back_as_they_were(journal):
    journal.append("stop", 7, NOW, channel="sms", themes=("eau",))
    journal.append("stop", 8, NOW)
    journal.append("erase", 7, NOW, hashes=(("sms", "a1"),))
    first, second, third = journal.entries()
    assert (first.number, first.verb, first.person, first.channel, first.themes) == (
        *(1, "stop", 7, "sms"),
        ("eau",),
    )
    assert (second.channel, second.themes) == (None, None)
    assert (third.number, third.hashes) == (3, (("sms", "a1"),))
    assert [each.person for each in journal.entries(after=1)] == [8, 7]
    assert journal.last() == 3


def test_what_is_back_and_who_is_one_person_come_back_as_they_were(journal):
    journal.append("start", 7, NOW, rows=(("eau", "sms", "now"),))
    journal.append("merge", 9, NOW, into=7)
    start, merge = journal.entries()
    assert (start.verb, start.rows, start.into) == ("start", (("eau", "sms", "now"),), None)
    assert (merge.verb, merge.person, merge.into) == ("merge", 9, 7)


def test_a_line_from_before_there_were_starts_is_read(journal):
    old = {"number": 4, "at": 1, "verb": "stop", "person": 7, "channel": None, "themes": None}
    journal.path.write_text(json.dumps(old | {"hashes": []}) + "\n", "utf-8")
    assert [(each.number, each.person) for each in journal.entries()] == [(4, 7)]


def test_nobody_else_may_read_it(journal):
    journal.append("stop", 7, NOW)
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


def test_where_there_is_none_there_are_no_entries(journal):
    assert (list(journal.entries()), journal.last(), journal.unreadable()) == ([], 0, 0)


@pytest.mark.parametrize("torn", [b'{"number":2,"at', b"\xff\x00", b"[]"])
def test_a_line_cut_off_by_a_crash_costs_no_other(journal, torn):
    journal.append("stop", 7, NOW)
    with journal.path.open("ab") as file:
        file.write(torn)
    assert [each.person for each in journal.entries()] == [7]
    journal.append("erase", 8, NOW)
    assert [(each.number, each.person) for each in journal.entries()] == [(1, 7), (2, 8)]
    assert journal.unreadable() == 1


@pytest.mark.parametrize(
    "wrong",
    [{"number": "9"}, {"at": None}, {"person": "x"}, {"channel": "fax"}, {"verb": "merge"}],
)
def test_a_line_changed_by_hand_is_passed_over_and_stops_nobody_from_stopping(journal, wrong):
    journal.append("stop", 7, NOW)
    line = json.loads(journal.path.read_text("utf-8"))
    with journal.path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line | wrong) + "\n")
    journal.append("stop", 8, NOW)
    assert [(each.number, each.person) for each in journal.entries()] == [(1, 7), (2, 8)]
    assert journal.unreadable() == 1


def test_many_who_write_at_once_lose_nothing(journal):
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: journal.append("stop", n, NOW), range(200)))
    found = list(journal.entries())
    assert [each.number for each in found] == list(range(1, 201))
    assert {each.person for each in found} == set(range(200))


def test_forgetting_keeps_what_is_recent_and_never_counts_back(journal):
    for days in (40, 35, 10, 0):
        journal.append("stop", days, NOW - timedelta(days=days))
    assert journal.forget(NOW - timedelta(days=30)) == 2
    assert [each.person for each in journal.entries()] == [10, 0]
    assert journal.forget(NOW + timedelta(days=30)) == 1
    journal.append("stop", 1, NOW)
    assert [each.number for each in journal.entries()] == [4, 5]


def test_whoever_writes_while_it_is_shortened_is_not_lost(journal):
    old = NOW - timedelta(days=40)
    for _ in range(50):
        journal.append("stop", 1, old)
    with ThreadPoolExecutor(4) as threads:
        written = threads.map(lambda n: journal.append("stop", n, NOW), range(100, 150))
        forgotten = [threads.submit(journal.forget, NOW - timedelta(days=30)) for _ in range(5)]
        list(written)
        [each.result() for each in forgotten]
    assert {each.person for each in journal.entries()} >= set(range(100, 150))


def test_it_holds_numbers_and_choices_only(journal):
    journal.append("stop", 7, NOW, channel="sms", themes=("eau",))
    said = json.loads(journal.path.read_text("utf-8"))
    held = {"number", "at", "verb", "person", "channel", "themes", "hashes", "rows", "into"}
    assert set(said) == held
