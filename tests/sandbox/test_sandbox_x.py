# SPDX-License-Identifier: EUPL-1.2
"""X's stand-in, seen by tweepy."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
import tweepy
from oauthlib import oauth1
from tweepy.asynchronous import AsyncClient

from hub.clock import ManualClock, SystemClock
from hub.sandbox.oauth import XKeys
from hub.sandbox.server import Sandbox, SandboxSettings
from hub.sandbox.x import participant_id


class Rewriting:
    """tweepy's session, with X's origin replaced after signing."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str) -> None:
        self._session = session
        self._base_url = base_url

    def request(self, method: str, url: object, **options: Any) -> Any:
        return self._session.request(
            method, str(url).replace("https://api.twitter.com", self._base_url), **options
        )


def client_of(keys: XKeys, session: aiohttp.ClientSession, base_url: str) -> AsyncClient:
    client = AsyncClient(
        consumer_key=keys.consumer_key,
        consumer_secret=keys.consumer_secret,
        access_token=keys.access_token,
        access_token_secret=keys.access_token_secret,
    )
    client.session = Rewriting(session, base_url)
    return client


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def town(sandbox: Sandbox, session: aiohttp.ClientSession) -> AsyncClient:
    return client_of(sandbox.credentials.x, session, sandbox.base_url)


async def test_a_post_is_public_and_on_the_timeline(sandbox: Sandbox, town: AsyncClient) -> None:
    created = await town.create_tweet(text="Coupure d'eau & travaux https://example.org/a/7Kq2")
    assert created.data["text"].startswith("Coupure d'eau &amp; travaux https://t.co/")
    (effect,) = sandbox.effects.select()
    assert (effect.to, effect.ref) == ("public", created.data["id"])
    assert effect.text == "Coupure d'eau & travaux https://example.org/a/7Kq2"
    me = await town.get_me(user_auth=True)
    timeline = await town.get_users_tweets(
        me.data.id, tweet_fields=["created_at", "entities"], user_auth=True
    )
    (post,) = timeline.data
    assert str(post.id) == effect.ref
    assert post.entities["urls"][0]["expanded_url"] == "https://example.org/a/7Kq2"
    assert abs((post.created_at - effect.at).total_seconds()) < 0.002


async def test_a_thread_is_a_chain_of_replies(sandbox: Sandbox, town: AsyncClient) -> None:
    first = await town.create_tweet(text="1/2")
    await town.create_tweet(text="2/2", in_reply_to_tweet_id=first.data["id"])
    timeline = await town.get_users_tweets(
        sandbox.x.account_id, tweet_fields=["referenced_tweets"], user_auth=True
    )
    assert timeline.data[0].referenced_tweets[0].id == int(first.data["id"])
    with pytest.raises(tweepy.Forbidden, match="deleted or not visible"):
        await town.create_tweet(text="3/2", in_reply_to_tweet_id=1)


async def test_the_timeline_pages_newest_first(sandbox: Sandbox, town: AsyncClient) -> None:
    for number in range(7):
        await town.create_tweet(text=f"annonce {number}")
    account = sandbox.x.account_id
    first = await town.get_users_tweets(account, max_results=5, user_auth=True)
    rest = await town.get_users_tweets(
        account, max_results=5, pagination_token=first.meta["next_token"], user_auth=True
    )
    shown = [post.text for page in (first, rest) for post in page.data]
    assert shown == [f"annonce {number}" for number in range(6, -1, -1)]
    newest = first.data[0].id
    later = await town.get_users_tweets(account, since_id=newest, user_auth=True)
    assert later.data is None
    assert later.meta["result_count"] == 0


async def test_the_same_text_twice_is_refused(town: AsyncClient) -> None:
    await town.create_tweet(text="Coupure d'eau")
    with pytest.raises(tweepy.Forbidden, match="duplicate content"):
        await town.create_tweet(text="Coupure d'eau")
    await town.create_tweet(text="Coupure d'eau, suite")


async def test_a_day_later_the_same_text_may_be_posted_again(
    session: aiohttp.ClientSession,
) -> None:
    clock = ManualClock(SystemClock().wall())
    async with Sandbox(clock) as sandbox:
        town = client_of(sandbox.credentials.x, session, sandbox.base_url)
        await town.create_tweet(text="Marché ce matin")
        clock.jump(timedelta(hours=25))
        await town.create_tweet(text="Marché ce matin")
        assert len(sandbox.effects.select()) == 2


@pytest.mark.parametrize("body", ["not JSON", "[]", '{"text": 4}', '{"text": "Eau", "reply": []}'])
async def test_a_body_that_is_no_post_is_a_bad_request(
    sandbox: Sandbox, http: aiohttp.ClientSession, body: str
) -> None:
    keys = sandbox.credentials.x
    signer = oauth1.Client(
        keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
    )
    url, headers, _ = signer.sign(f"{sandbox.base_url}/2/tweets", "POST")
    async with http.post(url, data=body, headers=headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["title"] == "Invalid Request"


@pytest.mark.parametrize("text", ["é" * 281, "日" * 141, " "])
async def test_a_post_that_x_would_refuse_is_refused(
    sandbox: Sandbox, town: AsyncClient, text: str
) -> None:
    with pytest.raises(tweepy.BadRequest):
        await town.create_tweet(text=text)
    assert not sandbox.effects.select()


async def test_a_post_of_exactly_280_passes(town: AsyncClient) -> None:
    assert await town.create_tweet(text="é" * 257 + "https://example.org/un/chemin/assez/long")


@pytest.mark.parametrize("wrong", ["consumer_key", "consumer_secret", "access_token_secret"])
async def test_a_wrong_key_or_signature_is_unauthorized(
    sandbox: Sandbox, session: aiohttp.ClientSession, wrong: str
) -> None:
    keys = replace(sandbox.credentials.x, **{wrong: "wrong"})
    stranger = client_of(keys, session, sandbox.base_url)
    with pytest.raises(tweepy.Unauthorized):
        await stranger.create_tweet(text="Coupure d'eau")
    for read in (
        stranger.get_me(user_auth=True),
        stranger.get_users_tweets(1, user_auth=True),
        stranger.get_user(username="petit", user_auth=True),
        stranger.create_direct_message(participant_id=1, text="Bonjour"),
        stranger.get_direct_message_events(user_auth=True),
    ):
        with pytest.raises(tweepy.Unauthorized):
            await read
    assert not sandbox.effects.select()


@pytest.mark.parametrize("header", ["", "Bearer abc", "OAuth nonsense"])
async def test_an_unsigned_request_is_unauthorized(
    http: aiohttp.ClientSession, header: str
) -> None:
    async with http.get("/2/users/me", headers={"Authorization": header}) as answer:
        assert answer.status == 401
        assert answer.content_type == "application/problem+json"


async def test_only_people_who_wrote_first_can_be_written_to(
    sandbox: Sandbox, town: AsyncClient
) -> None:
    citizen = (await town.get_user(username="petit", user_auth=True)).data.id
    with pytest.raises(tweepy.Forbidden, match="permission to DM"):
        await town.create_direct_message(participant_id=citizen, text="Bonjour")
    assert sandbox.x.inbound("@petit", "code 4711") == str(citizen)
    sent = await town.create_direct_message(participant_id=citizen, text="Bonjour")
    (effect,) = sandbox.effects.select()
    assert (effect.to, effect.ref) == (str(citizen), str(sent.data["dm_event_id"]))
    talk = await town.get_direct_message_events(participant_id=citizen, user_auth=True)
    assert [event.text for event in talk.data] == ["Bonjour", "code 4711"]
    nobody = await town.get_direct_message_events(participant_id=1, user_auth=True)
    assert nobody.data is None
    assert len((await town.get_direct_message_events(user_auth=True)).data) == 2


async def test_an_empty_direct_message_is_refused(sandbox: Sandbox, town: AsyncClient) -> None:
    citizen = sandbox.x.inbound("petit", "code")
    with pytest.raises(tweepy.BadRequest):
        await town.create_direct_message(participant_id=citizen, text=" ")


async def test_beyond_its_window_the_account_is_limited(session: aiohttp.ClientSession) -> None:
    async with Sandbox(SystemClock(), SandboxSettings(posts_per_window=2)) as sandbox:
        town = client_of(sandbox.credentials.x, session, sandbox.base_url)
        await town.create_tweet(text="un")
        await town.create_tweet(text="deux")
        with pytest.raises(tweepy.TooManyRequests) as limited:
            await town.create_tweet(text="trois")
        headers = limited.value.response.headers
        assert (headers["x-rate-limit-limit"], headers["x-rate-limit-remaining"]) == ("2", "0")
        ahead = int(headers["x-rate-limit-reset"]) - SystemClock().wall().timestamp()
        assert 890 < ahead <= 900
        assert len(sandbox.effects.select()) == 2


async def test_a_strangers_timeline_is_not_served(town: AsyncClient) -> None:
    with pytest.raises(tweepy.NotFound):
        await town.get_users_tweets(1, user_auth=True)
    with pytest.raises(tweepy.BadRequest):
        await town.get_users_tweets(participant_id("VilleValmont"), max_results=101, user_auth=True)


async def test_malformed_parameters_and_bodies_are_bad_requests(
    sandbox: Sandbox, town: AsyncClient
) -> None:
    with pytest.raises(tweepy.BadRequest):
        await town.get_users_tweets(sandbox.x.account_id, since_id="x", user_auth=True)
    with pytest.raises(tweepy.BadRequest):
        await town.create_tweet(text=None, media_ids=["1"])
