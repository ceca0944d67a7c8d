# SPDX-License-Identifier: EUPL-1.2
"""`hub key`: the keys of other systems, each with what it may publish, and those of the desks."""

from typing import Annotated

import typer

from channels.base import Urgency
from hub.cli.desk import Desk, at_desk
from hub.cli.options import CONFIG, Config, Refusal
from hub.cli.scope import Highest, MayPublish, Themes, listed, scope_of
from hub.flow.accept import credentials
from hub.flow.accept.credentials import Scope

AtDesk = Annotated[
    bool,
    typer.Option("--desk", help="For staff who subscribe people at /guichet; publishes nothing."),
]

Name = Annotated[str, typer.Argument(help="Whose key it is, such as 'library'.")]

_keys = typer.Typer(help="API keys: who may post announcements.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(_keys, name="key")


@_keys.command()
def add(  # noqa: PLR0917 (the options of a command)
    name: Name,
    theme: Themes = None,
    highest: Highest = Urgency.IMPORTANT,
    may_publish: MayPublish = False,
    desk_only: AtDesk = False,
    config: Config = CONFIG,
) -> None:
    """Make a key and show it, this once. What it posts waits for approval, unless --may-publish."""
    if not name.strip():
        raise Refusal("Give the key a name.")
    if desk_only and (theme or may_publish):
        raise Refusal("A desk's key publishes nothing: leave --theme and --may-publish out.")

    async def issue(desk: Desk) -> str:
        scope = await scope_of(desk, theme, highest, may_publish)
        scope = Scope(may_enrol=True) if desk_only else scope
        who, now = desk.principal, desk.clock.now()
        return await desk.ledger.transact(
            lambda conn: credentials.issue_key(
                conn, who.authority, name, scope, actor=who.name, now=now
            )
        )

    try:
        key = at_desk(config, issue)
    except credentials.NameTakenError:
        raise Refusal(f"The name '{name}' is taken, perhaps by a revoked key.") from None
    shown = f"{key}\n\nType it at /guichet." if desk_only else f"Authorization: Bearer {key}"
    typer.echo(f"The key is shown this once:\n\n{shown}")


@_keys.command("list")
def list_(config: Config = CONFIG) -> None:
    """Every key, never shown again, with what it may publish."""

    async def read(desk: Desk) -> str:
        rows = await desk.ledger.read(lambda conn: credentials.keys(conn, desk.principal.authority))
        return "\n".join(listed(rows, "name"))

    typer.echo(at_desk(config, read))


@_keys.command()
def revoke(name: Name, config: Config = CONFIG) -> None:
    """End a key at once. What it posted stays."""

    async def end(desk: Desk) -> bool:
        who, now = desk.principal, desk.clock.now()
        return await desk.ledger.transact(
            lambda conn: credentials.revoke_key(conn, who.authority, name, actor=who.name, now=now)
        )

    if not at_desk(config, end):
        raise Refusal(f"There is no living key '{name}'.")
    typer.echo(f"The key '{name}' is revoked.")
