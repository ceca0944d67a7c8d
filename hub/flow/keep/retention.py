# SPDX-License-Identifier: EUPL-1.2
"""Erases on time what has served: each day, a page at a time, without anybody asking."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from channels.base import Clock
from hub.flow.accept import payloads
from hub.flow.citizens import desk_visits
from hub.flow.companion import Companion
from hub.flow.staff import links
from hub.flow.staff import sessions as office_sessions
from hub.flow.writing import dropped
from hub.ledger import audit, letters
from hub.ledger import retention as ledger_rows
from hub.ledger.journal import Journal
from hub.ledger.store import Ledger
from subscribers import challenges, drafts, sessions
from subscribers import retention as people

log = structlog.get_logger(__name__)

PAGE: Final = 1_000
_BETWEEN: Final = 0.05  # seconds left to those who send, after each page
_FIRST: Final = 600.0
_DAY: Final = 86_400.0
_ABANDONED: Final = timedelta(days=1)
COUNTED: Final = timedelta(days=2)
"""How long what was asked for is kept: the limits look back a day, a link by e-mail lives two."""

Step = Callable[[Connection, datetime, int], int]


@dataclass(frozen=True, slots=True)
class Rules:
    """How many days each kind is kept; hub.toml says what they are."""

    deliveries: int
    attempts: int
    audit: int
    unverified: int
    consents: int
    backups: int

    def steps(self) -> Mapping[str, Step]:
        """What erases each kind: (connection, now, how many at most) -> how many."""

        def old(now: datetime, days: int) -> datetime:
            return now - timedelta(days=days)

        return {
            "deliveries": lambda conn, now, limit: ledger_rows.deliveries(
                conn, old(now, self.deliveries), now, limit
            ),
            "notes": lambda conn, _now, limit: ledger_rows.notes(conn, limit),
            "attempts": lambda conn, now, limit: ledger_rows.evidence(
                conn, old(now, self.attempts), limit
            ),
            "kept_addresses": lambda conn, _now, limit: ledger_rows.addresses(conn, limit),
            "unverified": lambda conn, now, limit: people.unverified(
                conn, old(now, self.unverified), limit
            ),
            "abandoned": lambda conn, now, limit: people.abandoned(
                conn, old(now, self.unverified), limit
            ),
            "consents": lambda conn, now, limit: people.withdrawn(
                conn, old(now, self.consents), limit
            ),
            "suppressions": people.lapsed,
            "challenges": lambda conn, now, limit: challenges.forget(conn, now - COUNTED, limit),
            "drafts": drafts.forget,
            "visits": sessions.forget,
            "desks": desk_visits.forget,
            "officers_sessions": office_sessions.forget,
            "officers_links": links.forget,
            "officers_letters": letters.forget,
            "payloads": payloads.forget,
            "dropped": dropped.forget,
            "audit": lambda conn, now, limit: ledger_rows.lines(conn, old(now, self.audit), limit),
        }


def erase_pages(conn: Connection, rules: Rules, now: datetime) -> Counter[str]:
    """Everything at once, on a ledger nobody works with. Returns how many of each kind."""
    gone = Counter[str]()
    for kind, step in rules.steps().items():
        while page := step(conn, now, PAGE):
            gone[kind] += page
    return gone


def old_files(folder: Path, rules: Rules, now: datetime) -> list[Path]:
    """Ledgers put aside too long ago, and what a backup that was killed left."""

    def older(pattern: str, age: timedelta) -> list[Path]:
        limit = (now - age).timestamp()
        return [path for path in folder.glob(pattern) if path.stat().st_mtime < limit]

    kept = timedelta(days=rules.backups)
    return [*older("replaced-*", kept), *older("before-*", kept), *older("backup-*", _ABANDONED)]


def remove(path: Path) -> None:
    """A file, or a folder with all that is in it."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@dataclass(slots=True)
class Retiring(Companion):
    """Beside the engine, once a day."""

    name = "retention"
    ledger: Ledger
    rules: Rules
    clock: Clock

    async def work(self) -> None:
        await self.clock.sleep(_FIRST)
        while True:
            try:
                gone = await self.erase()
                if gone:
                    log.info("retention.erased", **gone)
            except Exception:  # tomorrow is another day
                log.exception("retention.bug")
            await self.clock.sleep(_DAY)

    async def erase(self) -> Counter[str]:
        """Erase all that is due, yielding to those who send; the journal says when, and how many of
        each kind, which is returned."""
        gone, now = Counter[str](), self.clock.now()
        for kind, step in self.rules.steps().items():
            while page := await self.ledger.transact(_bound(step, now)):
                gone[kind] += page
                await self.clock.sleep(_BETWEEN)
        gone.update(await asyncio.to_thread(self._files, now))
        await self.ledger.transact(
            lambda conn: audit.record(conn, now, "hub", "erase_due", "retention", detail=dict(gone))
        )
        return gone

    def _files(self, now: datetime) -> dict[str, int]:
        journal = Journal.beside(self.ledger.path)
        entries = journal.forget(now - timedelta(days=self.rules.backups))
        old = old_files(self.ledger.path.parent, self.rules, now)
        for path in old:
            remove(path)
        return {name: n for name, n in (("journal", entries), ("files", len(old))) if n}


def _bound(step: Step, now: datetime) -> Callable[[Connection], Any]:
    return lambda conn: step(conn, now, PAGE)
