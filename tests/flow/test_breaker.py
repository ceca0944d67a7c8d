# SPDX-License-Identifier: EUPL-1.2
"""When a provider is left in peace, how it is asked again, and who takes over meanwhile."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import Accepted, ChannelDown, ChannelName, Reason, Rejected, Retry
from hub.flow.send.breaker import FEWEST, FIRST, LONGEST, SPAN, Breaker
from hub.flow.send.providers import Condition, Providers

DOWN = ChannelDown(Reason.NETWORK)
NETWORK = Retry(Reason.NETWORK)
TAKEN = Accepted("ref")


def fail(breaker, now, reason=Reason.NETWORK):
    return breaker.failed(breaker.admit(now), reason, now)


# --------------------------------------------------------------------------- when it trips


def test_nineteen_failures_say_nothing_and_the_twentieth_trips_it():
    breaker = Breaker()
    assert [fail(breaker, n / 10) for n in range(FEWEST)] == [None] * (FEWEST - 1) + [FIRST]
    assert breaker.resting(2.0)
    assert breaker.reason is Reason.NETWORK


@pytest.mark.parametrize(("passed", "trips"), [(20, True), (21, False)])
def test_half_of_the_calls_must_fail(passed, trips):
    breaker = Breaker()
    for _ in range(passed):
        breaker.passed(breaker.admit(0.0), 0.0)
    for _ in range(20):
        rest = fail(breaker, 1.0)
    assert (rest is not None) is trips


def test_what_failed_longer_ago_than_the_span_is_forgotten():
    breaker = Breaker()
    for n in range(FEWEST - 1):
        fail(breaker, n / 10)
    assert fail(breaker, SPAN + 2.0) is None


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=120))
def test_it_trips_exactly_when_half_of_enough_calls_failed_within_the_span(calls):
    breaker, now, seen = Breaker(), 0.0, []
    for pause, fails in calls:
        now += pause
        seen.append((int(now), fails))
        lately = [failed for at, failed in seen if at > int(now) - SPAN]
        due = fails and len(lately) >= FEWEST and 2 * sum(lately) >= len(lately)
        ticket = breaker.admit(now)
        if fails:
            assert (breaker.failed(ticket, Reason.PROVIDER_ERROR, now) is not None) is due
        else:
            breaker.passed(ticket, now)
        if due:
            return


# --------------------------------------------------------------------------- while it rests


def test_it_rests_twice_as_long_each_time_up_to_five_minutes():
    breaker, now, rests = Breaker(), 0.0, []
    for _ in range(9):
        rests.append(breaker.close(breaker.admit(now), DOWN, now))
        now += rests[-1]
    assert rests == [5, 10, 20, 40, 80, 160, 300, 300, LONGEST]


def test_a_wave_of_failures_trips_it_once():
    breaker = Breaker()
    wave = [breaker.admit(0.0) for _ in range(5)]
    assert [breaker.close(ticket, DOWN, 1.0) for ticket in wave] == [5, None, None, None, None]
    assert breaker.wait(1.0) == 5


def test_the_providers_own_wish_is_heard():
    breaker = Breaker()
    wish = ChannelDown(Reason.BUDGET, after=timedelta(hours=1), alarm=True)
    assert breaker.close(breaker.admit(0.0), wish, 0.0) == 3600
    assert breaker.resting(3599.0)
    assert not breaker.resting(3600.0)
    assert (breaker.reason, breaker.alarm) == (Reason.BUDGET, True)


# --------------------------------------------------------------------------- how it asks again


@pytest.fixture
def rested():
    """A breaker whose rest is over at 10 s, and a ticket from before it tripped."""
    breaker = Breaker()
    early = breaker.admit(0.0)
    breaker.close(breaker.admit(0.0), DOWN, 5.0)
    return breaker, early


def test_one_message_asks_again_and_nobody_else_leaves_until_its_answer(rested):
    breaker, _ = rested
    assert breaker.wait(10.0) == 0
    probe = breaker.admit(10.0)
    assert breaker.wait(10.0) == float("inf")
    assert breaker.passed(probe, 11.0)
    assert breaker.wait(11.0) == 0
    assert breaker.reason is None


def test_a_probe_that_fails_once_is_enough_to_rest_again(rested):
    breaker, _ = rested
    assert fail(breaker, 10.0) == 2 * FIRST


def test_trouble_lasts_from_its_first_failure_over_all_rests_until_a_message_passes(rested):
    breaker, _ = rested
    assert breaker.since == 5.0
    fail(breaker, 10.0)
    assert breaker.since == 5.0
    breaker.passed(breaker.admit(30.0), 31.0)
    assert breaker.since is None


def test_a_probe_that_never_left_lets_another_ask(rested):
    breaker, _ = rested
    breaker.unused(breaker.admit(10.0))
    assert breaker.wait(10.0) == 0
    assert breaker.admit(10.0).probe


def test_a_late_answer_from_before_neither_opens_nor_closes_it(rested):
    breaker, early = rested
    probe = breaker.admit(10.0)
    assert not breaker.passed(early, 11.0)
    assert breaker.failed(early, Reason.NETWORK, 11.0) is None
    assert breaker.close(early, DOWN, 11.0) is None
    assert breaker.wait(11.0) == float("inf")
    assert breaker.passed(probe, 12.0)


def test_after_a_good_probe_the_next_trouble_rests_shortly_again(rested):
    breaker, _ = rested
    breaker.passed(breaker.admit(10.0), 10.0)
    assert breaker.close(breaker.admit(20.0), DOWN, 20.0) == FIRST


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_whatever_comes_there_is_one_probe_at_a_time_and_a_rest_always_ends(data):
    breaker, now, flying = Breaker(), 0.0, []
    for _ in range(60):
        now += data.draw(st.sampled_from([0.0, 0.5, 6.0, 301.0]))
        if breaker.wait(now) == 0:
            flying.append(breaker.admit(now))
        assert sum(ticket.probe and breaker.valid(ticket) for ticket in flying) <= 1
        assert not breaker.resting(now) or breaker.wait(now) <= LONGEST
        if flying and data.draw(st.booleans()):
            ticket = flying.pop(data.draw(st.integers(0, len(flying) - 1)))
            what = data.draw(st.sampled_from(["passed", "failed", "close", "unused"]))
            if what == "passed":
                breaker.passed(ticket, now)
            elif what == "failed":
                breaker.failed(ticket, Reason.NETWORK, now)
            elif what == "close":
                breaker.close(ticket, DOWN, now)
            else:
                breaker.unused(ticket)
    for ticket in flying:
        breaker.unused(ticket)
    assert breaker.wait(now + LONGEST) == 0


# --------------------------------------------------------------------------- several providers


@pytest.fixture
def two():
    return Providers(ChannelName.SMS, {"sms": 10.0, "sms.backup": 5.0}, 0.0)


def name(providers, now):
    return providers.admit(now).provider.name


def test_the_second_takes_over_at_once_and_the_first_ones_probe_hands_back(two):
    assert two.down(two.admit(0.0), DOWN, 0.0)
    assert two.wait(1.0) == 0
    assert name(two, 1.0) == "sms.backup"
    assert not two.resting(1.0)
    probe = two.admit(6.0)
    assert probe.provider.name == "sms"
    assert name(two, 6.0) == "sms.backup"  # nobody waits for the probe
    assert not two.learn(probe, TAKEN, 7.0)
    assert name(two, 8.0) == "sms"


def test_with_both_out_of_order_nothing_leaves_until_the_first_rest_is_over(two):
    two.down(two.admit(0.0), ChannelDown(Reason.NETWORK, after=timedelta(seconds=60)), 0.0)
    two.down(two.admit(1.0), DOWN, 1.0)
    assert two.resting(2.0)
    assert two.wait(2.0) == 4.0


def test_each_keeps_its_own_pace(two):
    two.admit(0.0)
    two.down(two.admit(1.0), DOWN, 1.0)
    assert two.admit(1.0).provider.name == "sms.backup"
    assert two.wait(1.0) == pytest.approx(0.2)


@pytest.mark.parametrize("outcome", [Rejected(Reason.NO_SUCH_ADDRESS), Retry(Reason.UNKNOWN)])
def test_a_refusal_is_the_answer_of_a_provider_that_works(two, outcome):
    for _ in range(2 * FEWEST):
        assert not two.learn(two.admit(0.0), outcome, 0.0)
    assert two.first.condition(0.0) is Condition.OPEN


def test_a_bug_of_ours_says_nothing_of_the_provider(two):
    for _ in range(2 * FEWEST):
        assert not two.learn(two.admit(0.0), Retry(Reason.INTERNAL), 0.0)


def test_an_error_that_says_how_long_to_wait_slows_the_road_like_a_429(two):
    wish = Retry(Reason.PROVIDER_ERROR, after=timedelta(seconds=30), maybe_sent=True)
    two.learn(two.admit(0.0), wish, 0.0)
    assert two.first.pace.wait(0.0) == 30
    assert two.first.pace.current == 5.0


def test_each_change_is_told_once(two, logs):
    wave = [two.admit(0.0) for _ in range(3)]
    for passage in wave:
        two.down(passage, ChannelDown(Reason.AUTHENTICATION, alarm=True, code="20003"), 0.0)
    two.learn(two.admit(6.0), TAKEN, 6.0)
    two.learn(two.admit(7.0), TAKEN, 7.0)
    told = [(line["event"], line["log_level"], line["provider"]) for line in logs]
    assert told == [("channel.closed", "error", "sms"), ("channel.open", "info", "sms")]
