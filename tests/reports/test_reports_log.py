# SPDX-License-Identifier: EUPL-1.2
"""The delivery log pages through everything once, and holds nobody's address."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from channels.base import ChannelName, Reason
from hub.delivery import DeliveryState
from hub.reports.log import delivery_page

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL
S = DeliveryState


def test_pages_list_every_delivery_once_in_order(board: Any) -> None:
    other, announcement = board.publish(SMS), board.publish(EMAIL, SMS)
    board.plan(other)
    board.plan(announcement)
    seen: list[int] = []
    while page := delivery_page(board.conn, announcement.id, seen[-1] if seen else 0, 5):
        assert len(page) <= 5
        seen += [row.id for row in page]
    assert seen == board.rows(announcement)
    channels = [row.channel for row in delivery_page(board.conn, announcement.id, 0, 100)]
    assert channels == [EMAIL] * 6 + [SMS] * 6


def test_a_page_can_be_of_some_states_only(board: Any) -> None:
    announcement = board.publish(SMS)
    board.plan(announcement)
    first, second, *_ = board.rows(announcement)
    board.move(first, S.FAILED, Reason.NO_SUCH_ADDRESS)
    board.move(second, S.PARKED, Reason.OUTCOME_UNKNOWN, maybe=True)
    found = delivery_page(board.conn, announcement.id, 0, 10, [S.FAILED, S.PARKED])
    assert [(row.id, row.state, row.reason, row.maybe_sent) for row in found] == [
        (first, S.FAILED, Reason.NO_SUCH_ADDRESS, False),
        (second, S.PARKED, Reason.OUTCOME_UNKNOWN, True),
    ]


def test_a_row_says_when_it_moved_and_only_a_ready_one_when_it_is_due(board: Any) -> None:
    announcement = board.publish(SMS)
    board.plan(announcement)
    first, *_ = board.rows(announcement)
    board.move(first, S.DELIVERED, at=board.now + timedelta(seconds=3))
    done, ready, *_ = delivery_page(board.conn, announcement.id, 0, 10)
    assert (done.at, done.due) == (board.now + timedelta(seconds=3), None)
    assert ready.due == board.now


def test_no_row_holds_an_address(board: Any) -> None:
    announcement = board.publish(SMS, EMAIL)
    board.plan(announcement)
    for row in delivery_page(board.conn, announcement.id, 0, 100):
        said = str(asdict(row))
        assert "+336" not in said
        assert "@" not in said


def test_before_the_plan_there_is_nothing_to_list(board: Any) -> None:
    assert delivery_page(board.conn, board.publish(SMS).id, 0, 10) == ()
