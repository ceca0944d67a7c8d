# SPDX-License-Identifier: EUPL-1.2
"""The record of effects: durable before it is answered for, bounded in memory, checkable."""

import asyncio
import errno
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import ChannelName
from hub.clock import ManualClock
from hub.sandbox import effects as room
from hub.sandbox.checker import compare, count
from hub.sandbox.effects import Effect, Effects, read_log

SMS = ChannelName.SMS
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TAG = re.compile(r"#A\d+")


def effects(log: Path | None = None, **bounds: Any) -> Effects:
    return Effects(ManualClock(NOON), log, **bounds)


async def add(record: Effects, number: int, text: str = "Eau #A1", to: str = "") -> Effect:
    return await record.add(
        SMS,
        to=to or f"+3363998{number:04d}",
        sender="VALMONT",
        text=text,
        ref=f"SM{number}",
        state="queued",
    )


@given(
    text=st.text(),
    subject=st.text(),
    extra=st.dictionaries(st.text(), st.integers() | st.text()),
    at=st.datetimes(timezones=st.just(UTC)),
)
def test_an_effect_survives_json(text: str, subject: str, extra: dict[str, Any], at: Any) -> None:
    effect = Effect(
        seq=1,
        at=at,
        channel=SMS,
        to="+33639980001",
        sender="V",
        text=text,
        ref="SM1",
        state="queued",
        subject=subject,
        extra=extra,
    )
    assert Effect.from_json(json.loads(json.dumps(effect.as_json()))) == effect


def test_an_effect_does_not_show_who_got_what() -> None:
    effect = Effect(1, NOON, SMS, "+33639980001", "VALMONT", "secret", "SM1", "queued")
    assert "+33" not in repr(effect)
    assert "secret" not in repr(effect)


async def test_an_effect_is_on_disk_before_it_is_answered_for(tmp_path: Path) -> None:
    log = tmp_path / "effects.jsonl"
    async with effects(log) as record:
        for number in range(3):
            effect = await add(record, number)
            assert list(read_log(log))[-1] == effect


async def test_effects_that_come_together_share_an_fsync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = 0
    fsync = os.fsync

    def counted(file: int) -> None:
        nonlocal synced
        synced += 1
        fsync(file)

    monkeypatch.setattr(room.os, "fsync", counted)
    log = tmp_path / "effects.jsonl"
    async with effects(log) as record:
        await asyncio.gather(*(add(record, number) for number in range(200)))
    assert [effect.seq for effect in read_log(log)] == list(range(1, 201))
    assert synced <= 3


async def test_a_full_disk_is_an_error_and_leaves_the_log_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "effects.jsonl"
    write = os.write

    def full(file: int, data: Any) -> int:
        write(file, bytes(data)[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    async with effects(log) as record:
        await add(record, 1)
        with monkeypatch.context() as patch:
            patch.setattr(room.os, "write", full)
            with pytest.raises(OSError, match="No space"):
                await add(record, 2)
        await add(record, 3)
        assert [effect.ref for effect in record.select()] == ["SM1", "SM3"]
    assert [effect.ref for effect in read_log(log)] == ["SM1", "SM3"]


async def test_a_client_that_left_does_not_stop_the_others(tmp_path: Path) -> None:
    log = tmp_path / "effects.jsonl"
    async with effects(log) as record:
        leaving = asyncio.create_task(add(record, 1))
        staying = asyncio.create_task(add(record, 2))
        await asyncio.sleep(0)
        leaving.cancel()
        await staying
        with pytest.raises(asyncio.CancelledError):
            await leaving
    assert [effect.ref for effect in read_log(log)] == ["SM1", "SM2"]


async def test_a_torn_last_line_is_left_out_and_written_over(tmp_path: Path) -> None:
    log = tmp_path / "effects.jsonl"
    async with effects(log) as record:
        await add(record, 1)
    with log.open("ab") as file:
        file.write(b'{"seq": 2, "at": "2026-')
    assert [effect.seq for effect in read_log(log)] == [1]
    async with effects(log) as record:
        assert [effect.ref for effect in record.select()] == ["SM1"]
        await add(record, 3)
    assert [(effect.seq, effect.ref) for effect in read_log(log)] == [(1, "SM1"), (2, "SM3")]


def test_damage_inside_the_log_is_said(tmp_path: Path) -> None:
    log = tmp_path / "effects.jsonl"
    log.write_text('{"seq": 1}\n')
    with pytest.raises(ValueError, match="line 1 is damaged"):
        list(read_log(log))


async def test_memory_is_bounded_by_number_and_by_text() -> None:
    record = effects(keep=3)
    for number in range(5):
        await add(record, number, to="+33639980001")
    assert [effect.ref for effect in record.select()] == ["SM2", "SM3", "SM4"]
    assert record.by_ref("SM1") is None
    assert [effect.ref for effect in record.to(SMS, "+33639980001")] == ["SM4", "SM3", "SM2"]
    heavy = effects(keep_chars=25)
    for number in range(5):
        await add(heavy, number, text="x" * 10)
    assert [effect.ref for effect in heavy.select()] == ["SM3", "SM4"]
    assert not list(heavy.to(SMS, "+33639980000"))


async def test_an_old_reference_leaves_without_taking_a_newer_one_along() -> None:
    record = effects(keep=2)
    for text in ("first", "second", "third"):
        await add(record, 1, text=text)
    newest = record.by_ref("SM1")
    assert newest is not None
    assert newest.text == "third"


async def test_selection_starts_after_a_number_and_survives_emptying() -> None:
    record = effects()
    for number in range(5):
        await add(record, number)
    assert [effect.seq for effect in record.select(since=3)] == [4, 5]
    assert [effect.seq for effect in record.select(limit=2)] == [1, 2]
    assert record.select(since=99) == []
    record.clear()
    assert record.select() == []
    await add(record, 9)
    assert [effect.seq for effect in record.select()] == [6]


async def test_the_checker_finds_what_is_missing_doubled_or_too_much(tmp_path: Path) -> None:
    log = tmp_path / "effects.jsonl"
    async with effects(log) as record:
        for number in (1, 2, 2, 3):
            await add(record, number)
        await add(record, 1, text="no mark")
    numbers = [f"+3363998{number:04d}" for number in range(5)]
    expected = [("sms", numbers[number], "#A1") for number in (1, 2, 4)]
    found = compare(log, expected, TAG)
    assert found.effects == 5
    assert found.missing == {("sms", numbers[4], "#A1")}
    assert found.unexpected == {("sms", numbers[3], "#A1"), ("sms", numbers[1], "")}
    assert found.copies == {("sms", numbers[2], "#A1"): 2}
    assert not found.exact
    assert count(log, TAG).total() == 5


async def test_the_checker_is_content_with_exactly_once(tmp_path: Path) -> None:
    log = tmp_path / "effects.jsonl"
    async with effects(log) as record:
        for number in (1, 2):
            await add(record, number)
    expected = [("sms", f"+3363998{number:04d}", "#A1") for number in (1, 2)]
    assert compare(log, expected, TAG).exact
