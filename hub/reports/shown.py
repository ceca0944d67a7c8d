# SPDX-License-Identifier: EUPL-1.2
"""The state of a delivery as people read it: one map for pages, API, CSV and command line."""

from collections.abc import Mapping
from typing import Final

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
# Ready for one of these, a message was never tried, or its try says nothing about the address.
_OF_OURSELVES: Final = frozenset(
    {
        None,
        Reason.REDRIVEN,
        Reason.DRAINED,
        Reason.RUN_PAUSED,
        Reason.CRASHED,
        Reason.LEASE_ENDED,
        Reason.CHANNEL_NOT_CONFIGURED,
    }
)
_ALIKE: Final[Mapping[DeliveryState, ShownState]] = {
    DeliveryState.RESERVED: ShownState.QUEUED,
    DeliveryState.DOUBT: ShownState.IN_DOUBT,
    DeliveryState.DIGEST: ShownState.DIGEST,
    DeliveryState.PARKED: ShownState.PARKED,
    DeliveryState.DELIVERED: ShownState.DELIVERED,
    DeliveryState.EXPIRED: ShownState.EXPIRED,
    DeliveryState.CANCELLED: ShownState.CANCELLED,
}


def shown_state(channel: ChannelName, state: DeliveryState, reason: Reason | None) -> ShownState:
    """What to call a delivery in `state` for `reason` (UX.md section 6)."""
    match state:
        case DeliveryState.READY:
            return _ready(reason)
        case DeliveryState.ACCEPTED:  # of the channels, SMS alone may still have a receipt
            sms = channel is ChannelName.SMS
            return ShownState.SENDING if sms else ShownState.ACCEPTED_FINAL
        case DeliveryState.FAILED:
            gone = reason in _OF_THE_ADDRESS
            return ShownState.PERM_FAILED if gone else ShownState.TECH_FAILED
        case DeliveryState.SKIPPED:
            return ShownState.SUPPRESSED if reason in _CHOSEN else ShownState.SKIPPED
        case _:
            return _ALIKE[state]


def _ready(reason: Reason | None) -> ShownState:
    if reason is Reason.QUIET_HOURS:
        return ShownState.DEFERRED_QUIET
    return ShownState.QUEUED if reason in _OF_OURSELVES else ShownState.TEMP_FAILED
