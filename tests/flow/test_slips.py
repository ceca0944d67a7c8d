# SPDX-License-Identifier: EUPL-1.2
"""What goes with a message: signed, stable over its copies, its own to each person."""

from hypothesis import given
from hypothesis import strategies as st

from channels.base import ChannelName
from hub.flow.send.slips import Slips
from subscribers.tokens import StopToken, StopTokens

EMAIL = ChannelName.EMAIL
SLIPS = Slips(b"s" * 32, StopTokens([b"k" * 32]))


@given(st.integers(0, 2**40), st.integers(0, 10_000))
def test_a_receipt_finds_its_row_and_round(delivery, round_):
    assert SLIPS.read_receipt_token(SLIPS.receipt_token(delivery, round_)) == (delivery, round_)


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{1,9}\.[0-9]{1,4}\.[0-9a-f]{20}"))
def test_a_token_nobody_signed_is_nobodys(token):
    assert SLIPS.read_receipt_token(token) is None


def test_a_token_of_another_hub_or_another_round_is_refused():
    other = Slips(b"x" * 32, StopTokens([b"k" * 32]))
    assert SLIPS.read_receipt_token(other.receipt_token(1, 1)) is None
    delivery, round_, mac = SLIPS.receipt_token(1, 1).split(".")
    assert SLIPS.read_receipt_token(f"{delivery}.2.{mac}") is None
    assert SLIPS.read_receipt_token(f"0{delivery}.{round_}.{mac}") is None


async def test_an_sms_gets_the_short_stop_token_and_a_letter_the_long_one(make_hub):
    hub = await make_hub(ChannelName.SMS, EMAIL)
    await hub.people([1], ChannelName.SMS, EMAIL)
    tokens = {}
    for name in (ChannelName.SMS, EMAIL):

        async def remember(prepared, to, slip, *, send=hub[name].send, name=name):
            tokens[name] = slip.stop_token
            return await send(prepared, to, slip)

        hub[name].send = remember
    announcement = await hub.publish()
    await hub.until(lambda: len(tokens) == 2)
    about = (1, announcement.id)
    assert SLIPS.stops.read_short(tokens[ChannelName.SMS]) == StopToken(ChannelName.SMS, *about)
    assert SLIPS.stops.read(tokens[EMAIL]) == StopToken(EMAIL, *about)


async def test_every_copy_bears_one_message_key_and_its_own_round(make_hub):
    from channels.base import Accepted, Reason, Retry

    hub = await make_hub(EMAIL)
    await hub.people([1, 2], EMAIL)
    slips = []
    hub[EMAIL].answer = lambda sent: (
        Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True) if sent.round == 1 else Accepted("r")
    )
    send = hub[EMAIL].send

    async def remember(prepared, to, slip):
        slips.append(slip)
        return await send(prepared, to, slip)

    hub[EMAIL].send = remember
    announcement = await hub.publish(expires="2026-11-30T10:00:00Z")
    await hub.until(lambda: len(slips) == 2)
    while (await hub.announcement(announcement)).state != "finished":
        await hub.idle(3)
        hub.clock.leap(30)
    assert len(slips) == 4
    assert len({slip.message_key for slip in slips}) == 2
    assert len({slip.receipt_token for slip in slips}) == 4
    assert len({slip.stop_token for slip in slips}) == 2
    assert {slip.expires for slip in slips} == {announcement.expires}
