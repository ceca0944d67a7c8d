# SPDX-License-Identifier: EUPL-1.2
"""What every work queue promises. An adapter joins by one more line in `QUEUES`."""

from dataclasses import replace

import pytest

from channels.base import ChannelName, Lane
from hub.ledger.runs import Run, RunState
from hub.queue.embedded import EmbeddedQueue
from hub.queue.port import WorkQueue

QUEUES = [EmbeddedQueue]
SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL
EVERY_LANE = frozenset(Lane)


def run(number, lane=Lane.BULK, channel=SMS, authority=1, paused=False):
    return Run(
        id=number,
        announcement=number,
        channel=channel,
        authority=authority,
        lane=lane,
        state=RunState.OPEN,
        paused=paused,
        parts=1,
        cursor=0,
        until=0,
        planned=0,
        expires=None,
        cancelled=False,
    )


@pytest.fixture(params=QUEUES)
def queue(request) -> WorkQueue:
    return request.param()


def test_an_empty_queue_has_nothing(queue):
    assert queue.next(SMS, 0.0, EVERY_LANE) is None
    assert queue.wakes_at(SMS, 0.0) is None
    assert queue.runs() == []
    assert not queue.waiting_above(SMS, Lane.BULK, 0.0)


def test_what_was_put_comes_next_until_it_is_removed(queue):
    queue.put(run(1))
    assert queue.next(SMS, 0.0, EVERY_LANE) == (run(1), False)
    assert queue.next(SMS, 0.0, EVERY_LANE) == (run(1), False)
    queue.remove(1)
    assert queue.next(SMS, 0.0, EVERY_LANE) is None
    assert queue.runs() == []


def test_removing_or_resting_what_is_gone_is_harmless(queue):
    queue.put(run(1))
    queue.remove(7)
    queue.rest(7, 5.0)
    assert queue.runs() == [run(1)]


def test_put_again_replaces_what_was_known(queue):
    queue.put(run(1))
    queue.put(replace(run(1), planned=40))
    assert queue.runs() == [replace(run(1), planned=40)]


def test_channels_do_not_see_each_other(queue):
    queue.put(run(1))
    assert queue.next(EMAIL, 0.0, EVERY_LANE) is None
    queue.put(run(2, Lane.VITAL, EMAIL))
    assert not queue.waiting_above(SMS, Lane.BULK, 0.0)


def test_a_resting_run_lets_others_pass_until_its_time(queue):
    queue.put(run(1))
    queue.rest(1, 10.0)
    assert queue.next(SMS, 9.9, EVERY_LANE) is None
    assert queue.wakes_at(SMS, 0.0) == 10.0
    assert queue.next(SMS, 10.0, EVERY_LANE) == (run(1), False)


def test_a_run_at_rest_for_good_wakes_when_it_is_put_again(queue):
    queue.put(run(1))
    queue.rest(1, None)
    assert queue.next(SMS, 1e9, EVERY_LANE) is None
    assert queue.wakes_at(SMS, 0.0) is None
    queue.put(run(1))
    assert queue.next(SMS, 0.0, EVERY_LANE) == (run(1), False)


def test_what_is_awake_hides_no_later_waking(queue):
    queue.put(run(1))
    queue.put(run(2, Lane.VITAL))
    queue.rest(2, 5.0)
    assert queue.wakes_at(SMS, 1.0) == 5.0


def test_a_paused_run_neither_leaves_nor_wakes_nor_stands_above(queue):
    queue.put(run(1, Lane.VITAL, paused=True))
    queue.rest(1, 5.0)
    assert queue.next(SMS, 9.0, EVERY_LANE) is None
    assert queue.wakes_at(SMS, 0.0) is None
    assert not queue.waiting_above(SMS, Lane.BULK, 9.0)


def test_only_a_lane_that_may_be_used_is_chosen(queue):
    queue.put(run(1, Lane.BULK))
    assert queue.next(SMS, 0.0, frozenset({Lane.VITAL})) is None
    queue.put(run(2, Lane.VITAL))
    assert queue.next(SMS, 0.0, frozenset({Lane.VITAL}))[0].id == 2


def test_it_tells_when_a_more_urgent_lane_waits(queue):
    queue.put(run(1, Lane.BULK))
    queue.put(run(2, Lane.IMPORTANT))
    assert queue.waiting_above(SMS, Lane.BULK, 0.0)
    assert not queue.waiting_above(SMS, Lane.IMPORTANT, 0.0)
    queue.rest(2, 5.0)
    assert not queue.waiting_above(SMS, Lane.BULK, 0.0)


def test_a_lower_lane_gets_one_turn_in_twenty_one_and_only_for_what_left(queue):
    queue.put(run(1, Lane.VITAL))
    queue.put(run(2, Lane.BULK))
    chosen = []
    for _ in range(42):
        queue.next(SMS, 0.0, EVERY_LANE)  # asked in vain: costs nobody a turn
        next_, small = queue.next(SMS, 0.0, EVERY_LANE)
        assert small == (next_.lane is Lane.BULK)
        queue.took(next_)
        chosen.append(next_.id)
    assert chosen.count(2) == 2


def test_turns_of_one_channel_are_none_of_anothers(queue):
    queue.put(run(1, channel=SMS, authority=1))
    queue.put(run(2, channel=SMS, authority=2))
    queue.put(run(3, channel=EMAIL, authority=1))
    queue.put(run(4, channel=EMAIL, authority=2))
    for channel in (SMS, EMAIL):
        first, _ = queue.next(channel, 0.0, EVERY_LANE)
        assert first.authority == 1
        queue.took(first)
    assert queue.next(SMS, 0.0, EVERY_LANE)[0].authority == 2
