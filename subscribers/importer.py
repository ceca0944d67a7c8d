# SPDX-License-Identifier: EUPL-1.2
"""Importing people from a CSV file, line by line, each with a verdict.

It streams: memory does not grow with the file. A batch is one transaction, so no person is ever
half written, and a run that was killed is simply run again.
"""

import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import BinaryIO

from sqlalchemy import Connection

from subscribers.addresses import FRENCH_REGIONS
from subscribers.catalogue import Catalogue
from subscribers.import_batch import BatchRules, Verdict, VerdictKind, import_batch
from subscribers.import_lines import CsvFile, FileProblem, Line, open_csv
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
        yield unreadable(file)
        return
    rules = rules_of(catalogue, options)
    with closing(read_batches(file, catalogue, options, now)) as batches:
        for batch in batches:
            with begin() as conn:
                verdicts = import_batch(conn, batch.people, rules, now)
            on_progress(batch.end, file.size)
            yield from batch.with_refused(verdicts)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some lines, read: (line number, person) pairs, and the lines nobody can be read from. `end`
    is the number of bytes read so far."""

    people: Sequence[tuple[int, ImportedPerson]]
    refused: Sequence[Verdict]
    end: int

    def with_refused(self, verdicts: Iterable[Verdict]) -> list[Verdict]:
        """The verdicts of all its lines, in order."""
        return sorted([*verdicts, *self.refused], key=lambda verdict: verdict.line)


def read_batches(
    file: CsvFile, catalogue: Catalogue, options: ImportOptions, now: datetime
) -> Generator[Batch]:
    """A file as batches for `import_batch`, each one transaction of whoever writes them. To be
    closed by who does not read it to its end."""
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
            yield Batch(people, refused, lines[-1].end)


def rules_of(catalogue: Catalogue, options: ImportOptions) -> BatchRules:
    """What holds for every batch of a file."""
    return BatchRules(
        authority=catalogue.authority,
        suppression_key=options.suppression_key,
        verified=options.verified,
        dry_run=options.dry_run,
        recorded_by=options.recorded_by,
    )


def unreadable(problem: FileProblem) -> Verdict:
    """The one verdict of a file of which nothing was read."""
    return Verdict(problem.line, VerdictKind.REFUSED, problem.sentence, whole_file=True)


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
        # a file nobody else sees, gone when closed; read by one thread after the other
        self._db = sqlite3.connect("", check_same_thread=False)
        self._db.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")

    def first_line(self, key: str, line: int) -> int:
        """The line that named `key` first: this one, where none did before."""
        added = self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, line))
        if added.rowcount:
            return line
        return int(self._db.execute("SELECT line FROM seen WHERE key = ?", (key,)).fetchone()[0])

    def close(self) -> None:
        self._db.close()
