# SPDX-License-Identifier: EUPL-1.2
"""How fast a provider is called, and how long a closed road rests."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import ChannelDown, Reason
from hub.flow.closure import Closure
from hub.flow.pace import Pace


def leave(pace, until):
    """When messages leave, if each goes as soon as it may."""
    now, times = 0.0, []
    while True:
        while (wait := pace.wait(now)) > 0:
            now += wait + 1e-9
        if now > until:
            return times
        pace.spend(now)
        times.append(now)


@settings(deadline=None, max_examples=30)
@given(st.floats(0.2, 200))
def test_no_second_carries_more_than_the_rate_and_its_burst(rate):
    times = leave(Pace(rate, 0.0), 5.0)
    for start in times[:: max(1, len(times) // 50)]:
        within = [t for t in times if start <= t < start + 1.0]
        assert len(within) <= rate * 1.1 + 2


@settings(deadline=None, max_examples=30)
@given(st.floats(1, 200))
def test_the_rate_is_reached(rate):
    assert len(leave(Pace(rate, 0.0), 10.0)) >= rate * 10 * 0.98 - 1


def test_time_at_rest_saves_up_a_tenth_of_a_second_at_most():
    pace = Pace(100.0, 0.0)
    now, burst = 3600.0, 0
    while pace.wait(now) == 0:
        pace.spend(now)
        burst += 1
    assert burst == 10


def test_a_429_stops_everything_for_as_long_as_they_ask_then_goes_at_half_the_rate():
    pace = Pace(100.0, 0.0)
    pace.slow_down(10.0, 30.0)
    assert pace.wait(10.0) == 30.0
    assert pace.wait(39.0) == 1.0
    assert pace.wait(41.0) == 0.0
    assert pace.current == 50.0


def test_answers_to_one_wave_halve_the_rate_once_and_keep_the_longest_wish():
    pace = Pace(100.0, 0.0)
    for after in (30.0, 60.0, 5.0):
        pace.slow_down(10.0, after)
    assert pace.current == 50.0
    assert pace.wait(10.0) == 60.0


def test_the_rate_never_falls_to_nothing_and_recovers_slowly():
    pace = Pace(100.0, 0.0)
    for wave in range(20):
        pace.slow_down(wave * 10.0, 1.0)
    assert pace.current == 5.0
    passed = 0
    while pace.current < 100.0:
        pace.passed()
        passed += 1
    assert 100 <= passed <= 200
    pace.passed()
    assert pace.current == 100.0


def test_what_did_not_leave_costs_nothing():
    pace = Pace(1.0, 0.0)
    pace.spend(0.0)
    assert pace.wait(0.0) > 0
    pace.give_back()
    assert pace.wait(0.0) == 0


# --------------------------------------------------------------------------- a closed road

DOWN = ChannelDown(Reason.NETWORK)


def test_a_road_rests_twice_as_long_each_time_up_to_five_minutes():
    closure, now, rests = Closure(), 0.0, []
    for _ in range(9):
        rests.append(closure.close(DOWN, now))
        now = closure.until
    assert rests == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_a_wave_of_failures_closes_it_once():
    closure = Closure()
    assert closure.close(DOWN, 1.0) == 5
    assert closure.close(DOWN, 2.0) is None
    assert closure.until == 6.0


def test_the_providers_wish_is_heard():
    closure = Closure()
    assert closure.close(ChannelDown(Reason.BUDGET, after=timedelta(hours=1)), 0.0) == 3600
    assert closure.closed(3599.0)
    assert not closure.closed(3600.0)
    assert closure.reason is Reason.BUDGET


@pytest.mark.parametrize(("now", "reason"), [(1.0, Reason.NETWORK), (5.0, None)])
def test_only_an_answer_after_its_rest_opens_it(now, reason):
    closure = Closure()
    closure.close(DOWN, 0.0)
    closure.passed(now)
    assert closure.reason is reason
    assert closure.close(DOWN, 10.0) == (10 if reason else 5)
