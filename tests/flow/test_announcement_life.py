# SPDX-License-Identifier: EUPL-1.2
"""The life of an announcement and of a delivery, as tables that name every pair."""

from itertools import product

import pytest

from channels.base import Lane, Urgency
from hub.announcement import PUBLIC_STATES, Event, State, UnlawfulMoveError, advance, lane_of
from hub.delivery import FINAL, LAWFUL, PENDING, REACHED, DeliveryState, lawful

LIFE = {
    "draft": {
        "submit": "to_approve",
        "schedule": "scheduled",
        "wait": "waiting",
        "publish": "running",
        "cancel": "cancelled",
    },
    "to_approve": {
        "return": "draft",
        "schedule": "scheduled",
        "wait": "waiting",
        "publish": "running",
        "cancel": "cancelled",
    },
    "scheduled": {"publish": "running", "undo": "draft", "cancel": "cancelled"},
    "waiting": {"publish": "running", "undo": "draft", "cancel": "cancelled"},
    "running": {"pause": "paused", "finish": "finished", "cancel": "cancelled"},
    "paused": {"resume": "running", "cancel": "cancelled"},
    "finished": {"reopen": "running"},
    "cancelled": {},
}


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_event_moves_each_state_as_the_table_says_or_is_refused(state, event):
    target = LIFE[state].get(event)
    if target is not None:
        assert advance(state, event) is State(target)
        return
    with pytest.raises(UnlawfulMoveError, match=f"{state} cannot {event}") as refused:
        advance(state, event)
    assert (refused.value.state, refused.value.event) == (state, event)


def test_nothing_is_public_before_it_is_published():
    assert PUBLIC_STATES.isdisjoint({State.DRAFT, State.TO_APPROVE, State.SCHEDULED, State.WAITING})


def test_each_urgency_has_its_lane():
    assert {urgency: lane_of(urgency) for urgency in Urgency} == {
        Urgency.URGENT: Lane.VITAL,
        Urgency.IMPORTANT: Lane.IMPORTANT,
        Urgency.INFORMATION: Lane.BULK,
        Urgency.DRILL: Lane.BULK,
    }


# --------------------------------------------------------------------------- a delivery

S = DeliveryState


def test_every_state_says_where_it_leads():
    assert set(LAWFUL) == set(DeliveryState)


def test_a_message_is_sent_only_by_way_of_a_reservation():
    assert [state for state in S if lawful(state, S.RESERVED)] == [S.READY]


def test_a_good_end_is_never_undone_but_by_its_own_negative_receipt():
    assert LAWFUL[S.DELIVERED] == frozenset()
    mistaken = {S.DOUBT, S.DIGEST}  # a look-up took another's copy for its own, or its digest's
    assert LAWFUL[S.ACCEPTED] == {S.DELIVERED, S.FAILED} | mistaken


def test_late_evidence_lifts_every_negative_end_and_whatever_still_waits():
    for state in set(S) - REACHED - {S.RESERVED}:
        assert LAWFUL[state] >= {S.ACCEPTED, S.DELIVERED}, state


def test_no_end_goes_back_to_waiting_but_by_a_human_or_for_a_shared_address():
    """A human sends a failed one again; a sharer skipped as "same address" is told after all. What
    was accepted by mistake (see above) is in doubt again."""
    back = {state for state in FINAL if LAWFUL[state] & (PENDING | {S.DIGEST})}
    assert back == {S.FAILED, S.SKIPPED, S.ACCEPTED}


def test_every_state_can_still_reach_an_end():
    reached = set(FINAL)
    while more := {s for s in S if s not in reached and LAWFUL[s] & reached}:
        reached |= more
    assert reached == set(S)
