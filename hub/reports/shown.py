# SPDX-License-Identifier: EUPL-1.2
"""The state of a delivery as people read it: one map for pages, API, CSV and command line."""

from typing import Final, assert_never

from channels.base import ChannelName, Reason
from hub.delivery import DeliveryState
from templates.pages.wording import ShownState

_CHOSEN: Final = frozenset({Reason.OPTED_OUT, Reason.UNSUBSCRIBED, Reason.PAUSED_BY_PERSON})
_OF_THE_ADDRESS: Final = frozenset(
    {
        Reason.NO_SUCH_ADDRESS,
        Reason.NOT_MOBILE,
        Reason.UNREACHABLE,
        Reason.MAILBOX_FULL,
        Reason.SUBSCRIPTION_GONE,
        Reason.NOT_ALLOWED_BY_PERSON,
    }
)
_NO_TRY_YET: Final = frozenset({None, Reason.REDRIVEN, Reason.DRAINED, Reason.RUN_PAUSED})


def shown_state(  # noqa: PLR0911 (one answer a state)
    channel: ChannelName, state: DeliveryState, reason: Reason | None
) -> ShownState:
    """What to call a delivery in `state` for `reason` (UX.md section 6)."""
    match state:
        case DeliveryState.READY if reason is Reason.QUIET_HOURS:
            return ShownState.DEFERRED_QUIET
        case DeliveryState.READY if reason not in _NO_TRY_YET:
            return ShownState.TEMP_FAILED
        case DeliveryState.READY | DeliveryState.RESERVED:
            return ShownState.QUEUED
        case DeliveryState.ACCEPTED if channel is ChannelName.SMS:  # a receipt is still to come
            return ShownState.SENDING
        case DeliveryState.ACCEPTED:
            return ShownState.ACCEPTED_FINAL
        case DeliveryState.FAILED if reason in _OF_THE_ADDRESS:
            return ShownState.PERM_FAILED
        case DeliveryState.FAILED:
            return ShownState.TECH_FAILED
        case DeliveryState.SKIPPED if reason in _CHOSEN:
            return ShownState.SUPPRESSED
        case DeliveryState.DOUBT:
            return ShownState.IN_DOUBT
        case (
            DeliveryState.DIGEST
            | DeliveryState.PARKED
            | DeliveryState.DELIVERED
            | DeliveryState.SKIPPED
            | DeliveryState.EXPIRED
            | DeliveryState.CANCELLED
        ):
            return ShownState(state.value)
        case _:  # pragma: no cover
            assert_never(state)
