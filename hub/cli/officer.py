# SPDX-License-Identifier: EUPL-1.2
"""`hub officer`: who may sign in to the console, from the operator's shell."""

from collections.abc import Sequence
from typing import Annotated

import typer
from sqlalchemy import Connection

from hub.cli.desk import Desk, at_desk
from hub.cli.layout import table
from hub.cli.options import CONFIG, Config, Refusal
from hub.flow.staff import officers, team
from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import BY_THEME, EVERYTHING, Grants, Role
from hub.flow.staff.team import Member, Steward
from subscribers.addresses import AddressProblem, normalise_email

Email = Annotated[str, typer.Argument(help="The address they sign in with.")]

_officers = typer.Typer(help="Who may sign in to the console.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(_officers, name="officer")


@_officers.command()
def add(
    email: Email,
    name: Annotated[str, typer.Argument(help="Their name, as colleagues know it.")],
    role: Annotated[
        list[Role] | None, typer.Option(help="Repeat for several; every role by default.")
    ] = None,
    theme: Annotated[
        list[str] | None,
        typer.Option(help="Read, write and approve under this theme only; repeat."),
    ] = None,
    config: Config = CONFIG,
) -> None:
    """Invite somebody: shows, this once, the link by which they choose their password."""
    if isinstance(normalise_email(email), AddressProblem) or not name.strip():
        raise Refusal("Give a whole e-mail address, then a name.")

    async def invite(desk: Desk) -> str:
        grants = _grants(role, theme)
        catalogue = await desk.catalogue()
        for key in theme or ():
            if key not in catalogue.themes_by_key:
                raise Refusal(f"There is no theme {key}.")
        now = desk.clock.now()
        _, token = await desk.ledger.transact(
            lambda conn: team.invite(conn, _steward(desk), email, name.strip(), grants, now=now)
        )
        return _shown(desk, token, "72 hours")

    try:
        typer.echo(at_desk(config, invite))
    except officers.EmailTakenError:
        raise Refusal(f"{email} is an officer's already; see hub officer list.") from None


@_officers.command("list")
def list_(config: Config = CONFIG) -> None:
    """Who may sign in, with which roles, and when they last did."""

    async def read(desk: Desk) -> str:
        now, town = desk.clock.now(), desk.principal.authority
        found = await desk.ledger.read(lambda conn: team.members(conn, town, now))
        return "\n".join(table([("officer", "name", "roles", "last seen", "proof"), *_rows(found)]))

    typer.echo(at_desk(config, read))


@_officers.command("reset-link")
def reset_link(
    email: Email,
    remove_proof: Annotated[
        bool, typer.Option("--remove-proof", help="Also take their second proof away.")
    ] = False,
    config: Config = CONFIG,
) -> None:
    """Show, this once, a link by which an officer chooses another password."""

    async def make(desk: Desk) -> str:
        now, by = desk.clock.now(), _steward(desk)

        def write(conn: Connection) -> str:
            who = _named(conn, desk, email)
            if remove_proof:
                team.remove_second(conn, by, who, now)
            return team.reset_link(conn, by, who, now)

        return _shown(desk, await desk.ledger.transact(write), "24 hours (72 for an invitation)")

    typer.echo(at_desk(config, make))


@_officers.command()
def disable(email: Email, config: Config = CONFIG) -> None:
    """Shut an officer out at once. What they did stays in the journal."""

    async def end(desk: Desk) -> None:
        now, by = desk.clock.now(), _steward(desk)
        await desk.ledger.transact(
            lambda conn: team.disable(conn, by, _named(conn, desk, email), now)
        )

    try:
        at_desk(config, end)
    except team.LastAdministratorError:
        raise Refusal("This is the last administrator; add another one first.") from None
    typer.echo(f"{email} signs in no more.")


def _grants(roles: Sequence[Role] | None, themes: Sequence[str] | None) -> Grants:
    scope = tuple(themes) if themes else None
    return {role: scope if role in BY_THEME else None for role in roles or EVERYTHING}


def _steward(desk: Desk) -> Steward:
    return Steward(desk.principal.authority, desk.principal.name)


def _named(conn: Connection, desk: Desk, email: str) -> Officer:
    found = officers.by_email(conn, email)
    if found is None or found[0].authority != desk.principal.authority:
        raise Refusal(f"There is no officer {email}; see hub officer list.")
    return found[0]


def _shown(desk: Desk, token: str, life: str) -> str:
    address = f"{desk.settings.hub.public_url}/console/invitation/{token}"
    return f"The link is shown this once, and works once, within {life}:\n\n{address}"


def _rows(members: Sequence[Member]) -> list[tuple[str, ...]]:
    def seen(member: Member) -> str:
        if member.seen is not None:
            return f"{member.seen:%Y-%m-%d %H:%M}"
        return "invited" if member.invited_until else "never"

    return [
        (
            each.officer.email,
            each.officer.name,
            " ".join(each.officer.grants),
            seen(each),
            "yes" if each.officer.second_proof else "no",
        )
        for each in members
    ]
