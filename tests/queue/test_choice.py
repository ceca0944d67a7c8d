# SPDX-License-Identifier: EUPL-1.2
"""The choice of the next message: lanes in order, five per cent below, authorities in turn."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import Lane
from hub.queue.choice import TURN, Candidate, Choice, choose

VITAL, CODES, IMPORTANT, BULK = Lane

candidates = st.builds(Candidate, st.integers(1, 50), st.sampled_from(Lane), st.integers(1, 4))


def serve(choice, waiting, turns):
    """What leaves in so many turns while all of `waiting` always have more."""
    for _ in range(turns):
        candidate, small = choose(choice, waiting)
        choice.took(candidate.lane, candidate.authority)
        yield candidate, small


def test_nothing_waiting_is_nothing_chosen():
    assert choose(Choice(), []) is None


def test_the_most_urgent_lane_goes_first():
    waiting = [Candidate(1, BULK, 1), Candidate(2, VITAL, 1), Candidate(3, IMPORTANT, 1)]
    assert choose(Choice(), waiting) == (waiting[1], False)


def test_the_oldest_run_of_an_authority_goes_first():
    waiting = [Candidate(9, BULK, 1), Candidate(4, BULK, 1)]
    assert choose(Choice(), waiting)[0].run == 4


@settings(deadline=None)
@given(st.sampled_from([(a, b) for a in Lane for b in Lane if a < b]), st.integers(1, 40))
def test_the_lane_below_gets_exactly_one_turn_in_twenty_one(lanes, rounds):
    waiting = [Candidate(1, lanes[0], 1), Candidate(2, lanes[1], 1)]
    served = Counter(c.lane for c, _ in serve(Choice(), waiting, TURN * rounds))
    assert served == {lanes[0]: (TURN - 1) * rounds, lanes[1]: rounds}


def test_the_small_turn_is_told_apart():
    waiting = [Candidate(1, VITAL, 1), Candidate(2, BULK, 1)]
    assert [small for _, small in serve(Choice(), waiting, TURN)] == [False] * 20 + [True]


def test_each_lane_gives_its_small_turn_to_the_next():
    waiting = [Candidate(n, lane, 1) for n, lane in enumerate(Lane)]
    served = Counter(c.lane for c, _ in serve(Choice(), waiting, TURN**3))
    assert served[VITAL] == 20 * TURN**2
    assert served[CODES] == 20 * TURN
    assert served[IMPORTANT] == 20
    assert served[BULK] == 1


def test_a_turn_that_sent_nothing_is_none():
    choice = Choice()
    waiting = [Candidate(1, VITAL, 1), Candidate(2, BULK, 1)]
    assert {choose(choice, waiting)[0].lane for _ in range(100)} == {VITAL}


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(candidates, max_size=4), min_size=1, max_size=60))
def test_who_always_waits_is_never_starved(others):
    """Whatever comes and goes above it, the third lane has a message leave within TURN**2 turns."""
    choice, patient = Choice(), Candidate(1000, IMPORTANT, 9)
    for turn in range(TURN**2):
        above = [c for c in others[turn % len(others)] if c.lane < IMPORTANT]
        candidate, _ = choose(choice, [*above, patient])
        choice.took(candidate.lane, candidate.authority)
        if candidate == patient:
            return
    raise AssertionError("starved")


@settings(deadline=None)
@given(st.sets(st.integers(1, 30), min_size=1, max_size=8), st.integers(1, 10))
def test_authorities_of_a_lane_take_turns(authorities, rounds):
    waiting = [Candidate(each, BULK, each) for each in authorities]
    served = Counter(c.authority for c, _ in serve(Choice(), waiting, rounds * len(authorities)))
    assert served == dict.fromkeys(authorities, rounds)


@settings(deadline=None)
@given(st.lists(st.sets(st.integers(1, 5), min_size=1), min_size=1, max_size=80), st.integers(1, 5))
def test_an_authority_with_much_to_say_waits_its_turn(sets, talkative):
    """Between two messages of one, everybody else who waited all along had exactly one."""
    choice, between = Choice(), Counter()
    for present in sets:
        waiting = [Candidate(each, BULK, each) for each in {*present, talkative}]
        candidate, _ = choose(choice, waiting)
        choice.took(candidate.lane, candidate.authority)
        if candidate.authority == talkative:
            between.clear()
        else:
            between[candidate.authority] += 1
            assert sum(between.values()) <= 4  # the others, once each
            assert max(between.values()) == 1
