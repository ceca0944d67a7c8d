# SPDX-License-Identifier: EUPL-1.2
"""A summary says how long it took and whom it reached; health says what is late."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import NoResultFound

from channels.base import ChannelName, Lane, PostText, PushText, Reason, SmsText, Urgency
from hub.announcement import Event
from hub.delivery import DeliveryState
from hub.ledger import announcements, runs
from hub.ledger.runs import RunState
from hub.pricing import Prices, cost_of_one
from hub.reports.health import Parked, parked, queue_health
from hub.reports.summary import Reach, reach, summary

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL
S = DeliveryState
MINUTE = timedelta(minutes=1)


def test_a_summary_runs_until_now_and_then_to_its_end(board: Any) -> None:
    announcement = board.publish(SMS)
    told = summary(board.conn, announcement.id, board.now + MINUTE)
    assert (told.elapsed, told.finished) == (MINUTE, None)
    announcements.move(board.conn, announcement, Event.FINISH, board.now + 2 * MINUTE)
    told = summary(board.conn, announcement.id, board.now + 9 * MINUTE)
    assert (told.elapsed, told.finished) == (2 * MINUTE, board.now + 2 * MINUTE)


def test_an_announcement_that_runs_again_has_no_end(board: Any) -> None:
    announcement = board.publish(SMS)
    ended = announcements.move(board.conn, announcement, Event.FINISH, board.now + MINUTE)
    announcements.move(board.conn, ended, Event.REOPEN, board.now + 2 * MINUTE)
    assert summary(board.conn, announcement.id, board.now + 3 * MINUTE).finished is None


def test_a_cancelled_announcement_ends_when_it_was_cancelled(board: Any) -> None:
    announcement = board.publish(SMS)
    announcements.move(board.conn, announcement, Event.CANCEL, board.now + MINUTE)
    assert summary(board.conn, announcement.id, board.now + 5 * MINUTE).elapsed == MINUTE


def test_a_summary_of_nothing_is_an_error(board: Any) -> None:
    with pytest.raises(NoResultFound):
        summary(board.conn, 99, board.now)


def test_people_are_counted_once_over_all_channels(board: Any) -> None:
    announcement = board.publish(SMS, EMAIL)
    board.plan(announcement)
    rows = board.rows(announcement)
    board.move(rows[0], S.DELIVERED, at=board.now + MINUTE)  # the same person twice
    board.move(rows[6], S.ACCEPTED, at=board.now + 2 * MINUTE)
    board.move(rows[1], S.FAILED, Reason.UNREACHABLE)
    assert reach(board.conn, announcement) == Reach(6, 1, 2 * MINUTE, 2 * MINUTE)


def test_the_median_and_the_slowest_are_of_those_who_were_reached(board: Any) -> None:
    announcement = board.publish(SMS)
    board.plan(announcement)
    for i, row in enumerate(board.rows(announcement)):
        board.move(row, S.DELIVERED, at=board.now + (i + 1) * MINUTE)
    assert reach(board.conn, announcement) == Reach(6, 6, 4 * MINUTE, 6 * MINUTE)


def test_before_anybody_is_reached_there_is_no_delay(board: Any) -> None:
    announcement = board.publish(SMS)
    assert reach(board.conn, announcement) == Reach(0, 0, None, None)
    board.plan(announcement)
    assert reach(board.conn, announcement) == Reach(6, 0, None, None)


# --------------------------------------------------------------------------- the queue


def test_an_empty_queue_is_healthy(board: Any) -> None:
    found = queue_health(board.conn, board.now)
    assert found.ready == dict.fromkeys(Lane, 0)
    assert (found.oldest, found.reserved, found.in_doubt, found.parked, found.digest) == (
        (None, 0, 0, 0, 0)
    )


def test_depth_is_by_lane_and_the_oldest_due_row_gives_the_age(board: Any) -> None:
    alert = board.publish(SMS, urgency=Urgency.URGENT, lane=Lane.VITAL)
    news = board.publish(EMAIL)
    board.plan(alert)
    board.plan(news)
    rows = board.rows(news)
    for row, state in zip(rows, (S.RESERVED, S.DOUBT, S.PARKED, S.DIGEST), strict=False):
        board.move(row, state)
    found = queue_health(board.conn, board.now + MINUTE)
    assert (found.ready[Lane.VITAL], found.ready[Lane.BULK]) == (6, 2)
    assert (found.reserved, found.in_doubt, found.parked, found.digest) == (1, 1, 1, 1)
    assert found.oldest == MINUTE


def test_what_is_held_paused_or_done_is_not_late(board: Any) -> None:
    held, paused, done = board.publish(SMS), board.publish(EMAIL), board.publish(EMAIL, SMS)
    for announcement in (held, paused, done):
        board.plan(announcement)
    for row in board.rows(held):
        board.move(row, S.READY, Reason.QUIET_HOURS, due=(10**13))
    runs.set_paused(board.conn, paused.id, True)
    for run in runs.of_announcement(board.conn, done.id):
        runs.set_state(board.conn, run.id, RunState.DONE)
    assert queue_health(board.conn, board.now + MINUTE).oldest is None


def test_parked_rows_are_of_one_announcement_or_of_a_whole_authority(board: Any) -> None:
    first, second = board.publish(SMS), board.publish(EMAIL)
    for announcement in (first, second):
        board.plan(announcement)
        board.move(board.rows(announcement)[0], S.PARKED, Reason.UNKNOWN)
    board.move(board.rows(first)[1], S.PARKED, Reason.OUTCOME_UNKNOWN, maybe=True)
    assert parked(board.conn, 1) == Parked(3, 1)
    assert parked(board.conn, 1, second.id) == Parked(1, 0)
    assert parked(board.conn, 2) == Parked(0, 0)


# --------------------------------------------------------------------------- what it costs

PRICES = Prices(each=0.015, with_link=0.2, currency="USD")


def test_a_post_with_a_link_has_its_own_price() -> None:
    thread = PostText(("Premier https://example.org/a", "Deuxième"))
    assert cost_of_one(thread, PRICES) == pytest.approx(0.215)


def test_an_sms_costs_its_segments_and_a_price_nobody_set_is_none() -> None:
    assert cost_of_one(SmsText("x" * 161), PRICES) == pytest.approx(0.03)
    assert cost_of_one(PushText("{}", "t"), Prices(0.0, 0.0, "EUR")) is None
