# SPDX-License-Identifier: EUPL-1.2
"""Brings a ledger to the tables this version knows, by Alembic.

Alembic takes a quarter of a second to import: a daemon that restarts on an up-to-date ledger
does without it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD: Final = "0005"


class NewerLedgerError(Exception):
    """The ledger was written by a newer version of the hub."""


def _config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The revision this version writes."""
    return HEAD


def current(connection: Connection) -> str | None:
    """The revision a ledger has, None where it is new."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version"))
    return found.scalar_one_or_none()


def upgrade(engine: Engine) -> None:
    """Upgrade in one transaction. Raises `NewerLedgerError`."""
    with engine.begin() as connection:
        revision = current(connection)
        if revision == HEAD:
            return
        from alembic import command  # noqa: PLC0415
        from alembic.script import ScriptDirectory  # noqa: PLC0415

        known = {
            script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()
        }
        if revision is not None and revision not in known:
            raise NewerLedgerError(revision)
        command.upgrade(_config(connection), "head")
