# SPDX-License-Identifier: EUPL-1.2
"""`hub subscriber`: all we hold about a person is shown, and erased without a trace."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.mark.parametrize("who", ["1", "amina@example.org", "amina@EXAMPLE.org"])
def test_a_person_is_found_by_number_and_by_address(who: str, hub: Any, town: Path) -> None:
    shown = hub("subscriber", "show", who).out
    assert "+33639980001" in shown
    assert "amina@example.org" in shown
    assert "2026-03-02, site web, text 2026-01" in shown
    assert "Tanneries" in shown
    assert "Water and outages" in shown


def test_a_household_that_shares_a_number_is_shown_whole(hub: Any, town: Path) -> None:
    shown = hub("subscriber", "show", "06 39 98 00 01").out
    assert shown.count("+33639980001") == 2
    assert "Water cuts" in shown


def test_who_looked_is_in_the_journal_and_no_address_is(hub: Any, town: Path, rows: Rows) -> None:
    hub("subscriber", "show", "amina@example.org")
    [(verb, about, detail)] = rows(
        "SELECT verb, object, detail FROM audit ORDER BY id DESC LIMIT 1"
    )
    assert (verb, about, detail) == ("show", "subscriber:1", "{}")


def test_the_export_holds_every_stored_field(hub: Any, town: Path) -> None:
    [person] = json.loads(hub("subscriber", "show", "1", "--json").out)
    assert person["subscriber"]["import_key"] == "a"
    assert {each["address"] for each in person["contact_point"]} == {
        "+33639980001",
        "amina@example.org",
    }
    assert person["consent"][0]["source"] == "site web"


def test_settings_a_person_chose_are_shown(hub: Any, town: Path, rows: Rows) -> None:
    from sqlalchemy import text

    from hub.ledger.database import open_writer

    engine = open_writer(town / "data" / "ledger.sqlite3")
    with engine.begin() as conn:
        conn.execute(
            text(
                "UPDATE subscriber SET quiet_start = 1320, quiet_end = 420, "
                "urgent_breaks_quiet = 0, paused_until = 1798761600000 WHERE id = 1"
            )
        )
        conn.execute(
            text(
                "UPDATE contact_point SET suspended_at = 1798761600000, "
                "suspended_reason = 'no_such_address' WHERE channel = 'sms' AND subscriber = 1"
            )
        )
        conn.execute(text("UPDATE contact_point SET verified_at = NULL WHERE subscriber = 1"))
        conn.execute(text("UPDATE consent SET withdrawn_at = 1798761600000 WHERE subscriber = 1"))
        conn.execute(text("DELETE FROM subscription WHERE subscriber = 1"))
        conn.execute(text("DELETE FROM consent WHERE subscriber = 2"))
        conn.execute(text("DELETE FROM contact_point WHERE subscriber = 2"))
    engine.dispose()
    shown = hub("subscriber", "show", "1").out
    assert "22:00-07:00, also for urgent alerts" in shown
    assert "paused until" in shown
    assert "suspended 2027-01-01 (no_such_address)" in shown
    assert "not verified: receives nothing" in shown
    assert "withdrawn 2027-01-01" in shown
    assert "subscriptions\n  none" in shown
    other = hub("subscriber", "show", "2").out
    assert "addresses\n  none" in other
    assert "the whole town" in other
    assert any(line.split() == ["consent", "none"] for line in other.splitlines())


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("99", "There is no subscriber 99."),
        ("9" * 30, f"There is no subscriber {'9' * 30}."),
        ("nobody@example.org", "There is nobody of that number or address."),
        ("06 39 98 99 99", "There is nobody of that number or address."),
        ("nobody", "Enter a mobile number, for example 06 12 34 56 78."),
        ("no body@example.org", "Enter an e-mail address such as name@example.org."),
    ],
)
def test_nobody_is_one_sentence(who: str, sentence: str, hub: Any, town: Path) -> None:
    ended = hub("subscriber", "show", who)
    assert (ended.code, ended.out, ended.err) == (1, "", f"hub: {sentence}\n")


# --------------------------------------------------------------------------- erased


def test_nothing_is_left_of_an_erased_person(hub: Any, town: Path, rows: Rows) -> None:
    assert hub("subscriber", "erase", "1", "--yes").out == "Subscriber 1 is erased.\n"
    for table in ("contact_point", "subscription", "consent", "subscriber_zone"):
        assert rows(f"SELECT * FROM {table} WHERE subscriber = 1") == []
    assert rows("SELECT * FROM suppression") == []
    [(verb, about)] = rows("SELECT verb, object FROM audit ORDER BY id DESC LIMIT 1")
    assert (verb, about) == ("erase", "subscriber:1")
    assert hub("subscriber", "show", "1").code == 1


def test_who_asked_not_to_be_contacted_again_cannot_be_imported_again(
    hub: Any, town: Path, rows: Rows
) -> None:
    hub("subscriber", "erase", "1", "--yes", "--do-not-contact")
    assert len(rows("SELECT * FROM suppression")) == 2
    assert rows("SELECT address_hash FROM suppression WHERE address_hash LIKE '%@%'") == []
    again = hub("import", "people.csv")
    assert again.code == 1
    assert "line 2: This contact is on the do-not-contact list. Remove the line." in again.out


@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 1), (b"y\n", 0)])
def test_erasing_asks_first(answer: bytes, left: int, hub: Any, town: Path, rows: Rows) -> None:
    ended = hub("subscriber", "erase", "1", stdin=answer)
    assert "Erase subscriber 1, with 2 addresses, for ever?" in ended.out
    assert ended.code == left
    assert rows("SELECT count(*) FROM subscriber WHERE id = 1") == [(left,)]


def test_nobody_cannot_be_erased(hub: Any, town: Path) -> None:
    ended = hub("subscriber", "erase", "99", "--yes")
    assert (ended.code, ended.err) == (1, "hub: There is no subscriber 99.\n")
