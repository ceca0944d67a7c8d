# SPDX-License-Identifier: EUPL-1.2
"""What waits for one officer: approvals asked of them, texts that came back to them, and what
goes out at this moment (UX.md 7.1)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, func, select

from channels.base import Urgency
from hub.announcement import State
from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import Role
from hub.flow.staff.scope import Scope, scope_of
from hub.flow.writing.compositions import of_announcement
from hub.flow.writing.four_eyes import wrote
from hub.ledger.announcements import UNSEEN
from hub.ledger.database import AnyRow
from hub.ledger.office_tables import composition
from hub.ledger.office_tables import officer as colleague
from hub.ledger.tables import announcement

UNDER_WAY: Final = (State.WAITING, State.RUNNING, State.PAUSED)


class Task(StrEnum):
    """Why something waits."""

    APPROVE = "approve"  # an officer asked for it
    RECEIVED = "received"  # another system sent it
    PROPOSED = "proposed"  # another system left it to be written on
    RETURNED = "returned"  # a colleague sent it back to be changed


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do. `titles` by language; `by` is who asked, or sent it back; `at` when."""

    task: Task
    code: str
    titles: Mapping[str, str]
    by: str
    at: datetime
    urgency: Urgency | None = None


@dataclass(frozen=True, slots=True)
class Going:
    """One announcement on its way."""

    id: int
    code: str
    titles: Mapping[str, str]
    urgency: Urgency
    state: State


def to_do(conn: Connection, officer: Officer, *, own: bool = False) -> Sequence[Item]:
    """What waits for this officer, the most urgent first, then the oldest.

    Nobody approves what they wrote themselves, but where `own` says so (the sandbox).
    """
    items = [
        *_to_approve(conn, officer, own),
        *_proposed(conn, officer),
        *_returned(conn, officer),
    ]
    return sorted(items, key=lambda each: (each.urgency is not Urgency.URGENT, each.at))


def _to_approve(conn: Connection, officer: Officer, own: bool) -> Iterable[Item]:
    if not officer.may(Role.APPROVE):
        return
    scope = scope_of(conn, officer, Role.APPROVE)
    for row in _in_state(conn, officer.authority, scope, (State.TO_APPROVE,)):
        if not scope.holds(row.document["themes"]):
            continue  # somebody whose themes hold all of it decides
        if not own and wrote(of_announcement(conn, row.id), officer):
            continue
        outside = row.source.startswith(("hook:", "api:"))
        yield Item(
            Task.RECEIVED if outside else Task.APPROVE,
            row.code,
            _titles(row),
            row.author,
            row.created,
            Urgency(row.urgency),
        )


def _proposed(conn: Connection, officer: Officer) -> Iterable[Item]:
    """Drafts of sources that nobody took up yet."""
    if not officer.may(Role.WRITE):
        return
    scope = scope_of(conn, officer, Role.WRITE)
    known = select(composition.c.announcement).where(composition.c.announcement.is_not(None))
    taken = set(conn.execute(known.where(composition.c.authority == officer.authority)).scalars())
    for row in _in_state(conn, officer.authority, scope, (State.DRAFT,)):
        waits = row.source.startswith("hook:") and row.id not in taken
        if waits and scope.holds(row.document["themes"]):
            said = (_titles(row), row.author, row.created, Urgency(row.urgency))
            yield Item(Task.PROPOSED, row.code, *said)


def _returned(conn: Connection, officer: Officer) -> Iterable[Item]:
    rows = conn.execute(
        select(composition, colleague.c.name.label("colleague"))
        .join_from(composition, colleague, colleague.c.id == composition.c.returned_by)
        .where(
            composition.c.authority == officer.authority,
            composition.c.state == "writing",
        )
        .order_by(composition.c.changed)
    ).mappings()
    for row in rows:
        if officer.id in {row["author"], *row["editors"]}:
            titles = {"fr": _first(row["document"].get("title"))}
            yield Item(Task.RETURNED, row["code"], titles, row["colleague"], row["changed"])


def _first(given: object) -> str:
    """A field of a form as it was kept: a text, or a list of them."""
    if isinstance(given, list):
        given = given[0] if given else ""
    return given if isinstance(given, str) else ""


def going(conn: Connection, scope: Scope) -> Sequence[Going]:
    """What is going out now, the oldest first."""
    return [
        Going(row.id, row.code, _titles(row), Urgency(row.urgency), State(row.state))
        for row in _in_state(conn, scope.catalogue.authority, scope, UNDER_WAY)
    ]


def has_begun(conn: Connection, authority: int) -> bool:
    """Whether this town ever wrote an announcement, or began to."""
    theirs = (announcement.c.authority == authority, announcement.c.source.not_in(UNSEEN))
    if conn.execute(select(announcement.c.id).where(*theirs).limit(1)).first() is not None:
        return True
    drafts = select(func.count()).where(composition.c.authority == authority)
    return bool(conn.execute(drafts).scalar_one())


def _in_state(
    conn: Connection, authority: int, scope: Scope, states: Sequence[State]
) -> Iterable[AnyRow]:
    rows = conn.execute(
        select(announcement)
        .where(
            announcement.c.state.in_(states),
            announcement.c.authority == authority,
            announcement.c.source.not_in(UNSEEN),
        )
        .order_by(announcement.c.id)
    ).all()
    return [row for row in rows if scope.sees(row.document["themes"])]


def _titles(row: AnyRow) -> Mapping[str, str]:
    return {name: words["title"] for name, words in row.document["contents"].items()}
