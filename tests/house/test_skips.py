# SPDX-License-Identifier: EUPL-1.2
"""A skip in CI is a failure unless it is listed."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
SUITE = """
import pytest
def test_that_passes(): pass
@pytest.mark.xfail(strict=True)
def test_known_to_fail(): raise AssertionError
@pytest.mark.skip(reason={reason!r})
def test_that_is_skipped(): pass
"""


def _run(
    folder: Path, suite: str, *, ci: str = "true", allowed: str = ""
) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_bytes((TESTS / "conftest.py").read_bytes())
    (folder / "allowed_skips.txt").write_text(allowed)
    (folder / "test_it.py").write_text(suite)
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-c",
            os.devnull,
            "--rootdir",
            folder,
            folder,
        ],
        # the plugins of others take three seconds to import, and have nothing to say here
        env=os.environ | {"CI": ci, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unlisted_skip_fails_the_run_in_ci_and_is_named(tmp_path: Path) -> None:
    run = _run(tmp_path, SUITE.format(reason="no network"))
    assert run.returncode == 1
    assert "test_that_is_skipped: Skipped: no network" in run.stdout


def test_a_listed_skip_passes(tmp_path: Path) -> None:
    run = _run(tmp_path, SUITE.format(reason="no network here"), allowed="no network  # offline\n")
    assert (run.returncode, "does not list" in run.stdout) == (0, False)


def test_a_whole_file_skipped_counts_too(tmp_path: Path) -> None:
    suite = "import pytest\npytest.skip('no browser', allow_module_level=True)\n"
    (tmp_path / "test_other.py").write_text("def test_that_passes(): pass\n")
    run = _run(tmp_path, suite)
    assert run.returncode == 1
    assert "no browser" in run.stdout


def test_elsewhere_than_ci_a_skip_is_only_a_skip(tmp_path: Path) -> None:
    assert _run(tmp_path, SUITE.format(reason="no network"), ci="").returncode == 0


def test_each_listed_skip_says_why_it_may_be() -> None:
    listed = (TESTS / "allowed_skips.txt").read_text("utf-8").splitlines()
    assert all(line.startswith("#") or "  # " in line for line in listed if line)


def test_a_failing_run_stays_a_failing_run(tmp_path: Path) -> None:
    assert _run(tmp_path, "def test_x(): assert 0\n").returncode == 1
