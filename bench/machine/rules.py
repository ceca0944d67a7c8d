# SPDX-License-Identifier: EUPL-1.2
"""The machine: the real rules on a real ledger; only the daemon's tasks are played by hand, so that
a crash, a lost reply or a late answer can come between any two of them."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import func, select

from bench.machine.desk import CLERK, EMAIL, EVERYBODY, SMS, Carrier, Copy, Desk
from channels.base import Accepted, ChannelDown, ChannelName, Delivered, Reason, Rejected, Retry
from channels.http import CLOCK_SKEW
from hub.announcement import Event, State
from hub.delivery import FINAL, DeliveryState, lawful
from hub.flow import upkeep
from hub.flow.doubt.resolving import Finding, resolve
from hub.flow.planning.plan import plan_page, query_for
from hub.flow.redrive import Choice, redrive
from hub.flow.send.gate import Gate, Wishes
from hub.flow.send.settle import Settler, doubt_wait
from hub.flow.send.verdicts import Back, Kept, Stale
from hub.flow.send.window import Known, Window
from hub.ledger import announcements, doubts, leases, runs
from hub.ledger.deliveries import RESERVE, SETTLE, ReserveWindow
from hub.ledger.doubts import Doubt
from hub.ledger.receipts import RECEIPT, Arrival
from hub.ledger.runs import RunState
from hub.ledger.tables import delivery
from hub.queue.embedded import EmbeddedQueue
from subscribers import privacy
from subscribers.addressees import load_addressees
from subscribers.catalogue import load_catalogue
from subscribers.preferences import Hold
from subscribers.subscriptions import stop_all
from subscribers.tables import from_ms, to_ms

S = DeliveryState
LENGTH: Final = 3_600_000  # milliseconds of a lease
SKEW: Final = CLOCK_SKEW  # a wall clock may have been an hour wrong when the row was reserved

# what a provider may answer: the outcome, and whether the message reached the citizen's phone
ANSWERS: Final[dict[str, tuple[Any, bool]]] = {
    "accepted": (Accepted(), True),
    "delivered": (Delivered(), True),
    "accepted, then failed": (Accepted(), True),
    "refused": (Rejected(Reason.REFUSED_CONTENT), False),
    "dead": (Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True), False),
    "busy": (Retry(Reason.RATE_LIMITED, after=timedelta(seconds=20)), False),
    "broken": (Retry(Reason.PROVIDER_ERROR), False),
    "odd": (Retry(Reason.UNKNOWN), False),
    "timed out, arrived": (Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True), True),
    "timed out, lost": (Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True), False),
    "road closed": (ChannelDown(Reason.NETWORK), False),
}

# what may come between two moments of a message's way out
DISTURB: Final = ("cancel", "pause", "stop", "erase", "later", "give back", "crash", "audit")
BETWEEN = st.sampled_from([*([None] * 6), *DISTURB, "taken over", "lease runs out"])
WAY_OUT: Final = {
    "limit": st.integers(1, 6),
    "last": st.booleans(),
    "reserved": BETWEEN,
    "left": BETWEEN,
    "arrives": st.booleans(),
    "answers": st.lists(st.sampled_from(sorted(ANSWERS)), min_size=1, max_size=6),
}


class Machine(RuleBasedStateMachine):
    """Rules are what may happen; invariants are what ENGINE.md promises all the same."""

    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.conn = self.desk.conn
        self.catalogue = load_catalogue(self.conn, 1)
        self.steady = 0  # milliseconds on the machine's clock, which nobody sets
        self.carrier = Carrier()
        self.window: dict[int, Any] = {}  # reserved here, not sent
        self.flying: dict[int, Any] = {}  # past the gate, no answer yet: row, whether it arrives
        self.written: list[Any] = []  # settlements whose reply may be lost
        self.zombies: list[tuple[Any, Copy | None]] = []  # sent by one that lost its lease
        self.listings: list[tuple[Doubt, Finding]] = []  # look-ups whose answer is on its way
        self.silent: set[int] = set()
        self.mails: Counter[int] = Counter()
        self.redriven: Counter[int] = Counter()
        self.seen: dict[int, tuple[DeliveryState, int]] = {}
        self.strays: set[tuple[int, int]] = set()
        self.published = self.changes = self.clock_set = 0
        self.lease = self.take_lease()

    # ------------------------------------------------------------ what is at hand

    def now(self) -> datetime:
        return self.desk.now

    def monotonic(self) -> float:
        return self.now().timestamp()

    def take_lease(self) -> int:
        return leases.take(self.conn, "machine", self.now(), self.steady + LENGTH)

    def later(self, by: timedelta) -> None:
        """Time passes, and the lease is renewed meanwhile."""
        self.desk.now += by
        self.steady += max(0, int(by.total_seconds() * 1000))
        self.conn.execute(
            leases.lease.update()
            .where(leases.lease.c.id == self.lease)
            .values(alive_until=self.steady + LENGTH)
        )

    def settler(self, run: Any) -> Settler:
        published = self.now() - timedelta(hours=1)
        provider = run.channel if run.channel is SMS else None
        return Settler(run, published, provider, lambda: 0.5)

    def settle(self, row: Any, done: Any) -> bool:
        self.window.pop(row.delivery, None)
        self.written.append(done)
        (held,) = SETTLE.apply(self.conn, [done])
        self.every_move_is_lawful_and_rounds_only_rise()
        return held

    def any_row(self, *states: str) -> bool:
        wanted = select(delivery.c.id).where(delivery.c.state.in_(states)).limit(1)
        return self.conn.execute(wanted).first() is not None

    def leap_to_due(self, state: str) -> None:
        """Let time pass until the first row in this state is due."""
        due = select(func.min(delivery.c.due)).where(delivery.c.state == state)
        until = from_ms(self.conn.execute(due).scalar_one())
        if until > self.now():
            self.later(until - self.now())

    # ------------------------------------------------------------ the town

    @initialize(urgency=st.sampled_from(["information", "urgent"]))
    def begin(self, urgency: str) -> None:
        self.publish(urgency, (SMS, EMAIL), None)
        for run in runs.open_runs(self.conn):
            plan_page(self.conn, run, self.lease, self.now())

    @rule(
        urgency=st.sampled_from(["information", "important", "urgent"]),
        channels=st.sampled_from([(SMS,), (EMAIL,), (SMS, EMAIL)]),
        hours=st.none() | st.integers(1, 60),
    )
    @precondition(lambda self: self.published < 4)
    def publish(self, urgency: str, channels: tuple[ChannelName, ...], hours: int | None) -> None:
        self.published += 1
        expires = None if hours is None else self.now() + timedelta(hours=hours)
        self.desk.publish(str(self.published), urgency, channels, expires)

    @rule(last=st.booleans())
    @precondition(lambda self: self.planning())
    def plan(self, last: bool) -> None:
        plan_page(self.conn, self.planning()[-last], self.lease, self.now())

    def planning(self) -> list[Any]:
        return [run for run in runs.open_runs(self.conn) if run.state is RunState.PLANNING]

    @rule()
    @precondition(lambda self: announcements.in_state(self.conn, State.PAUSED))
    def resume(self) -> None:
        for each in announcements.in_state(self.conn, State.PAUSED):
            self.turn(Event.RESUME, each.id)

    def turn(self, event: Event, n: int) -> None:
        found = announcements.by_id(self.conn, n)
        allowed = {
            Event.CANCEL: (State.RUNNING, State.PAUSED),
            Event.PAUSE: (State.RUNNING,),
            Event.RESUME: (State.PAUSED,),
        }
        if found.state in allowed[event]:
            announcements.move(self.conn, found, event, self.now())
            if event is not Event.CANCEL:
                runs.set_paused(self.conn, n, event is Event.PAUSE)

    @rule(person=st.sampled_from(EVERYBODY), cadence=st.sampled_from(["now", "daily", "weekly"]))
    @precondition(lambda self: self.changes < 3)
    def change_cadence(self, person: int, cadence: str) -> None:
        self.changes += 1
        if person not in self.silent:
            self.desk.resubscribe(person, cadence)

    @rule(hours=st.sampled_from([1, 10]))
    def time_passes(self, hours: int) -> None:
        self.later(timedelta(hours=hours))

    @rule(hours=st.sampled_from([-1, 1]))
    @precondition(lambda self: self.clock_set < 2)
    def the_wall_clock_is_set(self, hours: int) -> None:
        self.clock_set += 1
        self.desk.now += timedelta(hours=hours)

    def disturb(self, what: str | None, row: Any) -> None:
        """Something happens while `row` is reserved, or on its way."""
        run = runs.by_id(self.conn, row.run)
        match what:
            case "cancel":
                self.turn(Event.CANCEL, run.announcement)
            case "pause":
                self.turn(Event.PAUSE, run.announcement)
            case "stop" | "erase" if len(self.silent) < 2:
                self.silent.add(row.subscriber)
                silence = stop_all if what == "stop" else privacy.erase_person
                silence(self.conn, row.subscriber, self.now())
            case "later":
                until = run.expires or self.now() + timedelta(hours=10)
                self.later(max(until - self.now(), timedelta(0)))
            case "give back":
                self.give_back()
            case "crash":
                self.crash()
            case "audit":
                self.audit_itself()
            case "taken over":
                self.taken_over()
            case "lease runs out":
                self.the_lease_runs_out()

    # ------------------------------------------------------------ the daemon

    def _carry(  # noqa: PLR0917  (Hypothesis fills them in by name)
        self,
        limit: int,
        last: bool,
        reserved: str | None,
        left: str | None,
        arrives: bool,
        answers: list[str],
    ) -> None:
        """A window from its reservation to its answers, and what comes between."""
        self.leap_to_due(S.READY)
        self.reserve(limit, lost=False, last=last)
        for row in list(self.window.values())[:1]:
            self.disturb(reserved, row)
            self.every_move_is_lawful_and_rounds_only_rise()
        self.hand_over(limit, arrives)
        for row, _ in list(self.flying.values())[:1]:
            self.disturb(left, row)
            self.every_move_is_lawful_and_rounds_only_rise()
        self.hear(answers)

    # three times as likely as anything else
    _ready = precondition(lambda self: self.any_row(S.READY))
    carry = rule(**WAY_OUT)(_ready(_carry))
    carry_on = rule(**WAY_OUT)(_ready(_carry))
    carry_more = rule(**WAY_OUT)(_ready(_carry))

    @rule(limit=st.integers(1, 6), lost=st.booleans())
    @precondition(lambda self: self.any_row(S.READY))
    def reserve_some(self, limit: int, lost: bool) -> None:
        self.reserve(limit, lost=lost, last=False)

    def reserve(self, limit: int, *, lost: bool, last: bool) -> None:
        for run in sorted(runs.open_runs(self.conn), key=lambda r: r.id, reverse=last):
            asked = ReserveWindow(run.id, self.lease, limit, to_ms(self.now()), self.steady)
            (rows,) = RESERVE.apply(self.conn, [asked])
            for row in rows:
                assert row.delivery not in self.window, "reserved twice"
                assert row.delivery not in self.flying, "reserved while it flies"
            if not lost:
                self.window |= {row.delivery: row for row in rows}
            if rows:
                break
        self.every_move_is_lawful_and_rounds_only_rise()

    def verdict(self, row: Any, run: Any) -> Any:
        """The gate's, or None where the message leaves."""
        announcement = announcements.by_id(self.conn, run.announcement)
        lineage = query_for(announcement, run.channel, self.catalogue).theme_lineage
        found = load_addressees(self.conn, [row.contact_point], lineage, run.channel)
        known = Known(found.get(row.contact_point), self.monotonic())
        texts: Any = type("Texts", (), {"announcement": announcement})()
        window = Window(run, texts, self.settler(run), lineage)
        mine = lambda lease: lease == self.lease  # noqa: E731
        gate = Gate(run.channel, EmbeddedQueue(), Wishes(), self, mine, lambda: None)  # type: ignore[arg-type]
        try:
            gate.ask(window, row, known, small_turn=False)
        except Kept as kept:
            return kept.verdict
        return None

    def hand_over(self, many: int, arrives: bool) -> None:
        for row in [self.window[each] for each in sorted(self.window)][:many]:
            run = runs.by_id(self.conn, row.run)
            verdict = self.verdict(row, run)
            assert not isinstance(verdict, Stale)
            if verdict is not None:
                done = self.settler(run).verdict(row, verdict, self.now())
                assert not isinstance(verdict, Hold) or done.due > done.at, "held until now"
                self.settle(row, done)
                continue
            assert row.subscriber not in self.silent, "sent after a STOP or an erasure"
            assert not run.over(self.now()), "sent after its end"
            assert not run.paused, "sent during a pause"
            del self.window[row.delivery]
            self.flying[row.delivery] = (row, arrives)

    def arrive(self, row: Any, *, failed: bool = False) -> Copy | None:
        """It reaches the citizen."""
        if runs.by_id(self.conn, row.run).channel is SMS:
            return self.carrier.take(row.delivery, row.round, self.now(), failed=failed)
        self.mails[row.delivery] += 1
        return None

    def hear(self, answers: list[str]) -> None:
        for answer in answers[: len(self.flying)]:
            row, _ = self.flying.pop(min(self.flying))
            outcome, effect = ANSWERS[answer]
            copy = self.arrive(row, failed=answer.endswith("failed")) if effect else None
            done = self.outcome(row, outcome, copy)
            assert self.settle(row, done)
            assert not self.settle(row, done), "a settle was repeated: its reply was lost"

    def outcome(self, row: Any, outcome: Any, copy: Copy | None) -> Any:
        settler = self.settler(runs.by_id(self.conn, row.run))
        if isinstance(outcome, ChannelDown):
            return settler.road_closed(row, outcome, self.now())
        if isinstance(outcome, Accepted | Delivered):
            outcome = type(outcome)(copy.ref if copy else f"{row.delivery}@example.org")
        return settler.outcome(row, outcome, self.now())

    @rule()
    @precondition(lambda self: len(self.written) > 3)
    def every_old_settle_comes_again(self) -> None:
        assert not any(SETTLE.apply(self.conn, self.written))

    def give_back(self) -> None:
        """A clean end, a pause or a closed road."""
        for row in list(self.window.values()):
            settler = self.settler(runs.by_id(self.conn, row.run))
            assert self.settle(row, settler.verdict(row, Back(Reason.DRAINED), self.now()))

    def crash(self) -> None:
        self.land()
        self.zombies = [each for each in self.zombies if each[1] is not None][:2]
        self.recover()

    def taken_over(self) -> None:
        """It is stopped past its lease, another begins; then it wakes, and may send nothing."""
        stopped = dict(self.window)
        self.land()
        self.recover()
        for row in stopped.values():
            verdict = self.verdict(row, runs.by_id(self.conn, row.run))
            assert verdict is not None, "sent under a lease that is not ours any more"
        assert not self.window

    def land(self) -> None:
        """What was on the wire arrives or does not; whoever sent it may still tell of it."""
        for row, arrives in self.flying.values():
            if arrives:
                self.zombies.append((row, self.arrive(row)))

    def recover(self) -> None:
        self.window, self.flying, self.strays = {}, {}, set()
        leases.bury(self.conn)
        leases.recover(self.conn, self.now(), doubt_wait)
        self.lease = self.take_lease()
        assert not self.desk.rows(S.RESERVED)

    def the_lease_runs_out(self) -> None:
        """The machine slept: nobody took over, and nothing leaves under the old lease."""
        self.desk.now += timedelta(milliseconds=2 * LENGTH)
        self.steady += 2 * LENGTH
        assert not leases.renew(self.conn, self.lease, self.steady, self.steady + LENGTH), (
            "renewed past its end"
        )
        asked = [
            ReserveWindow(run.id, self.lease, 9, to_ms(self.now()), self.steady)
            for run in runs.open_runs(self.conn)
        ]
        assert not any(RESERVE.apply(self.conn, asked)), "reserved under a lease that ran out"
        self.taken_over()

    @rule()
    @precondition(lambda self: self.zombies)
    def an_answer_to_the_dead_arrives(self) -> None:
        row, copy = self.zombies.pop()
        assert SETTLE.apply(self.conn, [self.outcome(row, Accepted(), copy)]) == [False]

    @rule()
    @precondition(lambda self: self.any_row(S.RESERVED))
    def audit_itself(self) -> None:
        for _ in range(2):
            held = set(self.window) | set(self.flying)
            found = leases.strays(self.conn, self.lease, held)
            lost, self.strays = found & self.strays, found - (found & self.strays)
            leases.doubt_strays(self.conn, self.lease, lost, self.now(), doubt_wait)

    # ------------------------------------------------------------ in doubt

    @rule(how=st.sampled_from(["found or absent", "found or absent", "fails", "later"]))
    @precondition(lambda self: self.any_row(S.DOUBT))
    def look_into_doubts(self, how: str) -> None:
        self.leap_to_due(S.DOUBT)
        upkeep.resolve_doubts(self.conn, self.now(), frozenset({SMS}))
        for doubt in self.doubtful():
            self.listings.append((doubt, self.listed(doubt)))
        if how == "fails":
            for doubt, _ in self.listings:
                resolve(self.conn, doubt=doubt, finding=None, final=False, now=self.now())
            self.listings = []
        elif how != "later":
            self.listings_arrive()

    def doubtful(self) -> list[Doubt]:
        at = to_ms(self.now())
        asked = {doubt.row.delivery for doubt, _ in self.listings}
        waiting = doubts.waiting(self.conn, SMS)
        return [each for each in waiting if each.due <= at and each.row.delivery not in asked]

    def listed(self, doubt: Doubt) -> Finding:
        """What the provider lists of this row's address and words, since its first reserve."""
        mine = doubt.row
        alike = [
            row.id
            for row in self.desk.rows()
            if row.run == mine.run and {row.subscriber, mine.subscriber} <= {1, 7}
        ]
        since = from_ms(doubt.since) - SKEW
        return Finding(self.carrier.listed(alike or [mine.delivery], since))

    @rule()
    @precondition(lambda self: self.listings)
    def listings_arrive(self) -> None:
        """Perhaps stale: whatever happened since they were asked for."""
        for doubt, finding in self.listings:
            resolve(self.conn, doubt=doubt, finding=finding, final=True, now=self.now())
        self.listings = []

    @rule()
    @precondition(lambda self: self.any_row(S.DOUBT))
    def nobody_tells(self) -> None:
        """The provider listed nothing for hours: a human decides."""
        self.leap_to_due(S.DOUBT)
        for doubt in self.doubtful()[:1]:
            resolve(self.conn, doubt=doubt, finding=None, final=True, now=self.now())

    # ------------------------------------------------------------ the provider's later word

    @rule(which=st.integers(0, 99), twice=st.booleans(), early=st.booleans())
    @precondition(lambda self: self.carrier.copies)
    def a_receipt_arrives(self, which: int, twice: bool, early: bool) -> None:
        copies = self.carrier.copies
        copy = copies[which % len(copies)]
        self.post(copy, 1 if early else 2 if copy.failed else 3)
        if twice:
            self.post(copy, 1)

    def post(self, copy: Copy, rank: int) -> None:
        code = {1: "sent", 2: "30003", 3: "delivered"}[rank]
        why = Reason.UNREACHABLE if rank == 2 else Reason.UNKNOWN
        at = to_ms(self.now())
        told = Arrival(copy.delivery, copy.round, rank, code, why, copy.ref, at)
        RECEIPT.apply(self.conn, [told])
        copy.told.add(rank)
        self.every_move_is_lawful_and_rounds_only_rise()

    # ------------------------------------------------------------ upkeep and humans

    @rule()
    @precondition(lambda self: any(run.over(self.now()) for run in runs.open_runs(self.conn)))
    def sweep(self) -> None:
        while upkeep.close_over(self.conn, self.now()):
            pass
        upkeep.finish(self.conn, self.now())

    @rule(choice=st.sampled_from(["send", "send", "abandon", "failed"]))
    @precondition(lambda self: self.any_row(S.PARKED, S.FAILED))
    def a_human_decides(self, choice: str) -> None:
        asked = Choice(abandon=choice == "abandon", failed=choice == "failed")
        for row in self.desk.rows(*asked.states):
            self.redriven[row.id] += choice != "abandon"
        redrive(self.conn, CLERK, self.now(), asked)

    # ------------------------------------------------------------ what holds after every step

    @invariant()
    def a_step_is_counted(self) -> None:
        Machine.steps += 1

    @invariant()
    def every_move_is_lawful_and_rounds_only_rise(self) -> None:
        for row in self.desk.rows():
            old = self.seen.get(row.id)
            state = DeliveryState(row.state)
            if old is not None:
                assert old[0] is state or lawful(old[0], state), f"{old[0]} -> {state}"
                assert row.round >= old[1], "a round fell"
            else:
                assert state in {S.READY, S.DIGEST, S.SKIPPED, S.EXPIRED}  # born too late
            self.seen[row.id] = (state, row.round)

    @invariant()
    def the_counts_are_the_rows(self) -> None:
        rows = self.desk.rows()
        assert self.desk.counted() == Counter((r.run, r.state, r.reason) for r in rows)

    @invariant()
    def a_lease_stands_on_what_is_reserved_and_nowhere_else(self) -> None:
        for row in self.desk.rows():
            assert (row.lease is not None) == (row.state == S.RESERVED)

    @invariant()
    def nobody_gets_an_sms_twice_unless_a_human_sent_it_again(self) -> None:
        good = Counter(copy.delivery for copy in self.carrier.copies if not copy.failed)
        for row, copies in good.items():
            assert copies <= 1 + self.redriven[row], f"{copies} SMS of row {row}"

    @invariant()
    def what_went_well_really_went(self) -> None:
        sms = {run.id for run in runs.open_runs(self.conn) if run.channel is SMS}
        for row in self.desk.rows(S.ACCEPTED, S.DELIVERED):
            if row.run in sms:
                assert self.carrier.of([row.id]) or row.subscriber in {1, 7}, "nothing left"

    @invariant()
    def what_was_delivered_is_said_to_be(self) -> None:
        told = {copy.delivery for copy in self.carrier.copies if 3 in copy.told}
        for row in self.desk.rows():
            if row.id in told and row.state not in {S.RESERVED, S.DELIVERED}:
                raise AssertionError(f"row {row.id} is {row.state}, and its receipt said delivered")

    # ------------------------------------------------------------ and in the end

    def teardown(self) -> None:
        """Left alone with a provider that works, everything comes to its one end."""
        try:
            self._to_the_end()
        finally:
            self.desk.close()

    def _to_the_end(self) -> None:
        self.crash()
        for n in range(1, self.published + 1):
            self.turn(Event.RESUME, n)
        for _ in range(14):  # half a day each: past every validity and every backoff
            while planning := self.planning():
                plan_page(self.conn, planning[0], self.lease, self.now())
            if self.any_row(S.DOUBT):
                self.look_into_doubts("found or absent")
            self.every_move_is_lawful_and_rounds_only_rise()
            self.send_all()
            self.sweep()
            self.every_move_is_lawful_and_rounds_only_rise()
            if not self.any_row(S.READY, S.DOUBT, S.RESERVED) and not self.planning():
                break
            self.later(timedelta(hours=12))
        self.the_counts_are_the_rows()
        self.nobody_gets_an_sms_twice_unless_a_human_sent_it_again()
        self.all_is_over()

    def all_is_over(self) -> None:
        ends = FINAL | {S.PARKED, S.DIGEST}
        rows = self.desk.rows()
        assert not Counter((r.run, r.state) for r in rows if r.state not in ends)
        waits = {r.run for r in rows if r.state == S.DIGEST}  # for the evening's digest
        still = {run.id for run in runs.open_runs(self.conn)}
        assert still <= waits, "a run with nothing left to do stays open"
        for n in range(1, self.published + 1):
            state = announcements.by_id(self.conn, n).state
            assert still or state in {State.FINISHED, State.CANCELLED}
        intended = Counter((r.run, r.subscriber, r.contact_point, r.part) for r in rows)
        assert set(intended.values()) <= {1}

    def send_all(self) -> None:
        while True:
            self.reserve(9, lost=False, last=False)
            if not self.window:
                return
            for row in list(self.window.values()):
                run = runs.by_id(self.conn, row.run)
                verdict = self.verdict(row, run)
                if verdict is None:
                    assert self.settle(row, self.outcome(row, Accepted(), self.arrive(row)))
                else:
                    assert self.settle(row, self.settler(run).verdict(row, verdict, self.now()))
