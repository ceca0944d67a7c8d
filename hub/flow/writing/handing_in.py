# SPDX-License-Identifier: EUPL-1.2
"""The rows of a composition that leaves its author's hands, and comes back to them."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select, update

from hub.announcement import Announcement, State
from hub.flow.accept.intake import in_charge_of, visible
from hub.flow.accept.problems import ForbiddenError, Problem
from hub.flow.accept.scrutiny import within
from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import Role
from hub.flow.writing.compositions import Composition, CompositionState
from hub.flow.writing.fields import Document
from hub.flow.writing.four_eyes import writing
from hub.ledger.office_tables import composition as table
from subscribers.catalogue import load_catalogue

_NO_WRITER: Final = Problem(
    "/decision",
    "may_not_write",
    "Votre rôle ne permet pas de rédiger : approuvez-la ou rejetez-la.",
    "Your role does not let you write: approve it or reject it.",
)


def hand_in(conn: Connection, composition: Composition, by: Officer, now: datetime) -> bool:
    """Nobody changes it any more. False where somebody changed it or handed it in meanwhile.

    Whoever asks has a part in it, though they wrote no word: they do not approve it as well. What
    was asked for the time before is kept beside it, so that what changed can be shown.
    """
    values: dict[str, Any] = {
        "state": CompositionState.SUBMITTED,
        "submitted": dict(composition.document),
        "former": table.c.submitted,
        "editors": [*dict.fromkeys([*composition.editors, by.id])],
        "returned_by": None,
        "returned_reason": "",
        "changed": now,
    }
    written = conn.execute(
        update(table)
        .where(
            table.c.id == composition.id,
            table.c.state == CompositionState.WRITING,
            table.c.version == composition.version,
        )
        .values(values)
    )
    return written.rowcount == 1


def to_take_up(conn: Connection, code: str, officer: Officer) -> Announcement:
    """What no officer wrote, to be corrected by this one: whoever approves it may, and a draft that
    a source left, whoever writes under all its themes.

    Raises `hub.flow.accept.intake.UnknownAnnouncementError`, `ForbiddenError`.
    """
    scope = writing(officer)
    draft = visible(conn, code, scope) if officer.may(Role.WRITE) else None
    if draft is not None and draft.state is State.DRAFT:
        catalogue = load_catalogue(conn, draft.authority)
        if all(within(scope, catalogue, key) for key in draft.themes):
            return draft
    found = in_charge_of(conn, code, officer.principal(Role.APPROVE))
    if not officer.may(Role.WRITE):
        raise ForbiddenError([_NO_WRITER])
    return found


def tie(conn: Connection, composition: Composition, announcement: int) -> None:
    """Which announcement it became."""
    mine = table.c.id == composition.id
    conn.execute(update(table).where(mine).values(announcement=announcement))


def give_back(
    conn: Connection, composition: Composition, now: datetime, *, by: Officer | None, reason: str
) -> None:
    """It may be changed again: sent back `by` somebody for a reason, or taken back (None)."""
    _word(conn, composition, now, by, reason, state=CompositionState.WRITING)


def close(
    conn: Connection, composition: Composition, now: datetime, *, by: Officer, reason: str
) -> None:
    """It was refused for good: its author reads why."""
    _word(conn, composition, now, by, reason, state=CompositionState.SUBMITTED)


def _word(
    conn: Connection,
    composition: Composition,
    now: datetime,
    by: Officer | None,
    reason: str,
    *,
    state: CompositionState,
) -> None:
    values = {
        "state": state,
        "returned_by": None if by is None else by.id,
        "returned_reason": reason,
        "changed": now,
    }
    conn.execute(update(table).where(table.c.id == composition.id).values(values))


def former_of(conn: Connection, composition: Composition) -> Document | None:
    """The form as approval was asked for it the time before; None where this is the first time."""
    found: Document | None = conn.execute(
        select(table.c.former).where(table.c.id == composition.id)
    ).scalar_one()
    return found
