# SPDX-License-Identifier: EUPL-1.2
"""What one citizen was sent lately, as they may read it: newest first, a page at a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, select

from channels.base import ChannelName, Reason
from hub.delivery import DeliveryState
from hub.ledger import announcements
from hub.ledger.tables import delivery, run
from hub.reports.shown import shown_state
from subscribers.tables import from_ms, to_ms
from templates.content import NoteKind
from templates.pages.wording import ShownState
from templates.render import choose

SHOWN: Final = timedelta(days=90)
"""How far back (UX.md 7.5)."""
PAGE: Final = 25


@dataclass(frozen=True, slots=True)
class Sent:
    """One message. `title` and `code` are those of the announcement; of a note, its kind instead;
    a digest has neither. `at`: when it last moved."""

    at: datetime
    channel: ChannelName
    state: ShownState
    reason: Reason | None
    title: str = ""
    code: str = ""
    note: NoteKind | None = None


@dataclass(frozen=True, slots=True)
class History:
    """A page of it; `total` messages in all."""

    total: int
    sent: tuple[Sent, ...]


def history(  # noqa: PLR0917 (whose, in which words, which part)
    conn: Connection, person: int, language: str, now: datetime, page: int = 1, limit: int = PAGE
) -> History:
    """What was planned for `person` since ninety days; page 1 is the newest.

    What a digest told is listed under its own announcement, as the digest leaves it.
    """
    mine = (delivery.c.subscriber == person, delivery.c.at >= to_ms(now - SHOWN))
    total = conn.execute(select(func.count()).select_from(delivery).where(*mine)).scalar_one()
    query = (
        select(
            delivery.c.id,
            delivery.c.at,
            delivery.c.state,
            delivery.c.reason,
            run.c.channel,
            run.c.announcement,
        )
        .join(run, run.c.id == delivery.c.run)
        .where(*mine)
        .order_by(delivery.c.at.desc(), delivery.c.id.desc())
        .limit(limit)
        .offset((page - 1) * limit)
    )
    rows = conn.execute(query).all()
    told = {number: announcements.by_id(conn, number) for number in {r.announcement for r in rows}}
    found = []
    for row in rows:
        about, channel = told[row.announcement], ChannelName(row.channel)
        reason = Reason(row.reason) if row.reason else None
        state = shown_state(channel, DeliveryState(row.state), reason)
        words: dict[str, str] = {}
        if about.contents:
            words = {"title": choose(about.contents, language, "fr").title, "code": about.code}
        note = about.note.kind if about.note else None
        found.append(Sent(from_ms(row.at), channel, state, reason, note=note, **words))
    return History(total, tuple(found))
