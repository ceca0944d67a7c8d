# SPDX-License-Identifier: EUPL-1.2
"""Evidence that comes late, and whose copy a provider's reference is (ENGINE.md 4.6 and 5)."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select, text

from channels.base import Reason
from hub.backoff import doubt_wait
from hub.delivery import REACHED, DeliveryState
from hub.ledger import runs
from hub.ledger.database import AnyRow
from hub.ledger.moves import ROWS, move
from hub.ledger.refuted import reported_failed
from hub.ledger.tables import attempt, delivery

S = DeliveryState

LATE: Final = "late_accepted"
"""Code of the attempt that records the effect of a sender who no longer held the row."""

FOUND: Final = "found"
"""Code of the attempt that records whose copy a look-up took a listed message for."""

ABSENT: Final = "absent"
"""Code of the attempt that a look-up found nothing of: it is sent again."""

CRASHED: Final = "crashed"
"""Code of the attempt that was under way when its process ended."""

_ANY_ROUND: Final = -1


@dataclass(frozen=True, slots=True)
class Effect:
    """A copy that left: of which delivery, in which round, and what the provider calls it."""

    delivery: int
    round: int
    state: DeliveryState
    provider: str | None
    ref: str | None
    at: int


def note(
    conn: Connection, rows: Sequence[AnyRow], code: str, at: int, *, ref: str | None = None
) -> None:
    """A line of history for each of these rows, in its round."""
    if rows:
        lines = [
            {"delivery": row.id, "round": row.round, "code": code, "ref": ref, "at": at}
            for row in rows
        ]
        conn.execute(attempt.insert(), lines)


def arrived(conn: Connection, effect: Effect) -> None:
    """A sender who no longer holds the row tells what it did.

    It is recorded, and makes the row final unless it is reserved again: then the holder's settle
    or recovery does. A settle repeated because its commit's reply was lost changes nothing.
    """
    if effect.state not in REACHED:
        return
    row = conn.execute(ROWS.where(delivery.c.id == effect.delivery)).one()
    if row.state in REACHED and row.round == effect.round and row.ref == effect.ref:
        return
    said = select(attempt.c.id).where(
        attempt.c.delivery == effect.delivery,
        attempt.c.round == effect.round,
        attempt.c.code == LATE,
    )
    if conn.execute(said).first():
        return
    conn.execute(
        attempt.insert().values(
            delivery=effect.delivery,
            round=effect.round,
            code=LATE,
            detail=" ".join(filter(None, (effect.state, effect.provider))),
            ref=effect.ref,
            at=effect.at,
        )
    )
    settle_known(conn, [effect.delivery], effect.at)


_PROOFS: Final = text("""
SELECT d.id, d.run, d.state, d.reason, d.round, d.crashes, d.ref,
       a.round AS copy, a.detail, a.ref AS told
FROM attempt a JOIN delivery d ON d.id = a.delivery
WHERE a.delivery IN (SELECT value FROM json_each(:ids)) AND a.code = :late
  AND d.state NOT IN ('reserved', 'accepted', 'delivered')
ORDER BY d.id, a.detail DESC, a.id
""")


def settle_known(conn: Connection, ids: Collection[int], at: int) -> None:
    """Make final those of these rows that a late attempt proves to have left.

    A copy that was reported failed proves nothing; a row reserved again is its holder's.
    """
    if not ids:
        return
    done: set[int] = set()
    asked = {"ids": json.dumps(list(ids)), "late": LATE}
    for proof in conn.execute(_PROOFS, asked).all():
        state, _, provider = proof.detail.partition(" ")
        refuted = reported_failed(conn, proof.id, proof.copy, proof.told)
        if proof.id in done or refuted:
            continue
        known: dict[str, Any] = {}
        if proof.told and take_back(conn, provider or None, proof.told, proof.id, at):
            known = {"provider": provider or None, "ref": proof.told}
        move(conn, [proof], S(state or S.ACCEPTED), at=at, reason="", **known)
        done.add(proof.id)


# --------------------------------------------------------------------------- whose a reference is


def take_back(conn: Connection, provider: str | None, ref: str, owner: int, at: int) -> bool:
    """Free a reference for the row whose own answer names it; False where it cannot be.

    A row that a look-up had taken it for goes back to doubt. One that was itself answered with it
    keeps it: a provider that gives two messages one name names neither.
    """
    same = (delivery.c.provider == provider, delivery.c.ref == ref, delivery.c.id != owner)
    holder = conn.execute(ROWS.where(*same)).first()
    if holder is None:
        return True
    claimed = select(attempt.c.id).where(
        attempt.c.delivery == holder.id, attempt.c.code == FOUND, attempt.c.ref == ref
    )
    if conn.execute(claimed).first() is None:
        return False
    if holder.state != S.ACCEPTED:  # its own receipts ended it
        conn.execute(delivery.update().where(delivery.c.id == holder.id).values(ref=None))
        return True
    of = runs.by_id(conn, holder.run)
    due = at + doubt_wait(of.channel, of.lane)
    doubted: dict[str, Any] = {
        "reason": Reason.OUTCOME_UNKNOWN,
        "due": due,
        "maybe": True,
        "ref": None,
    }
    move(conn, [holder], S.DOUBT, at=at, **doubted)
    return True


@dataclass(frozen=True, slots=True)
class Listed:
    """A message the provider lists, which may be the copy of a row in doubt."""

    provider: str | None
    ref: str


def claim(conn: Connection, row: AnyRow, listed: Sequence[Listed], at: int) -> bool:
    """Take a row in doubt for accepted by the first listed message that may be its copy.

    It stands on no other row, and was not reported failed.
    """
    for each in listed:
        same = (delivery.c.provider == each.provider, delivery.c.ref == each.ref)
        taken = conn.execute(select(delivery.c.id).where(*same, delivery.c.id != row.id)).first()
        if taken or reported_failed(conn, row.id, _ANY_ROUND, each.ref):
            continue
        found = {"provider": each.provider, "ref": each.ref}
        move(conn, [row], S.ACCEPTED, at=at, reason="", crashes=0, **found)
        note(conn, [row], FOUND, at, ref=each.ref)
        return True
    return False
