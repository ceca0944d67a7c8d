# SPDX-License-Identifier: EUPL-1.2
"""`hub restore`: a backup takes the ledger's place, on hold. `hub release` ends the hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from hub.cli.backup import saying
from hub.cli.desk import in_use, operator, refusing
from hub.cli.files import read_text
from hub.cli.options import CONFIG, Config, Refusal, read_settings
from hub.clock import SystemClock
from hub.equipment import make_press
from hub.flow.keep.replacing import IncompleteJournalError, Replacing, Restored
from hub.flow.planning.digest import DigestTimes
from hub.ledger.lock import LedgerLockedError
from hub.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("restore")(restore)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file made by hub backup.")],
    identity: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The key of an encrypted backup.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    without_journal: Annotated[
        bool,
        typer.Option(
            "--without-journal",
            help="Restore although who stopped or was erased since the backup is not known.",
        ),
    ] = False,
    config: Config = CONFIG,
) -> None:
    """Put a backup in the ledger's place; the daemon must be stopped.

    The old ledger is kept aside. Stops and erasures since the backup are done again from the
    journal beside it. The hub then starts on hold: it accepts, and sends nothing until hub release.
    """
    settings = read_settings(config)
    key = read_text(identity) if identity else None
    question = f"Put {file} in the place of the ledger in {settings.hub.data}?"
    if not yes and not typer.confirm(question):
        raise Refusal("Nothing was restored.")
    digests = DigestTimes.named(settings.engine.digest_time, settings.engine.digest_day)
    with _saying():
        replacing = Replacing(
            settings.hub.data,
            make_press(settings),
            in_use(settings),
            operator(),
            digests,
            without_journal=without_journal,
        )
        found = replacing.restore(file, SystemClock().now(), key)
    typer.echo("\n".join(_lines(found, settings)))


@contextmanager
def _saying() -> Iterator[None]:
    """Say what stands in the way of a restore in a sentence."""
    try:
        with saying("The restore"), refusing():
            yield
    except LedgerLockedError:
        raise Refusal("The daemon works in this data folder: stop it first.") from None
    except IncompleteJournalError as missing:
        raise Refusal(
            f"{missing} does not reach back to this backup: who stopped or was erased since is not "
            "known. With --without-journal it is restored all the same; then enter those again "
            "before hub release."
        ) from None


def _lines(found: Restored, settings: Settings) -> list[str]:
    made = _at(found.manifest.made_at, settings)
    stopped, erased = found.replayed.stopped, found.replayed.erased
    lines = [
        f"The ledger is now that of {made}.",
        f"Since then {stopped:,} stopped and {erased:,} were erased: done again.",
    ]
    if found.aside is not None:
        lines.append(f"The one it replaces is in {found.aside}.")
    return [*lines, "ON HOLD: start the daemon; nothing leaves until hub release."]


def _at(moment: datetime, settings: Settings) -> str:
    return f"{moment.astimezone(ZoneInfo(settings.hub.timezone)):%Y-%m-%d %H:%M}"
