# SPDX-License-Identifier: EUPL-1.2
"""`hub verify`: whether the ledger's counts are its rows, and every promise of its tables holds."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from sqlalchemy.exc import DatabaseError

from hub.cli.options import CONFIG, UNWRITABLE, Config, Refusal, read_settings
from hub.cli.watching import bar
from hub.ledger.backup import LEDGER
from hub.ledger.database import is_unwritable, open_readers
from hub.ledger.journal import Journal
from hub.reports.verify import Finding, Verdict
from hub.reports.verify import verify as look


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("verify")(verify)


def verify(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    config: Config = CONFIG,
) -> None:
    """Check the whole ledger, while the daemon runs. Ends with 1 where anything is wrong.

    It reads one instant and writes nothing.
    """
    folder = read_settings(config).hub.data
    path = folder / LEDGER
    if not path.is_file():
        raise Refusal(f"There is no ledger in {folder}; run hub init.")
    engine = open_readers(path)
    try:
        with bar("Checking") as on_progress, engine.begin() as conn:
            verdict = look(conn, on_progress)
    except DatabaseError as damaged:  # too damaged even to ask
        if is_unwritable(damaged):  # even a reader needs the file beside the ledger
            raise Refusal(UNWRITABLE) from None
        verdict = Verdict(findings=[Finding("file", f"SQLite: {damaged.orig}.")])
    finally:
        engine.dispose()
    torn = Journal.beside(path).unreadable()
    typer.echo("\n".join((_json if as_json else _lines)(verdict, torn)))
    if verdict.findings:
        raise typer.Exit(1)


def _json(verdict: Verdict, torn: int) -> Iterator[str]:
    found = {"sound": not verdict.findings, **asdict(verdict), "journal_torn_lines": torn}
    yield json.dumps(found)


def _lines(verdict: Verdict, torn: int) -> Iterator[str]:
    for finding in verdict.findings:
        where = f"announcement {finding.announcement}, " if finding.announcement else ""
        run = f"{where}run {finding.run}: " if finding.run is not None else ""
        yield f"{finding.check}: {run}{finding.what}"
    if torn:
        yield f"note: {torn} line{'' if torn == 1 else 's'} of the journal cut off by a crash."
    seen = f"{verdict.deliveries:,} deliveries in {verdict.runs:,} runs"
    yield f"{len(verdict.findings)} found wrong." if verdict.findings else f"Sound: {seen}."
