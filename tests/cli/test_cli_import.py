# SPDX-License-Identifier: EUPL-1.2
"""`hub import`: a verdict for each line, nobody half written, twice changes nothing."""

import csv
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.__main__ import main
from hub.clock import steady

Rows = Callable[..., list[tuple[Any, ...]]]
HEADER = "ref,phone,email,themes,consent_source,consent_date,consent_text_version\n"
PROOF = "guichet,2026-03-02,2026-01\n"
GOOD = f"g,06 39 98 00 20,good@example.org,eau,{PROOF}"
BAD = f"h,06 39 98,,eau,{PROOF}"
TABLES = ("subscriber", "contact_point", "subscription", "consent", "subscriber_zone")


@pytest.fixture
def people(town: Path) -> Callable[..., str]:
    """Writes a file of these lines."""

    def write(*lines: str, header: str = HEADER) -> str:
        Path("new.csv").write_text(header + "".join(lines), "utf-8")
        return "new.csv"

    return write


def _all(rows: Rows) -> list[list[tuple[Any, ...]]]:
    return [rows(f"SELECT * FROM {table}") for table in TABLES]


def test_a_second_run_changes_nothing(hub: Any, people: Any, rows: Rows) -> None:
    file = people(GOOD)
    assert "created    1\n" in hub("import", file).out
    before = _all(rows), rows("SELECT * FROM audit")
    again = hub("import", file)
    assert (again.code, "unchanged  1\n" in again.out) == (0, True)
    assert (_all(rows), rows("SELECT * FROM audit")) == before


def test_a_refused_line_is_named_and_the_others_are_written(
    hub: Any, people: Any, rows: Rows
) -> None:
    ended = hub("import", people(GOOD, BAD), "--report", "verdicts.csv")
    assert ended.code == 1
    assert ended.out.startswith("line 3: Column phone: Enter a mobile number")
    assert "created    1\n" in ended.out
    assert "refused    1\n" in ended.out
    assert rows("SELECT count(*) FROM subscriber WHERE import_key IN ('g', 'h')") == [(1,)]
    verdicts = list(csv.DictReader(Path("verdicts.csv").read_text("utf-8").splitlines()))
    assert [(each["line"], each["verdict"]) for each in verdicts] == [
        ("2", "created"),
        ("3", "refused"),
    ]
    assert verdicts[1]["fr"].startswith("Colonne phone : ")
    [(verb, detail)] = rows("SELECT verb, detail FROM audit ORDER BY id DESC LIMIT 1")
    assert (verb, detail) == ("import", '{"created": 1, "updated": 0}')


def test_only_the_first_refusals_are_printed(hub: Any, people: Any) -> None:
    bad = [BAD.replace("h,", f"h{i},") for i in range(30)]
    lines = hub("import", people(*bad)).out.splitlines()
    assert sum(line.startswith("line ") for line in lines) == 20
    assert "and 10 more; --report writes them all" in lines


def test_a_dry_run_gives_the_same_verdicts_and_writes_nobody(
    hub: Any, people: Any, rows: Rows
) -> None:
    before = _all(rows), rows("SELECT * FROM audit")
    file = people(GOOD, BAD)
    dry = hub("import", file, "--dry-run")
    assert dry.out.endswith("Nothing was written.\n")
    assert (_all(rows), rows("SELECT * FROM audit")) == before
    assert hub("import", file).out == dry.out.removesuffix("Nothing was written.\n")


@pytest.mark.parametrize(("options", "proved"), [((), False), (("--verified",), True)])
def test_only_contacts_the_operator_vouches_for_are_verified(
    options: tuple[str, ...], proved: bool, hub: Any, people: Any, rows: Rows
) -> None:
    hub("import", people(GOOD), *options)
    points = rows(
        "SELECT verified_at FROM contact_point JOIN subscriber s ON s.id = subscriber "
        "WHERE import_key = 'g'"
    )
    assert [at is not None for (at,) in points] == [proved, proved]


def test_choices_made_since_are_kept_and_said(hub: Any, people: Any, rows: Rows) -> None:
    hub("import", people(GOOD))
    ended = hub("import", people(GOOD.replace(",eau,", ",culture,")))
    assert ended.code == 0
    assert "1 unchanged have other choices today, which are kept" in ended.out


def test_the_journal_of_consent_names_who_imported(hub: Any, people: Any, rows: Rows) -> None:
    hub("import", people(GOOD))
    [(by, source)] = rows(
        "SELECT recorded_by, source FROM consent JOIN subscriber s ON s.id = subscriber "
        "WHERE import_key = 'g'"
    )
    assert (bool(by), source) == (True, "guichet")


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("ref,phone,themes\n", "Nobody is subscribed without proof of consent."),
        ("nom,phone\n", "Unknown columns"),
        ("", "The file is empty."),
    ],
)
def test_a_file_that_cannot_be_read_writes_nobody(
    header: str, sentence: str, hub: Any, people: Any, rows: Rows
) -> None:
    before = _all(rows)
    ended = hub("import", people(header=header))
    assert (ended.code, ended.out) == (1, "")
    assert sentence in ended.err
    assert len(ended.err.splitlines()) == 1
    assert _all(rows) == before


def test_a_file_or_a_report_that_cannot_be_opened_is_one_sentence(
    hub: Any, people: Any, rows: Rows
) -> None:
    file, before = people(GOOD), _all(rows)
    for options, sentence in (
        (("no.csv",), "no.csv cannot be read: No such file or directory."),
        ((file, "--report", "no/where.csv"), "no/where.csv cannot be written: "),
        ((file, "--report", f"./{file}"), "The report would overwrite the file it is about."),
    ):
        ended = hub("import", *options)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err.startswith(f"hub: {sentence}")
    assert _all(rows) == before
    assert Path(file).read_text("utf-8") == HEADER + GOOD


def test_a_pipe_is_refused_because_it_is_read_twice(hub: Any, people: Any) -> None:
    os.mkfifo("pipe.csv")
    held = os.open("pipe.csv", os.O_RDWR)  # a reader does not wait for a writer then
    try:
        ended = hub("import", "pipe.csv")
    finally:
        os.close(held)
    assert ended.err == "hub: pipe.csv is read twice: give a file, not a pipe.\n"


def test_a_terminal_sees_a_bar_and_a_file_does_not(
    hub: Any, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert hub("import", people(GOOD)).err == ""
    monkeypatch.setenv("TERM", "xterm")
    seen = Terminal()
    monkeypatch.setattr(sys, "stderr", seen)
    hub("import", people(GOOD))
    assert "reading" in seen.getvalue()


def test_an_import_that_is_interrupted_leaves_nobody_half_written_and_is_run_again(
    hub: Any, people: Any, rows: Rows
) -> None:
    lines = 1_500
    file = people(
        *(
            f"n{i},06 39 98 {i // 100:02} {i % 100:02},n{i}@example.org,eau,{PROOF}"
            for i in range(lines)
        )
    )
    count = "SELECT count(*) FROM subscriber WHERE import_key LIKE 'n%'"
    command = [sys.executable, "-m", "hub", "import", file, "--verified"]
    root = str(Path(main.__code__.co_filename).parents[1])
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": root},
    ) as running:
        deadline = steady() + 60
        while rows(count) == [(0,)]:
            assert running.poll() is None
            assert steady() < deadline
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode not in {0, None}
    assert b"Traceback" not in said
    [(written,)] = rows(count)
    assert 0 < written < lines
    for table in ("contact_point", "subscription", "consent"):
        held = f"SELECT count(DISTINCT subscriber) FROM {table}"
        joined = f"{held} JOIN subscriber s ON s.id = subscriber WHERE import_key LIKE 'n%'"
        assert rows(joined) == [(written,)]
    assert f"created    {lines - written:,}\n" in hub("import", file, "--verified").out
    assert rows(count) == [(lines,)]
