# SPDX-License-Identifier: EUPL-1.2
"""What works beside the engine for as long as the hub is open."""

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar, Self


@dataclass(slots=True)
class Companion(ABC):
    """Its `work` begins as it is entered, and is cancelled where it still goes on at the end."""

    name: ClassVar[str]
    _task: "asyncio.Task[None] | None" = field(default=None, init=False)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.work(), name=self.name)
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._task is not None:
            await end(self._task)

    @abstractmethod
    async def work(self) -> None:
        """Goes on until it is cancelled."""


async def end(task: "asyncio.Task[None]") -> None:
    """Cancel a task and wait for its end. Raises what it failed of before."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
