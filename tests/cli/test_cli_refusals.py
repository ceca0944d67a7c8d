# SPDX-License-Identifier: EUPL-1.2
"""What can be expected to go wrong is one sentence, and nothing personal is in it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.announcement import Event, State, UnlawfulMoveError
from hub.app import UnusableError
from hub.cli.desk import refusing
from hub.cli.layout import span, table
from hub.cli.options import Refusal
from hub.flow.accept.problems import Problem, RefusedError
from hub.ledger.announcements import StaleAnnouncementError
from hub.ledger.database import LedgerFullError
from templates.catalogue import TemplateFault


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (LedgerFullError(), "The disk is full: nothing was written."),
        (StaleAnnouncementError("7Kq2mX"), "Somebody else moved this announcement meanwhile"),
        (TemplateFault("sms.txt", 3, "broken"), "A template is broken: sms.txt:3: broken"),
        (UnusableError("hub.secret must be there."), "hub.secret must be there."),
        (UnlawfulMoveError(State.FINISHED, Event.CANCEL), "The announcement is finished: it"),
        (
            RefusedError([Problem("", "a", "fr", "en"), Problem("/themes/0", "b", "fr", "b")]),
            "en\nthemes.0: b",
        ),
    ],
)
def test_what_is_expected_becomes_a_refusal(error: Exception, sentence: str) -> None:
    with pytest.raises(Refusal, match=f"^{sentence}"), refusing():
        raise error


def test_what_is_not_expected_stays_a_bug() -> None:
    with pytest.raises(ZeroDivisionError), refusing():
        _ = 1 / 0


def test_a_user_nobody_named_is_journalled_by_number(
    hub: Any, announced: Any, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getuid", lambda: 123_456)
    announced()
    assert rows("SELECT author FROM announcement") == [("uid 123456",)]


def test_a_broken_template_of_the_town_is_named(
    hub: Any, town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = town / "words" / "fr" / "default" / "sms.txt"
    broken.parent.mkdir(parents=True)
    broken.write_text("{% if %}", "utf-8")
    monkeypatch.setenv("HUB__WORDS__OVERLAY", str(town / "words"))
    ended = hub("announce", "--title", "T", "--body", "B", "--theme", "eau")
    assert ended.code == 1
    assert ended.err.startswith("hub: A template is broken: ")
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("elapsed", "said"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=41), "41 s"),
        (timedelta(minutes=2, seconds=41), "2 min 41 s"),
        (timedelta(hours=3, minutes=5, seconds=9), "3 h 5 min"),
        (timedelta(days=2), "2 d"),
        (timedelta(days=2, hours=3), "2 d 3 h"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(elapsed: timedelta, said: str) -> None:
    assert span(elapsed) == said


def test_a_table_aligns_names_left_and_numbers_right() -> None:
    lines = list(table([("name", "n"), ("sms", 5), ("e-mail", 12_345)]))
    assert lines == ["name         n", "sms          5", "e-mail  12,345"]
