# SPDX-License-Identifier: EUPL-1.2
"""`hub officer`: people are let in and shut out from the shell, and a link is shown once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Rows = Callable[..., list[tuple[Any, ...]]]
JEANNE = "Jeanne.Morel@example.org"


def test_somebody_is_invited_by_a_link_that_the_ledger_keeps_as_a_hash(
    hub: Any, town: Path, rows: Rows
) -> None:
    out = hub("officer", "add", JEANNE, "Jeanne Morel", "--role", "write", "--theme", "eau").out
    token = out.strip().rpartition("/console/invitation/")[2]
    assert len(token) > 40
    assert rows("SELECT count(*) FROM office_link WHERE token_hash = :t", t=token) == [(0,)]
    assert rows("SELECT purpose FROM office_link") == [("invitation",)]
    listed = hub("officer", "list").out
    (line,) = [each for each in listed.splitlines() if "Jeanne" in each]
    assert line.split() == ["jeanne.morel@example.org", "Jeanne", "Morel", "write", "invited", "no"]
    (detail,) = rows("SELECT detail FROM audit WHERE verb = 'invite'")
    assert "eau" in str(detail)
    assert "morel" not in str(detail).lower()


def test_what_cannot_be_done_is_said_in_one_sentence(hub: Any, town: Path) -> None:
    hub("officer", "add", JEANNE, "Jeanne Morel")
    for arguments, said in (
        (("add", JEANNE, "Jeanne"), "is an officer's already"),
        (("add", "jeanne", "Jeanne"), "Give a whole e-mail address"),
        (("add", "j@example.org", "J", "--theme", "made-up"), "no theme made-up"),
        (("disable", "nobody@example.org"), "There is no officer"),
        (("reset-link", "nobody@example.org"), "There is no officer"),
    ):
        ended = hub("officer", *arguments)
        assert (ended.code, said in ended.err) == (1, True), ended.err


def test_an_officer_is_shut_out_but_never_the_last_administrator(
    hub: Any, town: Path, rows: Rows
) -> None:
    hub("officer", "add", JEANNE, "Jeanne Morel")
    hub("officer", "add", "autre@example.org", "Autre", "--role", "read")
    everybody = [email for (email,) in rows("SELECT email FROM officer ORDER BY id DESC")]
    codes = [hub("officer", "disable", email).code for email in everybody]
    assert codes == [0] * (len(everybody) - 1) + [1]
    assert "autre@example.org" not in hub("officer", "list").out


def test_a_reset_link_may_take_the_second_proof_away(hub: Any, town: Path, rows: Rows) -> None:
    hub("officer", "add", JEANNE, "Jeanne Morel")
    assert "/console/invitation/" in hub("officer", "reset-link", JEANNE, "--remove-proof").out
    assert rows("SELECT count(*) FROM office_link") == [(1,)]
    assert rows("SELECT count(*) FROM audit WHERE verb = 'remove_code'") == [(1,)]
