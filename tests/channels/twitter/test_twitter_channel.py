# SPDX-License-Identifier: EUPL-1.2
"""What X is told of a post or a message, and what its refusals mean."""

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oauthlib.oauth1 import Client
from pydantic import ValidationError

from channels.base import (
    Accepted,
    ChannelDown,
    ChannelName,
    CheckFailed,
    Delivered,
    Lane,
    PostText,
    Reason,
    Recipient,
    Rejected,
    Rendered,
    Retry,
    Slip,
    TextLimit,
)
from channels.http import Answer, Closed
from channels.twitter.channel import PUBLIC, TwitterChannel
from channels.twitter.codes import PHRASES, ruling
from channels.twitter.settings import TwitterSettings

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TOWN = Recipient(PUBLIC)
THREAD = ("Crue de l'Orne : évacuez la rue du Quai 🌊 1/2", "Accueil : salle des fêtes 2/2")
KEYS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")


def slip(**changes):
    return Slip(
        **{
            "delivery": 1,
            "round": 1,
            "lane": Lane.VITAL,
            "expires": None,
            "in_doubt": False,
            "stop_token": "",
            "receipt_token": "1.1.mac",
            "message_key": "key",
        }
        | changes
    )


def settings(**changes):
    return TwitterSettings(**{key: f"{key}-value" for key in KEYS} | changes)


@pytest.fixture
def send(provider, clock):
    """Send one text to `to` over an X channel with changed settings."""

    async def go(to=TOWN, changes=None, **slips):
        made = settings(base_url=provider.url, timeout=2, **(changes or {}))
        async with TwitterChannel(made, clock) as channel:
            text = Rendered(ChannelName.X, "fr", "crue-1", PostText(THREAD))
            return await channel.send(channel.prepare(text), to, slip(**slips))

    return go


# ------------------------------------------------------------------ what leaves


async def test_a_post_on_the_towns_account_is_public_and_so_delivered(send, provider):
    provider.reply = (201, {}, b'{"data": {"id": "17", "text": "..."}}')
    assert await send() == Delivered("17")
    [(request, body)] = provider.requests
    assert (request.method, request.path) == ("POST", "/2/tweets")
    assert json.loads(body) == {"text": THREAD[0]}


async def test_the_next_post_of_a_thread_answers_the_one_before(send, provider):
    provider.reply = (201, {}, b'{"data": {"id": "18"}}')
    await send(post=1, reply_to="17")
    assert json.loads(provider.requests[0][1]) == {
        "text": THREAD[1],
        "reply": {"in_reply_to_tweet_id": "17"},
    }


async def test_the_signature_is_made_for_x_wherever_the_request_is_carried(send, provider):
    provider.reply = (201, {}, b'{"data": {"id": "17"}}')
    await send()
    header = provider.requests[0][0].headers["Authorization"]
    fields = dict(part.split("=", 1) for part in header.removeprefix("OAuth ").split(", "))
    expected = Client(
        *(f"{key}-value" for key in KEYS),
        nonce=fields["oauth_nonce"].strip('"'),
        timestamp=fields["oauth_timestamp"].strip('"'),
    ).sign("https://api.twitter.com/2/tweets", "POST")[1]["Authorization"]
    assert header == expected


async def test_a_person_who_wrote_first_gets_a_direct_message(send, provider):
    provider.reply = (201, {}, b'{"data": {"dm_event_id": "5", "dm_conversation_id": "1-2"}}')
    assert await send(Recipient("900001"), {"direct_messages": True}) == Accepted("5")
    [(request, body)] = provider.requests
    assert request.path == "/2/dm_conversations/with/900001/messages"
    assert json.loads(body) == {"text": THREAD[0]}


async def test_direct_messages_are_off_unless_turned_on(send, provider):
    assert await send(Recipient("900001")) == Rejected(Reason.CHANNEL_NOT_CONFIGURED)
    assert provider.requests == []


@pytest.mark.parametrize("address", ["@mairie", "1/../../tweets", "", "１２", "1" * 21])
async def test_what_is_no_account_number_never_becomes_a_path(send, provider, address):
    outcome = await send(Recipient(address), {"direct_messages": True})
    assert outcome == Rejected(Reason.NO_SUCH_ADDRESS)
    assert provider.requests == []


@pytest.mark.parametrize("body", [b"{}", b'{"data": {}}', b'{"data": [1]}', b'{"errors": []}'])
async def test_a_yes_without_a_post_is_in_doubt(send, provider, body):
    provider.reply = (201, {}, body)
    assert await send() == Retry(Reason.PROVIDER_ERROR, maybe_sent=True)


# ------------------------------------------------------------------ what a refusal means


def refusal(status, detail="", headers=None, **more):
    body = {"title": "Forbidden", "detail": detail, "type": "about:blank", "status": status} | more
    return Answer(status, headers or {}, json.dumps(body).encode())


def rule(answer, *, direct=False, in_doubt=False):
    return ruling(answer, NOON, direct=direct, in_doubt=in_doubt)


DUPLICATE = refusal(403, "You are not allowed to create a Tweet with duplicate content.")


def test_a_duplicate_is_the_proof_that_a_post_in_doubt_had_left():
    assert rule(DUPLICATE, in_doubt=True) == Accepted()


def test_a_duplicate_out_of_the_blue_is_refused():
    assert rule(DUPLICATE) == Rejected(Reason.DUPLICATE, code="187")


async def test_the_slip_says_whether_a_duplicate_is_proof(send, provider):
    provider.reply = (403, {}, DUPLICATE.body)
    assert await send() == Rejected(Reason.DUPLICATE, code="187")
    assert await send(in_doubt=True) == Accepted()


def test_being_in_doubt_excuses_no_other_refusal():
    longer = refusal(403, "Your Tweet text needs to be a bit shorter.")
    assert rule(longer, in_doubt=True) == Rejected(Reason.TOO_LONG, code="186")


@pytest.mark.parametrize("detail", ["Forbidden", "You do not have permission to DM one or more"])
def test_a_person_who_did_not_write_first_is_left_alone_but_not_dead(detail):
    outcome = rule(refusal(403, detail), direct=True)
    assert outcome.reason is Reason.NOT_ALLOWED_BY_PERSON
    assert not outcome.contact_dead


def test_an_unknown_403_on_a_post_is_tried_again_and_closes_nothing():
    assert rule(refusal(403, "No.")) == Retry(Reason.UNKNOWN, code="403")


@pytest.mark.parametrize(
    ("phrase", "row"), [(phrase, row) for phrase, _, row in PHRASES if isinstance(row, Closed)]
)
def test_a_fault_of_the_towns_account_closes_the_road_even_for_a_message(phrase, row):
    with pytest.raises(ChannelDown) as down:
        rule(refusal(403, phrase.title()), direct=True)
    assert (down.value.reason, down.value.alarm) == (row.reason, row.alarm)


@pytest.mark.parametrize(("status", "reason"), [(401, Reason.AUTHENTICATION), (402, Reason.BUDGET)])
def test_wrong_keys_and_spent_credit_call_somebody(status, reason):
    with pytest.raises(ChannelDown) as down:
        rule(refusal(status))
    assert down.value.reason is reason
    assert down.value.alarm


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Rejected(Reason.REFUSED_CONTENT, code="400")),
        (404, Retry(Reason.UNKNOWN, code="404")),
        (500, Retry(Reason.PROVIDER_ERROR, maybe_sent=True, code="500")),
        (502, Retry(Reason.PROVIDER_ERROR, maybe_sent=True, code="502")),
    ],
)
def test_other_refusals_go_by_their_status(status, outcome):
    assert rule(refusal(status)) == outcome


def test_the_messages_of_the_older_errors_are_read_too():
    old = refusal(403, errors=[{"code": 187, "message": "Status is a duplicate."}, "odd", {}])
    assert rule(old) == Rejected(Reason.DUPLICATE, code="187")


@given(st.integers(300, 599), st.binary(max_size=60), st.booleans(), st.booleans())
def test_no_answer_of_x_kills_an_account(status, body, direct, in_doubt):
    try:
        outcome = rule(Answer(status, {}, body), direct=direct, in_doubt=in_doubt)
    except ChannelDown:
        assert status in (401, 402)
    else:
        assert not getattr(outcome, "contact_dead", False)


# ------------------------------------------------------------------ limits


def at(moment):
    return str(int((NOON + moment).timestamp()))


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({}, None),
        ({"Retry-After": "9"}, timedelta(seconds=9)),
        ({"x-rate-limit-reset": at(timedelta(minutes=4))}, timedelta(minutes=4)),
        ({"x-rate-limit-reset": at(timedelta(minutes=-4))}, timedelta(0)),
        ({"x-rate-limit-reset": "soon", "Retry-After": "9"}, timedelta(seconds=9)),
        ({"x-rate-limit-reset": "9" * 10}, timedelta(days=1)),
        (
            {
                "x-rate-limit-remaining": "3",
                "x-rate-limit-reset": at(timedelta(minutes=4)),
                "x-user-limit-24hour-remaining": "0",
                "x-user-limit-24hour-reset": at(timedelta(hours=5)),
            },
            timedelta(hours=5),
        ),
        (
            {
                "x-rate-limit-remaining": "0",
                "x-rate-limit-reset": at(timedelta(minutes=4)),
                "x-app-limit-24hour-remaining": "0",
                "x-app-limit-24hour-reset": at(timedelta(hours=6)),
            },
            timedelta(hours=6),
        ),
    ],
)
def test_a_spent_limit_waits_for_its_own_reset(headers, after):
    assert rule(Answer(429, headers, b"")) == Retry(Reason.RATE_LIMITED, after=after, code="429")


async def test_a_reset_is_counted_in_the_worlds_time_not_a_demos(send, provider, clock):
    clock.town += timedelta(days=40)
    provider.reply = (429, {"x-rate-limit-reset": at(timedelta(minutes=4))}, b"{}")
    assert (await send()).after == timedelta(minutes=4)


# ------------------------------------------------------------------ settings, check


@pytest.mark.parametrize("missing", KEYS)
def test_a_channel_that_could_never_post_is_not_made(clock, missing):
    with pytest.raises(ValueError, match=missing):
        TwitterChannel(settings(**{missing: ""}), clock)


def test_an_unknown_setting_is_an_error_and_every_setting_is_explained():
    with pytest.raises(ValidationError):
        settings(acess_token="x")
    assert all(field.description for field in TwitterSettings.model_fields.values())
    assert "consumer_key-value" not in repr(settings())


def test_a_post_holds_280_and_a_thread_what_the_settings_say(clock):
    limit = TwitterChannel(settings(max_posts=3), clock).limit
    assert limit == TextLimit("weighted", single=280, part=280, max_parts=3)


async def test_the_check_says_whose_keys_these_are(provider, clock):
    async with TwitterChannel(settings(base_url=provider.url), clock) as channel:
        provider.reply = (200, {}, b'{"data": {"id": "1", "username": "ValmontSurOrne"}}')
        assert "@ValmontSurOrne" in await channel.check()
        provider.reply = (200, {}, b'{"data": {"id": "1"}}')
        with pytest.raises(CheckFailed, match="whose"):
            await channel.check()
    assert [request.path for request, _ in provider.requests] == ["/2/users/me"] * 2


def test_the_sdks_that_log_texts_and_tokens_stay_quiet_at_debug():
    logging.getLogger().setLevel(logging.DEBUG)
    assert not logging.getLogger("tweepy.asynchronous.client").isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("oauthlib.oauth1").isEnabledFor(logging.DEBUG)
