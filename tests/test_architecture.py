# SPDX-License-Identifier: EUPL-1.2
"""The rules of the house hold: who imports whom, who reads the time, how long a room may grow."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("hub", "channels", "templates", "subscribers")
FILE_BUDGET = 350
FUNCTION_BUDGET = 40
NOT_USED = re.compile(r"(^|_)(manager|helpers?|utils?)(_|$)|^(data|info)$|^(handle|process|do)_")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def _exceptions(table: str) -> dict[str, str]:
    text = (ROOT / "tests" / "architecture.toml").read_text("utf-8")
    return tomllib.loads(text)[table]  # type: ignore[no-any-return]


def _functions(path: Path) -> Iterator[tuple[str, Function]]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, Function):
            yield f"{_name(path)}::{node.name}", node


def _length(function: Function) -> int:
    """Lines from the `def` to the end; the docstring is what we ask for, so it is not counted."""
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        assert first.end_lineno is not None
        lines -= first.end_lineno - first.lineno + 1
    return lines


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _reads_time(path: Path) -> Iterator[str]:
    for line, module in _imports(path):
        if module == "time" or module.startswith("time."):
            yield f"{_name(path)}:{line} imports {module}"
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner, called = ast.unparse(node.func.value), node.func.attr
            if (
                (called in {"now", "utcnow", "today"} and owner.endswith(("datetime", "date")))
                or (called == "now" and owner == "func")  # SQL's own clock
                or (called == "time" and owner.endswith(("loop", "loop()")))
                or (called in {"formatdate", "localtime"} and not node.args)  # email.utils
            ):
                yield f"{_name(path)}:{node.lineno} calls {owner}.{called}()"


def _reads_environment(path: Path) -> Iterator[str]:
    for line, module in _imports(path):
        if module in {"os.environ", "os.getenv", "os.environb"}:
            yield f"{_name(path)}:{line} imports {module}"
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}:
            yield f"{_name(path)}:{node.lineno} reads {ast.unparse(node)}"


def test_the_import_contracts_hold() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [command, "--no-cache"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_scans_see_something() -> None:
    assert all(len(_sources(package)) > 1 for package in PACKAGES)
    assert list(_reads_time(ROOT / "hub" / "clock.py"))
    assert list(_reads_environment(ROOT / "hub" / "settings" / "load.py"))


def test_only_the_clock_reads_the_time() -> None:
    readers = [p for p in _sources(*PACKAGES) if p != ROOT / "hub" / "clock.py"]
    assert [found for path in readers for found in _reads_time(path)] == []


def test_only_the_settings_read_the_environment() -> None:
    readers = [p for p in _sources(*PACKAGES) if ROOT / "hub" / "settings" not in p.parents]
    assert [found for path in readers for found in _reads_environment(path)] == []


def test_every_file_names_its_licence_then_what_the_room_is_for() -> None:
    for path in _sources(*PACKAGES, "tests", "bench"):
        lines = path.read_text("utf-8").splitlines()
        assert lines[:1] == ["# SPDX-License-Identifier: EUPL-1.2"], _name(path)
        assert ast.get_docstring(_tree(path)), f"{_name(path)} has no module docstring"


def test_no_file_outgrows_its_budget() -> None:
    lengths = {_name(p): len(p.read_text("utf-8").splitlines()) for p in _sources(*PACKAGES)}
    long = {name: length for name, length in lengths.items() if length > FILE_BUDGET}
    assert {n: length for n, length in long.items() if n not in _exceptions("files")} == {}
    assert [name for name in _exceptions("files") if name not in long] == []


def test_no_function_outgrows_its_budget() -> None:
    found = [pair for path in _sources(*PACKAGES) for pair in _functions(path)]
    long = {name: _length(node) for name, node in found if _length(node) > FUNCTION_BUDGET}
    assert {n: length for n, length in long.items() if n not in _exceptions("functions")} == {}
    assert [name for name in _exceptions("functions") if name not in long] == []


def test_names_that_say_nothing_are_not_used() -> None:
    named = [(_name(p), p.stem) for p in _sources(*PACKAGES)]
    for path in _sources(*PACKAGES):
        named += [
            (f"{_name(path)}:{node.lineno}", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name).lower())
            for node in ast.walk(_tree(path))
            if isinstance(node, Function | ast.ClassDef)
        ]
    idle = [(at, name) for at, name in named if NOT_USED.search(name)]
    allowed = {name.lower() for name in _exceptions("names")}
    assert [pair for pair in idle if pair[1] not in allowed] == []
    assert allowed <= {name for _, name in idle}


def test_every_exception_is_given_a_reason() -> None:
    for table in ("files", "functions", "names"):
        assert all(len(reason) > 10 for reason in _exceptions(table).values())


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from time import monotonic",
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "date.today()",
        "loop.time()",
        "asyncio.get_running_loop().time()",
        "select(func.now())",
    ],
)
def test_the_scan_knows_this_way_of_reading_the_time(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "room.py").write_text(source)
    assert len(list(_reads_time(tmp_path / "room.py"))) == 1
