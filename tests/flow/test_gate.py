# SPDX-License-Identifier: EUPL-1.2
"""The last question: what it is asked in which order, and what it never lets pass."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from channels.base import ChannelName, Lane, Reason, Recipient, Urgency
from hub.clock import ManualClock
from hub.flow.send.gate import STALE_AFTER, Gate, Wishes
from hub.flow.send.settle import Settler
from hub.flow.send.verdicts import Back, Ended, Kept, Stale, Yield
from hub.flow.send.window import Known, Window
from hub.ledger.deliveries import Reservation
from hub.ledger.runs import Run, RunState
from hub.queue.embedded import EmbeddedQueue
from subscribers.addressees import Addressee
from subscribers.preferences import Cadence, Preference, Skip

SMS = ChannelName.SMS
START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
RUN = Run(
    id=1,
    announcement=1,
    channel=SMS,
    authority=1,
    lane=Lane.BULK,
    state=RunState.OPEN,
    paused=False,
    parts=1,
    cursor=0,
    until=0,
    planned=1,
    expires=None,
    cancelled=False,
)
WILLING = Addressee(
    7,
    70,
    "fr",
    Recipient("+33639980007"),
    Preference(
        subscribed=True,
        verified=True,
        suspended=False,
        cadence=Cadence.NOW,
        quiet=None,
        urgent_breaks_quiet=True,
        paused_until=None,
        pause_keeps_urgent=True,
    ),
)
ROW = Reservation(
    delivery=1,
    run=1,
    subscriber=7,
    contact_point=70,
    part=0,
    lease=5,
    round=1,
    tries=0,
    crashes=0,
    maybe=False,
    reason="",
)


class Counter:
    """A gate over one run, with everything in its favour until a test says otherwise."""

    def __init__(self):
        self.clock = ManualClock(START)
        self.queue = EmbeddedQueue()
        self.wishes = Wishes()
        self.lease_good = self.road_open = True
        self.gate = Gate(
            SMS,
            self.queue,
            self.wishes,
            self.clock,
            lambda lease: self.lease_good and lease == ROW.lease,
            lambda: None if self.road_open else Reason.PROVIDER_ERROR,
        )
        texts = SimpleNamespace(announcement=SimpleNamespace(urgency=Urgency.INFORMATION))
        settler = Settler(RUN, START, "sms", lambda: 0.5)
        self.window = Window(RUN, texts, settler, (1,))
        self.known = Known(WILLING, 0.0)
        self.row = ROW

    def verdict(self, *, small_turn=False):
        try:
            self.gate.ask(self.window, self.row, self.known, small_turn=small_turn)
        except Kept as kept:
            return kept.verdict
        return None


@pytest.fixture
def at():
    """The counter where the gate is asked."""
    return Counter()


def test_a_willing_citizen_of_a_living_run_is_told(at):
    assert at.verdict() is None


@pytest.mark.parametrize(
    ("run", "verdict"),
    [
        ({"cancelled": True}, Ended("cancelled", Reason.CANCELLED)),
        ({"expires": START}, Ended("expired", Reason.EXPIRED)),
        ({"paused": True}, Back(Reason.RUN_PAUSED)),
    ],
)
def test_a_run_that_is_over_or_paused_lets_nothing_leave(at, run, verdict):
    at.window.run = replace(RUN, **run)
    assert at.verdict() == verdict


def test_what_is_over_ends_whatever_else_stands_in_the_way(at):
    at.window.run = replace(RUN, cancelled=True, paused=True)
    at.road_open = at.lease_good = False
    assert at.verdict() == Ended("cancelled", Reason.CANCELLED)


def test_without_a_good_lease_nothing_leaves(at):
    at.lease_good = False
    assert at.verdict() == Back(Reason.LEASE_ENDED, 0.2)


def test_what_was_reserved_under_an_older_lease_goes_back(at):
    at.row = replace(ROW, lease=ROW.lease - 1)
    assert at.verdict() == Back(Reason.LEASE_ENDED, 0.2)


def test_on_a_closed_road_nothing_leaves(at):
    at.road_open = False
    assert at.verdict() == Back(Reason.PROVIDER_ERROR)


def test_a_more_urgent_lane_goes_first_but_for_the_small_turn(at):
    at.queue.put(replace(RUN, id=2, lane=Lane.VITAL))
    assert at.verdict() == Yield()
    assert at.verdict(small_turn=True) is None


async def test_what_was_read_two_seconds_ago_is_read_again(at):
    await at.clock.advance(STALE_AFTER)
    assert at.verdict() is None
    await at.clock.advance(0.01)
    assert at.verdict() == Stale()


async def test_a_wish_committed_since_they_were_read_is_heard_at_once(at):
    await at.clock.advance(1.0)
    at.wishes.changed(7, 1.0)
    assert at.verdict() == Stale()
    at.known = Known(WILLING, 1.5)
    assert at.verdict() is None


def test_a_wish_of_the_same_instant_counts_as_later(at):
    at.wishes.changed(7, 0.0)
    assert at.verdict() == Stale()


def test_the_erased_and_the_unwilling_are_left_alone(at):
    at.known = Known(None, 0.0)
    assert at.verdict() == Skip(Reason.ERASED)
    unsubscribed = replace(WILLING.preference, subscribed=False)
    at.known = Known(replace(WILLING, preference=unsubscribed), 0.0)
    assert at.verdict() == Skip(Reason.UNSUBSCRIBED)
    away = replace(WILLING.preference, paused_until=START + timedelta(days=1))
    at.known = Known(replace(WILLING, preference=away), 0.0)
    assert at.verdict() == Skip(Reason.PAUSED_BY_PERSON)


def test_wishes_are_not_remembered_for_ever():
    wishes = Wishes()
    for person in range(10_002):
        wishes.changed(person, 0.0)
    wishes.changed(-1, 100.0)
    assert wishes.since(-1, 99.0)
    assert len(wishes._changed) < 10
