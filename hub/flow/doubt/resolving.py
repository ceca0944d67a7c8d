# SPDX-License-Identifier: EUPL-1.2
"""What a look-up makes of a row in doubt; written only where it stands as it was listed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from channels.base import Reason, Sighting
from hub.backoff import DOUBT_CRASHES
from hub.delivery import DeliveryState
from hub.flow.upkeep import ended, reopen
from hub.ledger import doubts, late, runs
from hub.ledger.database import AnyRow
from hub.ledger.doubts import Doubt
from hub.ledger.late import Listed
from hub.ledger.moves import move
from subscribers.tables import to_ms

S = DeliveryState


@dataclass(frozen=True, slots=True)
class Finding:
    """What the provider listed, oldest first, and whether the person was erased meanwhile."""

    sightings: Sequence[Sighting]
    erased: bool = False


def resolve(
    conn: Connection, *, doubt: Doubt, finding: Finding | None, final: bool, now: datetime
) -> bool:
    """Settle a row in doubt by what was listed; `finding` None: the provider did not tell.

    Returns whether it is resolved. An absent one waits on unless this look was the `final` one;
    one that nobody tells about waits on unless it is `final`, or never sent again anyway.
    """
    at = to_ms(now)
    row = doubts.standing(conn, doubt.row, at)
    if row is None:
        return True  # settled meanwhile, or on its way again
    if finding is not None and _claim(conn, doubt, row, finding, at):
        return True
    if finding is not None and not final:
        return False
    end = _end(conn, row, finding, now)
    if end is None and finding is None and not final:
        return False
    if end is None and finding is not None and row.crashes < DOUBT_CRASHES:
        move(conn, [row], S.READY, at=at, due=at)  # its slip says that it may be a second copy
        late.note(conn, [row], late.ABSENT, at)
        reopen(conn, [row.run], now)
        return True
    state, reason = end or (S.PARKED, Reason.OUTCOME_UNKNOWN)
    move(conn, [row], state, at=at, reason=reason)
    late.note(conn, [row], reason, at)
    return True


def _claim(conn: Connection, doubt: Doubt, row: AnyRow, finding: Finding, at: int) -> bool:
    channel = runs.by_id(conn, row.run).channel
    listed = [
        Listed(each.provider or channel, each.ref) for each in finding.sightings if not each.failed
    ]
    return late.claim(conn, row, listed, at)


def _end(
    conn: Connection, row: AnyRow, finding: Finding | None, now: datetime
) -> tuple[DeliveryState, Reason] | None:
    """What the row ends as where it is never sent again; it stays marked: it may have been sent."""
    run = runs.by_id(conn, row.run)
    if run.over(now):
        return ended(run)
    if (finding is not None and finding.erased) or doubts.kept(conn, row.id) is not None:
        return S.SKIPPED, Reason.ERASED
    return None
