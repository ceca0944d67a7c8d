# SPDX-License-Identifier: EUPL-1.2
"""How much one caller may ask of a door in a minute."""

import ipaddress
from collections.abc import Sequence

from aiohttp import web
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from hub.web.problems import ProblemError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def caller(request: web.Request, trusted: Sequence[Network]) -> str:
    """The address of who asks: the nearest one in X-Forwarded-For that no proxy of ours owns."""
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))  # proxies may add a line
    hops = [request.remote or "", *reversed(forwarded.replace(" ", "").split(","))]
    for hop in hops:
        try:
            address = ipaddress.ip_address(hop)
        except ValueError:
            break
        if not any(address in network for network in trusted):
            return str(address)
    return hops[0]


def block(address: str) -> str:
    """The block one subscriber of a network provider commands: a /24, or a /56 in IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    prefix = 24 if found.version == 4 else 56
    return str(ipaddress.ip_network(f"{found}/{prefix}", strict=False))


class Limiter:
    """Counts by door and caller, in this process's memory."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def has_room(self, door: str, who: str, amount: int, *, minutes: int = 1) -> bool:
        """Count one call; whether it is not one too many in so many minutes."""
        return await self._limiter.hit(RateLimitItemPerMinute(amount, minutes), door, who)

    async def admit(self, door: str, who: str, per_minute: int) -> None:
        """Count one call. Raises `ProblemError` 429 with Retry-After where it is one too many."""
        if not await self.has_room(door, who, per_minute):
            raise ProblemError(
                429,
                "too_many_requests",
                fr=f"Trop de demandes : {per_minute} par minute au plus. Attendez une minute.",
                en=f"Too many requests: at most {per_minute} a minute. Try again in a minute.",
                headers={"Retry-After": "60"},
            )
