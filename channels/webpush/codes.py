# SPDX-License-Identifier: EUPL-1.2
"""What a push service's answers mean.

Statuses from RFC 8030 sections 5 and 7.3; what stands nowhere here is `Retry`, bounded by the
flow. Only 404 and 410 end a subscription: the service says that the browser has left.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from channels.base import Accepted, Outcome, Reason, Rejected, Retry
from channels.http import Answer, Verdict, answered, ruled

CODES: Mapping[int, Verdict] = MappingProxyType(
    {
        404: Rejected(Reason.SUBSCRIPTION_GONE, contact_dead=True),
        410: Rejected(Reason.SUBSCRIPTION_GONE, contact_dead=True),
        413: Rejected(Reason.TOO_LONG),
    }
)

# Windows answers 201 and says in a header that it did not keep the message (WNS documentation,
# "X-WNS-Status"; seen with web push endpoints by other senders).
WNS_STATUS: Mapping[str, Verdict] = MappingProxyType(
    {
        "dropped": Retry(Reason.UNREACHABLE, timedelta(minutes=10)),
        "channelthrottled": Retry(Reason.RATE_LIMITED, timedelta(minutes=5)),
    }
)


def ruling(answer: Answer, wall: datetime, *, proven: bool) -> Outcome:
    """The outcome of one answer; `wall` is the world's time.

    `proven` says that a push service has taken a message signed with this key before. A 401 or 403
    then speaks of one subscription (made with another town's key, say) and not of our key: it is
    tried again, bounded, because a single false subscription must not silence the channel.
    Otherwise it raises `ChannelDown` with an alarm.
    """
    if answer.ok:
        dropped = WNS_STATUS.get(answer.headers.get("X-WNS-Status", "").lower())
        if dropped is not None:
            return ruled(dropped, f"{answer.status} wns")
        return Accepted(answer.headers.get("Location"))
    if proven and answer.status in {401, 403}:
        return Retry(Reason.AUTHENTICATION, code=str(answer.status))
    verdict = CODES.get(answer.status)
    if verdict is not None:
        return ruled(verdict, str(answer.status))
    return answered(answer, wall)
