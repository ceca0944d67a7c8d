# SPDX-License-Identifier: EUPL-1.2
"""`hub release`: what a human decides about a restored hub; then it sends again."""

from typing import Annotated

import typer

from hub.cli.desk import Desk, at_desk
from hub.cli.options import CONFIG, Config, Refusal
from hub.cli.watching import bar
from hub.flow import restoring
from hub.ledger import hold


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("release")(release)


def release(
    send_again: Annotated[
        bool,
        typer.Option(
            "--send-again",
            help="Also send what waited when the backup was made: some may get it a second time.",
        ),
    ] = False,
    config: Config = CONFIG,
) -> None:
    """Let a restored hub send again.

    What had been accepted before the restore and has not ended may have left since the backup was
    made: it is set aside (parked), and hub redrive sends it. The journal keeps who decided.
    """
    rows = at_desk(config, lambda desk: _release(desk, send_again))
    some = f"{rows:,} message{'' if rows == 1 else 's'} accepted before the restore"
    kept = "sent" if send_again else "set aside; hub redrive sends them"
    typer.echo(f"Released. {some}: {kept}." if rows else "Released. Nothing had been waiting.")


async def _release(desk: Desk, send_again: bool) -> int:
    ledger, clock = desk.ledger, desk.clock
    held = await ledger.read(hold.current)
    if held is None:
        raise Refusal("Nothing is on hold.")
    rows = await ledger.read(lambda conn: restoring.waiting(conn, held))
    if not send_again:
        with bar("Setting aside") as on_progress:
            done = 0
            # a page a transaction: what is accepted meanwhile does not wait for all of them
            while page := await ledger.transact(
                lambda conn: restoring.park_page(conn, held, clock.now())
            ):
                done += page
                on_progress(done, rows)
    await ledger.transact(
        lambda conn: restoring.release(
            conn, clock.now(), desk.principal.name, send_again=send_again
        )
    )
    return rows
