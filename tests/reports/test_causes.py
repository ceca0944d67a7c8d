# SPDX-License-Identifier: EUPL-1.2
"""Whoever writes STOP is put down to what they were told last, where that was lately."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from channels.base import ChannelName, Reason
from hub.delivery import DeliveryState
from hub.ledger.causes import last_told
from hub.ledger.tables import announcement, delivery

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL
S = DeliveryState
HOUR = timedelta(hours=1)


def somebodys(board: Any, row: int) -> int:
    query = select(delivery.c.subscriber).where(delivery.c.id == row)
    return int(board.conn.execute(query).scalar_one())


def test_the_last_one_that_reached_them_on_that_channel(board: Any) -> None:
    sent = []
    for n, channel in enumerate((SMS, SMS, EMAIL)):
        sent.append(board.publish(channel))
        board.plan(sent[-1])
        board.move(board.rows(sent[-1])[0], S.DELIVERED, at=board.now + n * HOUR)
    first, second, letter = sent
    person = somebodys(board, board.rows(first)[0])
    assert last_told(board.conn, person, SMS, board.now + 3 * HOUR) == second.id
    assert last_told(board.conn, person, EMAIL, board.now + 3 * HOUR) == letter.id


def test_neither_what_failed_nor_what_is_long_ago_nor_a_code(board: Any) -> None:
    told = board.publish(SMS)
    board.plan(told)
    row = board.rows(told)[0]
    person = somebodys(board, row)
    board.move(row, S.FAILED, Reason.UNREACHABLE)
    assert last_told(board.conn, person, SMS, board.now) is None
    board.move(row, S.DELIVERED)
    assert last_told(board.conn, person, SMS, board.now) == told.id
    assert last_told(board.conn, person, SMS, board.now + timedelta(days=8)) is None
    board.conn.execute(update(announcement).values(source="note"))
    assert last_told(board.conn, person, SMS, board.now) is None
