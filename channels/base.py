# SPDX-License-Identifier: EUPL-1.2
"""What every channel promises, and the words it shares with the flow.

A channel compiles an announcement once (`prepare`) and sends it to many (`send`): that split is
what makes the hub fast and the previews exact. It never retries, waits, renders or remembers.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, Protocol, Self, runtime_checkable


class ChannelName(StrEnum):
    """The four roads. The value is what API, CSV, templates and reports show."""

    SMS = "sms"
    EMAIL = "email"
    X = "x"
    WEBPUSH = "webpush"


class Urgency(StrEnum):
    """How much an announcement may disturb (UX.md section 5)."""

    INFORMATION = "information"
    IMPORTANT = "important"
    URGENT = "urgent"
    DRILL = "drill"


class Lane(IntEnum):
    """The queue's order; a lower number leaves first."""

    VITAL = 0
    TRANSACTIONAL = 1
    IMPORTANT = 2
    BULK = 3


class Reason(StrEnum):
    """Why a delivery is where it is. A closed list: each has a sentence in every language.

    Sentences live in the interface's catalogue under the key ``reason.<value>``.
    """

    # what the citizen chose, or who they are to us
    OPTED_OUT = "opted_out"
    UNSUBSCRIBED = "unsubscribed"
    ERASED = "erased"
    SUSPENDED = "suspended"
    UNVERIFIED = "unverified"
    QUIET_HOURS = "quiet_hours"
    PAUSED_BY_PERSON = "paused_by_person"
    DIGEST = "digest"
    REPLACED = "replaced"
    SAME_ADDRESS = "same_address"
    # what the announcement became
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    RUN_PAUSED = "run_paused"
    CHANNEL_PAUSED = "channel_paused"
    ON_HOLD = "on_hold"
    FALLBACK = "fallback"
    # the address
    NO_SUCH_ADDRESS = "no_such_address"
    NOT_MOBILE = "not_mobile"
    UNREACHABLE = "unreachable"
    MAILBOX_FULL = "mailbox_full"
    SUBSCRIPTION_GONE = "subscription_gone"
    NOT_ALLOWED_BY_PERSON = "not_allowed_by_person"
    COMPLAINT = "complaint"
    # the letter
    REFUSED_CONTENT = "refused_content"
    TOO_LONG = "too_long"
    DUPLICATE = "duplicate"
    REPUTATION = "reputation"
    # the road
    RATE_LIMITED = "rate_limited"
    PROVIDER_ERROR = "provider_error"
    PROVIDER_TIMEOUT = "provider_timeout"
    NETWORK = "network"
    AUTHENTICATION = "authentication"
    BUDGET = "budget"
    REGION_NOT_ENABLED = "region_not_enabled"
    # ourselves
    CRASHED = "crashed"
    LEASE_ENDED = "lease_ended"
    DRAINED = "drained"
    CHANNEL_NOT_CONFIGURED = "channel_not_configured"
    OUTCOME_UNKNOWN = "outcome_unknown"
    INTERNAL = "internal"
    RETRIES_SPENT = "retries_spent"
    REDRIVEN = "redriven"
    UNKNOWN = "unknown"


# --------------------------------------------------------------------------- what is said


@dataclass(frozen=True, slots=True)
class TextLimit:
    """How much text fits, in the channel's own unit; `templates.fit` reads it."""

    unit: str  # "septets", "weighted", "bytes", "none"
    single: int
    part: int
    max_parts: int


# The stop token of one citizen, in a link that everybody's text carries. It is rendered once, as
# this marker of exactly a token's length, and spliced at each send: the preview therefore shows
# what leaves byte for byte, but for personal links of equal length (promise 5).
STOP_TOKEN_LENGTH = 32
STOP_TOKEN_MARK = "PersonalStopTokenPersonalStopTok"  # noqa: S105 (a place, not a secret)
assert len(STOP_TOKEN_MARK) == STOP_TOKEN_LENGTH

# The same in an SMS, where each character may be the one that costs a second part.
SHORT_STOP_LENGTH = 16
SHORT_STOP_MARK = "PersonalStopLink"
assert len(SHORT_STOP_MARK) == SHORT_STOP_LENGTH
assert SHORT_STOP_MARK not in STOP_TOKEN_MARK


@dataclass(frozen=True, slots=True)
class SmsText:
    """One SMS as it will leave; `body` may hold `SHORT_STOP_MARK`."""

    body: str


@dataclass(frozen=True, slots=True)
class PostText:
    """One or more X posts, in order; each is its own delivery."""

    posts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EmailText:
    """One e-mail: what every reader gets. `text` and `html` may hold `STOP_TOKEN_MARK`.

    `stop_url` is the one-click address (RFC 8058) holding the mark, `list_id` an RFC 2919 id
    such as ``eau.alerte.example.org``; `list_name` its human name. A letter to one person of the
    house is of no list: its `stop_url` is None.
    """

    subject: str
    text: str
    html: str
    stop_url: str | None
    list_id: str = ""
    list_name: str = ""


@dataclass(frozen=True, slots=True)
class PushText:
    """One web push notification: `payload` is the JSON text (RFC 8291 plaintext, at most 3,993
    bytes of UTF-8), which may hold `STOP_TOKEN_MARK`; `topic` replaces an undelivered earlier
    version (RFC 8030 section 5.4)."""

    payload: str
    topic: str


Text = SmsText | PostText | EmailText | PushText


@dataclass(frozen=True, slots=True)
class Rendered:
    """The exact text of one announcement on one channel in one language.

    `key` names the announcement version (for logs and stable ids; never an address).
    """

    channel: ChannelName
    language: str
    key: str
    text: Text


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a channel compiled from a `Rendered`. Opaque to everybody but that channel."""

    rendered: Rendered
    compiled: Any = field(repr=False)


# --------------------------------------------------------------------------- to whom


@dataclass(frozen=True, slots=True)
class Recipient:
    """One contact point: its normalised address, and for web push the subscription's keys."""

    address: str = field(repr=False)
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)


def always_open() -> None:
    """The gate of a message nobody may withhold (tests, `hub check`)."""


@dataclass(frozen=True, slots=True)
class Slip:
    """What goes with one message and comes back with its receipt.

    `gate` is asked by the channel exactly once, with the connection in hand and only the write
    to follow (ENGINE.md 4.5). It raises `Withheld` when the message may no longer leave; channels
    let that pass untouched.

    `stop_token` is as long as the channel's mark: `SHORT_STOP_MARK` by SMS, else `STOP_TOKEN_MARK`.
    `receipt_token` is ``<delivery>.<round>.<mac>``: a receipt finds its row without an index.
    `message_key` is stable over every copy of this message for this person (the left part of the
    e-mail's Message-ID). `post` is the index of the post in a thread, `reply_to` the provider's
    reference of the post before it. `provider` says which of a channel's several providers is to
    carry it (`channels.failover`); empty where there is one.
    """

    delivery: int
    round: int
    lane: Lane
    expires: datetime | None
    in_doubt: bool
    stop_token: str
    receipt_token: str
    message_key: str
    gate: Callable[[], None] = always_open
    post: int = 0
    reply_to: str | None = None
    provider: str = ""


# --------------------------------------------------------------------------- what became of it


@dataclass(frozen=True, slots=True)
class Delivered:
    """It is in the citizen's hands (or public), and the provider said so."""

    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took charge of it; a receipt may follow."""

    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Not this time. `after` is the provider's own wish; `maybe_sent` says the request may have
    taken effect: the message is then in doubt, never simply sent again."""

    reason: Reason
    after: timedelta | None = None
    maybe_sent: bool = False
    code: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Never. `contact_dead` (only ever from a provider's code table) suspends the address."""

    reason: Reason
    contact_dead: bool = False
    code: str = ""


Outcome = Delivered | Accepted | Retry | Rejected


class ChannelDown(Exception):
    """The road is closed, not the letter: pause the channel, spend nobody's attempts.

    `after` is when to look again; `alarm` is true when a human must act (a wrong key).
    """

    def __init__(
        self,
        reason: Reason,
        *,
        after: timedelta | None = None,
        alarm: bool = False,
        code: str = "",
    ) -> None:
        super().__init__(f"channel down: {reason} {code}".rstrip())
        self.reason = reason
        self.after = after
        self.alarm = alarm
        self.code = code


class Withheld(Exception):
    """The gate kept a message back. Raised by `Slip.gate`, passed on untouched by channels."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider's later word on an accepted message (rank: sent 1, failed 2, delivered 3)."""

    token: str
    rank: int
    code: str
    reason: Reason
    ref: str | None
    at: datetime
    contact_dead: bool = False


@dataclass(frozen=True, slots=True)
class Inbound:
    """What a citizen wrote to the town. `id` is the provider's: the same one is the same message.

    `answered`: the provider has answered it already, with words of its own.
    """

    id: str
    sender: str = field(repr=False)
    to: str
    body: str = field(repr=False)
    answered: bool = False


class CheckFailed(Exception):
    """A channel's credentials or server were refused; the text is one sentence for the operator."""


class Clock(Protocol):
    """The time, handed to whoever needs it."""

    def now(self) -> datetime:
        """The town's civil time (UTC, aware). A demo shifts it."""
        ...

    def wall(self) -> datetime:
        """The world's time (UTC, aware), for what others verify: signatures and tokens."""
        ...

    def monotonic(self) -> float:
        """Seconds on a steady clock that counts sleep."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class Channel(Protocol):
    """A road out of town. Never retries, waits, renders or remembers."""

    name: ChannelName
    limit: TextLimit

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def prepare(self, text: Rendered) -> Prepared:
        """Compile once per announcement and language."""
        ...

    async def send(self, prepared: Prepared, to: Recipient, slip: Slip) -> Outcome:
        """Send one message. Raises `ChannelDown` when the road itself is closed."""
        ...

    async def check(self) -> str:
        """Try the credentials without sending. Returns a sentence; raises `CheckFailed`."""
        ...


class BatchChannel(Channel, Protocol):
    """A road that carries many at once, reporting each as it knows."""

    def send_many(
        self, prepared: Prepared, to: Sequence[tuple[Recipient, Slip]]
    ) -> AsyncIterator[tuple[Slip, Outcome]]: ...


@dataclass(frozen=True, slots=True)
class Sighting:
    """A message the provider lists that may be the one in doubt: same address, sender and text.

    `failed`: the provider says that this copy did not arrive.
    """

    ref: str
    at: datetime
    failed: bool = False
    provider: str = ""


@runtime_checkable
class Witness(Protocol):
    """A road that can be asked afterwards: did this one leave? (ENGINE.md section 5)"""

    async def seen(
        self, prepared: Prepared, to: Recipient, slip: Slip, since: datetime
    ) -> Sequence[Sighting]:
        """What the provider lists of this message since `since` (less its clock's skew), oldest
        first; whose each copy is, the ledger knows. Raises `ChannelDown` where it cannot tell."""
        ...


class ReceiptReader(Protocol):
    """Bytes in, receipts out; checks the signature, touches nothing."""

    def read_receipts(self, headers: Mapping[str, str], body: bytes, url: str) -> list[Receipt]:
        """Raises `PermissionError` where the signature is wrong."""
        ...
