# SPDX-License-Identifier: EUPL-1.2
"""`hub release`: what a human decides about a restored hub; then it sends again."""

from typing import Annotated

import typer

from hub.cli.desk import Desk, at_desk
from hub.cli.options import CONFIG, Config, Refusal
from hub.cli.watching import bar
from hub.flow.keep import restoring
from hub.ledger import hold


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("release")(release)


def release(
    send_again: Annotated[
        bool,
        typer.Option(
            "--send-again",
            help="Also send what is set aside, as hub redrive would: SMS and X posts only where "
            "the provider does not have them.",
        ),
    ] = False,
    config: Config = CONFIG,
) -> None:
    """Let a restored hub send again.

    What had been accepted before the restore and has not ended may have left since the backup was
    made: it is set aside (parked), and hub redrive sends it. The journal keeps who decided.
    """
    aside, again = at_desk(config, lambda desk: _release(desk, send_again))
    told = f"{aside:,} message{'' if aside == 1 else 's'} accepted before the restore set aside"
    kept = f"; {again:,} on the way again." if send_again else "; hub redrive sends them."
    typer.echo(f"Released. {told}{kept}" if aside or again else "Released. Nothing had waited.")


async def _release(desk: Desk, send_again: bool) -> tuple[int, int]:
    ledger, clock, principal = desk.ledger, desk.clock, desk.principal
    held = await ledger.read(hold.current)
    if held is None:
        raise Refusal("Nothing is on hold.")
    rows = await ledger.read(lambda conn: restoring.waiting(conn, held))
    aside = 0
    with bar("Setting aside") as on_progress:
        # a page a transaction: what is accepted meanwhile does not wait for all of them
        while page := await ledger.transact(
            lambda conn: restoring.park_page(conn, held, clock.now())
        ):
            aside += page
            on_progress(aside, rows)
    again = await ledger.transact(
        lambda conn: restoring.release(conn, principal, clock.now(), send_again=send_again)
    )
    return aside, again
