# SPDX-License-Identifier: EUPL-1.2
"""A ledger of an older version is upgraded whole, or left exactly as it was."""

import sqlite3
from contextlib import closing

import pytest
from alembic import command
from sqlalchemy.exc import OperationalError

from hub.ledger import schema
from hub.ledger.database import open_writer
from hub.ledger.store import Ledger


def sql(path, *statements):
    with closing(sqlite3.connect(path)) as conn, conn:
        return [conn.execute(each).fetchall() for each in statements][-1]


@pytest.fixture
def old(folder):
    """A ledger of the first version, with an open run: a row reserved, one ready, one sent."""
    folder.mkdir()
    path = folder / "ledger.sqlite3"
    engine = open_writer(path)
    with engine.begin() as conn:
        command.upgrade(schema._config(conn), "0001")
    engine.dispose()
    row = "INSERT INTO delivery (id, run, subscriber, contact_point, state, lease, due, at, ref)"
    sql(
        path,
        "INSERT INTO lease (id, process, started, dead) VALUES (4, 'daemon', 0, 0)",
        "INSERT INTO announcement (id, code, authority, source, source_key, sha256, kind, urgency,"
        " state, document, author, created) VALUES (3, 'abc234', 1, 'cli', 'k', '', 'first',"
        " 'information', 'running', '{}', 'clerk', 0)",
        "INSERT INTO run (id, announcement, channel, authority, lane, state, until, planned)"
        " VALUES (5, 3, 'sms', 1, 3, 'open', 9, 3)",
        f"{row} VALUES (10, 5, 1, 1, 'reserved', 4, 0, 0, NULL)",
        f"{row} VALUES (11, 5, 2, 2, 'ready', NULL, 0, 0, NULL)",
        f"{row} VALUES (12, 5, 3, 3, 'accepted', NULL, 0, 0, 'SM1')",
        "INSERT INTO delivery_count VALUES (5, 'reserved', '', 1), (5, 'ready', '', 1),"
        " (5, 'accepted', '', 1)",
    )
    return path


def dump(path):
    with closing(sqlite3.connect(path)) as conn:
        return list(conn.iterdump())


def test_every_row_is_there_afterwards(old, folder):
    asked = "SELECT id, run, state, lease, ref FROM delivery ORDER BY id"
    before = sql(old, asked)
    Ledger.open(folder).close()
    assert sql(old, asked) == before
    assert sql(old, "SELECT version_num FROM alembic_version") == [(schema.head(),)]
    assert sql(old, "SELECT seq FROM sqlite_sequence WHERE name = 'delivery'") == [(12,)]
    assert sql(old, "PRAGMA integrity_check") == [("ok",)]


def test_it_was_copied_aside_first(old, folder):
    before = dump(old)
    Ledger.open(folder).close()
    aside = folder / f"before-{schema.head()}.sqlite3"
    assert dump(aside) == before
    assert aside.stat().st_mode & 0o777 == 0o600


def test_an_upgrade_that_fails_leaves_it_as_it_was(old, folder):
    sql(old, "CREATE TABLE restored (something TEXT)")  # the last table the upgrade makes
    before = dump(old)
    with pytest.raises(OperationalError, match="already exists"):
        Ledger.open(folder)
    assert dump(old) == before
    sql(old, "DROP TABLE restored")
    Ledger.open(folder).close()
    assert sql(old, "SELECT version_num FROM alembic_version") == [(schema.head(),)]


def test_one_that_is_up_to_date_is_not_copied(old, folder):
    Ledger.open(folder).close()
    aside = folder / f"before-{schema.head()}.sqlite3"
    aside.unlink()
    Ledger.open(folder).close()
    assert not aside.exists()


def test_one_of_a_newer_version_is_left_alone(old, folder):
    sql(old, "UPDATE alembic_version SET version_num = '9999'")
    before = dump(old)
    with pytest.raises(schema.NewerLedgerError):
        Ledger.open(folder)
    assert dump(old) == before


def test_a_town_with_people_goes_up_and_back_as_it_was(folder):
    folder.mkdir()
    path = folder / "ledger.sqlite3"
    engine = open_writer(path)
    with engine.begin() as conn:
        command.upgrade(schema._config(conn), "0002")
    sql(
        path,
        "INSERT INTO authority VALUES (1, 'valmont', 'Valmont', 'Europe/Paris', 'fr')",
        "INSERT INTO theme (id, authority, key, parent, names, position, archived)"
        " VALUES (1, 1, 'eau', NULL, '{}', 0, 0), (2, 1, 'fuites', 1, '{}', 0, 0)",
        "INSERT INTO subscriber (id, authority, language, timezone, urgent_breaks_quiet,"
        " pause_keeps_urgent, channel_order, created) VALUES (7, 1, 'fr', 'UTC', 1, 1, '[]', 0)",
        "INSERT INTO subscription VALUES (2, 'sms', 7, 'now')",
    )
    asked = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
    before = sql(path, asked), sql(path, "SELECT id, key, parent FROM theme")
    schema.upgrade(engine)
    assert sql(path, "SELECT about, advised FROM theme") == [("{}", 0)] * 2
    with engine.begin() as conn:
        command.downgrade(schema._config(conn), "0002")
    engine.dispose()
    assert (sql(path, asked), sql(path, "SELECT id, key, parent FROM theme")) == before
    assert sql(path, "SELECT * FROM subscription") == [(2, "sms", 7, "now")]
    assert sql(path, "PRAGMA foreign_key_check") == []
