# SPDX-License-Identifier: EUPL-1.2
"""The X road: posts on the town's own account, and direct messages where they are allowed."""

import re
from typing import Any, Self

from aiohttp import ClientSession
from tweepy.asynchronous import AsyncClient  # type: ignore[import-untyped]

from channels.base import (
    Accepted,
    ChannelName,
    CheckFailed,
    Clock,
    Delivered,
    Outcome,
    PostText,
    Prepared,
    Reason,
    Recipient,
    Rejected,
    Rendered,
    Retry,
    Slip,
    TextLimit,
)
from channels.http import NETWORK_ERRORS, Refused, crossing, lost, open_session
from channels.twitter.codes import ruling
from channels.twitter.settings import TwitterSettings
from channels.twitter.wire import Rerouted

# The address of the town crier: what is sent there is posted for all to read.
PUBLIC = "public"


class TwitterChannel:
    """X's API v2, signed for the town's account (OAuth 1.0a, RFC 5849)."""

    name = ChannelName.X
    _session: ClientSession
    _client: Any

    def __init__(self, settings: TwitterSettings, clock: Clock) -> None:
        self._keys = {
            name: getattr(settings, name).get_secret_value()
            for name in ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        }
        if not all(self._keys.values()):
            raise ValueError(f"the X channel needs {', '.join(self._keys)}")
        # twitter-text v3: 280 weighted characters a post (DOMAIN.md 3.7)
        self.limit = TextLimit("weighted", single=280, part=280, max_parts=settings.max_posts)
        self._settings = settings
        self._clock = clock

    async def __aenter__(self) -> Self:
        settings = self._settings
        self._session = open_session(connections=settings.connections, timeout=settings.timeout)
        # wait_on_rate_limit stays off: with these signatures tweepy would sleep, then crash
        self._client = AsyncClient(**self._keys, return_type=dict)
        self._client.session = Rerouted(self._session, settings.base_url)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._session.close()

    def prepare(self, text: Rendered) -> Prepared:
        """The posts as they are: nothing on X is personal. Raises `TypeError` on another's text."""
        if not isinstance(text.text, PostText):
            raise TypeError("the X channel prepares a PostText")
        return Prepared(text, text.text.posts)

    async def send(self, prepared: Prepared, to: Recipient, slip: Slip) -> Outcome:
        """Post `slip.post` of the thread, or write it to one person.

        The address is `PUBLIC` or the number of a person's account. Raises `ChannelDown`;
        `Withheld` passes.
        """
        direct = to.address != PUBLIC
        if direct and not self._settings.direct_messages:
            return Rejected(Reason.CHANNEL_NOT_CONFIGURED)
        if direct and not re.fullmatch("[0-9]{1,20}", to.address):
            return Rejected(Reason.NO_SUCH_ADDRESS)  # it becomes part of a path
        with crossing(slip.gate) as way:
            try:
                reply = await self._write(prepared.compiled[slip.post], to, slip)
            except Refused as refusal:
                return ruling(
                    refusal.answer, self._clock.wall(), direct=direct, in_doubt=slip.in_doubt
                )
            except NETWORK_ERRORS as error:
                return lost(error, way)
        made = reply.get("data")
        ref = made.get("dm_event_id" if direct else "id") if isinstance(made, dict) else None
        if not ref:
            return Retry(Reason.PROVIDER_ERROR, maybe_sent=True)
        return Accepted(str(ref)) if direct else Delivered(str(ref))

    async def _write(self, text: str, to: Recipient, slip: Slip) -> dict[str, Any]:
        if to.address == PUBLIC:
            answer = self._client.create_tweet(text=text, in_reply_to_tweet_id=slip.reply_to)
        else:
            answer = self._client.create_direct_message(participant_id=to.address, text=text)
        made: dict[str, Any] = await answer
        return made

    async def check(self) -> str:
        """Ask X who we are. Raises `CheckFailed` where it says no, or says nothing."""
        try:
            reply = await self._client.get_me(user_auth=True)
        except Refused as refusal:
            raise CheckFailed(f"X refused the keys (HTTP {refusal.answer.status})") from None
        except NETWORK_ERRORS as error:
            raise CheckFailed(f"X does not answer ({type(error).__name__})") from None
        me = reply.get("data")
        if not (isinstance(me, dict) and me.get("username")):
            raise CheckFailed("X does not say whose keys these are")
        return f"X knows the account @{me['username']}"
