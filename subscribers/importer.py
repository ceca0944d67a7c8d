# SPDX-License-Identifier: EUPL-1.2
"""Importing people from a CSV file, line by line, each with a verdict.

It streams: memory does not grow with the file. A batch is one transaction, so no person is ever
half written, and a run that was killed is simply run again.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import BinaryIO

from sqlalchemy import Connection

from subscribers.addresses import FRENCH_REGIONS
from subscribers.catalogue import Catalogue
from subscribers.import_batch import BatchRules, Verdict, VerdictKind, import_batch
from subscribers.import_lines import FileProblem, Line, open_csv
from subscribers.import_person import ImportedPerson, Refused, read_person
from subscribers.wording import Sentence

Begin = Callable[[], AbstractContextManager[Connection]]  # such as `engine.begin`
Progress = Callable[[int, int], None]  # bytes read, bytes in all


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import.

    `suppression_key` finds the do-not-contact list (`suppression.address_hash`). `verified` is
    the operator's word that they hold proof each contact belongs to its person; without it,
    imported contacts receive nothing until confirmed. `recorded_by` is kept with each consent.
    `regions`: see `addresses.normalise_phone`.
    """

    suppression_key: bytes = field(repr=False)
    recorded_by: str
    verified: bool = False
    dry_run: bool = False
    regions: tuple[str, ...] = FRENCH_REGIONS
    batch: int = 1_000


def import_csv(
    stream: BinaryIO,
    begin: Begin,
    catalogue: Catalogue,
    options: ImportOptions,
    *,
    now: datetime,
    on_progress: Progress = lambda done, size: None,
) -> Iterator[Verdict]:
    """Import a seekable CSV file (columns: `import_lines.COLUMNS`); yields a verdict a line.

    Each `options.batch` lines are one transaction opened by `begin`, whose verdicts come after
    its commit. Running the same file twice changes nothing. A file that cannot be read yields a
    single refusal with `whole_file` set, and nothing was written.
    """
    file = open_csv(stream)
    if isinstance(file, FileProblem):
        yield Verdict(file.line, VerdictKind.REFUSED, file.sentence, whole_file=True)
        return
    rules = BatchRules(
        authority=catalogue.authority,
        suppression_key=options.suppression_key,
        verified=options.verified,
        dry_run=options.dry_run,
        recorded_by=options.recorded_by,
    )
    with closing(_Seen()) as seen:
        for lines in _batches(file.lines(), options.batch):
            people: list[tuple[int, ImportedPerson]] = []
            refused: list[Verdict] = []
            for line in lines:
                person = _read(line, catalogue, options.regions, now, seen)
                if isinstance(person, Sentence):
                    refused.append(Verdict(line.number, VerdictKind.REFUSED, person))
                else:
                    people.append((line.number, person))
            with begin() as conn:
                verdicts = import_batch(conn, people, rules, now)
            on_progress(lines[-1].end, file.size)
            yield from sorted([*verdicts, *refused], key=lambda verdict: verdict.line)


def _batches(lines: Iterator[Line], size: int) -> Iterator[list[Line]]:
    while batch := list(islice(lines, size)):
        yield batch


def _read(
    line: Line, catalogue: Catalogue, regions: tuple[str, ...], now: datetime, seen: "_Seen"
) -> ImportedPerson | Sentence:
    if isinstance(line.cells, Sentence):
        return line.cells
    try:
        person = read_person(line.cells, catalogue, regions, now)
    except Refused as refusal:
        return refusal.sentence
    first = seen.first_line(person.import_key, line.number)
    if first != line.number:
        return Sentence(
            f"La personne de cette ligne est déjà à la ligne {first}. Gardez une seule ligne.",
            f"The person of this line is on line {first} already. Keep a single line.",
        )
    return person


class _Seen:
    """Which line named whom first, in a temporary database on disk so that memory stays flat."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("")  # a file nobody else sees, gone when closed
        self._db.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")

    def first_line(self, key: str, line: int) -> int:
        """The line that named `key` first: this one, where none did before."""
        added = self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, line))
        if added.rowcount:
            return line
        return int(self._db.execute("SELECT line FROM seen WHERE key = ?", (key,)).fetchone()[0])

    def close(self) -> None:
        self._db.close()
