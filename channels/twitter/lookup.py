# SPDX-License-Identifier: EUPL-1.2
"""Reads back what the town's account posted or wrote, to tell whether one text left.

X returns links wrapped by t.co and text with &, < and > escaped; it adds a scheme to a link that
had none. Texts are compared after undoing all that.
"""

import html
import re
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from channels.base import ChannelDown, Reason, Sighting
from channels.http import CLOCK_SKEW, MOST_PAGES

Ask = Callable[[str | None], Awaitable[dict[str, Any]]]
"""One page of a list, newest first: `ask(pagination_token)`."""


async def posts(client: Any, me: str, text: str, since: datetime) -> Sequence[Sighting]:
    """The account's own posts of this text, oldest first."""

    def ask(token: str | None) -> Awaitable[dict[str, Any]]:
        page: Awaitable[dict[str, Any]] = client.get_users_tweets(
            me,
            user_auth=True,
            max_results=100,
            pagination_token=token,
            start_time=since - CLOCK_SKEW,
            tweet_fields=["created_at", "entities"],
        )
        return page

    return _of(text, await every_page(ask, since))


async def messages(client: Any, person: str, text: str, since: datetime) -> Sequence[Sighting]:
    """What the account wrote to one person in this text, oldest first."""

    def ask(token: str | None) -> Awaitable[dict[str, Any]]:
        page: Awaitable[dict[str, Any]] = client.get_direct_message_events(
            participant_id=person,
            event_types="MessageCreate",
            max_results=100,
            pagination_token=token,
            dm_event_fields=["created_at", "entities", "sender_id", "text"],
        )
        return page

    events = await every_page(ask, since)
    return _of(text, [event for event in events if event["sender_id"] != person])


async def every_page(ask: Ask, since: datetime) -> list[dict[str, Any]]:
    """All that is listed since then, newest first. Raises `ChannelDown` where it never ends."""
    found: dict[str, dict[str, Any]] = {}
    token = None
    for _ in range(MOST_PAGES):
        answer = await ask(token)
        page = answer.get("data", [])
        recent = {each["id"]: each for each in page if _at(each) >= since - CLOCK_SKEW}
        token = answer.get("meta", {}).get("next_token")
        found |= recent
        if token is None or not recent:
            return list(found.values())
    raise ChannelDown(Reason.PROVIDER_ERROR, code="endless")


def _of(text: str, listed: Sequence[Mapping[str, Any]]) -> list[Sighting]:
    wanted = canonical(text)
    same = [each for each in listed if canonical(as_written(each)) == wanted]
    return sorted((Sighting(str(each["id"]), _at(each)) for each in same), key=lambda s: s.at)


def _at(listed: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(listed["created_at"])


def as_written(listed: Mapping[str, Any]) -> str:
    """The text of a post or message as X was given it."""
    text = html.unescape(listed["text"])
    for link in (listed.get("entities") or {}).get("urls", []):
        text = text.replace(link["url"], link["expanded_url"])
    return text


def canonical(text: str) -> str:
    """What two spellings of one text have in common."""
    composed = unicodedata.normalize("NFC", text).strip()
    return re.sub(r"https?://(\S+?)/?(?=\s|$)", r"\1", composed)
