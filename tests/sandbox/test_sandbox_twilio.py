# SPDX-License-Identifier: EUPL-1.2
"""The Messages stand-in, seen by Twilio's own SDK and by a webhook that checks signatures."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from channels.base import ChannelName
from hub.clock import ManualClock, SystemClock
from hub.sandbox.segments import segments
from hub.sandbox.server import Sandbox, SandboxSettings

AMINA = "+33639980001"
SMS = ChannelName.SMS


def client_of(sandbox: Sandbox, token: str) -> Client:
    client = Client(sandbox.credentials.account_sid, token)
    client.api.base_url = sandbox.base_url
    return client


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    client = client_of(sandbox, sandbox.credentials.auth_token)
    yield client
    client.http_client.session.close()


async def create(client: Client, **message: Any) -> Any:
    wanted = {"to": AMINA, "from_": "VALMONT", "body": "Coupure d'eau"} | message
    return await asyncio.to_thread(lambda: client.messages.create(**wanted))


async def code_of(client: Client, **message: Any) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as refused:
        await create(client, **message)
    return refused.value.status, refused.value.code


@dataclass
class Webhook:
    """The hub's side: it keeps every form, and whether its signature was right."""

    validator: RequestValidator
    base: str = ""
    forms: list[dict[str, str]] = field(default_factory=list)
    signed: list[bool] = field(default_factory=list)
    arrived: asyncio.Queue[None] = field(default_factory=asyncio.Queue)

    async def take(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        url = f"{self.base}{request.rel_url}"
        self.forms.append(form)
        self.signed.append(
            self.validator.validate(url, form, request.headers["X-Twilio-Signature"])
        )
        self.arrived.put_nowait(None)
        return web.Response(status=204)

    async def until(self, count: int) -> list[str]:
        async with asyncio.timeout(3):
            while len(self.forms) < count:
                await self.arrived.get()
        return [form.get("MessageStatus", "") for form in self.forms]


@pytest.fixture
async def webhook(sandbox: Sandbox) -> AsyncIterator[Webhook]:
    hook = Webhook(RequestValidator(sandbox.credentials.auth_token))
    app = web.Application()
    app.router.add_post("/callbacks/twilio", hook.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield hook
    await runner.cleanup()


async def reached(sandbox: Sandbox, state: str, at: int = 0) -> None:
    async with asyncio.timeout(3):
        while sandbox.effects.select()[at].state != state:
            await sandbox.effects.news()


async def test_a_created_message_is_a_resource_and_an_effect(
    sandbox: Sandbox, client: Client
) -> None:
    message = await create(client, validity_period=600)
    assert message.sid.startswith("SM")
    assert len(message.sid) == 34
    assert (message.status, message.num_segments) == ("queued", "1")
    assert (message.from_, message.to, message.error_code) == ("VALMONT", AMINA, None)
    (effect,) = sandbox.effects.select()
    assert (effect.ref, effect.text) == (message.sid, "Coupure d'eau")
    assert effect.extra["validity_period"] == 600


async def test_a_messaging_service_accepts_and_chooses_the_sender_later(client: Client) -> None:
    service = "MG" + "0" * 32
    message = await asyncio.to_thread(
        lambda: client.messages.create(to=AMINA, messaging_service_sid=service, body="Eau")
    )
    assert (message.status, message.from_) == ("accepted", None)
    assert message.messaging_service_sid == service


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"to": "0639980001"}, (400, 21211)),
        ({"to": ""}, (400, 21604)),
        ({"from_": "far too long a name"}, (400, 21212)),
        ({"body": " "}, (400, 21602)),
        ({"body": "a" * 1601}, (400, 21617)),
        ({"validity_period": 0}, (400, 90007)),
        ({"validity_period": 36_001}, (400, 90007)),
        ({"status_callback": "ftp://example.org"}, (400, 21609)),
        ({"messaging_service_sid": "MG1"}, (404, 21701)),
    ],
)
async def test_a_malformed_message_gets_twilios_code(
    sandbox: Sandbox, client: Client, change: dict[str, Any], refusal: tuple[int, int]
) -> None:
    assert await code_of(client, **change) == refusal
    assert not sandbox.effects.select()


async def test_a_message_without_sender_is_refused(client: Client) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(lambda: client.messages.create(to=AMINA, body="Eau"))
    assert refused.value.code == 21603


async def test_wrong_keys_are_refused(sandbox: Sandbox) -> None:
    stranger = client_of(sandbox, "wrong")
    assert await code_of(stranger) == (401, 20003)
    for read in (
        stranger.api.accounts(stranger.username).fetch,
        stranger.messages("SM0").fetch,
    ):
        with pytest.raises(TwilioRestException) as refused:
            await asyncio.to_thread(read)
        assert refused.value.code == 20003
    # The SDK loses the code of a refused page.
    with pytest.raises(TwilioException, match="20003"):
        await asyncio.to_thread(stranger.messages.list)
    stranger.http_client.session.close()


async def test_the_account_can_be_fetched_but_no_other(client: Client) -> None:
    account = await asyncio.to_thread(client.api.accounts(client.username).fetch)
    assert account.status == "active"
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(client.api.accounts("AC" + "0" * 32).fetch)
    assert refused.value.code == 20404


async def test_a_message_is_found_again_by_sid(sandbox: Sandbox, client: Client) -> None:
    message = await create(client)
    await reached(sandbox, "delivered")
    fetched = await asyncio.to_thread(client.messages(message.sid).fetch)
    assert (fetched.status, fetched.body) == ("delivered", "Coupure d'eau")
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(client.messages("SM" + "0" * 32).fetch)
    assert refused.value.code == 20404


async def test_the_list_filters_by_recipient_and_moment_and_pages(
    sandbox: Sandbox, client: Client
) -> None:
    for number in range(5):
        await create(client, body=f"message {number}")
    await create(client, to="+33639980002")
    at = sandbox.effects.select()[0].at
    second = timedelta(seconds=1)

    def bodies(**asked: Any) -> list[str]:
        return [message.body for message in client.messages.list(to=AMINA, **asked)]

    newest_first = [f"message {number}" for number in (4, 3, 2, 1, 0)]
    assert await asyncio.to_thread(bodies, page_size=2) == newest_first
    assert await asyncio.to_thread(bodies, date_sent_after=at - second) == newest_first
    assert await asyncio.to_thread(bodies, date_sent=at.date()) == newest_first
    assert await asyncio.to_thread(bodies, date_sent_after=at + 60 * second) == []
    assert await asyncio.to_thread(bodies, date_sent_before=at - 60 * second) == []
    assert await asyncio.to_thread(bodies, from_="OTHER") == []
    assert len(await asyncio.to_thread(client.messages.list)) == 6


async def test_a_malformed_filter_finds_nothing_to_answer(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    keys = sandbox.credentials
    async with http.get(
        f"/2010-04-01/Accounts/{keys.account_sid}/Messages.json?PageSize=many",
        headers={"Authorization": aiohttp.encode_basic_auth(keys.account_sid, keys.auth_token)},
    ) as answer:
        assert answer.status == 404


async def test_callbacks_are_signed_and_come_in_order(client: Client, webhook: Webhook) -> None:
    message = await create(client, status_callback=f"{webhook.base}/callbacks/twilio?token=7.1.ab")
    assert await webhook.until(2) == ["sent", "delivered"]
    assert webhook.signed == [True, True]
    assert webhook.forms[0]["MessageSid"] == message.sid


async def test_a_dead_number_is_accepted_then_undelivered(
    sandbox: Sandbox, client: Client, webhook: Webhook
) -> None:
    sandbox.faults.set(SMS, dead=[AMINA])
    sent = await create(client, status_callback=f"{webhook.base}/callbacks/twilio")
    assert await webhook.until(2) == ["sent", "undelivered"]
    assert webhook.forms[1]["ErrorCode"] == "30005"
    assert (await asyncio.to_thread(client.messages(sent.sid).fetch)).error_code == 30005


async def test_undelivered_receipts_bear_the_chosen_code(
    sandbox: Sandbox, client: Client, webhook: Webhook
) -> None:
    sandbox.faults.set(SMS, undelivered=1, undelivered_code=30007)
    service = "MG" + "0" * 32
    await create(
        client,
        messaging_service_sid=service,
        status_callback=f"{webhook.base}/callbacks/twilio",
    )
    await webhook.until(2)
    assert webhook.forms[1]["ErrorCode"] == "30007"
    assert webhook.forms[1]["MessagingServiceSid"] == service


async def test_receipts_come_twice_in_the_wrong_order_or_never(
    sandbox: Sandbox, client: Client, webhook: Webhook
) -> None:
    callback = f"{webhook.base}/callbacks/twilio"
    sandbox.faults.set(SMS, unordered_receipts=1, duplicate_receipts=1)
    await create(client, status_callback=callback)
    assert await webhook.until(4) == ["delivered", "delivered", "sent", "sent"]
    assert sandbox.effects.select()[0].state == "delivered"
    sandbox.faults.set(SMS, lost_receipts=1)
    await create(client, status_callback=callback)
    await reached(sandbox, "delivered", at=1)
    assert len(webhook.forms) == 4


async def test_a_phone_switched_off_gets_its_message_when_switched_on() -> None:
    clock = ManualClock(SystemClock().wall())
    async with Sandbox(clock, SandboxSettings(receipt_delay=60)) as sandbox:
        client = client_of(sandbox, sandbox.credentials.auth_token)
        sandbox.faults.set(SMS, off=[AMINA])
        await create(client)
        (effect,) = sandbox.effects.select()
        states = [effect.state]
        for _ in range(3):
            await clock.advance(61)
            states.append(effect.state)
        assert states == ["queued", "sent", "sent", "sent"]
        sandbox.faults.set(SMS, latency=0)
        await clock.advance(61)
        assert effect.state == "sent"
        sandbox.faults.set(SMS, off=[])
        await reached(sandbox, "delivered")
        client.http_client.session.close()


async def test_a_webhook_that_does_not_answer_is_not_asked_again(
    sandbox: Sandbox, client: Client
) -> None:
    await create(client, status_callback="http://127.0.0.1:9/nobody")
    await reached(sandbox, "delivered")


async def test_a_citizen_who_wrote_stop_gets_no_more(
    sandbox: Sandbox, client: Client, webhook: Webhook
) -> None:
    sandbox.twilio.inbound_url = f"{webhook.base}/callbacks/twilio"
    assert await sandbox.twilio.inbound(AMINA, "VALMONT", " stop ") == 204
    assert webhook.forms[0]["Body"] == " stop "
    assert webhook.signed == [True]
    assert await code_of(client) == (400, 21610)
    await sandbox.twilio.inbound(AMINA, "VALMONT", "START")
    assert (await create(client)).status == "queued"


async def test_inbound_without_webhook_is_kept_quiet(sandbox: Sandbox) -> None:
    assert await sandbox.twilio.inbound(AMINA, "VALMONT", "Bonjour") is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("é" * 160, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ê" + "a" * 69, 1),
        ("ê" + "a" * 70, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("", 1),
    ],
)
def test_parts_are_counted_as_on_the_air(text: str, parts: int) -> None:
    assert segments(text) == parts
