# SPDX-License-Identifier: EUPL-1.2
"""What can go wrong at a provider, switched on by hand, by test or by the JSON API."""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from channels.base import ChannelName

Rate = Annotated[float, Field(ge=0, le=1)]


class Fault(StrEnum):
    """One way a single request can fail. Those marked (effect) reach the citizen all the same."""

    THROTTLE = "throttle"  # 429 with Retry-After; SMTP 421
    ERROR = "error"  # 5xx in the provider's own JSON; SMTP 451
    HTML_ERROR = "html_error"  # 5xx with a proxy's HTML page
    REJECT = "reject"  # the provider refuses this letter for good
    GARBAGE = "garbage"  # (effect) then a 200 that says nothing
    VANISH = "vanish"  # (effect) then no answer at all
    CUT = "cut"  # (effect) then half an answer and a reset
    DRIP = "drip"  # (effect) then the answer, one byte a second
    SILENCE = "silence"  # no effect, no answer


class ChannelFaults(BaseModel):
    """How one provider misbehaves now. The default is a good day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rates: dict[Fault, Rate] = Field(default={}, description="share of requests that fail so")
    latency: float = Field(default=0, ge=0, le=600, description="seconds before any answer")
    retry_after: int = Field(default=2, ge=0, le=86_400, description="seconds, with a 429")
    hang: float = Field(default=60, ge=0, le=3_600, description="seconds of silence, then a reset")
    undelivered: Rate = Field(default=0, description="SMS accepted, then reported undelivered")
    undelivered_code: int = Field(default=30003, description="Twilio's code for those")
    listing_lag: float = Field(
        default=0, ge=0, le=600, description="seconds until a taken message is listed (SMS, X)"
    )
    lost_receipts: Rate = Field(default=0, description="receipts that never come")
    duplicate_receipts: Rate = Field(default=0, description="receipts that come twice")
    unordered_receipts: Rate = Field(default=0, description="'delivered' comes before 'sent'")
    dead: frozenset[str] = Field(default=frozenset(), description="addresses that do not exist")
    full: frozenset[str] = Field(default=frozenset(), description="mailboxes over quota")
    bounced: frozenset[str] = Field(
        default=frozenset(), description="mailboxes whose letters are taken, then come back"
    )
    bounce_status: str = Field(
        default="5.1.1", pattern=r"^[45]\.\d{1,3}\.\d{1,3}$", description="why they come back"
    )
    off: frozenset[str] = Field(default=frozenset(), description="phones switched off")
    gives_up: float = Field(
        default=36_000,
        ge=0,
        le=36_000,
        description="seconds an SMS waits for a phone that is off; then it is undelivered",
    )

    @model_validator(mode="after")
    def _at_most_one_fault_a_request(self) -> "ChannelFaults":
        if sum(self.rates.values()) > 1:
            raise ValueError("rates of one channel add up to more than 1")
        return self


GOOD_DAY = ChannelFaults()


class Faults:
    """The faults of every channel, and the dice. The same seed gives the same bad luck."""

    def __init__(self, seed: str) -> None:
        self._now: dict[ChannelName, ChannelFaults] = {}
        self._dice = {
            name: random.Random(f"{seed}:{name}")  # noqa: S311 (bad luck, not a secret)
            for name in ChannelName
        }
        self._listeners: list[Callable[[], None]] = []

    def of(self, channel: ChannelName) -> ChannelFaults:
        """How this channel misbehaves now."""
        return self._now.get(channel, GOOD_DAY)

    def put(self, channel: ChannelName, faults: ChannelFaults) -> None:
        """Replace one channel's faults."""
        self._now[channel] = faults
        for listener in self._listeners:
            listener()

    def set(self, channel: ChannelName, **changes: Any) -> None:
        """Change some of one channel's faults. Raises pydantic's `ValidationError`."""
        now = self.of(channel).model_dump()
        self.put(channel, ChannelFaults.model_validate(now | changes))

    def put_all(self, wanted: Mapping[ChannelName, ChannelFaults]) -> None:
        """Replace everything; a channel left out has a good day."""
        for channel in ChannelName:
            self.put(channel, wanted.get(channel, GOOD_DAY))

    def as_json(self) -> dict[str, Any]:
        """Every channel's faults, by channel name."""
        return {name.value: self.of(name).model_dump(mode="json") for name in ChannelName}

    def listed_until(self, channel: ChannelName, now: datetime) -> datetime:
        """What was taken after that moment is not listed yet. On a good day everything is, also
        what bears a time to come because a clock was set back."""
        lag = self.of(channel).listing_lag
        return now - timedelta(seconds=lag) if lag else datetime.max.replace(tzinfo=UTC)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call it after every change (a phone was switched on again)."""
        self._listeners.append(listener)

    def draw(self, channel: ChannelName) -> Fault | None:
        """The fate of one request."""
        rates = self.of(channel).rates
        if not rates:
            return None
        throw = self._dice[channel].random()
        for fault, rate in rates.items():
            if throw < rate:
                return fault
            throw -= rate
        return None

    def happens(self, channel: ChannelName, rate: float) -> bool:
        """Whether something of this likelihood happens now."""
        return rate > 0 and self._dice[channel].random() < rate
