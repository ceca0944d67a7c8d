# SPDX-License-Identifier: EUPL-1.2
"""Puts what the hub tells one person on its way: an announcement of nobody's with one delivery.

Codes and confirmations share the queue, the ledger and the promises of everything else that leaves,
in a lane of their own (ENGINE.md 4.3).
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, literal, select

from channels.base import Lane, Urgency
from hub.announcement import Announcement, Event, Note, State
from hub.delivery import DeliveryState
from hub.ledger import announcements, deliveries, runs
from hub.ledger.runs import RunKind
from subscribers.challenges import Challenge
from subscribers.tables import to_ms
from templates.content import Kind, NoteKind

_ONE: Final = 1


def post(conn: Connection, kind: NoteKind, asked: Challenge, now: datetime) -> None:
    """Tell the person of this challenge, at its contact point, in the caller's transaction.

    The caller wakes the engine once it is committed. Posting twice for one challenge raises
    `sqlalchemy.exc.IntegrityError`: nobody is told twice.
    """
    assert asked.subscriber is not None
    assert asked.contact_point is not None
    note = Announcement(
        id=0,
        code="",
        authority=asked.authority,
        kind=Kind.FIRST,
        urgency=Urgency.IMPORTANT,
        state=State.DRAFT,
        contents={},
        themes=(),
        channels=(asked.channel,),
        created=asked.created,
        expires=asked.expires,
        note=Note(kind, asked.id, asked.nonce),
    )
    key = str(asked.id)
    written = announcements.insert(conn, note, source=announcements.NOTE, source_key=key, sha256="")
    announcements.move(conn, written, Event.PUBLISH, now)
    run = runs.open_beside(
        conn, written.id, asked.authority, Lane.TRANSACTIONAL, asked.channel, RunKind.NOTE
    )
    _, first = deliveries.plan_rows(
        conn, run, _row(run, asked.subscriber, asked.contact_point, now)
    )
    runs.add_planned(conn, run, _ONE, first)


def _row(run: int, subscriber: int, contact_point: int, now: datetime) -> Select[Any]:
    moment, state = to_ms(now), DeliveryState.READY
    values: list[Any] = [run, subscriber, contact_point, 0, str(state), "", moment, moment]
    named: list[Any] = [literal(value).label(f"c{n}") for n, value in enumerate(values)]
    return select(*named)
