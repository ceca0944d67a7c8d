# SPDX-License-Identifier: EUPL-1.2
"""What every channel promises (channels/base.py), asked of each against a real little provider."""

import asyncio
import logging
import time
import traceback
from dataclasses import replace

import pytest
from channel_wire import Mood, slip

from channels.base import (
    Accepted,
    ChannelDown,
    CheckFailed,
    Delivered,
    Reason,
    Rejected,
    Retry,
    Withheld,
)

SLACK = 0.5  # seconds, for a busy machine
SHORT = 1.0  # seconds: a time-out that is waited out; a busy machine connects within it
TROUBLES = [Mood.SILENT, Mood.RESET, Mood.BUSY, Mood.BROKEN, Mood.GARBAGE]


async def test_a_good_provider_takes_the_message_and_names_it(rig):
    async with rig.channel() as channel:
        outcome = await channel.send(channel.prepare(rig.rendered), rig.recipient(1), slip(1))
    assert isinstance(outcome, Accepted | Delivered)
    assert outcome.ref
    assert [letter.address for letter in rig.letters] == [rig.recipient(1).address]


async def test_the_gate_is_asked_once_with_the_connection_in_hand(rig):
    asked = []

    def gate():
        asked.append((rig.connections, len(rig.letters)))

    async with rig.channel() as channel:
        prepared = channel.prepare(rig.rendered)
        await channel.send(prepared, rig.recipient(0), slip(0))
        await channel.send(prepared, rig.recipient(1), slip(1, gate))
    assert asked == [(1, 1)]
    assert len(rig.letters) == 2


async def test_a_gate_is_not_asked_where_no_connection_can_be_had(rig):
    asked = []
    async with rig.unreachable() as channel:
        prepared = channel.prepare(rig.rendered)
        await channel.send(prepared, rig.recipient(1), slip(1, lambda: asked.append(1)))
    assert asked == []


async def test_a_withheld_message_is_never_written(rig):
    def gate():
        raise Withheld

    async with rig.channel() as channel:
        prepared = channel.prepare(rig.rendered)
        with pytest.raises(Withheld):
            await channel.send(prepared, rig.recipient(1), slip(1, gate))
        outcome = await channel.send(prepared, rig.recipient(2), slip(2))
    assert isinstance(outcome, Accepted | Delivered), "the road is as good as before"
    assert rig.connections == 1, "the connection of the withheld message served the next"
    assert [letter.address for letter in rig.letters] == [rig.recipient(2).address]


async def test_a_refused_connection_is_tried_again_without_doubt(rig):
    async with rig.unreachable() as channel:
        outcome = await channel.send(channel.prepare(rig.rendered), rig.recipient(1), slip(1))
    assert outcome == Retry(Reason.NETWORK)


@pytest.mark.parametrize("mood", TROUBLES, ids=lambda mood: mood.name.lower())
async def test_trouble_comes_to_what_was_agreed_and_nothing_is_sent_twice(rig, mood):
    rig.timeout = SHORT
    rig.mood = mood
    async with rig.channel() as channel:
        outcome = await channel.send(channel.prepare(rig.rendered), rig.recipient(1), slip(1))
    assert outcome == rig.expected[mood]
    assert len(rig.letters) <= 1


async def test_a_silent_provider_is_left_within_the_total_time_out(rig):
    rig.timeout = SHORT
    rig.mood = Mood.SILENT
    async with rig.channel() as channel:
        begun = time.monotonic()
        outcome = await channel.send(channel.prepare(rig.rendered), rig.recipient(1), slip(1))
    assert outcome == Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True)
    assert SHORT * 0.9 <= time.monotonic() - begun < SHORT + SLACK


async def test_after_trouble_the_road_is_open_again(rig):
    rig.timeout = SHORT
    async with rig.channel() as channel:
        prepared = channel.prepare(rig.rendered)
        for mood in TROUBLES:
            rig.mood = mood
            await channel.send(prepared, rig.recipient(1), slip(1))
        rig.mood = Mood.GOOD
        outcome = await channel.send(prepared, rig.recipient(2), slip(2))
    assert isinstance(outcome, Accepted | Delivered)


async def test_a_wrong_key_closes_the_road_and_blames_nobody(rig):
    rig.mood = Mood.WRONG_KEY
    async with rig.channel() as channel:
        with pytest.raises(ChannelDown) as down:
            await channel.send(channel.prepare(rig.rendered), rig.recipient(1), slip(1))
    assert down.value.reason is Reason.AUTHENTICATION
    assert down.value.alarm


async def everything_said(channel, rig, to):
    """All that one message and one check can end up saying in a log, tracebacks included."""
    try:
        yield repr(await channel.send(channel.prepare(rig.rendered), to, slip(1)))
    except ChannelDown as down:
        yield "".join(traceback.format_exception(down))
    try:
        yield await channel.check()
    except CheckFailed as failed:
        yield "".join(traceback.format_exception(failed))
    yield repr(channel)


async def test_nothing_personal_or_secret_is_ever_shown(rig, caplog):
    caplog.set_level(logging.DEBUG)
    said, to, rig.timeout = [], rig.recipient(1), SHORT
    for mood in Mood:
        rig.mood = mood
        async with rig.channel() as channel:
            said += [word async for word in everything_said(channel, rig, to)]
    async with rig.unreachable() as channel:
        said += [word async for word in everything_said(channel, rig, to)]
    said += [record.getMessage() for record in caplog.records]
    told = "\n".join(said)
    for word in (to.address, slip(1).stop_token, slip(1).receipt_token, *rig.words):
        assert word not in told


async def test_prepare_is_pure(rig):
    one, other = rig.channel(), rig.channel()
    assert one.prepare(rig.rendered) == one.prepare(rig.rendered) == other.prepare(rig.rendered)
    assert rig.connections == 0


async def test_another_channels_text_is_a_bug_said_aloud(rig):
    with pytest.raises(TypeError):
        rig.channel().prepare(replace(rig.rendered, text=None))


async def test_fifty_at_a_time_each_reach_their_own_citizen(rig):
    async with rig.channel() as channel:
        prepared = channel.prepare(rig.rendered)
        outcomes = await asyncio.gather(
            *(channel.send(prepared, rig.recipient(n), slip(n)) for n in range(50))
        )
    assert all(isinstance(outcome, Accepted | Delivered) for outcome in outcomes)
    assert len({outcome.ref for outcome in outcomes}) == 50
    wanted = {
        (rig.recipient(n).address, slip(n).stop_token if rig.personal else "") for n in range(50)
    }
    assert {(letter.address, letter.token) for letter in rig.letters} == wanted
    assert len(rig.letters) == 50


async def test_no_outcome_of_the_contract_kills_an_address(rig):
    rig.timeout = SHORT
    for mood in TROUBLES:
        rig.mood = mood
        async with rig.channel() as channel:
            outcome = await channel.send(channel.prepare(rig.rendered), rig.recipient(1), slip(1))
        assert not (isinstance(outcome, Rejected) and outcome.contact_dead)


async def test_check_tells_good_credentials_from_bad(rig):
    async with rig.channel() as channel:
        assert await channel.check()
        rig.mood = Mood.WRONG_KEY
    assert rig.letters == []
    if not rig.check_asks_the_provider:
        return
    async with rig.channel() as channel:
        with pytest.raises(CheckFailed):
            await channel.check()
    async with rig.unreachable() as channel:
        with pytest.raises(CheckFailed):
            await channel.check()
    assert rig.letters == []
