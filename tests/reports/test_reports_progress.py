# SPDX-License-Identifier: EUPL-1.2
"""Progress accounts for every row, from the counts alone."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.base import ChannelName, Reason
from hub.delivery import DeliveryState
from hub.reports.log import delivery_page
from hub.reports.progress import progress
from hub.reports.shown import shown_state
from templates.pages.wording import ShownState

SMS, EMAIL, X = ChannelName.SMS, ChannelName.EMAIL, ChannelName.X
S = DeliveryState


def test_a_draft_has_no_progress(board: Any) -> None:
    assert progress(board.conn, 99) == ()


def test_a_run_whose_plan_has_not_begun_is_shown_as_planning(board: Any) -> None:
    [sms] = progress(board.conn, board.publish(SMS).id)
    assert (sms.channel, sms.total, sms.planning, sms.states) == (SMS, 0, True, {})


def test_channels_come_in_the_order_their_runs_were_made(board: Any) -> None:
    announcement = board.publish(EMAIL, SMS)
    board.plan(announcement)
    assert [each.channel for each in progress(board.conn, announcement.id)] == [EMAIL, SMS]
    assert not any(each.planning for each in progress(board.conn, announcement.id))


def test_progress_is_one_read_and_never_of_the_deliveries(board: Any, statements: Any) -> None:
    announcement = board.publish(SMS, EMAIL)
    board.plan(announcement)
    [sql] = statements(lambda: progress(board.conn, announcement.id))
    assert "FROM delivery" not in sql.replace("delivery_count", "count")


def test_another_announcements_rows_are_not_counted(board: Any) -> None:
    first, second = board.publish(SMS), board.publish(EMAIL)
    board.plan(first)
    board.plan(second)
    [sms] = progress(board.conn, first.id)
    assert sms.total == 6


FATES = st.lists(
    st.tuples(st.sampled_from(S), st.sampled_from([None, *Reason])), min_size=6, max_size=6
)


@given(fates=FATES)
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_row_is_in_exactly_one_column_and_one_state(board: Any, fates: Any) -> None:
    nested = board.conn.begin_nested()
    announcement = board.publish(SMS)
    board.plan(announcement)
    for row, (state, reason) in zip(board.rows(announcement), fates, strict=True):
        board.move(row, state, reason)
    [found] = progress(board.conn, announcement.id)
    columns = found.handed_over + found.waiting + found.parked + found.failed + found.not_sent
    assert found.total == columns == sum(found.states.values()) == 6
    assert found.received <= found.handed_over
    rows = delivery_page(board.conn, announcement.id, 0, 100)
    assert {
        state: sum(row.state is state for row in rows) for state in found.states
    } == found.states
    for (state, reason), n in found.reasons.items():
        assert sum((row.state, row.reason) == (state, reason) for row in rows) == n
    nested.rollback()


# --------------------------------------------------------------------------- what people read


def test_every_state_and_reason_has_something_people_can_read() -> None:
    for channel in ChannelName:
        for state in S:
            for reason in (None, *Reason):
                assert isinstance(shown_state(channel, state, reason), ShownState)


def test_the_map_of_states_is_the_one_of_the_interface() -> None:
    assert shown_state(SMS, S.ACCEPTED, None) is ShownState.SENDING
    assert shown_state(X, S.ACCEPTED, None) is ShownState.ACCEPTED_FINAL
    assert shown_state(SMS, S.READY, None) is ShownState.QUEUED
    assert shown_state(SMS, S.READY, Reason.QUIET_HOURS) is ShownState.DEFERRED_QUIET
    assert shown_state(SMS, S.READY, Reason.UNREACHABLE) is ShownState.TEMP_FAILED
    assert shown_state(SMS, S.READY, Reason.REDRIVEN) is ShownState.QUEUED
    assert shown_state(SMS, S.FAILED, Reason.NO_SUCH_ADDRESS) is ShownState.PERM_FAILED
    assert shown_state(SMS, S.FAILED, Reason.AUTHENTICATION) is ShownState.TECH_FAILED
    assert shown_state(SMS, S.SKIPPED, Reason.OPTED_OUT) is ShownState.SUPPRESSED
    assert shown_state(SMS, S.SKIPPED, Reason.SAME_ADDRESS) is ShownState.SKIPPED
    assert shown_state(SMS, S.DOUBT, Reason.CRASHED) is ShownState.IN_DOUBT
