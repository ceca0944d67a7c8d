# SPDX-License-Identifier: EUPL-1.2
"""The session tweepy is given.

Tweepy writes X's origin into every URL, opens (and leaks) a session a request, and stumbles over
answers that are not JSON; it also logs headers and texts. This session keeps all of that from
happening: tweepy only ever sees a 2xx with a JSON object.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from yarl import URL

from channels.http import Answer, fetch_document

# At DEBUG these two write texts, tokens and signatures; the hub's own level must not open that.
for _talker in ("tweepy", "oauthlib"):
    logging.getLogger(_talker).setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Reply:
    """The part of aiohttp's response that tweepy touches."""

    status: int
    reason: str
    headers: Mapping[str, str] = field(repr=False)
    answer: Answer = field(repr=False)

    async def read(self) -> bytes:
        """The body, already read."""
        return self.answer.body

    async def json(self) -> dict[str, Any]:
        """The object in the body."""
        return self.answer.document() or {}


class Rerouted:
    """Carries tweepy's signed requests to `base_url`, once each."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str) -> None:
        self._session = session
        self._origin = base_url.rstrip("/")

    @asynccontextmanager
    async def request(
        self, method: str, url: Any, *, params: object, json: object, headers: dict[str, str]
    ) -> AsyncIterator[Reply]:
        """Send once. Raises `Refused`, or one of `NETWORK_ERRORS`; `Withheld` passes."""
        target = URL(f"{self._origin}{URL(url).raw_path_qs}", encoded=True)
        answer = await fetch_document(self._session, method, target, json=json, headers=headers)
        yield Reply(answer.status, "", answer.headers, answer)
