# SPDX-License-Identifier: EUPL-1.2
"""`hub source`: the systems that post signed webhooks, each with what it may publish."""

import re
from typing import Annotated, Final

import typer

from channels.base import Urgency
from hub.cli.desk import Desk, at_desk
from hub.cli.options import CONFIG, Config, Refusal
from hub.cli.scope import Highest, MayPublish, Themes, listed, scope_of
from hub.equipment import Keys
from hub.flow.accept import credentials
from hub.flow.accept.credentials import Seal

Key = Annotated[str, typer.Argument(metavar="KEY", help="Its name in the address: a-z, 0-9, -.")]

_KEY: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_sources = typer.Typer(help="Webhook sources: systems that sign what they post.")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(_sources, name="source", no_args_is_help=True)


@_sources.command()
def add(
    key: Key,
    theme: Themes = None,
    highest: Highest = Urgency.IMPORTANT,
    may_publish: MayPublish = False,
    config: Config = CONFIG,
) -> None:
    """Make a source and show its secret, this once.

    What it posts waits for approval, unless --may-publish. Each post is signed with the secret, as
    Standard Webhooks (standardwebhooks.com) says.
    """
    if not _KEY.fullmatch(key):
        raise Refusal("A source's key is made of lower-case letters, digits and hyphens.")

    async def make(desk: Desk) -> tuple[str, str]:
        scope = await scope_of(desk, theme, highest, may_publish)
        seal = Seal(Keys.of(desk.settings).seal)
        who, now = desk.principal, desk.clock.now()
        secret = await desk.ledger.transact(
            lambda conn: credentials.add_source(
                conn, who.authority, key, scope, seal, actor=who.name, now=now
            )
        )
        return secret, f"{desk.settings.hub.public_url}/hooks/{key}"

    try:
        secret, url = at_desk(config, make)
    except credentials.NameTakenError:
        raise Refusal(f"The key '{key}' is taken, perhaps by a revoked source.") from None
    typer.echo(f"The secret is shown this once:\n\n{secret}\n\nIt posts to:\n\n{url}")


@_sources.command("list")
def list_(config: Config = CONFIG) -> None:
    """Every source, its secret never shown again, with what it may publish."""

    async def read(desk: Desk) -> str:
        rows = await desk.ledger.read(
            lambda conn: credentials.sources(conn, desk.principal.authority)
        )
        return "\n".join(listed(rows, "key"))

    typer.echo(at_desk(config, read))


@_sources.command()
def revoke(key: Key, config: Config = CONFIG) -> None:
    """End a source at once. What it posted stays."""

    async def end(desk: Desk) -> bool:
        who, now = desk.principal, desk.clock.now()
        return await desk.ledger.transact(
            lambda conn: credentials.revoke_source(
                conn, who.authority, key, actor=who.name, now=now
            )
        )

    if not at_desk(config, end):
        raise Refusal(f"There is no living source '{key}'.")
    typer.echo(f"The source '{key}' is revoked.")
