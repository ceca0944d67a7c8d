# SPDX-License-Identifier: EUPL-1.2
"""The providers' later word: kept as it arrived, then folded into the rows (ENGINE.md 4.8).

A reserved row keeps its receipts unfolded until its holder settles it or recovery doubts it.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, text

from hub.delivery import DeliveryState, lawful
from hub.ledger import late
from hub.ledger.database import AnyRow
from hub.ledger.moves import move
from hub.ledger.writer import Kind
from subscribers import suspension
from subscribers.tables import from_ms

S = DeliveryState

SENT: Final = 1
FAILED: Final = 2
DELIVERED: Final = 3


@dataclass(frozen=True, slots=True)
class Arrival:
    """One receipt, its token already read. `at` in milliseconds; `dead`: the address is."""

    delivery: int
    round: int
    rank: int
    code: str
    reason: str
    ref: str | None
    at: int
    dead: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one: whether its delivery exists, and whose it is."""

    known: bool
    subscriber: int | None = None


_STORE: Final = text("""
INSERT INTO receipt (delivery, round, rank, code, reason, ref, at, dead, folded)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
       json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
       json_extract(value, '$[6]'), json_extract(value, '$[7]'), 0
FROM json_each(:rows) WHERE true
ON CONFLICT (delivery, round, rank, code) DO NOTHING
""")
_WHOSE: Final = text("""
SELECT id, subscriber FROM delivery WHERE id IN (SELECT value FROM json_each(:ids))
""")


def _store(conn: Connection, arrivals: Sequence[Arrival]) -> list[Stored]:
    """Keep them, and fold what can be. A second copy of one changes nothing."""
    ids = json.dumps([each.delivery for each in arrivals])
    whose = {row.id: row.subscriber for row in conn.execute(_WHOSE, {"ids": ids})}
    known = [each for each in arrivals if each.delivery in whose]
    if known:
        rows = [
            (
                *(each.delivery, each.round, each.rank, each.code[:64]),
                *(each.reason, each.ref, each.at, each.dead),
            )
            for each in known
        ]
        conn.execute(_STORE, {"rows": json.dumps(rows)})
        fold(conn, [each.delivery for each in known], max(each.at for each in known))
    return [Stored(each.delivery in whose, whose.get(each.delivery)) for each in arrivals]


RECEIPT: Final = Kind("receipt", _store)


# --------------------------------------------------------------------------- folding

_ANY: Final = text("SELECT 1 FROM receipt WHERE folded = 0 LIMIT 1")
_OPEN: Final = text("""
SELECT DISTINCT r.delivery FROM receipt r JOIN delivery d ON d.id = r.delivery
WHERE r.folded = 0 AND r.delivery IN (SELECT value FROM json_each(:ids))
  AND d.state <> 'reserved'
""")
_EVIDENCE: Final = text("""
SELECT d.id, d.run, d.state, d.reason, d.round, d.ref, d.contact_point, d.since, n.channel,
       r.round AS copy, r.rank, r.reason AS why, r.ref AS told, r.dead, r.folded
FROM delivery d JOIN run n ON n.id = d.run JOIN receipt r ON r.delivery = d.id
WHERE d.id IN (SELECT value FROM json_each(:ids))
ORDER BY d.id, r.rank, r.round, r.id
""")
_FOLDED: Final = text("""
UPDATE receipt SET folded = 1
WHERE folded = 0 AND delivery IN (SELECT value FROM json_each(:ids))
""")


@dataclass(frozen=True, slots=True)
class Finding:
    """What all receipts of one row come to: the state it takes (None: its own), the reason, and
    the reference that proved it."""

    row: Any
    state: DeliveryState | None = None
    reason: str = ""
    ref: str | None = None


def fold(conn: Connection, delivery_ids: Collection[int], at_ms: int) -> int:
    """Apply every stored receipt of these rows that are not reserved. Returns how many moved.

    Costs one look into an index that is nearly always empty. A dead address is suspended, a
    success lifts such a suspension, in this same transaction.
    """
    if conn.execute(_ANY).first() is None:
        return 0
    ids = list(conn.execute(_OPEN, {"ids": json.dumps(list(delivery_ids))}).scalars())
    if not ids:
        return 0
    asked = {"ids": json.dumps(ids)}
    evidence = conn.execute(_EVIDENCE, asked).all()
    if _name(conn, evidence, at_ms):  # one of these very rows may have lost its name, and its state
        evidence = conn.execute(_EVIDENCE, asked).all()
    conn.execute(_FOLDED, asked)
    _judge_addresses(conn, evidence, at_ms)
    by_row = (list(mine) for _, mine in groupby(evidence, attrgetter("id")))
    return _apply(conn, [finding(mine) for mine in by_row], at_ms)


def finding(evidence: Sequence[Any]) -> Finding:
    """What the receipts of one row, by rank, make of it. Evidence is per copy (a round): delivered
    beats reported failed, which beats sent; nothing lowers a row that is delivered."""
    row = evidence[0]
    arrived = [each for each in evidence if each.rank == DELIVERED]
    if arrived:
        return _lawful(Finding(row, S.DELIVERED, "", arrived[-1].told))
    refused = [each for each in evidence if each.rank == FAILED and counts(each)]
    if refused and row.state in _MAY_FAIL:
        return _lawful(Finding(row, S.FAILED, refused[-1].why, refused[-1].told))
    failed = {each.copy for each in evidence if each.rank == FAILED}
    left = [each for each in evidence if each.rank == SENT and each.copy not in failed]
    if left and row.state in _UNSURE:
        return _lawful(Finding(row, S.ACCEPTED, "", left[-1].told))
    return Finding(row)


# "sent" proves that a copy left: to a row that waits to be sent (again) that is all it needs.
_UNSURE: Final = frozenset({S.DOUBT, S.READY, S.PARKED, S.DIGEST})
_MAY_FAIL: Final = frozenset({S.ACCEPTED, S.DOUBT, S.PARKED})


def counts(each: Any) -> bool:
    """Whether a negative receipt speaks of the row's own copy: the latest, or the one whose
    reference the row bears (ENGINE.md 4.8). After a redrive an old round's says nothing."""
    return bool(each.copy >= each.round or (each.told is not None and each.told == each.ref))


def _lawful(found: Finding) -> Finding:
    assert found.state is not None
    return found if lawful(found.row.state, found.state) else Finding(found.row)


def _apply(conn: Connection, findings: Iterable[Finding], at: int) -> int:
    moving = [each for each in findings if each.state is not None and each.row.state != each.state]
    order = sorted(moving, key=lambda each: (str(each.state), each.reason, each.row.id))
    for (state, reason), group in groupby(order, lambda each: (each.state, each.reason)):
        assert state is not None
        move(conn, [each.row for each in group], state, at=at, reason=reason)
    _adopt(conn, moving)
    return len(moving)


# --------------------------------------------------------------------------- the reference

# SMS alone: elsewhere the reference does not tell one copy from another, or none comes.
_BORNE: Final = text("""
SELECT id, ref FROM delivery
WHERE provider = 'sms' AND ref IN (SELECT value FROM json_each(:refs))
""")
_ADOPT: Final = text("""
UPDATE OR IGNORE delivery SET ref = json_extract(v.value, '$[1]'), provider = 'sms'
FROM json_each(:rows) v
WHERE delivery.id = json_extract(v.value, '$[0]') AND delivery.ref IS NULL
""")


def _name(conn: Connection, evidence: Sequence[AnyRow], at: int) -> bool:
    """A receipt proves whose copy its reference names: a look-up that had taken it for another
    row's was wrong (ENGINE.md 5). Returns whether any was."""
    owner = {
        each.told: each.id
        for each in evidence
        if each.told and each.channel == "sms" and not each.folded and each.told != each.ref
    }
    borne = conn.execute(_BORNE, {"refs": json.dumps(list(owner))}).all() if owner else ()
    wrong = [row for row in borne if row.id != owner[row.ref]]
    for row in wrong:
        late.take_back(conn, "sms", row.ref, owner[row.ref], at)
    return bool(wrong)


def _adopt(conn: Connection, moved: Iterable[Finding]) -> None:
    """A row that had no reference takes the proved copy's: a look-up shall not take it for
    another's."""
    rows = [(each.row.id, each.ref) for each in moved if each.ref and each.row.channel == "sms"]
    if rows:
        conn.execute(_ADOPT, {"rows": json.dumps(rows)})


# --------------------------------------------------------------------------- the address


def _judge_addresses(conn: Connection, evidence: Sequence[AnyRow], at: int) -> None:
    """Suspend what a code table calls dead, lift what a success disproves. A row's contact point
    is one address for ever; one its owner proved again since the copy left is not punished."""
    now = from_ms(at)
    arrived = {each.id for each in evidence if each.rank == DELIVERED}
    living = {
        each.contact_point
        for each in evidence
        if each.rank == DELIVERED and not each.folded and not each.dead
    }
    suspension.lift_after_success(conn, living)
    for each in evidence:
        believed = each.rank == DELIVERED or (counts(each) and each.id not in arrived)
        if each.dead and not each.folded and believed:
            sent = None if each.since is None else from_ms(each.since)
            suspension.suspend(conn, each.contact_point, each.why, now, sent=sent)
