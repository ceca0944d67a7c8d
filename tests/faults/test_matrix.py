# SPDX-License-Identifier: EUPL-1.2
"""The table of faults in docs/reliability.md: no cell is empty, and every row's tests exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
ASKED = (  # issue 3: every one of these has a row
    *("429 with Retry-After", "5xx", "200 with garbage", "effect, then a time-out"),
    *("one byte a second", "accepts and never answers", "reset in mid-body", "TLS failure"),
    *("DNS failure", "wrong credentials", "dead address", "disk full", "read-only", "kill -9"),
    *("SIGSTOP", "clock", "two hours", "expired while waiting", "cancelled in mid-send"),
    "STOP in mid-send",
)


def section(name):
    text = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    return text.partition(f"## {name}\n")[2].partition("\n## ")[0]


def rows():
    lines = [line for line in section("Faults").splitlines() if line.startswith("| **")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@cache
def named_in(path):
    tree = ast.parse((ROOT / "tests" / path).read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_every_fault_that_was_asked_for_has_a_row():
    names = [row[0] for row in rows()]
    assert [fault for fault in ASKED if not any(fault in name for name in names)] == []


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0].strip("*"))
def test_every_cell_says_something_and_its_tests_exist(row):
    assert len(row) == 9
    assert all(row)
    named = NAMED.findall(row[-1])
    assert named, "a row without a test"
    for path, test in named:
        assert test.startswith("test_")
        assert Path(path).name.startswith("test_"), "pytest would not collect it"
        assert test in named_in(path), f"{path} has no {test}"


def test_every_mutant_is_caught_by_something():
    lines = [line for line in section("Mutants").splitlines() if line.startswith("| **")]
    assert len(lines) >= 10
    for line in lines:
        name, *by = [cell.strip() for cell in line.strip("|").split("|")]
        assert any(cell != "-" for cell in by), f"nothing catches {name}"
