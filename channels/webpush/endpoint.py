# SPDX-License-Identifier: EUPL-1.2
"""Where a message may go: an endpoint is whatever a browser told us, so it is not to be trusted.

Without this a false subscription would make the hub call machines inside the town's network
(server-side request forgery). Three fences: the host must be a push service's, the address must be
plain HTTPS, and what the name resolves to must be public; the connection is made to exactly the
addresses that were looked at.
"""

import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
_PLAIN = re.compile(r"[!-\[\]-~]+")  # printable ASCII without blanks or backslashes
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address


class Fence:
    """Which endpoints may be called. `hosts` are names, or ``*.name`` for any host under one."""

    def __init__(self, hosts: Iterable[str], *, loopback: bool = False) -> None:
        names = [host.lower() for host in hosts]
        self._hosts = frozenset(name for name in names if not name.startswith("*."))
        self._under = tuple(name.removeprefix("*") for name in names if name.startswith("*."))
        self._loopback = loopback

    def admit(self, endpoint: str) -> URL | None:
        """The endpoint as the URL to call; None where it may not be called.

        It is judged as the same object that is then called: two parsers that read one text
        differently would be a hole in the fence. Its escapes are left as the browser wrote them.
        """
        if not _PLAIN.fullmatch(endpoint):
            return None
        try:
            url = URL(endpoint, encoded=True)
            host, port = (url.host or "").lower(), url.port
        except ValueError:
            return None
        if "@" in url.authority:
            return None
        if self._loopback and host in _LOOPBACK and url.scheme in {"http", "https"}:
            return url
        return url if url.scheme == "https" and port == 443 and self._allows(host) else None

    def _allows(self, host: str) -> bool:
        return host in self._hosts or (host.endswith(self._under) and not _is_address(host))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """Whether an IP address is on the public Internet: neither private, loopback, link-local,
    carrier-grade NAT, unique local, multicast nor reserved. Of the IPv6 addresses that hide an
    IPv4 one, NAT64 is judged by it; mapped and 6to4 ones have no business in the DNS."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped or found.sixtofour:
            return False
        if found in _NAT64:
            found = IPv4Address(int(found) & 0xFFFFFFFF)
    return found.is_global and not found.is_multicast and not found.is_reserved


def origin(url: URL) -> str:
    """The origin (RFC 6454) of a push service: its token's audience (RFC 8292 section 2)."""
    return str(url.origin()).lower()


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses only; aiohttp then connects to exactly these."""

    def __init__(self, within: AbstractResolver | None = None, *, loopback: bool = False) -> None:
        self._within = within or ThreadedResolver()
        self._loopback = loopback

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises OSError where nothing public is behind the name."""
        found = await self._within.resolve(host, port, family)
        if self._loopback and host in _LOOPBACK:
            return found
        public = [each for each in found if is_public(each["host"])]
        if not public:
            raise OSError("the name has no public address")
        return public

    async def close(self) -> None:
        await self._within.close()
