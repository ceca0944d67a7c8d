# SPDX-License-Identifier: EUPL-1.2
"""Several providers behind one channel: each message by whom the slip says, each receipt read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from channels.base import (
    Accepted,
    ChannelDown,
    ChannelName,
    CheckFailed,
    Lane,
    Prepared,
    Reason,
    Receipt,
    Recipient,
    Rendered,
    Sighting,
    Slip,
    SmsText,
    TextLimit,
)
from channels.failover import Failover

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SLIP = Slip(1, 1, Lane.BULK, None, False, "s" * 32, "1.1.mac", "key")
TEXT = Rendered(ChannelName.SMS, "fr", "eau-1", SmsText("Coupure d'eau"))
AMINA = Recipient("+33639980001")


class Account:
    """A provider that takes everything, and says what a test has it list."""

    name = ChannelName.SMS
    limit = TextLimit("septets", 160, 153, 6)

    def __init__(self, key):
        self.key, self.open, self.taken, self.listing, self.works = key, False, [], [], True

    async def __aenter__(self):
        self.open = True
        return self

    async def __aexit__(self, *exc):
        self.open = False

    def prepare(self, text):
        return Prepared(text, self.key)

    async def send(self, prepared, to, slip):
        assert prepared.compiled == self.key
        slip.gate()
        self.taken.append(slip.delivery)
        return Accepted(f"{self.key}-{slip.delivery}")

    async def check(self):
        if not self.works:
            raise CheckFailed("refused")
        return "known"

    async def seen(self, prepared, to, slip, since):
        if not self.works:
            raise ChannelDown(Reason.NETWORK)
        return self.listing

    def read_receipts(self, headers, body, url):
        if headers["signed-by"] != self.key:
            raise PermissionError
        return [Receipt("1.1.mac", 3, "", Reason.UNKNOWN, self.key, NOW)]

    read_inbound = read_receipts


@pytest.fixture
async def two():
    one, other = Account("one"), Account("other")
    async with Failover({"sms": one, "sms.backup": other}) as channel:
        yield channel, one, other
    assert [one.open, other.open] == [False, False]


async def test_the_slip_says_who_carries_and_nobody_carries_on(two):
    channel, one, other = two
    prepared = channel.prepare(TEXT)
    assert await channel.send(prepared, AMINA, SLIP) == Accepted("one-1")
    by_other = replace(SLIP, delivery=2, provider="sms.backup")
    assert await channel.send(prepared, AMINA, by_other) == Accepted("other-2")
    assert (one.taken, other.taken) == ([1], [2])


async def test_everyone_who_may_have_had_it_is_asked(two):
    channel, one, other = two
    one.listing = [Sighting("b", NOW)]
    other.listing = [Sighting("a", NOW - timedelta(seconds=1))]
    seen = await channel.seen(channel.prepare(TEXT), AMINA, SLIP, NOW)
    assert [(each.ref, each.provider) for each in seen] == [("a", "sms.backup"), ("b", "sms")]


async def test_where_one_of_them_cannot_tell_nobody_knows(two):
    channel, _, other = two
    other.works = False
    with pytest.raises(ChannelDown):
        await channel.seen(channel.prepare(TEXT), AMINA, SLIP, NOW)


async def test_the_receipts_of_both_are_read_and_nobody_elses(two):
    channel, _, _ = two
    for key in ("one", "other"):
        for read in (channel.read_receipts, channel.read_inbound):
            (receipt,) = read({"signed-by": key}, b"", "")
            assert receipt.ref == key
    with pytest.raises(PermissionError):
        channel.read_receipts({"signed-by": "nobody"}, b"", "")


async def test_a_check_names_whose_key_is_wrong(two):
    channel, _, other = two
    assert await channel.check() == "sms: known; sms.backup: known"
    other.works = False
    with pytest.raises(CheckFailed, match=r"sms\.backup: refused"):
        await channel.check()
