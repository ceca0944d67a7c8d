# SPDX-License-Identifier: EUPL-1.2
"""What a mail server's answers mean: reply codes and enhanced status codes, as one table.

Knowledge from RFC 5321 section 4.2.3, RFC 3463 and the IANA registry of enhanced status codes,
unless a line says otherwise. What stands nowhere here is `Retry`, bounded by the flow.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from channels.base import ChannelDown, Reason, Rejected, Retry
from channels.http import Closed, Verdict, ruled


@dataclass(frozen=True, slots=True)
class Reply:
    """One SMTP reply: its code, and its text (never shown or logged: it may quote the address)."""

    code: int
    text: str

    @property
    def positive(self) -> bool:
        return 200 <= self.code < 400

    @property
    def enhanced(self) -> str:
        """The RFC 3463 status at the head of the text, or an empty string."""
        found = _ENHANCED.match(self.text)
        return found[0] if found else ""


_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")

CODES: Mapping[str, Verdict] = MappingProxyType(
    {
        # --- the address: only these may suspend a citizen's mailbox
        "5.1.1": Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True),  # bad mailbox
        "5.1.2": Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True),  # bad domain
        "5.1.3": Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True),  # bad syntax
        "5.1.6": Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True),  # moved, no forwarding
        "5.1.10": Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True),  # null MX (RFC 7505)
        "5.2.1": Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True),  # disabled mailbox
        "5.2.2": Rejected(Reason.MAILBOX_FULL),  # people do come back and tidy up
        "4.2.2": Retry(Reason.MAILBOX_FULL),
        "4.2.1": Retry(Reason.UNREACHABLE),
        "5.4.4": Rejected(Reason.UNREACHABLE),  # no route: a domain may be mended
        "5.4.6": Rejected(Reason.UNREACHABLE),  # a mail loop at the reader's
        # --- the letter
        "5.2.3": Rejected(Reason.TOO_LONG),
        "5.3.4": Rejected(Reason.TOO_LONG),
        "5.6.0": Rejected(Reason.REFUSED_CONTENT),
        "5.6.7": Rejected(Reason.UNREACHABLE),  # internationalised address (RFC 6531)
        # --- our reputation (5.7.*, 4.7.*): the sender's fault, never the reader's
        "5.7": Rejected(Reason.REPUTATION),
        "4.7": Retry(Reason.REPUTATION),
        "4.7.0": Retry(Reason.RATE_LIMITED),  # greylisting and "try again later" (Postfix, Gmail)
        "4.7.28": Retry(Reason.RATE_LIMITED),  # Gmail: unusual rate from this host
        # --- the road: sign-in and the server itself
        "5.7.8": Closed(Reason.AUTHENTICATION, alarm=True),  # RFC 4954: credentials invalid
        "5.7.9": Closed(Reason.AUTHENTICATION, alarm=True),  # RFC 4954: mechanism too weak
        "530": Closed(Reason.AUTHENTICATION, alarm=True),  # authentication or STARTTLS required
        "534": Closed(Reason.AUTHENTICATION, alarm=True),
        "535": Closed(Reason.AUTHENTICATION, alarm=True),
        "538": Closed(Reason.AUTHENTICATION, alarm=True),
        "454": Closed(Reason.AUTHENTICATION),  # RFC 4954: temporary authentication failure
        "421": Closed(Reason.PROVIDER_ERROR),  # the service closes the connection
        # --- bare codes, where the server gives no enhanced status
        "450": Retry(Reason.UNREACHABLE),
        "451": Retry(Reason.PROVIDER_ERROR),
        "452": Retry(Reason.RATE_LIMITED),  # not enough storage, or too many recipients for now
        # 550 covers "no such user" and "refused by policy" alike: not enough to suspend anybody.
        "550": Rejected(Reason.UNREACHABLE),
        "551": Rejected(Reason.NO_SUCH_ADDRESS),
        "552": Rejected(Reason.MAILBOX_FULL),
        "553": Rejected(Reason.NO_SUCH_ADDRESS),
        "554": Rejected(Reason.REFUSED_CONTENT),
        "556": Rejected(Reason.UNREACHABLE),  # RFC 7504: the domain takes no mail
    }
)

# These close the road whatever status stands beside them.
_ROAD = frozenset({421, 454, 530, 534, 535, 538})


def refused(reply: Reply) -> Retry | Rejected:
    """The outcome of a negative reply. Raises `ChannelDown` where the road itself is closed."""
    status = reply.enhanced
    bare = str(reply.code)
    looked_up = (bare,) if reply.code in _ROAD else (status, status.rpartition(".")[0], bare)
    found = next((CODES[code] for code in looked_up if code in CODES), Retry(Reason.UNKNOWN))
    return ruled(found, f"{bare} {status}".rstrip())


def sender_refused(reply: Reply) -> Retry | Rejected:
    """The outcome of a refused MAIL command: it speaks of our sender, alike for every reader.

    A permanent refusal is therefore the road's (`ChannelDown` with an alarm), or a newsletter
    would be spent on a mistyped sender address.
    """
    if reply.code >= 500 and reply.code not in _ROAD:
        code = f"{reply.code} {reply.enhanced}".rstrip()
        raise ChannelDown(Reason.REPUTATION, alarm=True, code=code)
    return refused(reply)
