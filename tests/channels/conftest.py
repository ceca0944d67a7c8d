# SPDX-License-Identifier: EUPL-1.2
"""A clock that stands still, and a provider on loopback that answers what it is told."""

from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer


class StillClock:
    """21 November 2026, noon in UTC; the town's time and the world's can be set apart."""

    def __init__(self):
        self.town = self.world = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def now(self):
        return self.town

    def wall(self):
        return self.world

    def monotonic(self):
        return 0.0

    async def sleep(self, seconds):
        raise AssertionError("a channel never waits")


class Provider:
    """Answers every request with `reply` (status, headers, body), and remembers the request."""

    def __init__(self):
        self.reply = (200, {}, b"{}")
        self.requests = []

    async def answer(self, request):
        self.requests.append((request, await request.read()))
        status, headers, body = self.reply
        return web.Response(status=status, headers=headers, body=body)


@pytest.fixture
def clock():
    return StillClock()


@pytest.fixture
async def provider():
    one = Provider()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", one.answer)
    async with TestServer(application) as server:
        one.url = str(server.make_url("")).rstrip("/")
        yield one
