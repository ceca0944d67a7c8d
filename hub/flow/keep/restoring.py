# SPDX-License-Identifier: EUPL-1.2
"""A backup put back: told what it has forgotten, on hold until somebody released it.

ENGINE.md 4.12. It has forgotten who stopped, who was erased, and what left since it was taken. The
journal tells it of the first two, of stops taken back and of who was joined to whom; of the third
nobody can, so whoever releases it decides.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never

import structlog
from sqlalchemy import ColumnElement, Connection, case, func, select, text

from channels.base import ChannelName, Reason
from hub.delivery import DeliveryState
from hub.flow import upkeep
from hub.flow.accept.principal import Principal
from hub.flow.accept.repeating import Repeating
from hub.flow.citizens import stopping, undoing
from hub.flow.citizens.erasing import erase
from hub.flow.citizens.stopping import Stopped
from hub.flow.citizens.undoing import Back
from hub.flow.planning.digest import DigestTimes
from hub.flow.planning.plan import plan_page
from hub.flow.redrive import Choice, redrive
from hub.flow.site import Press
from hub.flow.staff import links
from hub.flow.staff import sessions as office_sessions
from hub.ledger import audit, hold, leases, letters, moves, runs
from hub.ledger.database import AnyRow
from hub.ledger.hold import Hold
from hub.ledger.journal import Entry
from hub.ledger.runs import RunState
from hub.ledger.tables import announcement, delivery, digest_item, run
from subscribers import directory
from subscribers.merging import merge
from subscribers.suppression import SuppressionReason
from subscribers.suppression import suppress as suppress_address
from subscribers.tables import authority, from_ms, to_ms

log = structlog.get_logger(__name__)

_PAGE: Final = 2_000
_ALL_ROWS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many people of the backup the journal's entries concerned."""

    stopped: int
    erased: int


def prepare(
    conn: Connection,
    entries: Iterable[Entry],
    *,
    backup_of: datetime,
    now: datetime,
    press: Press,
    channels: Sequence[ChannelName],
    actor: str,
    digests: DigestTimes,
) -> Replayed:
    """Make a restored ledger ready to start, on hold.

    Stops and erasures since the backup are done again. What the hub would have planned or
    published by now is planned and published here, so that it counts among what may have left.
    """
    replayed = _replay(conn, entries, now, actor)
    office_sessions.end_all(conn)  # who signed out, or was shut out since, would be at work again
    links.end_all(conn)  # and who used a link could use it again
    letters.drop_all(conn, now)  # what they ask for may be decided and sent long since
    _catch_up(conn, press, channels, now)
    _park(conn, _gathered(conn, backup_of, now, digests), backup_of, now)
    hold.begin(conn, now, backup_of)
    detail = {
        "backup_of": backup_of.isoformat(),
        "stopped": replayed.stopped,
        "erased": replayed.erased,
    }
    audit.record(conn, now, actor, "restore", "ledger", detail=detail)
    return replayed


def _replay(conn: Connection, entries: Iterable[Entry], now: datetime, actor: str) -> Replayed:
    stopped, erased = set[int](), set[int]()
    for entry in entries:
        for channel, hashed in entry.hashes:
            suppress_address(
                conn, ChannelName(channel), hashed, SuppressionReason.DO_NOT_CONTACT, now=now
            )
        person = directory.load(conn, entry.person)
        if person is None:  # came after the backup: there is nothing of theirs to stop
            continue
        match entry.verb:
            case "erase":
                erase(conn, entry.person, actor, now, None)
                erased.add(entry.person)
            case "stop":
                what = Stopped(entry.person, entry.channel, entry.themes)
                stopping.apply(conn, what, person.authority, now)
                stopped.add(entry.person)
            case "start":
                back = Back(entry.person, entry.rows)
                undoing.again(conn, back, person.authority, from_ms(entry.at), now)
            case "merge":
                if entry.into is not None and directory.load(conn, entry.into) is not None:
                    merge(conn, entry.person, entry.into)
            case _:
                assert_never(entry.verb)
    return Replayed(len(stopped), len(erased))


def _catch_up(
    conn: Connection, press: Press, channels: Sequence[ChannelName], now: datetime
) -> None:
    _try(conn, lambda: upkeep.publish_due(conn, press, now))
    _try(conn, lambda: Repeating(press, channels).publish_due(conn, now))
    planner = leases.take(conn, "restore", now)
    for each in runs.open_runs(conn):
        _try(conn, lambda: _plan(conn, each.id, planner, now))  # noqa: B023 (called at once)


def _try(conn: Connection, step: Callable[[], object]) -> None:
    """One announcement that cannot be published or planned hinders no restore: it cannot be later
    either."""
    try:
        with conn.begin_nested():
            step()
    except Exception:
        log.exception("restore.catch_up")


def _plan(conn: Connection, run_id: int, planner: int, now: datetime) -> None:
    while (seen := runs.by_id(conn, run_id)).state is RunState.PLANNING:
        plan_page(conn, seen, planner, now)


def _gathered(
    conn: Connection, backup_of: datetime, now: datetime, digests: DigestTimes
) -> list[AnyRow]:
    """What waited for a digest, where one was due since: it has probably left in it.

    What a digest carries already ends with that one.
    """
    left = [
        town.id
        for town in conn.execute(select(authority.c.id, authority.c.timezone))
        if digests.latest(now, town.timezone)[1] > backup_of
    ]
    carried = select(digest_item.c.item)
    waits = (delivery.c.state == DeliveryState.DIGEST) & delivery.c.id.not_in(carried)
    theirs = delivery.c.run.in_(select(run.c.id).where(run.c.authority.in_(left)))
    return list(moves.rows_where(conn, waits, theirs, limit=_ALL_ROWS))


def raise_numbers(conn: Connection, floors: Mapping[str, int]) -> None:
    """Give no number up to these to anything new: somebody holds a link or a receipt with it."""
    for table, floor in floors.items():
        known = {"name": table, "floor": floor}
        moved = conn.execute(
            text("UPDATE sqlite_sequence SET seq = max(seq, :floor) WHERE name = :name"), known
        )
        if not moved.rowcount:
            conn.execute(
                text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :floor)"), known
            )


# --------------------------------------------------------------------------- release

_WAITS: Final = (DeliveryState.READY, DeliveryState.RESERVED, DeliveryState.DOUBT)


def _before(held: Hold) -> ColumnElement[bool]:
    """What had been accepted when the ledger was restored and has not ended: it may have left."""
    known = (
        select(run.c.id)
        .join(announcement, announcement.c.id == run.c.announcement)
        .where(func.coalesce(announcement.c.published, announcement.c.created) <= held.at)
    )
    return delivery.c.state.in_(_WAITS) & delivery.c.run.in_(known)


def waiting(conn: Connection, held: Hold) -> int:
    """How many messages a release decides about."""
    counted = select(func.count()).select_from(delivery).where(_before(held))
    return int(conn.execute(counted).scalar_one())


def park_page(conn: Connection, held: Hold, now: datetime) -> int:
    """Set a page of them aside for a human. Returns how many; 0 when none is left."""
    rows = moves.rows_where(conn, _before(held), limit=_PAGE)
    _park(conn, rows, held.backup_of, now)
    return len(rows)


def _park(conn: Connection, rows: Sequence[AnyRow], backup_of: datetime, now: datetime) -> None:
    """Sent on again, each is looked up at its provider first: since the backup it may have left."""
    known = case((delivery.c.at < to_ms(backup_of), delivery.c.at), else_=to_ms(backup_of))
    moves.move(
        conn,
        rows,
        DeliveryState.PARKED,
        at=to_ms(now),
        reason=Reason.ON_HOLD,
        maybe=True,
        since=func.coalesce(delivery.c.since, known),
    )


def release(conn: Connection, principal: Principal, now: datetime, *, send_again: bool) -> int:
    """Let everything leave, after `park_page` has nothing left; with `send_again` also what was
    set aside. Returns how many of those."""
    hold.end(conn, now, principal.name)
    detail = {"send_again": send_again}
    audit.record(conn, now, principal.name, "release", "ledger", detail=detail)
    if not send_again:
        return 0
    return redrive(conn, principal, now, Choice(reason=Reason.ON_HOLD)).rows
