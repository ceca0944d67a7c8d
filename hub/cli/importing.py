# SPDX-License-Identifier: EUPL-1.2
"""`hub import`: people from a CSV file, a verdict for each line, nobody half written."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import Engine

from hub.cli.desk import Desk, at_desk, refusing
from hub.cli.files import open_bytes
from hub.cli.layout import table
from hub.cli.options import CONFIG, Config, Refusal
from hub.equipment import Keys
from hub.flow.accept.principal import Principal
from hub.ledger.audit import record
from hub.ledger.database import open_readers, open_writer
from subscribers.catalogue import Catalogue
from subscribers.import_batch import Verdict, VerdictKind
from subscribers.importer import ImportOptions, import_csv

BATCH: Final = 250
"""Lines a transaction: an urgent alert accepted meanwhile waits for the one that is writing."""

SHOWN: Final = 20
"""Refused lines printed; `--report` has them all."""


@dataclass(frozen=True, slots=True)
class _Start:
    """What an import needs, read before its first line. The event loop is gone by then: a long
    import without one ends at the first Ctrl-C."""

    ledger: Path
    catalogue: Catalogue
    options: ImportOptions
    principal: Principal
    now: datetime


@dataclass(slots=True)
class _Tally:
    """What became of the lines, in memory that does not grow with them."""

    kinds: Counter[VerdictKind] = field(default_factory=Counter)
    kept: int = 0  # unchanged, though the line asks for something else
    refused: list[Verdict] = field(default_factory=list)  # the first few

    def count(self, verdict: Verdict) -> None:
        self.kinds[verdict.kind] += 1
        if verdict.kind is VerdictKind.REFUSED and len(self.refused) < SHOWN:
            self.refused.append(verdict)
        if verdict.kind is VerdictKind.UNCHANGED and verdict.sentence is not None:
            self.kept += 1


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("import")(import_)


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="One person a line.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Give every verdict, write nobody.")
    ] = False,
    verified: Annotated[
        bool,
        typer.Option(
            "--verified",
            help="You hold proof that each contact belongs to its person; without it they receive "
            "nothing until confirmed.",
        ),
    ] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="VERDICTS.csv", help="Write the verdict of each line.")
    ] = None,
    config: Config = CONFIG,
) -> None:
    """Import people, proof of consent compulsory.

    Running it twice changes nothing, and a run that was interrupted is simply run again. Ends with
    1 where a line was refused.
    """
    start = at_desk(config, lambda desk: _start(desk, verified, dry_run))
    with refusing():
        tally = _import(start, file, report)
    typer.echo("\n".join(_summary(tally, dry_run)))
    if tally.kinds[VerdictKind.REFUSED]:
        raise typer.Exit(1)


def _import(start: _Start, file: Path, report: Path | None) -> _Tally:
    """Read the whole file. Raises `Refusal` where nothing of it can be read."""
    tally = _Tally()
    with ExitStack() as stack:
        stream = stack.enter_context(open_bytes(file))
        if not stream.seekable():
            raise Refusal(f"{file} is read twice: give a file, not a pipe.")
        tell = stack.enter_context(_telling(report, file))
        engine = (open_readers if start.options.dry_run else open_writer)(start.ledger)
        stack.callback(engine.dispose)
        for verdict in import_csv(
            stream,
            engine.begin,
            start.catalogue,
            start.options,
            now=start.now,
            on_progress=stack.enter_context(_progress()),
        ):
            if verdict.whole_file and verdict.sentence is not None:
                raise Refusal(verdict.sentence.en)
            tally.count(verdict)
            tell(verdict)
        if not start.options.dry_run:
            _journal(engine, start, tally)
    return tally


async def _start(desk: Desk, verified: bool, dry_run: bool) -> _Start:
    options = ImportOptions(
        suppression_key=Keys.of(desk.settings).suppression,
        recorded_by=desk.principal.name,
        verified=verified,
        dry_run=dry_run,
        regions=desk.settings.people.phone_regions,
        batch=BATCH,
    )
    town, now = await desk.catalogue(), desk.clock.now()
    return _Start(desk.ledger.path, town, options, desk.principal, now)


@contextmanager
def _telling(report: Path | None, file: Path) -> Iterator[Callable[[Verdict], None]]:
    """Writes verdicts as they come, where a report was asked for. Raises `Refusal`."""
    if report is None:
        yield lambda _verdict: None
        return
    try:
        if report.exists() and report.samefile(file):
            raise Refusal("The report would overwrite the file it is about.")
        out = report.open("w", encoding="utf-8", newline="")
    except OSError as refused:
        raise Refusal(f"{report} cannot be written: {refused.strerror}.") from None
    with out:
        writer = csv.writer(out)
        writer.writerow(("line", "verdict", "fr", "en"))
        yield lambda each: writer.writerow((each.line, each.kind, *(each.sentence or ("", ""))))


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar of the bytes read, on the terminal that is looked at; nothing in a file or a pipe."""
    console = Console(stderr=True)
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as bar:
        task = bar.add_task("")
        yield lambda done, size: bar.update(task, completed=done, total=size)


def _journal(engine: Engine, start: _Start, tally: _Tally) -> None:
    """Who imported, and how many: only where something changed."""
    created, updated = tally.kinds[VerdictKind.CREATED], tally.kinds[VerdictKind.UPDATED]
    if created or updated:
        who = start.principal
        detail = {"created": created, "updated": updated}
        with engine.begin() as conn:
            record(
                conn,
                start.now,
                who.name,
                "import",
                "subscribers",
                authority=who.authority,
                detail=detail,
            )


def _summary(tally: _Tally, dry_run: bool) -> Iterator[str]:
    for verdict in tally.refused:
        sentence = verdict.sentence.en if verdict.sentence else ""
        yield f"line {verdict.line}: {sentence}"
    refused = tally.kinds[VerdictKind.REFUSED]
    if refused > len(tally.refused):
        yield f"and {refused - len(tally.refused):,} more; --report writes them all"
    yield from table([(str(kind), tally.kinds[kind]) for kind in VerdictKind])
    if tally.kept:
        yield (
            f"{tally.kept:,} unchanged have other choices today, which are kept: only a more "
            "recent consent replaces them."
        )
    if dry_run:
        yield "Nothing was written."
