# SPDX-License-Identifier: EUPL-1.2
"""What a mail server's answers mean."""

import pytest

from channels.base import ChannelDown, Reason, Rejected, Retry
from channels.email.codes import CODES, Reply, refused, sender_refused


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        # Gmail, Postfix, Exchange Online, OVH: replies as they are seen in bounces
        (Reply(550, "5.1.1 The account does not exist\n5.1.1 more"), Reason.NO_SUCH_ADDRESS),
        (Reply(550, "5.1.10 RESOLVER.ADR.RecipientNotFound"), Reason.NO_SUCH_ADDRESS),
        (Reply(552, "5.2.2 over quota"), Reason.MAILBOX_FULL),
        (Reply(550, "5.7.515 Access denied, domain not authenticated"), Reason.REPUTATION),
        (Reply(550, "5.7.26 not authenticated"), Reason.REPUTATION),
        (Reply(552, "5.3.4 message too big"), Reason.TOO_LONG),
        (Reply(550, "no enhanced status"), Reason.UNREACHABLE),
        (Reply(554, "5.9.9 unheard of"), Reason.REFUSED_CONTENT),
    ],
)
def test_a_permanent_refusal_is_rejected_with_its_reason(reply: Reply, outcome: Reason) -> None:
    found = refused(reply)
    assert isinstance(found, Rejected)
    assert found.reason == outcome


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(421 + 29, "4.2.0 greylisted"), Reason.UNREACHABLE),
        (Reply(421 + 30, "4.7.0 try again"), Reason.RATE_LIMITED),
        (Reply(452, "4.2.2 full"), Reason.MAILBOX_FULL),
        (Reply(471, "novel"), Reason.UNKNOWN),
        (Reply(571, "novel"), Reason.UNKNOWN),
        (Reply(199, "nonsense"), Reason.UNKNOWN),
    ],
)
def test_what_is_temporary_or_unknown_is_tried_again(reply: Reply, reason: Reason) -> None:
    found = refused(reply)
    assert isinstance(found, Retry)
    assert (found.reason, found.maybe_sent) == (reason, False)


def test_only_an_answer_about_the_mailbox_suspends_it() -> None:
    dead = {code for code, meaning in CODES.items() if getattr(meaning, "contact_dead", False)}
    assert dead == {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}


@pytest.mark.parametrize("status", range(100))
def test_a_bad_reputation_never_costs_a_citizen_the_subscription(status: int) -> None:
    try:
        found = refused(Reply(550, f"5.7.{status} refused"))
    except ChannelDown:
        return
    assert found == Rejected(Reason.REPUTATION, code=f"550 5.7.{status}")


@pytest.mark.parametrize(
    ("reply", "reason", "alarm"),
    [
        (Reply(421, "4.7.0 too many"), Reason.PROVIDER_ERROR, False),
        (Reply(454, "4.7.0 temporary authentication failure"), Reason.AUTHENTICATION, False),
        (Reply(530, "5.7.0 authentication required"), Reason.AUTHENTICATION, True),
        (Reply(535, "5.7.8 bad credentials"), Reason.AUTHENTICATION, True),
        (Reply(535, "no status"), Reason.AUTHENTICATION, True),
        (Reply(550, "5.7.8 bad credentials"), Reason.AUTHENTICATION, True),
    ],
)
def test_the_road_is_closed_by_what_concerns_everybody(
    reply: Reply, reason: Reason, alarm: bool
) -> None:
    with pytest.raises(ChannelDown) as down:
        refused(reply)
    assert (down.value.reason, down.value.alarm) == (reason, alarm)


def test_a_sender_refused_for_now_is_tried_again() -> None:
    assert sender_refused(Reply(451, "4.3.0 later")).reason == Reason.PROVIDER_ERROR


def test_a_sender_refused_for_good_raises_the_alarm() -> None:
    with pytest.raises(ChannelDown) as down:
        sender_refused(Reply(550, "5.1.8 bad sender domain"))
    assert down.value.alarm
    with pytest.raises(ChannelDown) as down:
        sender_refused(Reply(530, "5.7.0 sign in first"))
    assert down.value.reason == Reason.AUTHENTICATION


def test_the_code_kept_holds_no_word_of_the_server() -> None:
    found = refused(Reply(550, "5.1.1 <lea@example.org>: no such user"))
    assert "lea" not in repr(found)
    assert found.code == "550 5.1.1"
