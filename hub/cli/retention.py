# SPDX-License-Identifier: EUPL-1.2
"""`hub retention`: what is erased because it has served; the daemon does the same every day."""

from collections.abc import Mapping
from typing import Annotated

import typer

from hub.cli.backup import saying
from hub.cli.desk import Desk, at_desk
from hub.cli.layout import table
from hub.cli.options import CONFIG, Config
from hub.cli.watching import bar
from hub.flow.keep.retention import Retiring, Rules, erase_pages, old_files
from hub.ledger import audit, snapshot
from hub.ledger.backup import scratch
from hub.ledger.database import open_writer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("retention")(retention)


def retention(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Erase nothing: try it on a copy, and count.")
    ] = False,
    config: Config = CONFIG,
) -> None:
    """Erase what was kept as long as hub.toml says, and say how much that was."""
    with saying("The copy"):
        gone = at_desk(config, _tried if dry_run else _erased)
    lines = table([(kind, n) for kind, n in gone.items() if n]) if any(gone.values()) else []
    typer.echo("\n".join([*lines, "Nothing was erased." if dry_run or not lines else "Erased."]))


async def _erased(desk: Desk) -> Mapping[str, int]:
    rules = Rules(**desk.settings.retention.model_dump())
    gone = await Retiring(desk.ledger, rules, desk.clock).erase()
    now, who = desk.clock.now(), desk.principal.name
    await desk.ledger.transact(
        lambda conn: audit.record(conn, now, who, "retention", "ledger", detail=dict(gone))
    )
    return gone


async def _tried(desk: Desk) -> Mapping[str, int]:
    rules, folder = Rules(**desk.settings.retention.model_dump()), desk.ledger.path.parent
    now = desk.clock.now()
    files = len(old_files(folder, rules, now))
    with scratch(folder) as room, bar("Copying") as on_progress:
        snapshot.copy(desk.ledger.path, room / "copy", on_progress)
        engine = open_writer(room / "copy")
        with engine.begin() as conn:
            gone = erase_pages(conn, rules, now)
        engine.dispose()
    return {**gone, "files": files}
