# SPDX-License-Identifier: EUPL-1.2
"""The curve of an announcement: it only grows, ends at what was counted, and shows the first hour
though one telephone was off for a day."""

from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select

from channels.base import ChannelName, Reason
from hub.delivery import DeliveryState
from hub.ledger.tables import delivery
from hub.reports.curve import EMPTY, POINTS, curve
from subscribers.tables import to_ms

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL
S = DeliveryState
SECOND = timedelta(seconds=1)


def sent(board: Any, row: int, after: timedelta, state: DeliveryState = S.DELIVERED) -> None:
    """Left at once, arrived `after`."""
    board.move(row, state, at=board.now + after, since=to_ms(board.now))


def test_nothing_left_yet_draws_nothing(board: Any) -> None:
    announcement = board.publish(SMS)
    assert curve(board.conn, announcement) == EMPTY
    board.plan(announcement)
    assert curve(board.conn, announcement) == EMPTY


def test_it_only_grows_and_ends_at_the_counts(board: Any) -> None:
    announcement = board.publish(SMS, EMAIL)
    board.plan(announcement)
    rows = board.rows(announcement)
    for n, row in enumerate(rows[:6]):
        sent(board, row, (n + 1) * 10 * SECOND)
    for row in rows[6:10]:
        sent(board, row, SECOND, S.ACCEPTED)
    board.move(rows[10], S.FAILED, Reason.UNREACHABLE)
    found = curve(board.conn, announcement)
    assert len(found.after) <= POINTS
    for counts in (*found.handed_over.values(), *found.received.values()):
        assert list(counts) == sorted(counts)
        assert len(counts) == len(found.after)
    assert (found.handed_over[SMS][-1], found.handed_over[EMAIL][-1]) == (6, 4)
    assert found.received[SMS][-1] == 6
    assert EMAIL not in found.received  # no receipt comes by e-mail


def test_one_that_takes_a_day_does_not_flatten_the_first_minute(board: Any) -> None:
    announcement = board.publish(SMS)
    board.plan(announcement)
    rows = board.rows(announcement)
    (run,) = board.conn.execute(select(delivery.c.run).where(delivery.c.id == rows[0])).one()
    early = [
        {"run": run, "subscriber": 1_000 + n, "contact_point": n, "state": S.DELIVERED, "due": 0}
        | {"since": to_ms(board.now), "at": to_ms(board.now + n * SECOND)}
        for n in range(60)
    ]
    board.conn.execute(insert(delivery), early)
    sent(board, rows[0], timedelta(days=1))
    found = curve(board.conn, announcement)
    counts = found.received[SMS]
    assert len(counts) == POINTS
    assert counts[-2:] == (60, 61)
    assert found.after[-2] < timedelta(minutes=2)
    assert found.after[-1] == timedelta(days=1)


def test_it_costs_three_scans_and_no_more(board: Any, statements: Any) -> None:
    announcement = board.publish(SMS, EMAIL)
    board.plan(announcement)
    for row in board.rows(announcement):
        sent(board, row, SECOND)
    seen = statements(lambda: curve(board.conn, announcement))
    assert len([sql for sql in seen if "FROM delivery" in sql]) <= 4
