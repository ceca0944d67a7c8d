# SPDX-License-Identifier: EUPL-1.2
"""Providers that play tricks, with a record of their own of every message that took effect.

They outlive the hub's crashes: a request that was on the wire may arrive all the same.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, Self

from channels.base import (
    Accepted,
    ChannelDown,
    ChannelName,
    Clock,
    Delivered,
    Outcome,
    Prepared,
    Reason,
    Receipt,
    Recipient,
    Rejected,
    Rendered,
    Retry,
    Sighting,
    Slip,
    TextLimit,
)

TIMEOUT: Final = 10.0  # seconds after which our side hangs up
LATEST: Final = 12.0  # seconds after which no request takes effect any more
LISTED: Final = 2.0  # seconds within which a provider lists what it took
SKEW: Final = timedelta(seconds=5)

HEALTHY: Final[Mapping[str, float]] = {"ok": 1.0}
TRICKS: Final = (
    *("ok", "slow", "late", "lost", "very late", "busy", "broken", "broken, taken", "reset"),
    *("reset, taken", "refused", "rejected", "dead", "odd", "bug", "bug, taken", "down"),
)
_SILENT: Final = frozenset({"late", "lost", "very late"})
_TAKEN: Final = frozenset(
    {"ok", "slow", "late", "very late", "broken, taken", "reset, taken", "bug, taken"}
)


_SAID: Final[Mapping[str, Outcome]] = {
    "broken": Retry(Reason.PROVIDER_ERROR, maybe_sent=True, code="503"),
    "broken, taken": Retry(Reason.PROVIDER_ERROR, maybe_sent=True, code="503"),
    "reset": Retry(Reason.NETWORK, maybe_sent=True),
    "reset, taken": Retry(Reason.NETWORK, maybe_sent=True),
    "rejected": Rejected(Reason.REFUSED_CONTENT, code="30007"),
    "dead": Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True, code="21211"),
    "odd": Retry(Reason.UNKNOWN, code="77777"),
}


def _failure(trick: str) -> Exception:
    if trick == "down":
        return ChannelDown(Reason.AUTHENTICATION, alarm=True, code="401")
    return ValueError("a library's bug")


@dataclass
class Write:
    """One message that passed the gate. `effect` is when it reached the citizen, if it did."""

    channel: ChannelName
    address: str
    delivery: int
    round: int
    lane: int
    words: str  # what is said: the announcement's version, and which of its posts
    in_doubt: bool
    at: float
    civil: datetime
    token: str
    effect: float | None = None
    civil_effect: datetime | None = None
    ref: str | None = None
    failed: bool = False
    answered: str = ""


@dataclass
class Provider:
    """One channel's provider. `mood` weighs its tricks; `receipts` says how it reports later."""

    channel: ChannelName
    clock: Clock
    chance: Random
    mood: Mapping[str, float] = field(default_factory=lambda: HEALTHY)
    post: Callable[[Receipt], None] | None = None
    failing: float = 0.0  # share of what was taken that is reported failed later
    listing_down: bool = False
    writes: list[Write] = field(default_factory=list)
    _wire: list[tuple[Write, asyncio.TimerHandle]] = field(default_factory=list)
    _sequence: int = 0

    def trick(self) -> str:
        return self.chance.choices(list(self.mood), list(self.mood.values()))[0]

    # ------------------------------------------------------------------ the wire

    def carry(self, write: Write, trick: str, answer: "asyncio.Future[Outcome]") -> None:
        """What becomes of one request: an effect, an answer, both or neither."""
        self.writes.append(write)
        loop = asyncio.get_running_loop()
        latency = self.chance.uniform(0.005, 0.3)
        if trick == "slow":
            latency = self.chance.uniform(2, 6)
        if trick == "very late":
            latency = self.chance.uniform(TIMEOUT, LATEST)
        if trick in _TAKEN:
            timer = loop.call_later(latency, self._take, write)
            self._wire.append((write, timer))
        if trick not in _SILENT:
            back = latency + self.chance.uniform(0.001, 0.3)
            loop.call_later(back, self._answer, write, trick, answer)

    def _take(self, write: Write) -> None:
        self._wire = [each for each in self._wire if each[0] is not write]
        if self.channel is ChannelName.X and self._same(write):
            return  # refused as a duplicate
        self._sequence += 1
        write.effect, write.civil_effect = self.clock.monotonic(), self.clock.now()
        write.ref = f"{self.channel}{self._sequence}"
        if self.post is not None:
            self._report(write)

    def _same(self, write: Write) -> Write | None:
        alike = (
            each
            for each in self.writes
            if each is not write
            and (each.address, each.words) == (write.address, write.words)
            and each.effect is not None
        )
        return next(alike, None)

    def _answer(self, write: Write, trick: str, answer: "asyncio.Future[Outcome]") -> None:
        if answer.done():  # nobody listens any more
            return
        outcome = self._outcome(write, trick)
        write.answered = trick
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)

    def _outcome(self, write: Write, trick: str) -> Outcome | Exception:
        if self.channel is ChannelName.X and trick in {"ok", "slow"} and write.effect is None:
            twin = self._same(write)
            if twin is not None and write.in_doubt:
                return Accepted()
            return Rejected(Reason.DUPLICATE, code="187")
        if trick in {"ok", "slow"}:
            return Delivered(write.ref) if self._tells else Accepted(write.ref)
        if trick == "busy":
            after = timedelta(seconds=self.chance.randint(1, 30))
            return Retry(Reason.RATE_LIMITED, after=after, code="429")
        return _SAID.get(trick) or _failure(trick)

    @property
    def _tells(self) -> bool:
        return self.channel in (ChannelName.X, ChannelName.WEBPUSH)

    def crash(self) -> None:
        """Our side died: some of what was on the wire never arrives."""
        for _, timer in self._wire:
            if self.chance.random() < 0.3:
                timer.cancel()
        self._wire = [each for each in self._wire if not each[1].cancelled()]

    # ------------------------------------------------------------------ its later word

    def _report(self, write: Write) -> None:
        write.failed = self.chance.random() < self.failing
        ranks = [1, 2 if write.failed else 3]
        told = [rank for rank in ranks for _ in range(self.chance.choice([1, 1, 1, 2]))]
        self.chance.shuffle(told)
        loop = asyncio.get_running_loop()
        longest = self.chance.choice([0.05, 2.0, 60.0])
        for rank in told:
            loop.call_later(self.chance.uniform(0, longest), self._tell, write, rank)

    def _tell(self, write: Write, rank: int) -> None:
        assert self.post is not None
        reason = Reason.UNREACHABLE if rank == 2 else Reason.UNKNOWN
        code = {1: "sent", 2: "30003", 3: "delivered"}[rank]
        self.post(Receipt(write.token, rank, code, reason, write.ref, self.clock.wall()))

    def listed(self, address: str, words: str, since: datetime) -> list[Sighting]:
        """What it lists of these words to this address."""
        now = self.clock.monotonic()
        return [
            Sighting(write.ref, write.civil_effect, write.failed, self.channel)
            for write in sorted(self.writes, key=lambda write: write.effect or 0.0)
            if (write.address, write.words) == (address, words)
            and write.effect is not None
            and write.ref is not None
            and write.civil_effect is not None
            and write.effect + LISTED <= now
            and write.civil_effect >= since - SKEW
        ]


@dataclass
class ProviderChannel:
    """The hub's side of it: asks the gate with the connection in hand, hangs up after a while."""

    provider: Provider
    limit: TextLimit = field(default_factory=lambda: TextLimit("none", 0, 0, 1))

    @property
    def name(self) -> ChannelName:
        return self.provider.channel

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None

    def prepare(self, text: Rendered) -> Prepared:
        return Prepared(text, None)

    async def check(self) -> str:
        return "nothing to check"

    async def send(self, prepared: Prepared, to: Recipient, slip: Slip) -> Outcome:
        provider = self.provider
        trick = provider.trick()
        await asyncio.sleep(provider.chance.choice([0.0, 0.001, 0.05]))  # to a connection
        if trick == "refused":
            return Retry(Reason.NETWORK)
        slip.gate()
        write = Write(
            channel=provider.channel,
            address=to.address,
            delivery=slip.delivery,
            round=slip.round,
            lane=slip.lane,
            words=f"{prepared.rendered.key}.{slip.post}",
            in_doubt=slip.in_doubt,
            at=provider.clock.monotonic(),
            civil=provider.clock.now(),
            token=slip.receipt_token,
        )
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        provider.carry(write, trick, answer)
        try:
            async with asyncio.timeout(TIMEOUT):
                return await answer
        except TimeoutError:
            return Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True)


@dataclass
class ProviderWitness(ProviderChannel):
    """A road that can be asked afterwards (SMS, X)."""

    async def seen(
        self, prepared: Prepared, to: Recipient, slip: Slip, since: datetime
    ) -> Sequence[Sighting]:
        await asyncio.sleep(self.provider.chance.choice([0.01, 0.2, 3.0]))
        if self.provider.listing_down:
            raise ChannelDown(Reason.PROVIDER_ERROR)
        words = f"{prepared.rendered.key}.{slip.post}"
        return self.provider.listed(to.address, words, since)


def road_of(provider: Provider) -> Any:
    """The channel that leads to a provider."""
    witness = provider.channel in (ChannelName.SMS, ChannelName.X)
    return ProviderWitness(provider) if witness else ProviderChannel(provider)
