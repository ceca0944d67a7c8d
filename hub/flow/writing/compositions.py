# SPDX-License-Identifier: EUPL-1.2
"""What officers are writing: begun, saved without one overwriting another, followed up, dropped.

A composition has its code from the beginning: it is its announcement's, once that is asked for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, insert, select, update

from hub.announcement import Announcement, Event, State
from hub.flow.accept.scrutiny import within
from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import Role
from hub.flow.writing import fields
from hub.flow.writing.fields import Document, texts
from hub.flow.writing.retold import document_of, rule_of
from hub.ledger import announcements, audit
from hub.ledger.office_tables import composition as table
from hub.ledger.office_tables import officer as officer_table
from subscribers.catalogue import Catalogue, load_catalogue
from templates.content import Kind

_MOST: Final = 500
"""Unfinished work of a town that is looked through for a list: more is nobody's list."""


class CompositionState(StrEnum):
    """Where it stands."""

    WRITING = "writing"  # by its author, or returned for correction
    SUBMITTED = "submitted"  # its announcement says the rest
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Composition:
    """One of them. `document` holds the form's fields as typed (`hub.flow.writing.fields`);
    `editors` are the officers who changed it, its author first; `version` grows with each change.

    `submitted` is the document as approval was asked for it, `announcement` the row that came of
    it; `returned_by` who sent it back last, with `returned_reason`.
    """

    id: int
    code: str
    authority: int
    state: CompositionState
    version: int
    document: Document = field(repr=False)
    author: int
    editors: tuple[int, ...]
    created: datetime
    changed: datetime
    changed_by: int
    announcement: int | None = None
    submitted: Document | None = field(default=None, repr=False)
    returned_by: int | None = None
    returned_reason: str = field(default="", repr=False)

    @property
    def editable(self) -> bool:
        """Whether it may be changed: what was asked for or dropped may not."""
        return self.state is CompositionState.WRITING

    @property
    def title(self) -> str:
        """What it is called so far; "" while it has no name."""
        return fields.text(self.document, "title") or fields.text(self.document, "six_what")


class EditedMeanwhileError(Exception):
    """Somebody changed it since the page was shown: `current` is what they made of it."""

    def __init__(self, current: Composition) -> None:
        super().__init__(current.code)
        self.current = current


class NotEditableError(Exception):
    """It was asked for, or dropped, meanwhile."""

    def __init__(self, current: Composition) -> None:
        super().__init__(current.code)
        self.current = current


def begin(
    conn: Connection, officer: Officer, document: Document, now: datetime, *, verb: str = "begin"
) -> Composition:
    """A new one, of this officer. Its code is nobody else's."""
    code = _free_code(conn)
    values = {
        "code": code,
        "authority": officer.authority,
        "document": dict(document),
        "version": 1,
        "state": CompositionState.WRITING,
        "author": officer.id,
        "editors": [officer.id],
        "returned_reason": "",
        "created": now,
        "changed": now,
        "changed_by": officer.id,
    }
    conn.execute(insert(table).values(values))
    say(conn, officer, verb, code, now)
    return _by_code(conn, code)


def load(
    conn: Connection, code: str, officer: Officer, *, dropped: bool = False
) -> Composition | None:
    """One of the officer's own, or within the themes they may write or approve under; else None,
    as for another town's. One that was dropped is gone, but for who asks for `dropped` ones too."""
    query = select(table).where(table.c.code == code, table.c.authority == officer.authority)
    row = conn.execute(query).mappings().one_or_none()
    found = None if row is None else _read(row)
    if found is None or (found.state is CompositionState.DROPPED and not dropped):
        return None
    return found if _theirs(found, officer, _catalogue_of(conn, officer)) else None


def save(
    conn: Connection,
    composition: Composition,
    document: Document,
    officer: Officer,
    *,
    version: int,
    now: datetime,
) -> Composition:
    """What the officer made of it, having been shown `version`. What is the same already is not
    written again.

    Raises `EditedMeanwhileError`, `NotEditableError`; nothing is written then.
    """
    current = _by_code(conn, composition.code)
    if not current.editable:
        raise NotEditableError(current)
    settled = {n: current.document[n] for n in fields.FIXED if n in current.document}
    kept = {**document, **settled}
    if kept == dict(current.document):
        return current
    editors = [*current.editors, *([] if officer.id in current.editors else [officer.id])]
    values: dict[str, Any] = {"document": kept, "version": version + 1, "editors": editors}
    written = conn.execute(
        update(table)
        .where(
            table.c.id == current.id,
            table.c.version == version,
            table.c.state == CompositionState.WRITING,
        )
        .values(values | {"changed": now, "changed_by": officer.id})
    )
    if written.rowcount != 1:
        raise EditedMeanwhileError(_by_code(conn, composition.code))
    if officer.id not in current.editors:
        say(conn, officer, "edit", current.code, now)
    return _by_code(conn, composition.code)


def drop(conn: Connection, composition: Composition, officer: Officer, now: datetime) -> None:
    """Throw away what nobody asked for. Raises `NotEditableError`."""
    gone = conn.execute(
        update(table)
        .where(table.c.id == composition.id, table.c.state == CompositionState.WRITING)
        .values(state=CompositionState.DROPPED, changed=now, changed_by=officer.id)
    )
    if gone.rowcount != 1:
        raise NotEditableError(_by_code(conn, composition.code))
    if composition.announcement is not None and not announcements.source_of(
        conn, composition.announcement
    ).startswith("officer:"):  # a system's is told of its end, and asked of nobody again
        about = announcements.by_id(conn, composition.announcement)
        if about.state is State.DRAFT:  # else the system has stopped it itself
            announcements.move(conn, about, Event.CANCEL, now)
    say(conn, officer, "drop", composition.code, now)


def of_authority(
    conn: Connection,
    officer: Officer,
    states: Iterable[CompositionState] = (CompositionState.WRITING,),
    *,
    page: int = 1,
    size: int = 25,
) -> tuple[Sequence[Composition], bool]:
    """A page (from 1) of those the officer may see, the last changed first, and whether older
    ones follow."""
    query = (
        select(table)
        .where(table.c.authority == officer.authority, table.c.state.in_(tuple(states)))
        .order_by(table.c.changed.desc(), table.c.id.desc())
        .limit(_MOST)
    )
    catalogue = _catalogue_of(conn, officer)
    rows = conn.execute(query).mappings()
    theirs = [each for row in rows if _theirs(each := _read(row), officer, catalogue)]
    start = max(page - 1, 0) * size
    return theirs[start : start + size], len(theirs) > start + size


def of_announcement(conn: Connection, announcement: int) -> Composition | None:
    """What an announcement was written as; None where a key, a source or the shell asked for it."""
    query = select(table).where(table.c.announcement == announcement)
    row = conn.execute(query).mappings().first()
    return None if row is None else _read(row)


def duplicate(
    conn: Connection, officer: Officer, source: Composition | Announcement, now: datetime
) -> Composition:
    """The same words to the same people, to be sent another time."""
    if isinstance(source, Composition):
        document = dict(source.document)
    else:
        document = document_of(source, load_catalogue(conn, officer.authority))
    times = ("date", "time", "again", "expires_date", "expires_time", "expires_again")
    for name in (*times, "starts", "until", *fields.FIXED, "asked"):
        document.pop(name, None)
    return begin(conn, officer, document | {"when": "now", "approval": "ask"}, now)


def follow(
    conn: Connection, officer: Officer, announcement: Announcement, kind: Kind, now: datetime
) -> Composition:
    """What is to be said next about a published announcement: an update, a correction, the
    all-clear; it begins from its words and goes where it went."""
    catalogue = load_catalogue(conn, officer.authority)
    document = document_of(announcement, catalogue)
    for name in ("date", "time", "expires_date", "expires_time", "asked"):
        document.pop(name, None)
    document |= {"when": "now", "approval": "ask"}
    if kind is Kind.ALL_CLEAR:
        document = _over(document, catalogue.language)
    chained = {"kind": kind.value, "about": announcement.chain}
    return begin(conn, officer, document | chained, now, verb="follow")


def take_up(
    conn: Connection, officer: Officer, announcement: Announcement, now: datetime
) -> Composition:
    """An announcement that a key or a source asked for, to be edited: a composition of the same
    code, which is already submitted. Whoever returns it makes it editable."""
    catalogue = load_catalogue(conn, officer.authority)
    document = document_of(announcement, catalogue) | rule_of(conn, announcement, catalogue)
    values = {
        "code": announcement.code,
        "authority": announcement.authority,
        "document": document,
        "version": 1,
        "state": CompositionState.SUBMITTED,
        "author": officer.id,
        "editors": [officer.id],
        "announcement": announcement.id,
        "submitted": document,
        "returned_reason": "",
        "created": now,
        "changed": now,
        "changed_by": officer.id,
    }
    conn.execute(insert(table).values(values))
    say(conn, officer, "take_up", announcement.code, now)
    return _by_code(conn, announcement.code)


def names_of(conn: Connection, officers: Iterable[int]) -> Mapping[int, str]:
    """What these officers are called, disabled ones too: what they wrote stays theirs."""
    query = select(officer_table.c.id, officer_table.c.name)
    rows = conn.execute(query.where(officer_table.c.id.in_(set(officers))))
    return {row.id: row.name for row in rows}


def say(
    conn: Connection, officer: Officer, verb: str, code: str, now: datetime, **detail: Any
) -> None:
    """One line of the journal about a composition, as about its announcement."""
    detail |= {"source": f"officer:{officer.id}"}
    thing, town = f"announcement:{code}", officer.authority
    audit.record(conn, now, officer.name, verb, thing, authority=town, detail=detail)


_ALL_CLEAR: Final[Mapping[str, str]] = {
    "fr": "L'alerte est terminée. Vous pouvez reprendre vos activités habituelles.",
    "en": "The alert is over. You may resume your usual activities.",
}


def _over(document: dict[str, Any], language: str) -> dict[str, Any]:
    """The words of an end: what was said in a channel's own text was the alert's."""
    kept = {n: v for n, v in document.items() if not n.startswith(("override_", "short"))}
    kept["body"] = _ALL_CLEAR.get(language, _ALL_CLEAR["fr"])
    for other in fields.other_languages(kept):
        kept[f"body_{other}"] = _ALL_CLEAR.get(other, "")
    return kept


def _free_code(conn: Connection) -> str:
    for _ in range(8):
        code = announcements.new_code()
        taken = conn.execute(select(table.c.id).where(table.c.code == code)).first()
        if taken is None and announcements.by_code(conn, code) is None:
            return code
    raise RuntimeError("no free code")


def _by_code(conn: Connection, code: str) -> Composition:
    return _read(conn.execute(select(table).where(table.c.code == code)).mappings().one())


def _catalogue_of(conn: Connection, officer: Officer) -> Catalogue:
    return load_catalogue(conn, officer.authority)


def _theirs(found: Composition, officer: Officer, catalogue: Catalogue) -> bool:
    if officer.id == found.author:
        return True
    scopes = [officer.principal(each) for each in (Role.WRITE, Role.APPROVE) if officer.may(each)]
    if any(scope.themes is None for scope in scopes):
        return True
    chosen = texts(found.document, "themes")
    return any(within(scope, catalogue, key) for scope in scopes for key in chosen)


def _read(row: RowMapping) -> Composition:
    return Composition(
        id=row["id"],
        code=row["code"],
        authority=row["authority"],
        state=CompositionState(row["state"]),
        version=row["version"],
        document=row["document"],
        author=row["author"],
        editors=tuple(row["editors"]),
        created=row["created"],
        changed=row["changed"],
        changed_by=row["changed_by"],
        announcement=row["announcement"],
        submitted=row["submitted"],
        returned_by=row["returned_by"],
        returned_reason=row["returned_reason"],
    )
