# SPDX-License-Identifier: EUPL-1.2
"""When an announcement comes again: told to who approves it, and who may end it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection

from hub.announcement import Announcement, State
from hub.flow.accept.recurrence import Repeat, local_day
from hub.ledger import announcements, recurrences
from subscribers.catalogue import Catalogue

_TOLD: Final = 3
_BY_ITSELF: Final = "recurrence:"


@dataclass(frozen=True, slots=True)
class Again:
    """`code` is that of the first announcement; `moments` the next times, of which there are more
    where `more`; `last` is the very last one, None where no end was set."""

    code: str
    moments: tuple[datetime, ...]
    more: bool
    last: datetime | None


def again_of(
    rule: Mapping[str, Any], code: str, catalogue: Catalogue, began: datetime, after: datetime
) -> Again:
    """What a rule asked for at `began` still brings after a moment."""
    read, zone = Repeat.model_validate(rule), catalogue.timezone
    times = (at for _, at in read.moments(local_day(began, zone), zone) if at > after)
    told = tuple(islice(times, _TOLD))
    last = None
    if read.until is not None or read.count is not None:
        last = max(times, default=told[-1] if told else None)
        return Again(code, told, bool(told) and last != told[-1], last)
    return Again(code, told, len(told) == _TOLD, last)


def to_come(
    conn: Connection, about: Announcement, catalogue: Catalogue, now: datetime
) -> Again | None:
    """The times still to come of an announcement in the ledger, or of what it is one time of; None
    where it comes no more."""
    source = announcements.source_of(conn, about.id)
    code = source.removeprefix(_BY_ITSELF) if source.startswith(_BY_ITSELF) else about.code
    kept = recurrences.by_code(conn, code, about.authority)
    if kept is None or kept.next is None or about.state is State.DRAFT:
        return None
    return again_of(kept.rule, code, catalogue, kept.created, now)
