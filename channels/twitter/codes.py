# SPDX-License-Identifier: EUPL-1.2
"""What X's refusals mean for a post, a person and the road.

X's API v2 gives no codes: a status, and a "problem" (RFC 9457) whose type and detail tell one 403
from the next. The phrases are those of docs.x.com (response codes, problem types) and of the old
numbered errors, whose number stands beside each. One that is not here is a Retry, bounded
elsewhere.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from channels.base import Accepted, Outcome, Reason, Rejected, Retry
from channels.http import Answer, Closed, Verdict, answered, bounded, retry_after, ruled

# Looked for in order in "<type> <title> <detail> <messages>", lower case. None of them may call a
# person's account dead: X says too little about why.
PHRASES: tuple[tuple[str, str, Verdict], ...] = (
    ("duplicate content", "187", Rejected(Reason.DUPLICATE)),
    ("status is a duplicate", "187", Rejected(Reason.DUPLICATE)),
    # the town's account or application
    ("oauth1-permissions", "93", Closed(Reason.AUTHENTICATION, alarm=True)),
    ("oauth1 app permissions", "93", Closed(Reason.AUTHENTICATION, alarm=True)),
    ("unsupported-authentication", "", Closed(Reason.AUTHENTICATION, alarm=True)),
    ("client-not-enrolled", "", Closed(Reason.AUTHENTICATION, alarm=True)),
    ("client-forbidden", "", Closed(Reason.AUTHENTICATION, alarm=True)),
    ("your account is suspended", "64", Closed(Reason.AUTHENTICATION, alarm=True)),
    ("temporarily locked", "326", Closed(Reason.AUTHENTICATION, alarm=True)),
    ("might be automated", "226", Closed(Reason.REPUTATION, timedelta(hours=1), alarm=True)),
    ("usage-capped", "", Closed(Reason.BUDGET, timedelta(hours=1), alarm=True)),
    ("creditsdepleted", "", Closed(Reason.BUDGET, timedelta(hours=1), alarm=True)),
    ("daily limit", "185", Closed(Reason.RATE_LIMITED, timedelta(hours=1))),
    # the letter
    ("needs to be a bit shorter", "186", Rejected(Reason.TOO_LONG)),
    ("deleted or not visible", "385", Rejected(Reason.REFUSED_CONTENT)),  # post answered is gone
    # the person: did not write first, blocks us, or takes no messages
    ("permission to dm", "", Rejected(Reason.NOT_ALLOWED_BY_PERSON)),
    ("cannot send messages to this user", "349", Rejected(Reason.NOT_ALLOWED_BY_PERSON)),
    ("who are not following you", "150", Rejected(Reason.NOT_ALLOWED_BY_PERSON)),
)

STATUSES: Mapping[int, Verdict] = MappingProxyType(
    {
        400: Rejected(Reason.REFUSED_CONTENT),
        401: Closed(Reason.AUTHENTICATION, alarm=True),
        402: Closed(Reason.BUDGET, timedelta(hours=1), alarm=True),  # credit spent, pay-per-use
        403: Retry(Reason.UNKNOWN),
    }
)

# The limits of one answer: 15 minutes, and 24 hours for the account and for the application.
WINDOWS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")


def ruling(answer: Answer, wall: datetime, *, direct: bool, in_doubt: bool) -> Outcome:
    """What a refusal by X means; `direct` for a direct message.

    A duplicate is proof, where the message was in doubt, that its first copy left (ENGINE.md 5).
    Raises `ChannelDown` where the answer closes the road.
    """
    if answer.ok or answer.status >= 500:
        return answered(answer, wall)
    if answer.status == 429:
        return Retry(Reason.RATE_LIMITED, after=reset(answer.headers, wall), code="429")
    words = problem(answer.document() or {})
    for phrase, number, verdict in PHRASES:
        if phrase in words:
            if in_doubt and verdict == Rejected(Reason.DUPLICATE):
                return Accepted()
            return ruled(verdict, number or str(answer.status))
    if direct and answer.status == 403:
        return Rejected(Reason.NOT_ALLOWED_BY_PERSON, code="403")
    verdict = STATUSES.get(answer.status, Retry(Reason.UNKNOWN))
    return ruled(verdict, str(answer.status), retry_after(answer.headers, wall))


def problem(document: Mapping[str, Any]) -> str:
    """All a refusal says, in lower case, to look phrases up in; never shown or logged."""
    errors = document.get("errors")
    messages = [
        error.get("message")
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    ]
    named = [document.get(key) for key in ("type", "title", "detail", "reason")]
    return " ".join(word for word in named + messages if isinstance(word, str)).lower()


def reset(headers: Mapping[str, str], wall: datetime) -> timedelta | None:
    """How long until X takes posts again: the latest reset of the limits that are used up.

    Resets are seconds since 1970, so they are compared with the world's time. Where no limit says
    it is used up, the 15-minute one counts; then Retry-After.
    """
    spent = [window for window in WINDOWS if headers.get(f"{window}-remaining") == "0"]
    resets = [headers.get(f"{window}-reset", "") for window in spent or WINDOWS[:1]]
    moments = [
        datetime.fromtimestamp(int(value), UTC)
        for value in resets
        if re.fullmatch("[0-9]{1,10}", value)
    ]
    return bounded(max(moments) - wall) if moments else retry_after(headers, wall)
