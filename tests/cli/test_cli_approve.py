# SPDX-License-Identifier: EUPL-1.2
"""`hub approve`, `cancel`, `pause`, `resume`: lawful moves are made, others are explained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Rows = Callable[..., list[tuple[Any, ...]]]
Announced = Callable[..., str]


def test_what_waits_for_approval_runs_once_approved(
    hub: Any, announced: Announced, rows: Rows
) -> None:
    code = announced("--draft")
    ended = hub("approve", code)
    assert (ended.code, ended.out) == (0, f"{code} is running.\n")
    [(approver,)] = rows("SELECT approved_by FROM announcement")
    assert approver
    assert len(rows("SELECT * FROM run")) == 3


def test_what_was_published_cannot_be_approved_again(hub: Any, announced: Announced) -> None:
    ended = hub("approve", announced())
    assert ended.code == 1
    assert ended.err == "hub: The announcement is running: it cannot be approved.\n"


def test_a_pause_holds_the_runs_and_resume_lets_them_go(
    hub: Any, announced: Announced, rows: Rows
) -> None:
    code = announced()
    assert hub("pause", code).out == f"{code} is paused.\n"
    assert rows("SELECT DISTINCT paused FROM run") == [(1,)]
    assert hub("resume", code).out == f"{code} is running.\n"
    assert rows("SELECT DISTINCT paused FROM run") == [(0,)]


def test_a_cancelled_announcement_stays_cancelled(
    hub: Any, announced: Announced, rows: Rows
) -> None:
    code = announced()
    told = f"{code} is cancelled: 0 already left, 0 stopped, and what was not planned yet.\n"
    assert hub("cancel", code).out == told
    for verb, done in (
        ("cancel", "cancelled"),
        ("pause", "paused"),
        ("resume", "resumed"),
        ("approve", "approved"),
    ):
        ended = hub(verb, code)
        assert ended.code == 1
        assert ended.err == f"hub: The announcement is cancelled: it cannot be {done}.\n"
    assert rows("SELECT verb FROM audit WHERE object = :o", o=f"announcement:{code}") == [
        ("publish",),
        ("cancel",),
    ]


def test_a_draft_that_is_paused_is_said_to_wait_for_approval(
    hub: Any, announced: Announced
) -> None:
    ended = hub("pause", announced("--draft"))
    assert ended.err == "hub: The announcement is waiting for approval: it cannot be paused.\n"


@pytest.mark.parametrize("verb", ["approve", "cancel", "pause", "resume", "report", "redrive"])
def test_an_unknown_announcement_is_named(verb: str, hub: Any, town: Path) -> None:
    ended = hub(verb, "zzzzzz")
    assert (ended.code, ended.err) == (1, "hub: There is no announcement zzzzzz.\n")


def test_a_ledger_somebody_else_keeps_writing_to_is_called_busy(
    hub: Any, announced: Announced, town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    from hub.ledger import database

    code = announced()
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 10)
    other = sqlite3.connect(town / "data" / "ledger.sqlite3", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        ended = hub("cancel", code)
    finally:
        other.close()
    assert ended.code == 1
    assert ended.err == (
        "hub: The ledger is busy: another program has been writing for long; try again.\n"
    )
