# SPDX-License-Identifier: EUPL-1.2
"""Announcements on disk: written whole, found by id, public code or the sender's own key."""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, exists, select, update
from sqlalchemy.exc import IntegrityError

from channels.base import ChannelName, Urgency
from hub.announcement import Announcement, Event, Note, State, advance
from hub.ledger import recurrences
from hub.ledger.database import AnyRow
from hub.ledger.runs import RunState
from hub.ledger.tables import announcement as table
from hub.ledger.tables import run
from templates.content import Content, Kind, NoteKind
from templates.gsm import Family

_ALPHABET: Final = "23456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"  # no 0 O 1 l I
_CODE_LENGTH: Final = 6

DIGEST: Final = "digest"
NOTE: Final = "note"
"""The sources of what no officer wrote: a day's digests, a code for one person. No door lists or
shows them."""
UNSEEN: Final = (DIGEST, NOTE)


def new_code() -> str:
    """A short public code: 35 bits, read aloud without mistakes."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))


def _document(announcement: Announcement) -> dict[str, Any]:
    return {
        "contents": {
            language: {
                "title": content.title,
                "body": content.body,
                "short": content.short,
                "link": content.link,
                "overrides": {str(k): v for k, v in content.overrides.items()},
            }
            for language, content in announcement.contents.items()
        },
        "themes": list(announcement.themes),
        "zones": list(announcement.zones),
        "polygon": announcement.polygon,
        "channels": [str(c) for c in announcement.channels],
        "post_link": announcement.post_link,
        "thread": announcement.thread,
        **({"spelling": list(announcement.spelling)} if announcement.spelling else {}),
        **({} if announcement.note is None else {"note": asdict(announcement.note)}),
    }


def _content(language: str, said: Mapping[str, Any]) -> Content:
    overrides = {ChannelName(name): text for name, text in said["overrides"].items()}
    return Content(
        language, said["title"], said["body"], said["short"], said["link"], overrides=overrides
    )


def _read(row: AnyRow) -> Announcement:
    said = row.document
    return Announcement(
        id=row.id,
        code=row.code,
        authority=row.authority,
        kind=Kind(row.kind),
        urgency=Urgency(row.urgency),
        state=State(row.state),
        contents={lang: _content(lang, words) for lang, words in said["contents"].items()},
        themes=tuple(said["themes"]),
        zones=tuple(said["zones"]),
        polygon=said["polygon"],
        channels=tuple(ChannelName(name) for name in said["channels"]),
        created=row.created,
        publish_at=row.publish_at,
        published=row.published,
        release_at=row.release_at,
        expires=row.expires,
        cancelled_at=row.cancelled_at,
        first=row.first,
        first_code=row.first_code,
        author=row.author,
        post_link=said["post_link"],
        thread=said["thread"],
        spelling=tuple(map(Family, said.get("spelling", ()))),
        note=_note(said.get("note")),
    )


def _note(said: Mapping[str, Any] | None) -> Note | None:
    return None if said is None else Note(NoteKind(said["kind"]), said["challenge"], said["nonce"])


_head = table.alias("head")
_FULL = select(table, _head.c.code.label("first_code")).join_from(
    table, _head, _head.c.id == table.c.first, isouter=True
)


def insert(
    conn: Connection,
    announcement: Announcement,
    *,
    source: str,
    source_key: str,
    sha256: str,
    code: str | None = None,
) -> Announcement:
    """Write a new one; its `id` is made here, its code too unless a `code` nobody has is given.

    Raises `sqlalchemy.exc.IntegrityError` when (authority, source, source_key) stands already.
    """
    values = {
        "authority": announcement.authority,
        "source": source,
        "source_key": source_key,
        "sha256": sha256,
        "state": announcement.state,
        "created": announcement.created,
        "published": announcement.published,
        **_asked(announcement),
    }
    given = code
    for _ in range(8):
        code = given or new_code()
        try:
            with conn.begin_nested():
                result = conn.execute(table.insert().values(code=code, **values))
        except IntegrityError as error:
            if given is not None or "announcement.code" not in str(error.orig):
                raise
        else:
            assert result.inserted_primary_key is not None
            return replace(announcement, id=result.inserted_primary_key[0], code=code)
    raise RuntimeError("no free code")


def _asked(announcement: Announcement) -> dict[str, Any]:
    """The columns of what was asked for, which correcting a draft writes anew."""
    return {
        "kind": announcement.kind,
        "first": announcement.first,
        "urgency": announcement.urgency,
        "document": _document(announcement),
        "author": announcement.author,
        "publish_at": announcement.publish_at,
        "expires": announcement.expires,
    }


def rewrite(conn: Connection, announcement_id: int, asked: Announcement) -> Announcement:
    """A draft as it reads now, under the number and code it has. Raises `StaleAnnouncementError`
    where it is no draft any more."""
    drafts = (table.c.id == announcement_id, table.c.state == State.DRAFT)
    if conn.execute(update(table).where(*drafts).values(**_asked(asked))).rowcount != 1:
        raise StaleAnnouncementError(str(announcement_id))
    return by_id(conn, announcement_id)


def digest_of(announcement: Announcement) -> str:
    """What somebody read before they approved it, in 64 hexadecimal digits: words, targets,
    urgency and times."""
    shown = _asked(announcement) | {"author": ""}
    written = json.dumps(shown, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(written.encode()).hexdigest()


def source_of(conn: Connection, announcement_id: int) -> str:
    """The door it came by: "api:3", "hook:vigicrues", "console", …"""
    query = select(table.c.source).where(table.c.id == announcement_id)
    found: str = conn.execute(query).scalar_one()
    return found


def by_id(conn: Connection, announcement_id: int) -> Announcement:
    """Raises `sqlalchemy.exc.NoResultFound`."""
    return _read(conn.execute(_FULL.where(table.c.id == announcement_id)).one())


def by_ids(conn: Connection, ids: Sequence[int]) -> Mapping[int, Announcement]:
    """Those of these numbers there are, whole. A page's worth of them, not a history."""
    return {row.id: _read(row) for row in conn.execute(_FULL.where(table.c.id.in_(ids)))}


def by_code(conn: Connection, code: str, authority: int | None = None) -> Announcement | None:
    """The announcement of a public code; of one authority only, where one is given."""
    query = _FULL.where(table.c.code == code, table.c.source.not_in(UNSEEN))
    if authority is not None:
        query = query.where(table.c.authority == authority)
    row = conn.execute(query).one_or_none()
    return None if row is None else _read(row)


def by_source_key(
    conn: Connection, authority: int, source: str, source_key: str
) -> tuple[Announcement, str] | None:
    """What was accepted under this key before, with the sha256 of what was asked then."""
    row = conn.execute(
        _FULL.where(
            table.c.authority == authority,
            table.c.source == source,
            table.c.source_key == source_key,
        )
    ).one_or_none()
    return None if row is None else (_read(row), row.sha256)


def chain(conn: Connection, announcement: Announcement) -> Sequence[Announcement]:
    """The first announcement and everything published about it since, oldest first."""
    head = announcement.first or announcement.id
    rows = conn.execute(
        _FULL.where((table.c.id == head) | (table.c.first == head)).order_by(table.c.id)
    )
    return [_read(row) for row in rows]


def in_state(conn: Connection, *states: State) -> Sequence[Announcement]:
    """All that stand in one of these states, oldest first. Few: runs in progress, not history."""
    rows = conn.execute(_FULL.where(table.c.state.in_(states)).order_by(table.c.id))
    return [_read(row) for row in rows]


def without_open_runs(conn: Connection, state: State) -> Sequence[Announcement]:
    """Those in this state whose every run is done."""
    still = select(run.c.id).where(run.c.announcement == table.c.id, run.c.state != RunState.DONE)
    rows = conn.execute(_FULL.where(table.c.state == state, ~exists(still)).order_by(table.c.id))
    return [_read(row) for row in rows]


def latest(conn: Connection, authority: int, limit: int) -> Sequence[Announcement]:
    """The newest announcements of an authority."""
    theirs = (table.c.authority == authority, table.c.source.not_in(UNSEEN))
    rows = conn.execute(_FULL.where(*theirs).order_by(table.c.id.desc()).limit(limit))
    return [_read(row) for row in rows]


_STAMPS: Final[Mapping[Event, str]] = {
    Event.PUBLISH: "published",
    Event.CANCEL: "cancelled_at",
    Event.FINISH: "finished",
}


def move(
    conn: Connection,
    announcement: Announcement,
    event: Event,
    now: datetime,
    *,
    approved_by: str | None = None,
    release_at: datetime | None = None,
) -> Announcement:
    """Advance its life and stamp the time; what waits is given its `release_at`. Raises
    `UnlawfulMoveError`.

    Guarded by the state that was read: of two who move it at once, one is told so.
    """
    state = advance(announcement.state, event)
    values: dict[str, Any] = {"state": state, "release_at": release_at}
    if event is Event.UNDO:
        values["approved_by"] = None
    if event in _STAMPS:
        values[_STAMPS[event]] = now
    if approved_by is not None:
        values["approved_by"] = approved_by
    moved = conn.execute(
        update(table)
        .where(table.c.id == announcement.id, table.c.state == announcement.state)
        .values(**values)
    )
    if moved.rowcount != 1:
        advance(by_id(conn, announcement.id).state, event)  # says why, where it still can be said
        raise StaleAnnouncementError(announcement.code)
    if event is Event.CANCEL and announcement.published is None:
        recurrences.refuse(conn, announcement.code, now)
    return by_id(conn, announcement.id)


class StaleAnnouncementError(Exception):
    """Somebody else moved this announcement meanwhile."""
