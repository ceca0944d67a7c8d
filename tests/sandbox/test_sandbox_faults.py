# SPDX-License-Identifier: EUPL-1.2
"""Each fault, on each wire: what the client sees, and whether the citizen got the message."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import aiosmtplib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from channels.base import ChannelName
from hub.clock import ManualClock, SystemClock
from hub.sandbox.faults import ChannelFaults, Fault, Faults
from hub.sandbox.server import Sandbox, SandboxSettings

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL
EFFECT = {Fault.GARBAGE, Fault.VANISH, Fault.CUT, Fault.DRIP}


@dataclass
class Seen:
    """What a client saw: `status` is 0 where the connection ended without a whole answer."""

    status: int
    body: str = ""
    retry_after: str | None = None


async def create(sandbox: Sandbox) -> Seen:
    keys = sandbox.credentials
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{sandbox.base_url}/2010-04-01/Accounts/{keys.account_sid}/Messages.json",
                data={"To": "+33639980001", "From": "VALMONT", "Body": "Eau"},
                headers={
                    "Authorization": aiohttp.encode_basic_auth(keys.account_sid, keys.auth_token)
                },
            ) as answer,
        ):
            after = answer.headers.get("Retry-After")
            return Seen(answer.status, await answer.text(), after)
    except aiohttp.ClientError:
        return Seen(0)


def always(sandbox: Sandbox, channel: ChannelName, fault: Fault) -> None:
    sandbox.faults.set(channel, rates={fault: 1}, hang=0, retry_after=7)


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (Fault.THROTTLE, 429, '"code": 20429'),
        (Fault.ERROR, 500, '"code": 20500'),
        (Fault.HTML_ERROR, 503, "<html>"),
        (Fault.REJECT, 400, '"code": 21612'),
        (Fault.GARBAGE, 200, "<html>"),
        (Fault.VANISH, 0, ""),
        (Fault.CUT, 0, ""),
        (Fault.SILENCE, 0, ""),
    ],
)
async def test_a_fault_looks_like_the_provider_and_only_some_have_an_effect(
    sandbox: Sandbox, fault: Fault, status: int, words: str
) -> None:
    always(sandbox, SMS, fault)
    seen = await create(sandbox)
    assert seen.status == status
    assert words in seen.body
    assert seen.retry_after == ("7" if fault is Fault.THROTTLE else None)
    assert len(sandbox.effects.select()) == (fault in EFFECT)


@pytest.mark.parametrize("path", ["/2/tweets", "/push/any"])
@pytest.mark.parametrize(
    ("fault", "status"), [(Fault.THROTTLE, 429), (Fault.ERROR, 503), (Fault.REJECT, 403)]
)
async def test_every_http_provider_has_its_own_refusals(
    sandbox: Sandbox, http: aiohttp.ClientSession, path: str, fault: Fault, status: int
) -> None:
    for channel in (ChannelName.X, ChannelName.WEBPUSH):
        always(sandbox, channel, fault)
    async with http.post(path, json={}) as answer:
        assert answer.status == status
        assert answer.headers.get("Retry-After") == ("7" if status == 429 else None)


async def test_x_says_when_its_window_reopens(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    always(sandbox, ChannelName.X, Fault.THROTTLE)
    async with http.post("/2/tweets", json={}) as answer:
        wait = int(answer.headers["x-rate-limit-reset"]) - SystemClock().wall().timestamp()
    assert 5 < wait <= 7


async def test_latency_and_dripping_follow_the_clock() -> None:
    clock = ManualClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
    async with Sandbox(clock, SandboxSettings(receipt_delay=10_000)) as sandbox:
        sandbox.faults.set(SMS, latency=5, rates={Fault.DRIP: 1})
        sending = asyncio.create_task(create(sandbox))
        async with asyncio.timeout(60):
            while not sandbox.effects.select():
                await asyncio.sleep(0)
                await clock.advance(1)
            assert clock.monotonic() >= 5
            at_effect = clock.monotonic()
            while not sending.done():
                await clock.advance(1)
        seen = await sending
        assert seen.status == 201
        assert clock.monotonic() - at_effect >= len(seen.body)


async def test_an_answer_held_back_ends_with_its_client(sandbox: Sandbox) -> None:
    sandbox.faults.set(SMS, rates={Fault.VANISH: 1}, hang=3_600)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await create(sandbox)
    assert len(sandbox.effects.select()) == 1


SMTP_ANSWERS = {
    Fault.THROTTLE: 421,
    Fault.ERROR: 451,
    Fault.HTML_ERROR: 451,
    Fault.REJECT: 554,
    Fault.GARBAGE: -1,  # what aiosmtplib makes of an answer that is no SMTP
    Fault.VANISH: 0,
    Fault.CUT: 0,
    Fault.SILENCE: 0,
}


@pytest.mark.parametrize("fault", SMTP_ANSWERS)
async def test_smtp_fails_in_smtp_words(sandbox: Sandbox, fault: Fault) -> None:
    always(sandbox, EMAIL, fault)
    code = await _send(sandbox)
    assert code == SMTP_ANSWERS[fault]
    assert len(sandbox.effects.select()) == (fault in EFFECT)


async def _send(sandbox: Sandbox) -> int:
    try:
        _, words = await aiosmtplib.send(
            "Subject: Eau\r\nMessage-ID: <1@example.org>\r\n\r\nCoupure",
            sender="mairie@example.org",
            recipients=["louis.3@example.org"],
            hostname="127.0.0.1",
            port=sandbox.smtp_port,
            start_tls=False,
            timeout=2,
        )
    except aiosmtplib.SMTPServerDisconnected:
        return 0
    except aiosmtplib.SMTPResponseException as refused:
        return refused.code
    assert words == "2.0.0 Ok: queued"
    return 250


async def test_smtp_latency_and_dripping_follow_the_clock() -> None:
    clock = ManualClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
    async with Sandbox(clock) as sandbox:
        sandbox.faults.set(EMAIL, latency=5, rates={Fault.DRIP: 1})
        sending = asyncio.create_task(_send(sandbox))
        async with asyncio.timeout(60):
            while not sending.done():
                await clock.advance(1)
        assert await sending == 250
        assert clock.monotonic() >= 5 + len("250 2.0.0 Ok: queue")


def test_the_same_seed_brings_the_same_bad_luck() -> None:
    def luck(seed: str) -> list[Fault | None]:
        faults = Faults(seed)
        faults.set(SMS, rates={Fault.THROTTLE: 0.2, Fault.VANISH: 0.1})
        return [faults.draw(SMS) for _ in range(2_000)]

    drawn = Counter(luck("a"))
    assert luck("a") == luck("a") != luck("b")
    assert drawn[Fault.THROTTLE] == pytest.approx(400, abs=80)
    assert drawn[Fault.VANISH] == pytest.approx(200, abs=60)
    assert drawn.keys() == {Fault.THROTTLE, Fault.VANISH, None}


@given(st.dictionaries(st.sampled_from(Fault), st.floats(0, 1)))
def test_rates_are_kept_only_where_they_add_up(rates: dict[Fault, float]) -> None:
    if sum(rates.values()) > 1:
        with pytest.raises(ValidationError):
            ChannelFaults(rates=rates)
    else:
        assert ChannelFaults(rates=rates).rates == rates


def test_faults_of_one_channel_leave_the_others_alone() -> None:
    faults = Faults("seed")
    faults.set(SMS, rates={Fault.ERROR: 1})
    assert faults.draw(SMS) is Fault.ERROR
    assert faults.draw(EMAIL) is None
    faults.put_all({})
    assert faults.draw(SMS) is None
