# SPDX-License-Identifier: EUPL-1.2
"""What people write to the town's account by direct message, read from X's own list.

X's list is signed for by nobody but the connection: it is asked over the account's own keys.
"""

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any

from channels.base import Inbound
from channels.twitter.lookup import as_written, every_page


async def written(client: Any, me: str, since: datetime) -> Sequence[Inbound]:
    """Messages of others since then, oldest first; `sender` is the number of their account."""

    def ask(token: str | None) -> Awaitable[dict[str, Any]]:
        page: Awaitable[dict[str, Any]] = client.get_direct_message_events(
            event_types="MessageCreate",
            max_results=100,
            pagination_token=token,
            dm_event_fields=["created_at", "entities", "sender_id", "text"],
        )
        return page

    events = await every_page(ask, since)
    theirs = [event for event in events if str(event["sender_id"]) != me]
    return [
        Inbound(str(event["id"]), str(event["sender_id"]), me, as_written(event))
        for event in sorted(theirs, key=lambda event: int(event["id"]))
    ]
