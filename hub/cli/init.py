# SPDX-License-Identifier: EUPL-1.2
"""`hub init`: makes what a hub needs to start, once, and never makes it again."""

import asyncio
import json
import os
import secrets
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection, select
from sqlalchemy.exc import DatabaseError

from channels.webpush.keys import new_vapid_key
from hub.cli.options import CONFIG, Config, Refusal, read_settings
from hub.clock import SystemClock
from hub.flow.staff import officers
from hub.flow.staff.officers import normal
from hub.flow.staff.roles import EVERYTHING
from hub.ledger.database import LedgerCorruptError
from hub.ledger.schema import NewerLedgerError
from hub.ledger.store import Ledger
from hub.settings import Settings
from subscribers.catalogue_file import import_catalogue
from subscribers.tables import authority

SECRETS: dict[str, Callable[[], str]] = {
    "hub__secret": lambda: b64encode(secrets.token_bytes(32)).decode("ascii"),
    "channels__webpush__private_key": new_vapid_key,
}


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("init")(init)


def init(  # noqa: PLR0917 (typer calls it by name)
    config: Config = CONFIG,
    data: Annotated[Path | None, typer.Option(help="The data folder to make.")] = None,
    authority_key: Annotated[
        str | None, typer.Option("--authority", help="Key of the town, such as valmont.")
    ] = None,
    authority_name: Annotated[str | None, typer.Option(help="Name of the town.")] = None,
    email: Annotated[
        str | None, typer.Option("--officer", help="E-mail of the first officer.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the first officer.")] = None,
) -> None:
    """Make the settings file, the data folder, its secrets, the town and the first officer.

    Run again, it makes what is missing and leaves the rest as it is.
    """
    made = [_written(config, _reference(data, authority_key), 0o644)]
    hub = {"data": data and data.absolute(), "authority": authority_key}
    settings = read_settings(config, {"hub": {key: value for key, value in hub.items() if value}})
    made.append(_folder(settings.hub.data))
    made.append(_folder(settings.hub.secrets_folder))
    made += [
        _written(settings.hub.secrets_folder / file, make(), 0o600)
        for file, make in SECRETS.items()
    ]
    town = authority_name or settings.hub.authority
    made += asyncio.run(_people(settings, town, email, name or email))
    if not any(made):
        typer.echo("Nothing changed: everything was there already.")


def _told(what: str) -> bool:
    typer.echo(f"made  {what}")
    return True


def _reference(data: Path | None, authority_key: str | None) -> str:
    """The settings file shipped with the hub, with the folder and the town that were named."""
    packaged = files("hub").joinpath("hub.toml")  # in the wheel
    found = packaged if packaged.is_file() else Path(__file__).parents[2] / "hub.toml"
    text = found.read_text("utf-8")
    if data is not None:
        text = text.replace(
            'data = "data"', f"data = {json.dumps(str(data.absolute()), ensure_ascii=False)}", 1
        )
    if authority_key is not None:
        text = text.replace('authority = "mairie"', f"authority = {json.dumps(authority_key)}", 1)
    return text


def _folder(path: Path) -> bool:
    if path.is_dir():
        return False
    try:
        path.mkdir(mode=0o700, parents=True)
    except OSError as refused:
        raise Refusal(f"{path} cannot be made: {refused.strerror}.") from None
    return _told(str(path))


def _written(path: Path, text: str, mode: int) -> bool:
    """Write a new file, never over one that is there: a secret replaced is a secret lost."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return False
    except OSError as refused:
        raise Refusal(f"{path} cannot be written: {refused.strerror}.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text if text.endswith("\n") else text + "\n")
    return _told(str(path))


async def _people(settings: Settings, town: str, email: str | None, name: str | None) -> list[bool]:
    """The ledger, the town and the first officer, each made where it is missing."""
    now = SystemClock().now()
    new = not (settings.hub.data / "ledger.sqlite3").exists()
    try:
        ledger = Ledger.open(settings.hub.data)
    except NewerLedgerError:
        raise Refusal("The ledger was written by a newer version.") from None
    except (LedgerCorruptError, DatabaseError):
        raise Refusal("The ledger cannot be read: restore a backup.") from None
    async with ledger:
        made = [new and _told(str(ledger.path))]
        made.append(await ledger.transact(lambda conn: _town(conn, settings, town)))
        if email and name:
            made.append(
                await ledger.transact(lambda conn: _officer(conn, settings, email, name, now))
            )
    return made


def _town(conn: Connection, settings: Settings, name: str) -> bool:
    key = settings.hub.authority
    if authority_id(conn, key) is not None:
        return False
    fields = {
        "key": key,
        "name": name,
        "timezone": settings.hub.timezone,
        "language": settings.hub.language,
    }
    lines = (
        f"{field} = {json.dumps(value, ensure_ascii=False)}" for field, value in fields.items()
    )
    report = import_catalogue(conn, "[authority]\n" + "\n".join(lines))
    assert not report.problems, "the settings hold these to the same rules"
    return _told(f"authority {key}")


def authority_id(conn: Connection, key: str) -> int | None:
    """The number of an authority; None where the ledger has no such key."""
    found: int | None = conn.scalar(select(authority.c.id).where(authority.c.key == key))
    return found


def _officer(conn: Connection, settings: Settings, email: str, name: str, now: datetime) -> bool:
    """One officer, where there is none yet, with a password that is shown this once."""
    town = authority_id(conn, settings.hub.authority)
    if town is not None and officers.how_many(conn, town):
        return False
    assert town is not None  # made just before
    password = secrets.token_urlsafe(12)
    # UX.md section 2: the first officer appoints the others, and runs the hub until then
    officers.appoint(conn, town, email, name, EVERYTHING, actor="cli", now=now, password=password)
    return _told(f"officer {normal(email)}, whose password is shown this once: {password}")
