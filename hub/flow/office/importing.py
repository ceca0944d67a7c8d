# SPDX-License-Identifier: EUPL-1.2
"""An officer imports people from a file: every line judged before anybody is written.

A file stays in memory, for half an hour at most, and with whoever handed it in: a list of citizens
is never a file of the hub's. Where the daemon stops halfway, the same file is imported again.
"""

import asyncio
import io
import secrets
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import structlog
from sqlalchemy import Connection

from channels.base import Clock
from hub.flow.staff.officers import Officer
from hub.ledger import audit
from hub.ledger.store import Ledger
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.import_batch import BatchRules, Verdict, VerdictKind, import_batch
from subscribers.import_lines import CsvFile, FileProblem, open_csv
from subscribers.importer import Batch, ImportOptions, read_batches, rules_of
from subscribers.wording import Sentence

log = structlog.get_logger(__name__)

KEPT: Final = timedelta(minutes=30)
MOST: Final = 8
"""Files in memory at once, the oldest forgotten first."""
BATCH: Final = 250
"""Lines a transaction: an urgent alert accepted meanwhile waits for the one that is writing."""


class Step(StrEnum):
    """How far a file has come."""

    CHECKING = "checking"
    CHECKED = "checked"
    WRITING = "writing"
    DONE = "done"
    BROKEN = "broken"  # a fault of ours; what was written stands


@dataclass(slots=True)
class Sheet:
    """One file. `problem`: nothing of it can be read. `told` are the verdicts with a sentence, of
    the check or of the import; `kinds` counts them all. `read` of `size` bytes."""

    key: str
    officer: int
    name: str
    content: bytes = field(repr=False)
    options: ImportOptions
    at: datetime
    step: Step = Step.CHECKING
    problem: Sentence | None = None
    kinds: Counter[VerdictKind] = field(default_factory=Counter)
    told: list[Verdict] = field(default_factory=list)
    read: int = 0

    @property
    def size(self) -> int:
        """In bytes, 1 at least."""
        return max(1, len(self.content))

    @property
    def would_change(self) -> int:
        """People the import writes."""
        return self.kinds[VerdictKind.CREATED] + self.kinds[VerdictKind.UPDATED]

    @property
    def refused(self) -> int:
        """Lines that change nobody because something is wrong."""
        return self.kinds[VerdictKind.REFUSED]

    def restart(self, step: Step) -> None:
        """Read it from the top again."""
        self.step, self.read = step, 0
        self.kinds.clear()
        self.told.clear()

    def count(self, verdicts: list[Verdict], end: int) -> None:
        """A batch more."""
        self.kinds.update(each.kind for each in verdicts)
        self.told.extend(each for each in verdicts if each.sentence is not None)
        self.read = end


class Importing:
    """The files that are being looked at."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._sheets: dict[str, Sheet] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def find(self, key: str, officer: Officer) -> Sheet | None:
        """A file of this officer's; None once it was forgotten, or for anybody else's."""
        self._forget()
        found = self._sheets.get(key)
        return found if found is not None and found.officer == officer.id else None

    async def hand_in(
        self, officer: Officer, name: str, content: bytes, options: ImportOptions
    ) -> Sheet:
        """Begin to judge a file; nothing is written. What is small is judged when this returns."""
        self._forget()
        key = secrets.token_urlsafe(16)
        options = replace(options, recorded_by=officer.name, batch=BATCH)
        sheet = Sheet(key, officer.id, name[:120], content, options, self._clock.now())
        self._sheets[key] = sheet
        await self._begin(sheet, officer)
        return sheet

    async def write(self, sheet: Sheet, officer: Officer) -> bool:
        """Begin to write what was judged; False where it was begun already."""
        if sheet.step is not Step.CHECKED:
            return False
        sheet.restart(Step.WRITING)
        await self._begin(sheet, officer)
        return True

    async def close(self) -> None:
        """Stop between two batches."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _begin(self, sheet: Sheet, officer: Officer) -> None:
        task = asyncio.create_task(self._work(sheet, officer), name="import")
        self._tasks[sheet.key] = task
        task.add_done_callback(lambda _: self._tasks.pop(sheet.key, None))
        await asyncio.wait({task}, timeout=1.0)

    def _forget(self) -> None:
        now = self._clock.now()
        resting = [each for each in self._sheets.values() if each.key not in self._tasks]
        over = [each for each in resting if each.at < now - KEPT]
        spare = len(self._sheets) - len(over) - MOST
        for each in [*over, *[e for e in resting if e not in over][: max(0, spare)]]:
            del self._sheets[each.key]

    async def _work(self, sheet: Sheet, officer: Officer) -> None:
        writing = sheet.step is Step.WRITING
        try:
            await self._read(sheet, officer, writing)
        except Exception:
            log.exception("import.broken")
            sheet.step = Step.BROKEN
        else:
            sheet.step = Step.DONE if writing else Step.CHECKED
        if writing:
            sheet.content = b""  # its people are in the ledger now
            await self._ledger.transact(lambda conn: _journal(conn, sheet, officer, self._clock))

    async def _read(self, sheet: Sheet, officer: Officer, writing: bool) -> None:
        now = self._clock.now()
        options = replace(sheet.options, dry_run=not writing)
        town = await self._ledger.read(lambda conn: load_catalogue(conn, officer.authority))
        file = await asyncio.to_thread(open_csv, io.BytesIO(sheet.content))
        if isinstance(file, FileProblem):
            sheet.problem = file.sentence
            return
        await self._batches(sheet, file, town, options, now)

    async def _batches(
        self, sheet: Sheet, file: CsvFile, town: Catalogue, options: ImportOptions, now: datetime
    ) -> None:
        rules = rules_of(town, options)
        with closing(read_batches(file, town, options, now)) as batches:
            while (batch := await asyncio.to_thread(_next, batches)) is not None:
                verdicts = await self._one(batch, rules, now)
                sheet.count(batch.with_refused(verdicts), batch.end)

    async def _one(self, batch: Batch, rules: BatchRules, now: datetime) -> list[Verdict]:
        def judge(conn: Connection) -> list[Verdict]:
            return import_batch(conn, batch.people, rules, now)

        return await (self._ledger.read(judge) if rules.dry_run else self._ledger.transact(judge))


def _next(batches: Generator[Batch]) -> Batch | None:
    return next(batches, None)


def _journal(conn: Connection, sheet: Sheet, officer: Officer, clock: Clock) -> None:
    """Who imported, and how many: only where something changed."""
    created, updated = sheet.kinds[VerdictKind.CREATED], sheet.kinds[VerdictKind.UPDATED]
    if created or updated:
        detail = {"source": f"officer:{officer.id}", "created": created, "updated": updated}
        what = (officer.name, "import", "subscribers")
        audit.record(conn, clock.now(), *what, authority=officer.authority, detail=detail)
