# SPDX-License-Identifier: EUPL-1.2
"""The mutants of ENGINE.md 8.6 and of the protocol's model: each one hurried reading of the rules.

`plant` changes one named function or statement of the real code, in this process alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, text

from channels.base import Accepted
from hub.flow.doubt import vigil
from hub.flow.keep.tenure import Tenure
from hub.flow.send.dispatch import Road
from hub.flow.send.gate import Gate
from hub.flow.send.settle import Settler
from hub.ledger import deliveries, doubts, leases, receipts
from hub.ledger.counting import Moves, apply_moves
from hub.ledger.deliveries import SETTLE, Settlement
from hub.ledger.moves import ROWS
from hub.ledger.tables import delivery, lease
from subscribers.preferences import Hold, Send, decide
from subscribers.tables import from_ms


@dataclass(frozen=True)
class Mutant:
    """One error: what it says, how it is planted, and the tests that should catch it first."""

    name: str
    says: str
    plant: Callable[[], None]
    tests: tuple[str, ...]


def _reword(room: Any, name: str, old: str, new: str) -> None:
    """Change a statement of the ledger. Fails where the words are not there any more."""
    said = str(getattr(room, name))
    assert old in said, f"{name} does not say {old!r} any more"
    setattr(room, name, text(said.replace(old, new)))


# --------------------------------------------------------------------------- reserve and settle


def no_reserve_commit() -> None:
    """Reserved in memory alone, and written down with the answer."""
    real, real_settle = deliveries._reserve_one, SETTLE.apply  # noqa: SLF001
    held: dict[int, set[int]] = {}

    def reserve(conn: Connection, window: Any) -> list[Any]:
        mine = held.setdefault(window.lease, set())
        undone = conn.begin_nested()
        rows = real(conn, replace(window, limit=window.limit + len(mine)))
        undone.rollback()
        fresh = [row for row in rows if row.delivery not in mine][: window.limit]
        mine.update(row.delivery for row in fresh)
        return fresh

    def settled(conn: Connection, settlements: Sequence[Settlement]) -> Sequence[bool]:
        for each in settlements:
            row = each.row
            held.get(row.lease, set()).discard(row.delivery)
            found = conn.execute(_CATCH_UP, {"id": row.delivery, "l": row.lease, "r": row.round})
            for old in found:
                moves = Moves()
                moves[old.run, "ready", old.reason] -= 1
                moves[old.run, "reserved", old.reason] += 1
                apply_moves(conn, moves)
        return real_settle(conn, settlements)

    deliveries._reserve_one = reserve  # noqa: SLF001
    object.__setattr__(SETTLE, "apply", settled)


_CATCH_UP: Final = text(
    "UPDATE delivery SET state = 'reserved', lease = :l, round = :r "
    "WHERE id = :id AND state = 'ready' AND round = :r - 1 RETURNING run, reason"
)


def settle_before_send() -> None:
    """Accepted is written first, then it is sent: what comes of it is not looked at."""
    real = Road._attempt  # noqa: SLF001

    async def attempt(self: Any, window: Any, row: Any, *more: Any) -> None:
        said = window.settler.outcome(row, Accepted(), self._clock.now())
        self._outcomes.put(said, window.lane)
        await real(self, window, row, *more)

    Road._attempt = attempt  # type: ignore[method-assign,assignment] # noqa: SLF001


def round_ignored() -> None:
    """A settle writes its row whatever round it is in."""
    _reword(deliveries, "_SETTLE", "AND delivery.round = v.round", "")


def maybe_retried() -> None:
    """A message that may have left is simply sent again."""

    def retried(self: Any, row: Any, retry: Any, at: int) -> Settlement:
        found: Settlement = self._retry(row, retry, from_ms(at))
        return found

    Settler._doubt = retried  # type: ignore[method-assign] # noqa: SLF001


def hold_without_due() -> None:
    """What quiet hours hold is due at once: reserved and held again and again."""
    real = Settler.verdict

    def verdict(self: Settler, row: Any, said: Any, now: Any) -> Settlement:
        made = real(self, row, said, now)
        return replace(made, due=made.at) if isinstance(said, Hold) else made

    Settler.verdict = verdict  # type: ignore[method-assign]


def since_latest() -> None:
    """Listed messages are compared since the latest reserve instead of the first."""
    _reword(deliveries, "_RESERVE", "coalesce(since, :now)", ":now")


# --------------------------------------------------------------------------- receipts and look-ups


def old_receipt() -> None:
    """A failure of an old round is believed of the copy that left since."""
    receipts.counts = lambda each: True


def lookup_unguarded() -> None:
    """A look-up's answer is written whatever round the row is in by now."""

    def standing(conn: Connection, row: Any, at: int) -> Any:
        doubt = (delivery.c.id == row.delivery, delivery.c.state == "doubt")
        return conn.execute(ROWS.where(*doubt)).first()

    doubts.standing = standing


def wait_by_wall_clock() -> None:
    """The wait before a look-up ends when the wall clock says so."""
    real = vigil.Vigil.keep

    def keep(self: Any, channel: Any, waiting: Any, now: float, wall: int) -> Any:
        real(self, channel, waiting, now, wall)
        return [doubt for doubt in waiting if doubt.due <= wall]

    vigil.Vigil.keep = keep  # type: ignore[method-assign]


# --------------------------------------------------------------------------- leases


def wall_lease() -> None:
    """A lease ends when the wall clock says so."""

    def wall(self: Any) -> int:
        return int(self._clock.wall().timestamp() * 1000)

    def until(self: Any) -> float:
        return float(wall(self)) / 1000 + float(self._length)

    def outlives(self: Any, mine: int, seconds: float) -> bool:
        return bool(mine == self.id and wall(self) / 1000 + seconds < self._until)

    Tenure.steady = wall  # type: ignore[method-assign]
    Tenure._until_now = until  # type: ignore[method-assign] # noqa: SLF001
    Tenure.outlives = outlives  # type: ignore[method-assign]


def renewed_past_its_end() -> None:
    """A lease that ran out is renewed all the same."""

    def renew(conn: Connection, lease_id: int, steady: int, alive_until: int) -> bool:
        mine = lease.update().where(lease.c.id == lease_id, ~lease.c.dead)
        return conn.execute(mine.values(alive_until=alive_until)).rowcount == 1

    leases.renew = renew


def no_deadline() -> None:
    """Whoever holds a row sends it, however long they were stopped."""
    Tenure.outlives = lambda self, mine, seconds: True  # type: ignore[method-assign]


def stops_unheard() -> None:
    """What a citizen wished when their row was read is good for ever."""

    def theirs(self: Gate, window: Any, row: Any, known: Any) -> Any:
        if known.addressee is None:
            return None
        said = decide(
            window.texts.announcement.urgency, known.addressee.preference, self.clock.now()
        )
        return None if isinstance(said, Send) else said

    Gate._theirs = theirs  # type: ignore[method-assign] # noqa: SLF001


# --------------------------------------------------------------------------- and who catches them

DOUBT, HOLDS = "tests/flow/test_doubt_and_crash.py", "tests/flow/test_dispatch_holds.py"
LOOKUP, TAKEOVER = "tests/flow/test_lookup.py", "tests/flow/test_takeover.py"
LEASES, RECEIPTS = "tests/ledger/test_leases.py", "tests/ledger/test_receipts.py"
DELIVERIES = "tests/ledger/test_deliveries.py"

_CAUGHT_BY: Final = (
    (
        *("no reserve commit", no_reserve_commit),
        f"{DOUBT}::test_a_crash_doubles_nothing_where_a_copy_would_be_a_second_message",
    ),
    (
        *("settle before send", settle_before_send),
        f"{DOUBT}::test_a_crash_loses_nothing_and_copies_at_most_what_was_in_flight",
    ),
    (
        *("round ignored", round_ignored),
        f"{DELIVERIES}::test_a_settle_from_another_lease_or_round_changes_nothing",
    ),
    (
        *("maybe_sent retried at once", maybe_retried),
        f"{LOOKUP}::test_timed_out_and_listed_is_accepted_and_never_sent_again",
    ),
    ("hold without due", hold_without_due, f"{HOLDS}::test_quiet_hours_hold_until_they_end"),
    (
        *("old receipt believed", old_receipt),
        f"{RECEIPTS}::test_a_failure_of_an_old_round_says_nothing_of_the_new_copy",
    ),
    (
        *("wall clock ends a lease", wall_lease),
        f"{TAKEOVER}::test_a_jump_of_the_wall_clock_ends_no_lease",
    ),
    (
        *("look-up unguarded by round", lookup_unguarded),
        f"{LOOKUP}::test_a_listing_that_comes_back_stale_is_not_believed",
    ),
    (
        *("since the latest reserve", since_latest),
        f"{DELIVERIES}::test_reserving_raises_the_round_and_remembers_the_first_time",
    ),
    (
        *("wait by the wall clock", wait_by_wall_clock),
        f"{LOOKUP}::test_a_wall_clock_that_leaps_neither_ends_nor_prolongs_a_wait",
    ),
    (
        *("renewed past its end", renewed_past_its_end),
        f"{LEASES}::test_a_lease_is_renewed_while_it_lives_and_never_afterwards",
    ),
    (
        *("no local deadline", no_deadline),
        f"{TAKEOVER}::test_a_message_does_not_leave_when_it_could_not_be_answered_in_time",
    ),
    (
        *("stops unheard", stops_unheard),
        f"{HOLDS}::test_a_stop_committed_while_the_connection_is_awaited_is_kept",
    ),
)
MUTANTS: Final = {
    name: Mutant(name, str(plant.__doc__), plant, (test,)) for name, plant, test in _CAUGHT_BY
}
