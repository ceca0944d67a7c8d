# SPDX-License-Identifier: EUPL-1.2
"""A line of the journal that was changed, moved or taken out is found."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, update

from hub.ledger import audit, retention
from hub.ledger.tables import audit as table

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.fixture
def lines(book):
    conn = book.conn
    for n in range(5):
        detail = {"n": n, "who": "é", "nested": {"b": [1, 2.5, None], "a": True}}
        audit.record(
            conn, AT + timedelta(hours=n), f"A{n}", "publish", f"announcement:{n}", detail=detail
        )
    return conn


def test_what_was_written_holds_together(lines):
    assert audit.broken(lines) is None


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "somebody else"},
        {"verb": "cancel"},
        {"object": "announcement:9"},
        {"detail": {"n": 2}},
        {"at": AT + timedelta(days=1)},
        {"authority": 7},
        {"digest": "0" * 64},
        {"digest": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_line_is_named(lines, change):
    lines.execute(update(table).where(table.c.id == 3).values(**change))
    assert audit.broken(lines) == 3


def test_a_line_taken_out_of_the_middle_shows_in_the_next(lines):
    lines.execute(delete(table).where(table.c.id == 3))
    assert audit.broken(lines) == 4


def test_digests_wiped_from_the_first_lines_show(lines):
    lines.execute(update(table).where(table.c.id <= 2).values(digest=None))
    assert audit.broken(lines) == 3


def test_lines_older_than_the_chain_stand_for_themselves_and_what_follows_holds(lines):
    lines.execute(update(table).values(digest=None))  # as an upgraded ledger has them
    audit.record(lines, AT + timedelta(days=1), "A", "publish", "announcement:9")
    audit.record(lines, AT + timedelta(days=2), "A", "cancel", "announcement:9")
    assert audit.broken(lines) is None
    lines.execute(update(table).where(table.c.id == 6).values(actor="somebody else"))
    assert audit.broken(lines) == 6


def test_retention_takes_only_from_the_old_end(lines):
    lines.execute(update(table).where(table.c.id == 2).values(at=AT + timedelta(days=400)))
    assert retention.lines(lines, AT + timedelta(hours=3), 100) == 1, "line 2 is dated later"
    left = [row.id for row in lines.execute(table.select().order_by(table.c.id))]
    assert left == [2, 3, 4, 5]


def test_what_retention_leaves_still_holds_together(lines):
    assert retention.lines(lines, AT + timedelta(hours=2), 1) == 1
    assert retention.lines(lines, AT + timedelta(hours=2), 100) == 1
    assert retention.lines(lines, AT + timedelta(hours=2), 100) == 0
    assert audit.broken(lines) is None
