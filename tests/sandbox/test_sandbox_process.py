# SPDX-License-Identifier: EUPL-1.2
"""The sandbox as its own process: ready line, signals, and a log that outlives kill -9."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from channels.base import ChannelName
from channels.email.settings import EmailSettings
from channels.sms.settings import SmsSettings
from channels.twitter.settings import TwitterSettings
from channels.webpush.settings import WebPushSettings
from hub.clock import SystemClock
from hub.sandbox.checker import count
from hub.sandbox.effects import read_log
from hub.sandbox.server import Sandbox, SandboxSettings

PROGRAM = """
import asyncio, sys
from pathlib import Path
from hub.clock import SystemClock
from hub.sandbox.server import SandboxSettings, main
settings = SandboxSettings(effects_log=Path(sys.argv[1]))
asyncio.run(main(SystemClock(), settings))
"""


@contextmanager
def running(log: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(log)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def order(ready: dict[str, Any], number: int) -> dict[str, Any]:
    sms = ready["channels"]["sms"]
    return {
        "url": f"{ready['base_url']}/2010-04-01/Accounts/{sms['account_sid']}/Messages.json",
        "data": {"To": f"+3363998{number:04d}", "From": "VALMONT", "Body": f"#A{number}"},
        "headers": {
            "Authorization": aiohttp.encode_basic_auth(sms["account_sid"], sms["auth_token"])
        },
    }


async def test_what_was_answered_survives_kill_9(tmp_path: Path) -> None:
    log = tmp_path / "effects.jsonl"
    answered: set[int] = set()
    with running(log) as (process, ready):
        async with aiohttp.ClientSession() as session:

            async def send_on(start: int) -> None:
                for number in range(start, 10_000, 20):
                    async with session.post(**order(ready, number)) as answer:
                        if answer.status == 201:
                            answered.add(number)
                    if len(answered) == 300:
                        process.send_signal(signal.SIGKILL)

            await asyncio.gather(*(send_on(start) for start in range(20)), return_exceptions=True)
    assert len(answered) >= 300
    logged = count(log, re.compile(r"#A\d+"))
    assert {f"#A{number}" for number in answered} <= {tag for _, _, tag in logged}
    assert set(logged.values()) == {1}


async def test_a_restarted_sandbox_knows_what_its_log_knows(tmp_path: Path) -> None:
    log = tmp_path / "effects.jsonl"
    with running(log) as (process, ready):
        async with aiohttp.ClientSession() as session, session.post(**order(ready, 1)) as answer:
            assert answer.status == 201
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
    with running(log) as (process, ready):
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{ready['base_url']}/sandbox/api/messages") as answer:
                assert [m["text"] for m in (await answer.json())["messages"]] == ["#A1"]
            async with session.post(**order(ready, 2)) as answer:
                assert answer.status == 201
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=5) == 0
    assert [effect.seq for effect in read_log(log)] == [1, 2]


async def test_its_settings_are_what_the_ordinary_channels_take(sandbox: Sandbox) -> None:
    sections = sandbox.channel_settings()
    assert sections.keys() == {name.value for name in ChannelName}
    SmsSettings.model_validate(sections["sms"])
    EmailSettings.model_validate(sections["email"])
    TwitterSettings.model_validate(sections["x"])
    WebPushSettings.model_validate(sections["webpush"])


async def test_a_port_taken_by_another_leaves_nothing_open(sandbox: Sandbox) -> None:
    taken = int(sandbox.base_url.rpartition(":")[2])
    other = Sandbox(SystemClock(), SandboxSettings(http_port=taken))
    with pytest.raises(OSError, match="address already in use"):
        await other.__aenter__()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", other.smtp_port)


async def test_an_effect_that_cannot_be_written_is_not_answered_for(tmp_path: Path) -> None:
    async with Sandbox(
        SystemClock(), SandboxSettings(effects_log=tmp_path / "effects.jsonl")
    ) as sandbox:
        disk = sandbox.effects._disk
        assert disk is not None
        disk.append = _no_space  # type: ignore[method-assign]
        ready = {"base_url": sandbox.base_url, "channels": sandbox.channel_settings()}
        async with aiohttp.ClientSession() as session, session.post(**order(ready, 1)) as answer:
            assert answer.status == 500


def _no_space(_: bytes) -> None:
    raise OSError("No space left on device")
