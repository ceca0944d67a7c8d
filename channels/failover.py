# SPDX-License-Identifier: EUPL-1.2
"""Several providers behind one channel: the slip says which of them carries a message.

Who carries what is the road's choice, which knows how each is doing (`hub.flow.send.providers`);
this channel only passes it on. It never carries a message on from one provider to the next.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any, Self, TypeVar, cast

from channels.base import (
    Channel,
    ChannelName,
    CheckFailed,
    Inbound,
    Outcome,
    Prepared,
    Receipt,
    Recipient,
    Rendered,
    Sighting,
    Slip,
    TextLimit,
    Witness,
)

T = TypeVar("T")


class Failover:
    """`providers` are channels of one name, by the provider's name, in order of preference."""

    name: ChannelName
    limit: TextLimit

    def __init__(self, providers: Mapping[str, Channel]) -> None:
        self._providers = dict(providers)
        self._first = next(iter(providers))
        self.name = self._providers[self._first].name
        self.limit = self._providers[self._first].limit
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            for each in self._providers.values():
                await opening.enter_async_context(each)
            self._open = opening.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    def prepare(self, text: Rendered) -> Prepared:
        """Compiled for each of them. Raises what they raise."""
        return Prepared(text, {name: each.prepare(text) for name, each in self._providers.items()})

    async def send(self, prepared: Prepared, to: Recipient, slip: Slip) -> Outcome:
        """By the provider the slip names; the first where it names none."""
        by = slip.provider or self._first
        return await self._providers[by].send(prepared.compiled[by], to, slip)

    async def check(self) -> str:
        """Try every provider's credentials. Raises `CheckFailed` naming the first that fails."""
        said = []
        for name, each in self._providers.items():
            try:
                said.append(f"{name}: {await each.check()}")
            except CheckFailed as failed:
                raise CheckFailed(f"{name}: {failed}") from None
        return "; ".join(said)

    async def seen(
        self, prepared: Prepared, to: Recipient, slip: Slip, since: datetime
    ) -> Sequence[Sighting]:
        """What any of them lists: any may have had it. Raises `ChannelDown` where one of them
        cannot tell, for then nobody knows."""
        found: list[Sighting] = []
        for name, each in self._providers.items():
            listed = await cast("Witness", each).seen(prepared.compiled[name], to, slip, since)
            found += [replace(sighting, provider=name) for sighting in listed]
        return sorted(found, key=lambda sighting: sighting.at)

    def read_receipts(self, headers: Mapping[str, str], body: bytes, url: str) -> list[Receipt]:
        """By whichever provider's signature fits. Raises `PermissionError` where none does."""
        return self._read(lambda reader: reader.read_receipts(headers, body, url))

    def read_inbound(self, headers: Mapping[str, str], body: bytes, url: str) -> Inbound:
        """As `read_receipts`."""
        heard: Inbound = self._read(lambda reader: reader.read_inbound(headers, body, url))
        return heard

    def _read(self, read: Callable[[Any], T]) -> T:
        for each in self._providers.values():
            try:
                return read(each)
            except PermissionError:
                continue
        raise PermissionError("the signature is no provider's")
