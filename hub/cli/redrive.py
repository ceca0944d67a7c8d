# SPDX-License-Identifier: EUPL-1.2
"""`hub redrive`: what a human decides about parked messages."""

from typing import Annotated

import typer
from sqlalchemy import Connection

from hub.cli.desk import Desk, at_desk
from hub.cli.options import CONFIG, Config, Refusal
from hub.flow.redrive import redrive as redrive_parked
from hub.reports.health import Parked, parked


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("redrive")(redrive)


def redrive(
    code: Annotated[
        str | None, typer.Argument(metavar="ID", help="Of one announcement.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Of all announcements.")] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="End them as failed instead of sending them.")
    ] = False,
    config: Config = CONFIG,
) -> None:
    """Send parked messages again.

    Beware: a message parked because its outcome is unknown may have left already. Sent again, its
    reader may get it twice. The journal keeps who decided.
    """
    if (code is None) is not everything:
        raise Refusal("Name one announcement, or give --all.")
    found = at_desk(config, lambda desk: _decide(desk, code, abandon))
    done = "given up" if abandon else "on the way again"
    doubt = f"; {found.maybe_sent:,} of them may already have left" if found.maybe_sent else ""
    some = f"{found.rows:,} parked message{'' if found.rows == 1 else 's'} {done}{doubt}."
    typer.echo(some if found.rows else "None is parked.")


async def _decide(desk: Desk, code: str | None, abandon: bool) -> Parked:
    principal = desk.principal
    only = None if code is None else (await desk.intake.find(code, principal)).id

    def write(conn: Connection) -> Parked:
        before = parked(conn, principal.authority, only)
        if before.rows:
            redrive_parked(conn, principal, desk.clock.now(), code=code, abandon=abandon)
        return before

    return await desk.ledger.transact(write)
