# SPDX-License-Identifier: EUPL-1.2
"""`hub repeat`: what comes again, and stopping it."""

from typing import Annotated

import typer

from hub.cli.desk import Desk, at_desk
from hub.cli.options import CONFIG, Config
from hub.flow.accept.repeating import listed, stop
from hub.flow.accept.submission import iso
from hub.ledger.recurrences import Recurrence

_repeats = typer.Typer(help="Announcements that come again.", no_args_is_help=True)

Id = Annotated[
    str, typer.Argument(metavar="ID", help="The id of its first announcement, such as 7Kq2mX.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(_repeats, name="repeat")


@_repeats.command("list")
def show(config: Config = CONFIG) -> None:
    """What comes again, and when next."""

    async def act(desk: Desk) -> str:
        found = await desk.ledger.read(lambda conn: listed(conn, desk.principal))
        return "\n".join(map(_line, found)) or "Nothing comes again."

    typer.echo(at_desk(config, act))


@_repeats.command("stop")
def end(code: Id, config: Config = CONFIG) -> None:
    """It comes no more; what of it has left has left."""

    async def act(desk: Desk) -> str:
        now = desk.clock.now()
        await desk.ledger.transact(lambda conn: stop(conn, code, desk.principal, now), hurry=True)
        return f"{code} comes no more."

    typer.echo(at_desk(config, act))


def _line(each: Recurrence) -> str:
    rule = each.rule
    days = f" ({', '.join(rule['weekdays'])})" if rule["weekdays"] else ""
    every = rule["every"] if rule["interval"] == 1 else f"{rule['interval']} {rule['every']}s"
    then = "over" if each.next is None else f"next {iso(each.next)}"
    return f"{each.code}  every {every}{days} at {rule['at']}  {then}  {each.document['title']}"
