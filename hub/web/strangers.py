# SPDX-License-Identifier: EUPL-1.2
"""Who shows no valid key, signature or link: few tries a minute from one block of addresses."""

from aiohttp import web

from hub.web.desk import desk
from hub.web.limiter import block, caller


async def count_stranger(request: web.Request) -> None:
    """Count one try, before it is refused. Raises `ProblemError` 429 where it is one too many.

    Only those are counted who prove nothing: an address is shared by many, and whoever holds
    a key or a message has a limit of their own.
    """
    limit = desk(request).settings.limits.public_per_minute
    await desk(request).limiter.admit("stranger", origin_of(request), limit)


def origin_of(request: web.Request) -> str:
    """The block of addresses a request comes from, as limits count it."""
    return block(caller(request, desk(request).settings.server.trusted_proxies))
