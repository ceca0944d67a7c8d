# SPDX-License-Identifier: EUPL-1.2
"""How fast a provider is called."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.flow.send.pace import Pace


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
