# SPDX-License-Identifier: EUPL-1.2
"""A sandbox on loopback, and the real SDKs that talk to it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from hub.clock import SystemClock
from hub.sandbox.server import Sandbox, SandboxSettings


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(SystemClock(), SandboxSettings(receipt_delay=0.01)) as running:
        yield running


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(base_url=sandbox.base_url) as session:
        yield session
