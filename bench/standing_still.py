# SPDX-License-Identifier: EUPL-1.2
"""Whether a process that was stopped (SIGSTOP) stands still, and whether it holds the ledger."""

import sqlite3
from contextlib import closing
from pathlib import Path


def stands(pid: int) -> bool:
    """Whether every thread is stopped (proc(5): the state follows the name in brackets)."""
    return all(
        (task / "stat").read_text("ascii", "replace").rpartition(")")[2].split()[0] == "T"
        for task in Path(f"/proc/{pid}/task").iterdir()
    )


def write_locked(ledger: Path) -> bool:
    """Whether somebody holds SQLite's write lock."""
    with closing(sqlite3.connect(ledger, timeout=0.2, isolation_level=None)) as conn:
        try:
            conn.execute("BEGIN IMMEDIATE")
            conn.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
        return False
