# SPDX-License-Identifier: EUPL-1.2
"""Where a web push message may go."""

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from channels.webpush.endpoint import Fence, PublicResolver, is_public, origin
from channels.webpush.settings import PUSH_SERVICES

FENCE = Fence(PUSH_SERVICES)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:def",
        "https://fcm.googleapis.com:443/wp/abc",
        "https://FCM.googleapis.com/wp/abc",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
        "https://web.push.apple.com/QOi",
        "https://wns2-par02p.notify.windows.com/w/?token=BQY%2b",
    ],
)
def test_the_push_services_of_the_browsers_may_be_called(endpoint: str) -> None:
    url = FENCE.admit(endpoint)
    assert url is not None
    assert str(url).lower() == endpoint.lower().replace(":443", "")


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "fcm.googleapis.com/x",
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com:99999/x",
        "https://fcm.googleapis.com:x/",
        "https://fcm.googleapis.com./x",
        "https://fcm.googleapis.com.example.org/x",
        "https://evil-push.apple.com.example.org/",
        "https://push.apple.com/x",
        "https://xpush.apple.com/x",
        "https://lea@fcm.googleapis.com/x",
        "https://:pw@fcm.googleapis.com/x",
        "https://fcm.googleapis.com@example.org/",
        "https://example.org#.push.apple.com",
        "https://example.org/.push.apple.com",
        "https://example.org\\.push.apple.com/",
        "https://fcm.googleapis.com/x\r\nHost: example.org",
        "https://fcm.googleapis.com /x",
        "https://fcm.googleapis.com/é",
        "https://169.254.169.254/latest",
        "https://127.0.0.1/x",
        "http://127.0.0.1:8090/x",
        "https://[::1]/x",
        "https://[::1",
        "https:///x",
        "file:///etc/passwd",
    ],
)
def test_nobody_else_may_be_called(endpoint: str) -> None:
    assert FENCE.admit(endpoint) is None


def test_a_wildcard_covers_no_address_in_figures() -> None:
    assert Fence(["*.1"]).admit("https://10.0.0.1/x") is None
    assert Fence(["*.example.org"]).admit("https://push.example.org/x") is not None


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:8090/x", "https://localhost:1/x"])
def test_the_sandbox_may_be_called_where_it_was_asked_for(endpoint: str) -> None:
    fence = Fence(PUSH_SERVICES, loopback=True)
    assert fence.admit(endpoint) is not None
    assert fence.admit(endpoint.replace("://", "://x@")) is None
    assert fence.admit("ftp://127.0.0.1/x") is None
    assert fence.admit("https://10.0.0.1/x") is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://FCM.googleapis.com:443/wp/abc?x#y", "https://fcm.googleapis.com"),
        ("http://127.0.0.1:8090/push/a", "http://127.0.0.1:8090"),
    ],
)
def test_the_audience_is_the_origin(url: str, expected: str) -> None:
    assert origin(URL(url, encoded=True)) == expected


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4007:80e::200a", "64:ff9b::808:808"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::",
        "::1",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "2002:808:808::",
        "2002:a00:1::",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2001:db8::1",
        "not an address",
    ],
)
def test_everything_inside_a_network_is_not(address: str) -> None:
    assert not is_public(address)


class Book(AbstractResolver):
    """Answers every name with the same addresses."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self.addresses
        ]

    async def close(self) -> None:
        self.closed = True


async def test_only_public_addresses_behind_a_name_are_connected_to() -> None:
    resolver = PublicResolver(Book("10.0.0.1", "8.8.8.8", "::1"))
    assert [each["host"] for each in await resolver.resolve("example.org", 443)] == ["8.8.8.8"]


async def test_a_name_with_nothing_public_behind_it_is_not_connected_to() -> None:
    with pytest.raises(OSError, match="no public address") as refused:
        await PublicResolver(Book("10.0.0.1")).resolve("intranet.example.org", 443)
    assert "intranet" not in str(refused.value)


async def test_loopback_is_for_its_own_names_only() -> None:
    resolver = PublicResolver(Book("127.0.0.1"), loopback=True)
    assert await resolver.resolve("localhost", 80)
    with pytest.raises(OSError, match="no public"):
        await resolver.resolve("rebound.example.org", 80)


async def test_closing_a_resolver_closes_the_one_within() -> None:
    book = Book()
    await PublicResolver(book).close()
    assert book.closed
