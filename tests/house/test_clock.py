# SPDX-License-Identifier: EUPL-1.2
"""The time: read in one room, and moved by hand in tests."""

import asyncio
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from channels.base import Clock
from hub import clock as room
from hub.clock import ManualClock, SystemClock

START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def test_both_clocks_keep_the_promise_of_a_clock() -> None:
    clocks: list[Clock] = [SystemClock(), ManualClock(START)]
    assert all(c.now().utcoffset() == timedelta(0) for c in clocks)


def test_an_offset_moves_the_civil_time_and_never_the_wall() -> None:
    shifted = SystemClock(timedelta(days=3))
    assert abs(shifted.now() - shifted.wall() - timedelta(days=3)) < timedelta(seconds=1)
    assert abs(shifted.wall() - datetime.now(UTC)) < timedelta(seconds=1)


async def test_the_system_clock_sleeps_and_its_steady_time_passes() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0.002)
    assert clock.monotonic() - before >= 0.001


def test_the_steady_clock_counts_sleep_where_the_system_can() -> None:
    if room._STEADY_ID is None:
        assert room._steady_reader(None) is time.monotonic
    else:
        assert abs(SystemClock().monotonic() - time.clock_gettime(room._STEADY_ID)) < 1


def test_without_a_boot_clock_the_plain_steady_clock_serves() -> None:
    assert room._steady_reader(None) is time.monotonic


def test_a_manual_clock_refuses_a_naive_start() -> None:
    with pytest.raises(ValueError, match="aware"):
        ManualClock(datetime(2026, 11, 21))  # noqa: DTZ001 (the naive start is the point)


def test_a_manual_clock_reads_utc_whatever_zone_it_starts_in() -> None:
    assert ManualClock(START.astimezone(timezone(timedelta(hours=1)))).now() == START


async def test_advancing_moves_all_three_readings() -> None:
    clock = ManualClock(START)
    await clock.advance(90)
    assert clock.now() == clock.wall() == START + timedelta(seconds=90)
    assert clock.monotonic() == 90


async def test_sleepers_wake_in_the_order_of_their_moments_then_of_arrival() -> None:
    clock, woken = ManualClock(START), []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    async with asyncio.TaskGroup() as group:
        for name, seconds in [("c", 3.0), ("a", 1.0), ("b", 3.0), ("z", 0.0)]:
            group.create_task(sleeper(name, seconds))
        await clock.advance(10)
    assert woken == [("z", 0.0), ("a", 1.0), ("c", 3.0), ("b", 3.0)]
    assert clock.monotonic() == 10


async def test_one_who_sleeps_again_is_woken_again_in_the_same_span() -> None:
    clock, ticks = ManualClock(START), []

    async def ticker() -> None:
        while True:
            await clock.sleep(2)
            ticks.append(clock.monotonic())

    task = asyncio.create_task(ticker())
    await clock.advance(7)
    task.cancel()
    assert ticks == [2, 4, 6]


async def test_a_sleeper_not_yet_due_sleeps_on() -> None:
    clock = ManualClock(START)
    task = asyncio.create_task(clock.sleep(5))
    await clock.advance(4.9)
    assert not task.done()
    await clock.advance(0.2)
    assert task.done()


async def test_a_cancelled_sleeper_is_passed_over() -> None:
    clock = ManualClock(START)
    gone, stays = asyncio.create_task(clock.sleep(1)), asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    gone.cancel()
    await clock.advance(1)
    assert gone.cancelled()
    assert stays.done()


async def test_a_jump_of_the_wall_clock_wakes_nobody() -> None:
    clock = ManualClock(START)
    task = asyncio.create_task(clock.sleep(60))
    await asyncio.sleep(0)
    clock.jump(timedelta(hours=1))
    await clock.advance(0)
    assert not task.done()
    assert (clock.now(), clock.monotonic()) == (START + timedelta(hours=1), 0)
    await clock.advance(60)
    assert task.done()
