# SPDX-License-Identifier: EUPL-1.2
"""The X road: posts on the town's own account, and direct messages where they are allowed."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from aiohttp import ClientSession
from tweepy.asynchronous import AsyncClient  # type: ignore[import-untyped]

from channels.base import (
    Accepted,
    ChannelName,
    CheckFailed,
    Clock,
    Delivered,
    Inbound,
    Outcome,
    PostText,
    Prepared,
    Reason,
    Recipient,
    Rejected,
    Rendered,
    Retry,
    Sighting,
    Slip,
    TextLimit,
)
from channels.http import (
    LISTING_CONNECTIONS,
    NETWORK_ERRORS,
    Answer,
    Refused,
    crossing,
    listing,
    lost,
    open_session,
)
from channels.twitter import inbound, lookup
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
    _reading: ClientSession
    _reader: Any

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
        self._me = ""  # the account's number, once X was asked

    async def __aenter__(self) -> Self:
        settings = self._settings
        self._session = open_session(connections=settings.connections, timeout=settings.timeout)
        self._client = self._client_over(self._session)
        self._reading = open_session(connections=LISTING_CONNECTIONS, timeout=settings.timeout)
        self._reader = self._client_over(self._reading)
        return self

    def _client_over(self, session: ClientSession) -> Any:
        # wait_on_rate_limit stays off: with these signatures tweepy would sleep, then crash
        client = AsyncClient(**self._keys, return_type=dict)
        client.session = Rerouted(session, self._settings.base_url)
        return client

    async def __aexit__(self, *exc: object) -> None:
        await self._session.close()
        await self._reading.close()

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
        if (refused := self._unsendable(to)) is not None:
            return refused
        direct = to.address != PUBLIC
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

    def _unsendable(self, to: Recipient) -> Rejected | None:
        if to.address == PUBLIC:
            return None
        if not self._settings.direct_messages:
            return Rejected(Reason.CHANNEL_NOT_CONFIGURED)
        if not re.fullmatch("[0-9]{1,20}", to.address):
            return Rejected(Reason.NO_SUCH_ADDRESS)  # it becomes part of a path
        return None

    async def seen(
        self, prepared: Prepared, to: Recipient, slip: Slip, since: datetime
    ) -> Sequence[Sighting]:
        """What X lists of this very text, oldest first. Raises `ChannelDown` where it does not
        tell."""
        if self._unsendable(to) is not None:
            return []
        direct, text = to.address != PUBLIC, prepared.compiled[slip.post]

        def rule(answer: Answer) -> Outcome:
            return ruling(answer, self._clock.wall(), direct=direct, in_doubt=False)

        with listing(rule):
            if direct:
                return await lookup.messages(self._reader, to.address, text, since)
            self._me = self._me or str((await self._reader.get_me(user_auth=True))["data"]["id"])
            return await lookup.posts(self._reader, self._me, text, since)

    async def written(self, since: datetime) -> Sequence[Inbound]:
        """What people wrote to the account since then, oldest first; nothing where direct messages
        are off. Raises `ChannelDown` where X does not tell."""
        if not self._settings.direct_messages:
            return []

        def rule(answer: Answer) -> Outcome:
            return ruling(answer, self._clock.wall(), direct=True, in_doubt=False)

        with listing(rule):
            self._me = self._me or str((await self._reader.get_me(user_auth=True))["data"]["id"])
            return await inbound.written(self._reader, self._me, since)

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
