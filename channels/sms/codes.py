# SPDX-License-Identifier: EUPL-1.2
"""What Twilio's codes mean for a message, an address and the road.

From Twilio's error dictionary (twilio.com/docs/api/errors), read in November 2026. Twilio keeps
adding codes: one that is not here is a Retry, bounded elsewhere, and ends with a human. Only a row
of this table may call a number dead, because that costs a citizen their alerts.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from channels.base import Outcome, Reason, Rejected, Retry
from channels.http import Answer, Closed, Verdict, answered, retry_after, ruled

CODES: Mapping[int, Verdict] = MappingProxyType(
    {
        # the account: nobody's letter is to blame
        20003: Closed(Reason.AUTHENTICATION, alarm=True),  # wrong SID or token
        20005: Closed(Reason.AUTHENTICATION, alarm=True),  # account not active
        20008: Closed(Reason.AUTHENTICATION, alarm=True),  # test credentials
        30002: Closed(Reason.AUTHENTICATION, alarm=True),  # account suspended
        # our settings: sender, messaging service or callback address
        21212: Closed(Reason.CHANNEL_NOT_CONFIGURED, alarm=True),  # invalid sender
        21603: Closed(Reason.CHANNEL_NOT_CONFIGURED, alarm=True),  # no sender given
        21606: Closed(Reason.CHANNEL_NOT_CONFIGURED, alarm=True),  # sender is not ours
        21609: Closed(Reason.CHANNEL_NOT_CONFIGURED, alarm=True),  # invalid StatusCallback
        21659: Closed(Reason.CHANNEL_NOT_CONFIGURED, alarm=True),  # sender is no number of Twilio's
        21660: Closed(Reason.CHANNEL_NOT_CONFIGURED, alarm=True),  # sender of another account
        21701: Closed(Reason.CHANNEL_NOT_CONFIGURED, alarm=True),  # no such messaging service
        21703: Closed(Reason.CHANNEL_NOT_CONFIGURED, alarm=True),  # messaging service has no number
        # how much may be sent
        14107: Retry(Reason.RATE_LIMITED),  # too many in a row to one number
        20429: Retry(Reason.RATE_LIMITED),  # too many at a time: "never processed, safe to retry"
        21611: Retry(Reason.RATE_LIMITED),  # the sender's queue is full
        30001: Retry(Reason.RATE_LIMITED),  # the same, found out later
        60728: Closed(Reason.RATE_LIMITED, timedelta(minutes=15)),  # hourly limit
        63017: Retry(Reason.RATE_LIMITED),  # over 2,000 a second
        63038: Closed(Reason.RATE_LIMITED, timedelta(hours=1), alarm=True),  # rolling 24 h limit
        # the number
        21211: Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True),  # not a phone number
        21217: Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True),  # the same, by its form
        21610: Rejected(Reason.OPTED_OUT, contact_dead=True),  # answered STOP; Twilio blocks too
        21614: Rejected(Reason.NOT_MOBILE, contact_dead=True),
        21635: Rejected(Reason.NOT_MOBILE, contact_dead=True),  # a landline
        30005: Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True),  # unknown, may no longer exist
        30006: Rejected(Reason.NOT_MOBILE, contact_dead=True),  # landline or unreachable carrier
        # the number today: another day it may do
        21612: Rejected(Reason.UNREACHABLE),  # no route from this sender to that number
        30003: Retry(Reason.UNREACHABLE, timedelta(minutes=10)),  # switched off, out of coverage
        30004: Rejected(Reason.UNREACHABLE),  # blocked by the carrier or on the handset
        # where we may send to, a switch in Twilio's console
        21408: Rejected(Reason.REGION_NOT_ENABLED),
        # the letter
        21602: Rejected(Reason.REFUSED_CONTENT),  # no text
        21617: Rejected(Reason.TOO_LONG),  # over 1,600 characters
        30007: Rejected(Reason.REPUTATION),  # filtered as spam: the sender's name, not the citizen
        30019: Rejected(Reason.TOO_LONG),  # refused by the carrier for its size
        30022: Retry(Reason.RATE_LIMITED),  # the carrier's limit for this sender
        30036: Rejected(Reason.EXPIRED),  # ValidityPeriod went by in Twilio's queue
        # nobody knows
        20500: Retry(Reason.PROVIDER_ERROR),  # Twilio's own error, in its own envelope
        30008: Retry(Reason.UNKNOWN, timedelta(minutes=10)),  # one late try is worth it
        30410: Retry(Reason.PROVIDER_TIMEOUT),  # the carrier did not answer Twilio
    }
)


def ruling(answer: Answer, wall: datetime) -> Outcome:
    """What a refusal by Twilio means. Raises `ChannelDown` where it closes the road.

    An error in Twilio's own envelope (JSON with a code) was decided by its API, so nothing was
    sent; a 5xx without one comes from something in front of it, and the message is in doubt.
    """
    code = None if answer.ok else (answer.document() or {}).get("code")
    if not isinstance(code, int):
        return answered(answer, wall)
    verdict = CODES.get(code)
    if verdict is not None:
        return ruled(verdict, str(code), retry_after(answer.headers, wall))
    return replace(answered(answer, wall), maybe_sent=False, code=str(code))


def failure(code: str) -> tuple[Reason, bool]:
    """What a receipt's ErrorCode means: the reason, and whether the number is dead."""
    match CODES.get(int(code)) if re.fullmatch("[0-9]{1,6}", code) else None:
        case None:
            return Reason.UNKNOWN, False
        case Rejected(reason, contact_dead):
            return reason, contact_dead
        case verdict:
            return verdict.reason, False
