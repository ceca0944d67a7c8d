# SPDX-License-Identifier: EUPL-1.2
"""What each outcome and each verdict makes of a row, and how long a retry waits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels.base import (
    Accepted,
    ChannelDown,
    ChannelName,
    Delivered,
    Lane,
    Reason,
    Rejected,
    Retry,
)
from hub.backoff import HORIZON, ceiling, delay
from hub.delivery import DeliveryState, lawful
from hub.flow.send.settle import Settler, waits
from hub.flow.send.verdicts import Back, Ended
from hub.ledger.deliveries import Reservation
from hub.ledger.runs import Run, RunState
from subscribers.preferences import Digest, Hold, Skip
from subscribers.tables import from_ms, to_ms

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ROW = Reservation(
    delivery=1,
    run=1,
    subscriber=1,
    contact_point=1,
    part=0,
    lease=1,
    round=3,
    tries=2,
    crashes=1,
    maybe=False,
    reason="",
)
RUN = Run(
    id=1,
    announcement=1,
    channel=ChannelName.SMS,
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


def settler(jitter=1.0, provider="sms", **run):
    return Settler(replace(RUN, **run), NOW - timedelta(hours=1), provider, lambda: jitter)


# --------------------------------------------------------------------------- backoff


@pytest.mark.parametrize(
    ("lane", "seconds"),
    [
        (Lane.VITAL, (1, 2, 5, 10, 20, 30, 30, 30)),
        (Lane.TRANSACTIONAL, (1, 2, 5, 10, 20, 30, 30, 30)),
        (Lane.IMPORTANT, (30, 120, 300, 600, 1200, 3600, 3600, 3600)),
        (Lane.BULK, (30, 120, 300, 600, 1200, 3600, 3600, 3600)),
    ],
)
def test_retries_wait_ever_longer(lane, seconds):
    found = [ceiling(lane, tries).total_seconds() for tries in range(1, len(seconds) + 1)]
    assert tuple(found) == seconds


@settings(deadline=None)
@given(st.sampled_from(Lane), st.integers(1, 50), st.floats(0, 1, exclude_max=True))
def test_a_retry_waits_between_a_tenth_of_its_ceiling_and_all_of_it(lane, tries, jitter):
    wait, most = delay(lane, tries, lambda: jitter), ceiling(lane, tries)
    assert most * 0.1 <= wait <= most


# --------------------------------------------------------------------------- outcomes


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(Delivered("r"), DeliveryState.DELIVERED), (Accepted("r"), DeliveryState.ACCEPTED)],
)
def test_what_was_taken_keeps_the_providers_reference(outcome, state):
    done = settler().outcome(ROW, outcome, NOW)
    assert (done.state, done.provider, done.ref, done.reason) == (state, "sms", "r", "")
    assert (done.tries, done.crashes, done.at) == (0, 0, to_ms(NOW))


def test_a_reference_that_tells_no_copies_apart_bears_no_provider():
    done = settler(provider=None).outcome(ROW, Accepted("Message-ID"), NOW)
    assert (done.provider, done.ref) == (None, "Message-ID")


@pytest.mark.parametrize("dead", [True, False])
def test_only_a_dead_contact_is_suspended(dead):
    refused = Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=dead, code="21211")
    done = settler().outcome(ROW, refused, NOW)
    assert (done.state, done.reason, done.code) == ("failed", "no_such_address", "21211")
    assert done.dead == (Reason.NO_SUCH_ADDRESS if dead else None)


def test_a_failure_costs_a_try_and_ends_the_row_of_doubts():
    done = settler().outcome(ROW, Retry(Reason.NETWORK, code="x"), NOW)
    assert (done.state, done.tries, done.crashes, done.code) == ("ready", 3, 0, "x")
    assert from_ms(done.due) == NOW + ceiling(Lane.BULK, 3)


def test_the_providers_wish_is_heard_where_it_is_longer():
    after = timedelta(hours=2)
    done = settler().outcome(ROW, Retry(Reason.PROVIDER_ERROR, after=after), NOW)
    assert from_ms(done.due) == NOW + after
    short = settler().outcome(ROW, Retry(Reason.PROVIDER_ERROR, after=timedelta(seconds=1)), NOW)
    assert short.tries == ROW.tries, "they said for how long: no try is counted"
    assert from_ms(short.due) == NOW + ceiling(Lane.BULK, ROW.tries)


def test_waiting_for_their_pace_is_no_try():
    done = settler().outcome(replace(ROW, tries=0), Retry(Reason.RATE_LIMITED), NOW)
    assert (done.state, done.tries) == ("ready", 0)
    assert from_ms(done.due) == NOW + ceiling(Lane.BULK, 1)


@pytest.mark.parametrize("reason", [Reason.UNKNOWN, Reason.INTERNAL])
def test_what_nobody_understands_ends_before_a_human(reason):
    fourth = settler().outcome(replace(ROW, tries=3), Retry(reason), NOW)
    fifth = settler().outcome(replace(ROW, tries=4), Retry(reason), NOW)
    assert (fourth.state, fifth.state, fifth.reason) == ("ready", "parked", reason)


def test_trying_ends_with_the_validity():
    soon = NOW + timedelta(minutes=4)
    done = settler(expires=soon).outcome(ROW, Retry(Reason.NETWORK), NOW)
    assert (done.state, done.reason, done.tries) == ("failed", "network", 3)
    later = settler(expires=NOW + timedelta(minutes=6)).outcome(ROW, Retry(Reason.NETWORK), NOW)
    assert later.state == "ready"


def test_trying_ends_after_three_days_where_there_is_no_validity():
    late = NOW - timedelta(hours=1) + HORIZON - timedelta(seconds=299)
    assert settler().outcome(ROW, Retry(Reason.NETWORK), late).state == "failed"
    assert settler().outcome(ROW, Retry(Reason.NETWORK), late - timedelta(minutes=1)).state == (
        "ready"
    )


def test_what_may_have_left_is_in_doubt_never_simply_ready():
    done = settler().outcome(ROW, Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True, code="t"), NOW)
    assert (done.state, done.maybe, done.crashes, done.tries) == ("doubt", True, 2, 2)
    assert (done.reason, done.code) == ("provider_timeout", "t")
    assert from_ms(done.due) == NOW + ceiling(Lane.BULK, 2)


def test_a_doubt_with_a_wish_counts_as_a_crash_only_once_it_was_tried_for_long_enough():
    wish = Retry(Reason.PROVIDER_ERROR, after=timedelta(minutes=1), maybe_sent=True)
    early = settler().outcome(ROW, wish, NOW)
    late = settler().outcome(ROW, wish, NOW + timedelta(hours=80))
    assert (early.crashes, late.crashes) == (1, 2)
    assert early.due - early.at >= 60_000


def test_the_fifth_doubt_in_a_row_is_looked_up_like_the_others():
    done = settler().outcome(
        replace(ROW, crashes=4), Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True), NOW
    )
    assert (done.state, done.crashes, done.maybe) == ("doubt", 5, True)


# --------------------------------------------------------------------------- verdicts


@pytest.mark.parametrize(
    ("verdict", "state", "reason"),
    [
        (Skip(Reason.UNSUBSCRIBED), "skipped", "unsubscribed"),
        (Digest(Reason.DIGEST), "digest", "digest"),
        (Ended(DeliveryState.EXPIRED, Reason.EXPIRED), "expired", "expired"),
        (Hold(NOW + timedelta(hours=8), Reason.QUIET_HOURS), "ready", "quiet_hours"),
        (Back(Reason.DRAINED), "ready", "drained"),
        (Back(Reason.NETWORK, after=2.5), "ready", "network"),
    ],
)
def test_the_gates_no_makes_no_doubt(verdict, state, reason):
    done = settler().verdict(ROW, verdict, NOW)
    assert (done.state, done.reason, done.maybe) == (state, reason, False)
    if done.state == "ready":  # a hold counts neither as a try nor as a crash, and undoes none
        assert (done.tries, done.crashes) == (2, 1)


def test_a_hold_has_its_due_time():
    until = NOW + timedelta(hours=8)
    done = settler().verdict(ROW, Hold(until, Reason.QUIET_HOURS), NOW)
    assert from_ms(done.due) == until
    assert settler().verdict(ROW, Back(Reason.DRAINED), NOW).due == to_ms(NOW)
    assert from_ms(settler().verdict(ROW, Back(Reason.NETWORK, 2.5), NOW).due) == (
        NOW + timedelta(seconds=2.5)
    )


@pytest.mark.parametrize("after", [None, timedelta(minutes=5)])
def test_a_closed_road_spends_nothing(after):
    down = ChannelDown(Reason.AUTHENTICATION, after=after)
    done = settler().road_closed(ROW, down, NOW)
    assert (done.state, done.reason, done.tries, done.crashes) == ("ready", "authentication", 2, 1)
    assert from_ms(done.due) == NOW, "the road's breaker knows how long; another may take it now"


outcomes = st.one_of(
    st.builds(Delivered, st.text(max_size=3) | st.none()),
    st.builds(Accepted, st.text(max_size=3) | st.none()),
    st.builds(Rejected, st.sampled_from(Reason), st.booleans(), st.just("c")),
    st.builds(
        Retry,
        st.sampled_from(Reason),
        st.timedeltas(timedelta(0), timedelta(days=9)) | st.none(),
        st.booleans(),
        st.just("c"),
    ),
)


@settings(deadline=None)
@example(Retry(Reason.RATE_LIMITED, timedelta(minutes=1), code="c"), 0, 0, 0.0, Lane.VITAL, 1)
@given(
    outcomes,
    st.integers(0, 9),
    st.integers(0, 4),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(Lane),
    st.none() | st.integers(1, 9000),
)
def test_every_outcome_is_a_lawful_move_in_time(  # noqa: PLR0917
    outcome, tries, crashes, jitter, lane, minutes
):
    expires = None if minutes is None else NOW + timedelta(minutes=minutes)
    done = settler(jitter, lane=lane, expires=expires).outcome(
        replace(ROW, tries=tries, crashes=crashes), outcome, NOW
    )
    assert lawful(DeliveryState.RESERVED, done.state)
    if done.state is DeliveryState.READY:
        assert done.due > to_ms(NOW)
        too_late = expires is not None and from_ms(done.due) >= expires
        assert not too_late or (from_ms(done.due) == expires and waits(outcome))
    doubtful = isinstance(outcome, Retry) and outcome.maybe_sent
    assert done.maybe == doubtful
    assert not (doubtful and done.state is DeliveryState.READY)
