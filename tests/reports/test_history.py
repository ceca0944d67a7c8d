# SPDX-License-Identifier: EUPL-1.2
"""A citizen's history is their own, newest first, of ninety days, in the words of the interface."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from channels.base import ChannelName, Reason
from hub.delivery import DeliveryState
from hub.ledger.tables import delivery
from hub.reports.history import SHOWN, history
from templates.pages.wording import ShownState

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL
S = DeliveryState


def whose(board: Any, row: int) -> int:
    return board.conn.execute(
        select(delivery.c.subscriber).where(delivery.c.id == row)
    ).scalar_one()


def test_everybody_sees_their_own_messages_only(board: Any) -> None:
    announcement = board.publish(SMS)
    board.plan(announcement)
    for row in board.rows(announcement):
        found = history(board.conn, whose(board, row), "fr", board.now)
        assert found.total == 1
        assert [(each.title, each.code) for each in found.sent] == [("Titre", announcement.code)]
    assert history(board.conn, 10_000, "fr", board.now).total == 0


def test_newest_first_and_a_page_at_a_time(board: Any) -> None:
    several = []
    for _ in range(5):
        several.append(board.publish(SMS))
        board.plan(several[-1])
    first = board.rows(several[0])[0]
    person = whose(board, first)
    for age, each in enumerate(reversed(several)):
        (mine,) = [row for row in board.rows(each) if whose(board, row) == person]
        board.move(mine, S.DELIVERED, at=board.now - timedelta(hours=age))
    pages = [history(board.conn, person, "fr", board.now, page, 2) for page in (1, 2, 3, 4)]
    assert [page.total for page in pages] == [5] * 4
    codes = [each.code for page in pages for each in page.sent]
    assert codes == [each.code for each in reversed(several)]


def test_what_is_older_than_ninety_days_is_not_listed(board: Any) -> None:
    announcement = board.publish(SMS)
    board.plan(announcement)
    first, *_ = board.rows(announcement)
    person = whose(board, first)
    board.move(first, S.DELIVERED)
    assert history(board.conn, person, "fr", board.now + SHOWN).total == 1
    assert history(board.conn, person, "fr", board.now + SHOWN + timedelta(seconds=1)).total == 0


def test_what_became_of_it_is_said_with_its_reason(board: Any) -> None:
    announcement = board.publish(SMS)
    board.plan(announcement)
    first, *_ = board.rows(announcement)
    board.move(first, S.FAILED, Reason.NO_SUCH_ADDRESS)
    (sent,) = history(board.conn, whose(board, first), "fr", board.now).sent
    assert (sent.state, sent.reason) == (ShownState.PERM_FAILED, Reason.NO_SUCH_ADDRESS)
    assert (sent.channel, sent.note) == (SMS, None)
