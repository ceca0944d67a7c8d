# SPDX-License-Identifier: EUPL-1.2
"""In CI (CI=true) a skip is listed with its reason, or it fails; slow rooms come first."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, create_engine

from hub.flow.staff import officers
from hub.ledger import database

# How fast an example runs is no claim of ours: on a machine with other work it fails by chance.
# CI tries the same examples each time, so that what it says is of the change; your runs go further.
settings.register_profile(
    "house",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",
)
settings.load_profile("house")

ALLOWED = Path(__file__).with_name("allowed_skips.txt")
SLOW_ROOMS = ("journeys", "mutants", "simulator", "browser")
_unlisted: list[str] = []


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Somebody signs in in a thousand tests: what a password costs is the matter of two of them."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(officers, "_HASHER", cheap)
        yield


@pytest.fixture
def dear_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As they are where no test runs."""
    monkeypatch.setattr(officers, "_HASHER", PasswordHasher())
    officers._nobodys.cache_clear()
    yield
    officers._nobodys.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def one_compiler() -> Iterator[None]:
    """A hub compiles its statements once; a thousand hubs in one process share what they compiled,
    which takes that they share a dialect."""
    first = create_engine("sqlite://")
    first.connect().close()  # a dialect asks the first connection what this SQLite can do

    def create(*args: Any, **options: Any) -> Engine:
        engine = create_engine(*args, **options)
        engine.dialect = engine.pool._dialect = first.dialect
        engine._compiled_cache = first._compiled_cache
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "create_engine", create)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take minutes begin first: begun last, one worker ends them while others idle.

    Needs `--no-loadscope-reorder` (Makefile), or xdist orders by how many tests a file has.
    """
    items.sort(key=lambda item: item.path.parent.name not in SLOW_ROOMS)  # stable


def pytest_collection_finish() -> None:
    """What was imported and collected stays: the garbage collector need not look at it again, nor
    as often as its defaults would, at the heap of a thousand hubs (a tenth of the time)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _allowed() -> tuple[str, ...]:
    lines = (line.partition("#")[0].strip() for line in ALLOWED.read_text("utf-8").splitlines())
    return tuple(filter(None, lines))


def _note(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
    if not any(allowed in reason for allowed in _allowed()):
        _unlisted.append(f"{report.nodeid}: {reason}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember each test that was skipped for an unlisted reason."""
    _note(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Remember each file that was skipped for an unlisted reason."""
    _note(report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run where CI met an unlisted skip."""
    if os.environ.get("CI") == "true" and _unlisted and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which skips failed the run."""
    if os.environ.get("CI") == "true" and _unlisted:
        terminalreporter.section(f"skips that {ALLOWED.name} does not list", sep="!")
        for line in _unlisted:
            terminalreporter.line(line)
