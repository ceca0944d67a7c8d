# SPDX-License-Identifier: EUPL-1.2
"""Audiences counted a moment ago: while somebody types, the words change and the people do not."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from channels.base import Clock
from hub.announcement import Announcement
from hub.flow.foresight.audience_ahead import Audience, audience_of
from subscribers.catalogue import Catalogue

_FRESH: Final = 3.0  # seconds: shorter than anybody notices a stop, longer than between two keys
_MOST: Final = 100


@dataclass(slots=True)
class Recall:
    """What was counted lately, by all that decides whom an announcement concerns.

    Only for what follows each key; a page that is opened or sent counts anew.
    """

    clock: Clock
    _found: dict[str, tuple[float, Audience]] = field(default_factory=dict)

    def audience_of(
        self, conn: Connection, announcement: Announcement, catalogue: Catalogue, now: datetime
    ) -> Audience:
        """As `audience_ahead.audience_of`, at most three seconds old."""
        key, moment = _key(announcement), self.clock.monotonic()
        before = self._found.get(key)
        if before is not None and moment - before[0] < _FRESH:
            return before[1]
        found = audience_of(conn, announcement, catalogue, now)
        if len(self._found) >= _MOST:
            self._found.clear()
        self._found[key] = (moment, found)
        return found


def _key(announcement: Announcement) -> str:
    """All of an announcement that its audience depends on."""
    asked = announcement
    return json.dumps(
        [
            *(asked.authority, asked.kind, asked.first, asked.urgency),
            *(asked.themes, asked.zones, asked.polygon, asked.channels),
            *(str(asked.publish_at), list(asked.contents)),
        ]
    )
