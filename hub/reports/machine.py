# SPDX-License-Identifier: EUPL-1.2
"""What the machine says of itself: room on the disk, the last backup, the versions that run."""

import platform
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hub import __version__
from hub.ledger.backup import dated

_GIGABYTE: Final = 10**9


@dataclass(frozen=True, slots=True)
class Machine:
    """`free` in whole gigabytes; `backup` is when the last was made, None where there is none."""

    free: int
    backup: datetime | None
    versions: Mapping[str, str]


def look(data: Path, backups: Path) -> Machine:
    """Reads folders, not the ledger. Raises `OSError` where the data folder is gone."""
    made = [path.stat().st_mtime for path in dated(backups)]
    return Machine(
        free=shutil.disk_usage(data).free // _GIGABYTE,
        backup=datetime.fromtimestamp(max(made), UTC) if made else None,
        versions={
            "hub": __version__,
            "Python": platform.python_version(),
            "SQLite": sqlite3.sqlite_version,
        },
    )
