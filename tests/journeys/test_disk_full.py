# SPDX-License-Identifier: EUPL-1.2
"""The disk fills up in the middle of a send and has room again later: nobody is lost or doubled.

On a small file system of its own, mounted where nothing else sees it (`bench.disk_full`).
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_ALONE = ("unshare", "--user", "--map-root-user", "--mount")


def _may_mount(folder: Path) -> bool:
    if shutil.which("unshare") is None:
        return False
    mount = [*_ALONE, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    return subprocess.run(mount, capture_output=True, check=False).returncode == 0


def test_a_disk_that_fills_up_in_a_send_costs_nobody_anything(tmp_path: Path) -> None:
    if not _may_mount(tmp_path):
        pytest.skip("this machine lets nobody mount a small file system")
    done = subprocess.run(
        [*_ALONE, sys.executable, "-m", "bench.disk_full", str(tmp_path / "trial")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["refused"], figures["code"]) == (507, "disk_full")
    assert figures["kept"] == figures["accepted_until_full"] > 0, "accepted is kept, refused is not"
    assert (figures["lost"], figures["doubled"]) == (0, 0)
    assert figures["sound"]
