# SPDX-License-Identifier: EUPL-1.2
"""What every channel that can be asked afterwards promises (channels/base.py: Witness), asked of
each against the sandbox's real protocol. Doubt is ended by these answers: a wrong one doubles a
message, or loses it."""

import asyncio
import traceback
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from channel_wire import slip

from channels.base import (
    SHORT_STOP_MARK,
    ChannelDown,
    ChannelName,
    PostText,
    Reason,
    Recipient,
    Rendered,
    Retry,
    SmsText,
    Witness,
)
from channels.registry import load
from channels.twitter.channel import PUBLIC
from channels.twitter.lookup import canonical
from hub.clock import SystemClock
from hub.sandbox.faults import Fault
from hub.sandbox.server import Sandbox, SandboxSettings

SMS, X = ChannelName.SMS, ChannelName.X
WORDS = "Valmont : coupure d'eau <demain> & jeudi, rue des Tilleuls."
LINK = "https://alerte.example.org/a/k3v9qd"


@dataclass
class Stand:
    """One channel, opened against the sandbox, and whom it writes to."""

    sandbox: Sandbox
    channel: Witness
    to: Recipient
    other: Recipient | None
    text: Rendered
    changed: Rendered

    def now(self):
        return SystemClock().now()

    async def send(self, to=None, text=None, **changes):
        prepared = self.channel.prepare(text or self.text)
        return await self.channel.send(prepared, to or self.to, slip(1, **changes))

    async def seen(self, to=None, since=None, **changes):
        prepared = self.channel.prepare(self.text)
        since = since or self.now() - timedelta(seconds=30)
        return await self.channel.seen(prepared, to or self.to, slip(1, **changes), since)

    def fault(self, fault):
        self.sandbox.faults.set(self.channel.name, rates={fault: 1.0}, hang=0.05)

    def good_day(self):
        self.sandbox.faults.set(self.channel.name, rates={})


def sms_text(words):
    return Rendered(SMS, "fr", "eau-1", SmsText(f"{words} Stop : example.org/s/{SHORT_STOP_MARK}"))


def post_text(words):
    return Rendered(X, "fr", "eau-1", PostText((f"{words} {LINK} #eau example.org/eau",)))


@pytest.fixture(params=["sms", "post", "message"])
async def stand(request):
    """Each witness in turn; on X, posts and direct messages are two."""
    name = SMS if request.param == "sms" else X
    async with Sandbox(SystemClock(), SandboxSettings(receipt_delay=0.01)) as sandbox:
        section = sandbox.channel_settings()[name]
        if request.param == "message":
            section["direct_messages"] = True
        make = load(name)
        settings = make.__init__.__annotations__["settings"](**section, timeout=5)
        made = sms_text if name is SMS else post_text
        to = {"sms": "+33639980001", "post": PUBLIC}.get(request.param)
        other = Recipient("+33639980002") if name is SMS else None
        if to is None:
            to, other = sandbox.x.inbound("a", "hello"), Recipient(sandbox.x.inbound("b", "hello"))
        async with make(settings, SystemClock()) as channel:
            yield Stand(sandbox, channel, Recipient(to), other, made(WORDS), made("Jeudi."))


async def test_it_is_a_witness(stand):
    assert isinstance(stand.channel, Witness)


async def test_what_was_taken_is_listed_by_the_name_its_answer_gave(stand):
    answer = await stand.send()
    (sighting,) = await stand.seen()
    assert (sighting.ref, sighting.failed, sighting.provider) == (answer.ref, False, "")
    assert abs(sighting.at - stand.now()) < timedelta(seconds=5)


async def test_what_was_taken_without_an_answer_is_listed(stand):
    stand.fault(Fault.VANISH)
    assert await stand.send() == Retry(Reason.NETWORK, maybe_sent=True)
    stand.good_day()
    assert len(await stand.seen()) == 1


async def test_what_was_not_taken_is_not_listed_and_once_it_is_it_is(stand):
    stand.fault(Fault.SILENCE)
    await stand.send()
    stand.good_day()
    assert list(await stand.seen()) == []
    await stand.send()  # as of a request that was long on its way
    assert len(await stand.seen()) == 1


async def test_another_announcement_to_the_same_address_is_another_message(stand):
    await stand.send(text=stand.changed, stop_token="another" + "x" * 25)
    assert list(await stand.seen()) == []


async def test_what_is_listed_late_is_absent_until_then(stand):
    stand.sandbox.faults.set(stand.channel.name, listing_lag=60)
    await stand.send()
    assert list(await stand.seen()) == []
    stand.sandbox.faults.set(stand.channel.name, listing_lag=0)
    assert len(await stand.seen()) == 1


@pytest.mark.parametrize("stand", ["sms", "message"], indirect=True)
async def test_the_same_text_to_somebody_else_is_another_message(stand):
    await stand.send(to=stand.other)
    assert list(await stand.seen()) == []


async def test_a_copy_older_than_the_first_try_is_another_message(stand):
    await stand.send()
    assert list(await stand.seen(since=stand.now() + timedelta(hours=3))) == []
    assert len(await stand.seen(since=stand.now() + timedelta(hours=1))) == 1, "a clock was wrong"


async def test_behind_many_other_messages_it_is_still_found(stand):
    effect = stand.sandbox.effects.by_ref((await stand.send()).ref)
    for number in range(1, 131):
        younger = str(int(effect.ref) + number) if effect.ref.isdecimal() else f"SM{number}"
        same = {"to": effect.to, "sender": effect.sender, "state": effect.state}
        await stand.sandbox.effects.add(
            stand.channel.name, text=f"news {number}", ref=younger, extra=effect.extra, **same
        )
    assert [each.ref for each in await stand.seen()] == [effect.ref]


TROUBLES = {
    Fault.THROTTLE: Reason.RATE_LIMITED,
    Fault.ERROR: Reason.PROVIDER_ERROR,
    Fault.HTML_ERROR: Reason.PROVIDER_ERROR,
    Fault.GARBAGE: Reason.PROVIDER_ERROR,
    Fault.CUT: Reason.NETWORK,
    Fault.SILENCE: Reason.NETWORK,
}


@pytest.mark.parametrize("fault", TROUBLES)
async def test_a_listing_that_fails_tells_nothing_and_says_so(stand, fault):
    await stand.send()
    await stand.seen()
    stand.fault(fault)
    with pytest.raises(ChannelDown) as down:
        await stand.seen()
    assert down.value.reason is TROUBLES[fault]
    if fault is Fault.THROTTLE:
        assert down.value.after
    told = "".join(traceback.format_exception(down.value))
    assert stand.to.address == PUBLIC or stand.to.address not in told
    assert "Tilleuls" not in told
    stand.good_day()
    assert len(await stand.seen()) == 1


async def test_a_wrong_key_tells_nothing_and_alarms(stand):
    stand.sandbox.twilio._authorization = "Basic other"
    stand.sandbox.x._keys = replace(stand.sandbox.x._keys, consumer_secret="other")
    with pytest.raises(ChannelDown) as down:
        await stand.seen()
    assert (down.value.reason, down.value.alarm) == (Reason.AUTHENTICATION, True)


# --------------------------------------------------------------------------- SMS alone


ON_SMS = pytest.mark.parametrize("stand", ["sms"], indirect=True)


@ON_SMS
async def test_another_persons_stop_token_makes_another_text(stand):
    await stand.send()
    assert list(await stand.seen(stop_token="another" + "x" * 25)) == []


@ON_SMS
async def test_whatever_bears_the_citizens_token_is_this_message_however_it_is_spelt(stand):
    answer = await stand.send(text=stand.changed)
    assert [each.ref for each in await stand.seen()] == [answer.ref]


@ON_SMS
async def test_where_no_text_is_personal_the_text_decides(stand):
    stand.text, stand.changed = (
        Rendered(SMS, "fr", "eau-1", SmsText(words)) for words in ("Crue.", "Crues.")
    )
    await stand.send(text=stand.changed)
    assert list(await stand.seen()) == []
    answer = await stand.send()
    assert [each.ref for each in await stand.seen()] == [answer.ref]


@ON_SMS
async def test_a_copy_that_did_not_arrive_is_listed_as_failed(stand):
    stand.sandbox.faults.set(SMS, undelivered=1.0)
    answer = await stand.send()
    for _ in range(500):
        if stand.sandbox.effects.by_ref(answer.ref).state == "undelivered":
            break
        await asyncio.sleep(0.01)
    (sighting,) = await stand.seen()
    assert sighting.failed


@ON_SMS
async def test_texts_that_were_redacted_tell_nothing(stand):
    answer = await stand.send()
    stand.sandbox.effects.by_ref(answer.ref).text = ""
    with pytest.raises(ChannelDown) as down:
        await stand.seen()
    assert down.value.code == "redacted"
    assert list(await stand.seen(since=stand.now() + timedelta(hours=1))) == [], "an earlier one"


@ON_SMS
async def test_another_senders_message_is_another_message(stand):
    answer = await stand.send()
    stand.sandbox.effects.by_ref(answer.ref).sender = "CINEMA"
    assert list(await stand.seen()) == []


@ON_SMS
async def test_a_messaging_service_knows_its_own_before_a_sender_is_chosen(stand):
    service = "MG" + "0" * 32
    settings = type(stand.channel._settings)(
        **stand.sandbox.channel_settings()[SMS], messaging_service_sid=service
    )
    async with load(SMS)(settings, SystemClock()) as channel:
        stand.channel = channel
        answer = await stand.send()
        assert [each.ref for each in await stand.seen()] == [answer.ref]


# --------------------------------------------------------------------------- X alone


@pytest.mark.parametrize(
    ("sent", "listed"),
    [
        ("Crue : example.org/a", "Crue : http://example.org/a"),
        ("Crue https://example.org #eau", "Crue https://example.org/ #eau"),
        ("E\u0301vacuez", "\u00c9vacuez "),
    ],
)
def test_two_spellings_of_one_post_are_one(sent, listed):
    assert canonical(sent) == canonical(listed)


def test_two_posts_are_two():
    assert canonical("Crue example.org/a") != canonical("Crue example.org/b")
