# SPDX-License-Identifier: EUPL-1.2
"""Brings a ledger to the tables this version knows, by Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

MIGRATIONS = Path(__file__).parent / "migrations"


class NewerLedgerError(Exception):
    """The ledger was written by a newer version of the hub."""


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The revision this version writes."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


def current(connection: Connection) -> str | None:
    """The revision a ledger has, None where it is new."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> None:
    """Upgrade in one transaction. Raises `NewerLedgerError`."""
    with engine.begin() as connection:
        revision = current(connection)
        if revision == head():
            return
        known = {
            script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()
        }
        if revision is not None and revision not in known:
            raise NewerLedgerError(revision)
        command.upgrade(_config(connection), "head")
