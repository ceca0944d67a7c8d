# SPDX-License-Identifier: EUPL-1.2
"""The daemon's ordinary channels, pointed at the sandbox by nothing but their settings."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest

from channels.base import (
    STOP_TOKEN_MARK,
    Accepted,
    Channel,
    ChannelDown,
    ChannelName,
    Delivered,
    EmailText,
    Lane,
    Outcome,
    PostText,
    PushText,
    Reason,
    Recipient,
    Rejected,
    Rendered,
    Retry,
    Slip,
    SmsText,
    Text,
)
from channels.registry import load
from hub.clock import SystemClock
from hub.sandbox.faults import Fault
from hub.sandbox.server import Sandbox

SETTINGS = {
    ChannelName.SMS: "channels.sms.settings:SmsSettings",
    ChannelName.EMAIL: "channels.email.settings:EmailSettings",
    ChannelName.X: "channels.twitter.settings:TwitterSettings",
    ChannelName.WEBPUSH: "channels.webpush.settings:WebPushSettings",
}
TEXTS: dict[ChannelName, Text] = {
    ChannelName.SMS: SmsText("Coupure d'eau jeudi."),
    ChannelName.EMAIL: EmailText(
        subject="Coupure d’eau",
        text="Coupure d’eau jeudi.\n",
        html="<p>Coupure d’eau jeudi.</p>\n",
        stop_url=f"https://example.org/s/{STOP_TOKEN_MARK}",
        list_id="eau.valmont.example.org",
        list_name="Eau",
    ),
    ChannelName.X: PostText(("Coupure d’eau jeudi.",)),
    ChannelName.WEBPUSH: PushText(json.dumps({"title": "Coupure d’eau jeudi."}), "valmont-1"),
}
TO = {
    ChannelName.SMS: "+33639980001",
    ChannelName.EMAIL: "a.1@example.org",
    ChannelName.X: "public",
}

Send = Callable[[ChannelName], Any]


def slip() -> Slip:
    return Slip(
        delivery=7,
        round=1,
        lane=Lane.IMPORTANT,
        expires=SystemClock().now() + timedelta(hours=1),
        in_doubt=False,
        stop_token="T" * 32,
        receipt_token="7.1.abcd",
        message_key="valmont-1.7",
    )


def recipient(sandbox: Sandbox, name: ChannelName) -> Recipient:
    if name is ChannelName.WEBPUSH:
        device = sandbox.new_device("v0001-1")
        return Recipient(device["endpoint"], device["keys"])
    return Recipient(TO[name])


def channel_of(sandbox: Sandbox, name: ChannelName, **changes: Any) -> Channel:
    module, _, model = SETTINGS[name].partition(":")
    section = sandbox.channel_settings()[name.value] | changes
    settings = getattr(import_module(module), model).model_validate(section)
    return load(name)(settings, SystemClock())


@pytest.fixture
async def send(sandbox: Sandbox) -> AsyncIterator[Send]:
    async with AsyncExitStack() as stack:

        async def sending(name: ChannelName) -> Outcome:
            channel = await stack.enter_async_context(channel_of(sandbox, name))
            prepared = channel.prepare(Rendered(name, "fr", "valmont-1", TEXTS[name]))
            return await channel.send(prepared, recipient(sandbox, name), slip())

        yield sending


@pytest.mark.parametrize("name", ChannelName)
async def test_a_message_sent_is_a_message_received(
    sandbox: Sandbox, send: Send, name: ChannelName
) -> None:
    assert isinstance(await send(name), Accepted | Delivered)
    (effect,) = sandbox.effects.select()
    assert effect.channel is name
    assert "jeudi." in effect.text
    if name is ChannelName.EMAIL:
        assert effect.extra["headers"]["List-Unsubscribe"].endswith(f"{'T' * 32}>")


@pytest.mark.parametrize("name", ChannelName)
async def test_credentials_can_be_checked_without_sending(
    sandbox: Sandbox, name: ChannelName
) -> None:
    async with channel_of(sandbox, name) as channel:
        assert await channel.check()
    assert not sandbox.effects.select()


@pytest.mark.parametrize("name", ChannelName)
async def test_an_effect_without_answer_is_in_doubt(
    sandbox: Sandbox, send: Send, name: ChannelName
) -> None:
    sandbox.faults.set(name, rates={Fault.VANISH: 1}, hang=0)
    outcome = await send(name)
    assert isinstance(outcome, Retry)
    assert outcome.maybe_sent
    assert len(sandbox.effects.select()) == 1


@pytest.mark.parametrize("name", ChannelName)
async def test_throttling_is_never_a_message_in_doubt(
    sandbox: Sandbox, send: Send, name: ChannelName
) -> None:
    sandbox.faults.set(name, rates={Fault.THROTTLE: 1}, retry_after=9)
    try:
        outcome = await send(name)
    except ChannelDown as down:
        assert down.reason in {Reason.RATE_LIMITED, Reason.PROVIDER_ERROR}  # noqa: PT017
    else:
        assert isinstance(outcome, Retry)
        assert not outcome.maybe_sent
    assert not sandbox.effects.select()


@pytest.mark.parametrize("name", [ChannelName.EMAIL, ChannelName.WEBPUSH])
async def test_a_dead_address_is_rejected_for_good(
    sandbox: Sandbox, send: Send, name: ChannelName
) -> None:
    sandbox.faults.set(name, dead=[TO.get(name, "v0001-1")])
    outcome = await send(name)
    assert isinstance(outcome, Rejected)
    assert outcome.contact_dead
