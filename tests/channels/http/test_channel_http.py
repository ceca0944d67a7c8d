# SPDX-License-Identifier: EUPL-1.2
"""The common ground of the HTTP channels: the gate, the time-out, and what an answer means."""

import asyncio
import ssl
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import ChannelDown, Reason, Rejected, Retry, Withheld
from channels.http import (
    LONGEST_WAIT,
    Answer,
    Closed,
    Crossing,
    Refused,
    answered,
    crossing,
    fetch,
    fetch_document,
    lost,
    open_session,
    retry_after,
    ruled,
)

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def answer(status, body=b"", **headers):
    return Answer(status, {k.replace("_", "-"): v for k, v in headers.items()}, body)


# ------------------------------------------------------------------ the gate


async def test_the_gate_is_asked_once_and_then_the_message_may_have_left(provider):
    asked = []
    async with open_session(connections=1, timeout=1) as session:
        with crossing(lambda: asked.append(len(provider.requests))) as way:
            await fetch(session, "POST", provider.url, data=b"x")
    assert asked == [0]
    assert way.crossed


async def test_a_withheld_request_is_not_written_and_its_connection_serves_the_next(provider):
    def gate():
        raise Withheld

    async with open_session(connections=1, timeout=1) as session:
        with crossing(gate) as way, pytest.raises(Withheld):
            await fetch(session, "POST", provider.url, data=b"x")
        assert not way.crossed
        await fetch(session, "POST", provider.url, data=b"y")
    assert [body for _, body in provider.requests] == [b"y"]


async def test_each_of_many_messages_is_asked_at_its_own_gate(provider):
    """A pool of two connections, twenty messages, every other one kept back."""
    async with open_session(connections=2, timeout=5) as session:

        async def send(number):
            def gate():
                if number % 2:
                    raise Withheld

            with crossing(gate):
                await fetch(session, "POST", provider.url, data=str(number).encode())

        results = await asyncio.gather(*(send(n) for n in range(20)), return_exceptions=True)
    assert [isinstance(result, Withheld) for result in results] == [False, True] * 10
    assert sorted(int(body) for _, body in provider.requests) == list(range(0, 20, 2))


async def test_a_request_outside_a_crossing_asks_nobody(provider):
    with crossing(lambda: pytest.fail("asked")):
        pass
    async with open_session(connections=1, timeout=1) as session:
        assert (await fetch(session, "GET", provider.url)).status == 200


async def test_waiting_for_a_connection_that_never_comes_leaves_no_doubt(provider):
    """The only connection is taken: the next message times out in the queue, at no gate."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)  # listens, says nothing
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with open_session(connections=1, timeout=0.1) as session:

        async def send():
            with crossing(lambda: None) as way:
                try:
                    await fetch(session, "POST", url)
                except TimeoutError as error:
                    return lost(error, way)

        first, second = await asyncio.gather(send(), send())
    server.close()
    assert first == Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True)
    assert second == Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=False)


async def test_the_time_out_is_total_and_exact():
    """One byte now and then does not keep a message alive; nor is 0.1 s rounded up to a second."""

    async def drip(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        try:
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            writer.close()
            hung_up.release()

    hung_up = asyncio.Semaphore(0)
    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    begun = time.monotonic()
    for _ in range(3):
        async with open_session(connections=1, timeout=0.1) as session:
            with pytest.raises(TimeoutError):
                await fetch(session, "POST", url)
    assert 0.3 <= time.monotonic() - begun < 1.0
    for _ in range(3):
        await asyncio.wait_for(hung_up.acquire(), timeout=5)
    server.close()


async def test_a_host_that_does_not_exist_or_has_no_tls_leaves_no_doubt(provider):
    async with open_session(connections=1, timeout=2) as session:
        for url in ("http://nowhere.invalid/", provider.url.replace("http:", "https:")):
            with crossing(lambda: None) as way, pytest.raises(aiohttp.ClientError) as failed:
                await fetch(session, "POST", url)
            assert lost(failed.value, way) == Retry(Reason.NETWORK, maybe_sent=False)


async def test_a_redirect_is_an_answer_not_an_order(provider):
    provider.reply = (307, {"Location": provider.url + "/elsewhere"}, b"")
    async with open_session(connections=1, timeout=1) as session:
        assert (await fetch(session, "POST", provider.url, data=b"x")).status == 307
    assert len(provider.requests) == 1


# ------------------------------------------------------------------ what an answer means


@pytest.mark.parametrize("body", [b"", b"<h1>", b"[]", b"null", b"\xff", b"[" * 100_000])
async def test_a_yes_that_is_no_object_is_refused_without_a_word_of_it(provider, body):
    provider.reply = (200, {}, body)
    async with open_session(connections=1, timeout=5) as session:
        with pytest.raises(Refused) as refused:
            await fetch_document(session, "POST", provider.url + "/+33639980001")
    assert refused.value.answer.ok
    assert str(refused.value) == "refused with HTTP 200"
    assert "33639980001" not in repr(refused.value.answer)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Retry(Reason.PROVIDER_ERROR, maybe_sent=True, code="200")),
        (204, Retry(Reason.PROVIDER_ERROR, maybe_sent=True, code="204")),
        (302, Retry(Reason.UNKNOWN, code="302")),
        (400, Retry(Reason.UNKNOWN, code="400")),
        (404, Retry(Reason.UNKNOWN, code="404")),
        (429, Retry(Reason.RATE_LIMITED, code="429")),
        (500, Retry(Reason.PROVIDER_ERROR, maybe_sent=True, code="500")),
        (503, Retry(Reason.PROVIDER_ERROR, maybe_sent=True, code="503")),
    ],
)
def test_an_answer_without_a_code_is_a_retry_in_doubt_where_it_may_have_worked(status, outcome):
    assert answered(answer(status), NOON) == outcome


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_closes_the_road_and_calls_somebody(status):
    with pytest.raises(ChannelDown) as down:
        answered(answer(status, Retry_After="60"), NOON)
    assert (down.value.reason, down.value.alarm) == (Reason.AUTHENTICATION, True)
    assert down.value.after == timedelta(minutes=1)


def test_a_retrys_own_wait_yields_to_the_providers_wish():
    row = Retry(Reason.UNREACHABLE, timedelta(minutes=10))
    assert ruled(row, "7") == Retry(Reason.UNREACHABLE, timedelta(minutes=10), code="7")
    wish = timedelta(seconds=5)
    assert ruled(row, "7", wish) == Retry(Reason.UNREACHABLE, wish, code="7")


def test_a_rejection_keeps_what_the_table_says_of_the_address():
    row = Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True)
    assert ruled(row, "9") == Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True, code="9")


def test_a_closed_row_raises_with_all_it_knows():
    with pytest.raises(ChannelDown) as down:
        ruled(Closed(Reason.BUDGET, timedelta(hours=1), alarm=True), "402")
    known = down.value
    assert (known.reason, known.after, known.alarm, known.code) == (
        Reason.BUDGET,
        timedelta(hours=1),
        True,
        "402",
    )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), Reason.PROVIDER_TIMEOUT),
        (aiohttp.ServerTimeoutError(), Reason.PROVIDER_TIMEOUT),
        (aiohttp.ServerDisconnectedError(), Reason.NETWORK),
        (ConnectionResetError(), Reason.NETWORK),
        (ssl.SSLError(), Reason.NETWORK),
    ],
)
@pytest.mark.parametrize("crossed", [True, False])
def test_a_lost_request_is_in_doubt_exactly_when_it_had_crossed(error, reason, crossed):
    way = Crossing(lambda: None, crossed=crossed)
    assert lost(error, way) == Retry(reason, maybe_sent=crossed)


# ------------------------------------------------------------------ Retry-After


@given(st.integers(0, 86_400))
def test_a_wait_in_seconds_is_taken_as_said(seconds):
    wait = retry_after({"Retry-After": f" {seconds} "}, NOON)
    assert wait == timedelta(seconds=seconds)


@given(st.integers(-86_400, 86_400))
def test_a_wait_until_a_date_is_counted_from_the_worlds_time(seconds):
    date = format_datetime(NOON + timedelta(seconds=seconds), usegmt=True)
    assert retry_after({"Retry-After": date}, NOON) == timedelta(seconds=max(0, seconds))


@given(st.text() | st.from_regex(r"[0-9A-Za-z,:+ -]{0,40}", fullmatch=True))
def test_any_other_wait_is_nothing_or_within_a_day(value):
    wait = retry_after({"Retry-After": value}, NOON)
    assert wait is None or timedelta(0) <= wait <= LONGEST_WAIT


def test_a_wait_of_years_is_cut_to_a_day():
    assert retry_after({"Retry-After": "999999999"}, NOON) == LONGEST_WAIT
    assert retry_after({"Retry-After": "Sat, 21 Nov 2099 12:00:00"}, NOON) == LONGEST_WAIT
