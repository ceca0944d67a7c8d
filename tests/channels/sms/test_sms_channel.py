# SPDX-License-Identifier: EUPL-1.2
"""What Twilio is told of a message, what its codes mean, and which receipts are believed."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from twilio.request_validator import RequestValidator

from channels.base import (
    SHORT_STOP_LENGTH,
    SHORT_STOP_MARK,
    Accepted,
    ChannelDown,
    ChannelName,
    CheckFailed,
    Lane,
    Reason,
    Receipt,
    Recipient,
    Rejected,
    Rendered,
    Retry,
    Slip,
    SmsText,
    TextLimit,
)
from channels.http import Answer, Closed
from channels.sms.channel import SmsChannel
from channels.sms.codes import CODES, failure, ruling
from channels.sms.settings import SmsSettings

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TO = Recipient("+33639980001")
BODY = f"Valmont : alerte crue. Stop : example.org/s/{SHORT_STOP_MARK} (gratuit) €"
CALLBACK = "https://alertes.example.org/callbacks/sms"


def slip(**changes):
    return Slip(
        **{
            "delivery": 1,
            "round": 1,
            "lane": Lane.VITAL,
            "expires": None,
            "in_doubt": False,
            "stop_token": "s" * SHORT_STOP_LENGTH,
            "receipt_token": "1.1.mac",
            "message_key": "key",
        }
        | changes
    )


def settings(**changes):
    basic = {"account_sid": "AC0", "auth_token": "12345", "sender": "VALMONT"}
    return SmsSettings(**basic | changes)


@pytest.fixture
def sms(provider, clock):
    """Make an SMS channel with changed settings."""
    provider.reply = (201, {}, b'{"sid": "SM1", "status": "queued"}')

    def make(**changes):
        return SmsChannel(settings(base_url=provider.url, timeout=2, **changes), clock)

    return make


async def sent(channel, provider, **changes):
    """What Twilio was posted for one message: its form, one value a name."""
    async with channel:
        text = Rendered(ChannelName.SMS, "fr", "crue-1", SmsText(BODY))
        outcome = await channel.send(channel.prepare(text), TO, slip(**changes))
    assert outcome == Accepted("SM1")
    [(request, body)] = provider.requests
    assert request.path == "/2010-04-01/Accounts/AC0/Messages.json"
    return {name: value for name, [value] in parse_qs(body.decode()).items()}


# ------------------------------------------------------------------ what leaves


async def test_twilio_gets_the_text_byte_for_byte_with_this_citizens_token(sms, provider):
    form = await sent(sms(), provider)
    assert form == {
        "To": "+33639980001",
        "From": "VALMONT",
        "Body": BODY.replace(SHORT_STOP_MARK, "s" * SHORT_STOP_LENGTH),
        "ValidityPeriod": "36000",
        "SmartEncoded": "false",
    }
    assert provider.requests[0][0].headers["Authorization"] == "Basic QUMwOjEyMzQ1"


async def test_a_messaging_service_replaces_the_sender(sms, provider):
    form = await sent(sms(messaging_service_sid="MG0"), provider)
    assert form["MessagingServiceSid"] == "MG0"
    assert "From" not in form


async def test_the_receipt_comes_back_to_its_row(sms, provider):
    form = await sent(sms(status_callback_url=CALLBACK), provider)
    assert form["StatusCallback"] == f"{CALLBACK}?token=1.1.mac"


@pytest.mark.parametrize(
    ("left", "seconds"),
    [
        (timedelta(days=2), "36000"),
        (timedelta(minutes=90), "5400"),
        (timedelta(seconds=2.9), "2"),
        (timedelta(seconds=0.1), "1"),
        (timedelta(seconds=-5), "1"),
    ],
)
async def test_a_message_waits_at_twilio_no_longer_than_it_is_true(
    sms, provider, clock, left, seconds
):
    """Counted in the town's time, which a demo shifts, not the world's."""
    clock.world += timedelta(days=30)
    form = await sent(sms(), provider, expires=NOON + left)
    assert form["ValidityPeriod"] == seconds


async def test_a_yes_without_a_sid_is_in_doubt(sms, provider):
    provider.reply = (201, {}, b"{}")
    async with sms() as channel:
        text = Rendered(ChannelName.SMS, "fr", "crue-1", SmsText(BODY))
        outcome = await channel.send(channel.prepare(text), TO, slip())
    assert outcome == Retry(Reason.PROVIDER_ERROR, maybe_sent=True)


async def test_a_number_twilio_calls_wrong_is_dead(sms, provider):
    provider.reply = (400, {}, b'{"code": 21211, "message": "+33639980001 is wrong"}')
    async with sms() as channel:
        text = Rendered(ChannelName.SMS, "fr", "crue-1", SmsText(BODY))
        outcome = await channel.send(channel.prepare(text), TO, slip())
    assert outcome == Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True, code="21211")


# ------------------------------------------------------------------ settings


@pytest.mark.parametrize("missing", ["account_sid", "auth_token", "sender"])
def test_a_channel_that_could_never_send_is_not_made(clock, missing):
    with pytest.raises(ValueError, match=missing):
        SmsChannel(settings(**{missing: ""}), clock)


def test_an_unknown_setting_is_an_error_and_every_setting_is_explained():
    with pytest.raises(ValidationError):
        settings(sendr="VALMONT")
    assert all(field.description for field in SmsSettings.model_fields.values())
    assert "12345" not in repr(settings())


def test_the_longest_sms_is_the_settings_choice(clock):
    limit = SmsChannel(settings(max_parts=2), clock).limit
    assert limit == TextLimit("septets", single=160, part=153, max_parts=2)


# ------------------------------------------------------------------ codes


def envelope(status, code, **headers):
    body = json.dumps({"code": code, "message": "to +33639980001", "status": status}).encode()
    return Answer(status, {k.replace("_", "-"): v for k, v in headers.items()}, body)


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (400, 21610, Rejected(Reason.OPTED_OUT, contact_dead=True, code="21610")),
        (400, 21614, Rejected(Reason.NOT_MOBILE, contact_dead=True, code="21614")),
        (400, 21408, Rejected(Reason.REGION_NOT_ENABLED, code="21408")),
        (403, 21408, Rejected(Reason.REGION_NOT_ENABLED, code="21408")),
        (400, 21617, Rejected(Reason.TOO_LONG, code="21617")),
        (500, 20500, Retry(Reason.PROVIDER_ERROR, code="20500")),
        (503, 20503, Retry(Reason.PROVIDER_ERROR, code="20503")),  # unlisted, in the envelope
        (400, 99999, Retry(Reason.UNKNOWN, code="99999")),
    ],
)
def test_a_code_decides_before_the_status_does(status, code, outcome):
    assert ruling(envelope(status, code), NOON) == outcome


def test_too_many_at_a_time_waits_as_long_as_twilio_wishes():
    refused = envelope(429, 20429, Retry_After="3")
    assert ruling(refused, NOON) == Retry(
        Reason.RATE_LIMITED, after=timedelta(seconds=3), code="20429"
    )


@pytest.mark.parametrize("code", [c for c, row in CODES.items() if isinstance(row, Closed)])
def test_a_fault_of_the_account_costs_no_citizen_anything(code):
    with pytest.raises(ChannelDown) as down:
        ruling(envelope(400, code), NOON)
    assert down.value.code == str(code)


@pytest.mark.parametrize("code", ["21211", None, [21211], {"code": 21211}])
def test_a_code_that_is_no_number_kills_nobody(code):
    assert ruling(envelope(400, code), NOON) == Retry(Reason.UNKNOWN, code="400")


@given(st.integers(400, 599), st.integers(10_000, 99_999).filter(lambda code: code not in CODES))
def test_no_unlisted_code_kills_an_address_or_leaves_a_doubt(status, code):
    try:
        outcome = ruling(envelope(status, code), NOON)
    except ChannelDown as down:
        assert status in (401, 403)
        assert down.reason is Reason.AUTHENTICATION  # noqa: PT017
    else:
        assert isinstance(outcome, Retry)
        assert not outcome.maybe_sent


def test_only_rows_about_the_number_kill_it():
    dead = {code for code, row in CODES.items() if getattr(row, "contact_dead", False)}
    assert dead == {21211, 21217, 21610, 21614, 21635, 30005, 30006}


# ------------------------------------------------------------------ check


async def test_an_active_account_is_good_and_another_is_not(sms, provider):
    async with sms() as channel:
        provider.reply = (200, {}, b'{"sid": "AC0", "status": "active"}')
        assert "active" in await channel.check()
        provider.reply = (200, {}, b'{"sid": "AC0", "status": "suspended"}')
        with pytest.raises(CheckFailed, match="not active"):
            await channel.check()


# ------------------------------------------------------------------ receipts


def receipts(channel, url=f"{CALLBACK}?token=7.2.mac", **form):
    """Have a status callback read that bears Twilio's signature."""
    form = {"MessageSid": "SM1", "To": "+33639980001", "Empty": ""} | form
    signature = RequestValidator("12345").compute_signature(url, form)
    body = urlencode(form).encode()
    return channel.read_receipts({"X-TWILIO-SIGNATURE": signature}, body, url)


@pytest.mark.parametrize(
    ("status", "rank"),
    [("sent", 1), ("failed", 2), ("undelivered", 2), ("canceled", 2), ("delivered", 3)],
)
def test_a_status_becomes_a_receipt_of_its_rank(sms, status, rank):
    assert receipts(sms(), MessageStatus=status) == [
        Receipt("7.2.mac", rank, "", Reason.UNKNOWN, "SM1", NOON)
    ]


@pytest.mark.parametrize("status", ["queued", "sending", "accepted", "scheduled", "", "new-word"])
def test_a_status_that_proves_nothing_is_no_receipt(sms, status):
    assert receipts(sms(), MessageStatus=status) == []


def test_a_callback_without_our_token_is_no_receipt(sms):
    assert receipts(sms(), url=CALLBACK, MessageStatus="delivered") == []


@pytest.mark.parametrize(
    ("code", "reason", "dead"),
    [
        ("30003", Reason.UNREACHABLE, False),
        ("30005", Reason.NO_SUCH_ADDRESS, True),
        ("30006", Reason.NOT_MOBILE, True),
        ("30007", Reason.REPUTATION, False),
        ("30036", Reason.EXPIRED, False),
        ("63038", Reason.RATE_LIMITED, False),
        ("12", Reason.UNKNOWN, False),
        ("", Reason.UNKNOWN, False),
        ("²", Reason.UNKNOWN, False),
    ],
)
def test_a_failure_says_why_and_whether_the_number_is_dead(sms, code, reason, dead):
    [receipt] = receipts(sms(), MessageStatus="undelivered", ErrorCode=code)
    assert (receipt.rank, receipt.reason, receipt.contact_dead) == (2, reason, dead)
    assert failure(code) == (reason, dead)


def test_a_delivered_message_never_kills_its_number(sms):
    [receipt] = receipts(sms(), MessageStatus="delivered", ErrorCode="30005")
    assert not receipt.contact_dead


@pytest.mark.parametrize("headers", [{}, {"X-Twilio-Signature": ""}, {"X-Twilio-Signature": "x"}])
@pytest.mark.parametrize("body", [b"", b"MessageStatus=delivered", b"\xff\xfe"])
def test_an_unsigned_callback_is_not_believed(sms, headers, body):
    with pytest.raises(PermissionError):
        sms().read_receipts(headers, body, f"{CALLBACK}?token=7.2.mac")


def test_a_signed_callback_replayed_for_another_row_is_not_believed(sms):
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    signature = RequestValidator("12345").compute_signature(f"{CALLBACK}?token=7.2.mac", form)
    with pytest.raises(PermissionError):
        sms().read_receipts(
            {"X-Twilio-Signature": signature},
            urlencode(form).encode(),
            f"{CALLBACK}?token=8.2.mac",
        )


@pytest.mark.parametrize(
    ("sender", "backup", "one_way"),
    [
        ("VALMONT", None, True),
        ("38200", None, False),
        ("38200", {"sender": "VALMONT"}, True),
        ("38200", {"sender": "38201"}, False),
        ("VALMONT", {"sender": "38201"}, True),
    ],
)
def test_it_is_one_way_where_any_account_that_may_carry_it_is(sender, backup, one_way):
    said = settings(sender=sender, two_way=sender.isdecimal(), backup=backup)
    assert said.one_way is one_way
