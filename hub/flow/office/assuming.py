# SPDX-License-Identifier: EUPL-1.2
"""Changes what the comparison with paper supposes; every change is in the journal."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from sqlalchemy import Connection

from hub.ledger import assumptions, audit
from hub.ledger.assumptions import Assumptions

MOST: Final[Mapping[str, int]] = {
    "household": 20_000,
    "letter": 100_000,
    "sheets": 100_000,
    "letter_co2": 1_000_000,
    "message_co2": 1_000_000,
}
"""What each is at most, in thousandths; nothing is below nought, and nobody lives in a household of
less than one."""
_LEAST: Final = {"household": 1_000}


def supposed(conn: Connection, authority: int) -> Assumptions:
    """What a town supposes today."""
    return assumptions.load(conn, authority)


def understood(name: str, typed: str) -> int | None:
    """A number as somebody types it ("2,15", "2.15", "1 000"), in thousandths; None where it is
    none, or out of bounds."""
    plain = "".join(typed.split()).replace(",", ".").removesuffix("€")
    try:
        value = Decimal(plain)
    except InvalidOperation:
        return None
    if not value.is_finite() or abs(value) > MOST[name]:  # before it is multiplied
        return None
    thousandths = int(value * 1_000)
    return thousandths if _LEAST.get(name, 0) <= thousandths <= MOST[name] else None


def assume(
    conn: Connection, authority: int, values: Mapping[str, int], *, actor: str, now: datetime
) -> int:
    """Write those that changed, each with a line in the journal; how many there were."""
    before = assumptions.load(conn, authority)
    changed = {name: value for name, value in values.items() if getattr(before, name) != value}
    for name, value in changed.items():
        assumptions.write(conn, authority, name, value)
        detail = {"from": getattr(before, name), "to": value}
        what = f"assumption:{name}"
        audit.record(conn, now, actor, "assume", what, authority=authority, detail=detail)
    return len(changed)
