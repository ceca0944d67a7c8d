# SPDX-License-Identifier: EUPL-1.2
"""Anything may happen in any order: the ledger's promises hold after every step (ENGINE.md 8.1).

The real rules work on a real SQLite ledger; only the daemon's tasks are played by hand, so that a
crash, a lost reply or a late answer can come between any two of them.
"""

from collections import Counter
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from channels.base import Accepted, ChannelDown, ChannelName, Delivered, Reason, Rejected, Retry
from hub.announcement import Event, State
from hub.delivery import FINAL, DeliveryState, lawful
from hub.flow import upkeep
from hub.flow.gate import Gate, Wishes
from hub.flow.plan import plan_page
from hub.flow.reach import query_for
from hub.flow.principal import Principal
from hub.flow.redrive import Choice, redrive
from hub.flow.settle import Settler, doubt_wait
from hub.flow.texts import Texts
from hub.flow.verdicts import Back, Kept, Stale
from hub.flow.window import Known, Window
from hub.ledger import announcements, leases, runs
from hub.ledger.deliveries import RESERVE, SETTLE, ReserveWindow
from hub.ledger.runs import RunState
from hub.ledger.tables import delivery
from hub.queue.embedded import EmbeddedQueue
from subscribers import privacy
from subscribers.addressees import load_addressees
from subscribers.catalogue import load_catalogue
from subscribers.preferences import Cadence
from subscribers.subscriptions import stop_all, subscribe
from subscribers.tables import from_ms, to_ms

S = DeliveryState
SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL
EVERYBODY = range(1, 7)
CLERK = Principal("cli", "clerk", 1, may_publish=True)

# what a provider may answer: the outcome, and whether the message reached the citizen's phone
ANSWERS = {
    "accepted": (Accepted(), True),
    "delivered": (Delivered(), True),
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
BETWEEN = st.sampled_from(
    [None] * 6 + ["cancel", "pause", "stop", "erase", "later", "give back", "crash", "audit"]
)


WAY_OUT = {
    "limit": st.integers(1, 6),
    "last": st.booleans(),
    "reserved": BETWEEN,
    "left": BETWEEN,
    "arrives": st.booleans(),
    "answers": st.lists(st.sampled_from(sorted(ANSWERS)), min_size=1, max_size=6),
}


class Engine(RuleBasedStateMachine):
    def __init__(self, make_book):
        super().__init__()
        self.book = make_book()
        self.conn = self.book.conn
        self.book.people(self.conn, [1, 2, 3], SMS, EMAIL)
        self.book.people(self.conn, [4], SMS, EMAIL, quiet_start=20 * 60, quiet_end=8 * 60)
        self.book.people(self.conn, [5], SMS, EMAIL, cadence="daily")
        self.book.people(self.conn, [6], SMS, urgent_breaks_quiet=False, quiet_start=0, quiet_end=1)
        self.catalogue = load_catalogue(self.conn, 1)
        self.lease = leases.take(self.conn, "machine", self.now())
        self.window = {}  # reserved here, not sent
        self.flying = {}  # past the gate, no answer yet: row -> whether it arrived
        self.written = []  # settlements whose reply may be lost
        self.zombies = []  # sent by a process that died: their answer may still come
        self.silent = set()  # stopped or erased
        self.effects = Counter()
        self.redriven = Counter()
        self.seen = {}
        self.strays = set()
        self.published = self.changes = 0

    # ------------------------------------------------------------ what is at hand

    def now(self):
        return self.book.now

    def monotonic(self):
        return self.now().timestamp()

    def wait(self, run):
        return doubt_wait(run) + 1000

    def settler(self, run):
        return Settler(run, self.now() - timedelta(hours=1), run.channel, lambda: 0.5)

    def settle(self, row, done):
        self.window.pop(row.delivery, None)
        self.written.append(done)
        (held,) = SETTLE.apply(self.conn, [done])
        self.every_move_is_lawful_and_rounds_only_rise()
        return held

    def any_row(self, *states):
        return self.conn.execute(
            select(delivery.c.id).where(delivery.c.state.in_(states)).limit(1)
        ).first()

    def leap_to_due(self, state):
        """Let time pass until the first row in this state is due."""
        due = select(func.min(delivery.c.due)).where(delivery.c.state == state)
        self.book.now = max(self.now(), from_ms(self.conn.execute(due).scalar_one()))

    def announcement_of(self, run):
        return announcements.by_id(self.conn, run.announcement)

    # ------------------------------------------------------------ the town

    @initialize(urgency=st.sampled_from(["information", "urgent"]))
    def begin(self, urgency):
        self.publish(urgency, (SMS, EMAIL), None)
        for run in runs.open_runs(self.conn):
            plan_page(self.conn, run, self.lease, self.now())

    @rule(
        urgency=st.sampled_from(["information", "important", "urgent"]),
        channels=st.sampled_from([(SMS,), (EMAIL,), (SMS, EMAIL)]),
        hours=st.none() | st.integers(1, 60),
    )
    @precondition(lambda self: self.published < 4)
    def publish(self, urgency, channels, hours):
        self.published += 1
        expires = None if hours is None else self.now() + timedelta(hours=hours)
        self.book.publish(*channels, key=str(self.published), urgency=urgency, expires=expires)

    @rule(last=st.booleans())
    @precondition(lambda self: self.planning())
    def plan(self, last):
        plan_page(self.conn, self.planning()[-last], self.lease, self.now())

    def planning(self):
        return [run for run in runs.open_runs(self.conn) if run.state is RunState.PLANNING]

    @rule()
    @precondition(lambda self: announcements.in_state(self.conn, State.PAUSED))
    def resume(self):
        for each in announcements.in_state(self.conn, State.PAUSED):
            self.turn(Event.RESUME, each.id)

    def turn(self, event, n):
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

    def stop(self, person):
        self.silent.add(person)
        stop_all(self.conn, person, self.now())

    def erase(self, person):
        self.silent.add(person)
        privacy.erase_person(self.conn, person, self.now())

    @rule(person=st.sampled_from(EVERYBODY), cadence=st.sampled_from(Cadence))
    @precondition(lambda self: self.changes < 3)
    def change_cadence(self, person, cadence):
        self.changes += 1
        if person not in self.silent:
            subscribe(self.conn, person, [10], SMS, cadence=cadence, catalogue=self.catalogue)

    @rule(hours=st.sampled_from([-1, 1, 10]))
    def the_clock_leaps(self, hours):
        self.book.now += timedelta(hours=hours)

    def disturb(self, what, row):
        """Something happens while `row` is reserved, or on its way."""
        run = runs.by_id(self.conn, row.run)
        match what:
            case "cancel":
                self.turn(Event.CANCEL, run.announcement)
            case "pause":
                self.turn(Event.PAUSE, run.announcement)
            case "stop" if len(self.silent) < 2:
                self.stop(row.subscriber)
            case "erase" if len(self.silent) < 2:
                self.erase(row.subscriber)
            case "later":
                self.book.now = run.expires or self.now() + timedelta(hours=10)
            case "give back":
                self.give_back()
            case "crash":
                self.crash()
            case "audit":
                self.audit_itself()

    # ------------------------------------------------------------ the daemon

    def _carry(self, limit, last, reserved, left, arrives, answers):  # noqa: PLR0917
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
    def reserve_some(self, limit, lost):
        self.reserve(limit, lost=lost, last=False)

    def reserve(self, limit, *, lost, last):
        for run in sorted(runs.open_runs(self.conn), key=lambda r: r.id, reverse=last):
            asked = ReserveWindow(run.id, self.lease, limit, to_ms(self.now()))
            (rows,) = RESERVE.apply(self.conn, [asked])
            for row in rows:
                assert row.delivery not in self.window, "reserved twice"
                assert row.delivery not in self.flying, "reserved while it flies"
            if not lost:
                self.window |= {row.delivery: row for row in rows}
            if rows:
                break
        self.every_move_is_lawful_and_rounds_only_rise()

    def gate(self, row, run):
        """The verdict, or None where the message leaves."""
        announcement = self.announcement_of(run)
        lineage = query_for(announcement, run.channel, self.catalogue).theme_lineage
        found = load_addressees(self.conn, [row.contact_point], lineage, run.channel)
        known = Known(found.get(row.contact_point), self.monotonic())
        window = Window(run, Texts(announcement, self.catalogue, None, None), None, lineage)
        gate = Gate(run.channel, EmbeddedQueue(), Wishes(), self, lambda _: True, lambda: True)
        try:
            gate.ask(window, row, known, small_turn=False)
        except Kept as kept:
            return kept.verdict
        return None

    def hand_over(self, many, arrives):
        for row in [self.window[each] for each in sorted(self.window)][:many]:
            run = runs.by_id(self.conn, row.run)
            verdict = self.gate(row, run)
            assert not isinstance(verdict, Stale)
            if verdict is not None:
                assert self.settle(row, self.settler(run).verdict(row, verdict, self.now()))
                continue
            assert row.subscriber not in self.silent, "sent after a STOP or an erasure"
            assert not run.over(self.now()), "sent after its end"
            assert not run.paused, "sent during a pause"
            del self.window[row.delivery]
            self.flying[row.delivery] = (row, arrives)

    def hear(self, answers):
        for answer in answers[: len(self.flying)]:
            row, _ = self.flying.pop(min(self.flying))
            outcome, effect = ANSWERS[answer]
            self.effects[row.delivery] += effect
            done = self.outcome(row, outcome)
            assert self.settle(row, done)
            assert not self.settle(row, done), "a settle was repeated because its reply was lost"

    def outcome(self, row, outcome):
        settler = self.settler(runs.by_id(self.conn, row.run))
        if isinstance(outcome, ChannelDown):
            return settler.road_closed(row, outcome, self.now())
        if isinstance(outcome, Accepted | Delivered):
            outcome = type(outcome)(f"ref-{row.delivery}-{row.round}")
        return settler.outcome(row, outcome, self.now())

    @rule()
    @precondition(lambda self: len(self.written) > 3)
    def every_old_settle_comes_again(self):
        assert not any(SETTLE.apply(self.conn, self.written))

    def give_back(self):
        """A clean end, a pause or a closed road."""
        for row in list(self.window.values()):
            settler = self.settler(runs.by_id(self.conn, row.run))
            assert self.settle(row, settler.verdict(row, Back(Reason.DRAINED), self.now()))

    def crash(self):
        for row, arrives in self.flying.values():
            self.effects[row.delivery] += arrives
            if arrives:
                self.zombies.append(row)
        self.window, self.flying, self.strays = {}, {}, set()
        leases.bury(self.conn)
        leases.recover(self.conn, self.now(), self.wait)
        self.lease = leases.take(self.conn, "machine", self.now())
        assert not self.rows(S.RESERVED)

    @rule()
    @precondition(lambda self: self.zombies)
    def an_answer_to_the_dead_arrives(self):
        row = self.zombies.pop()
        assert SETTLE.apply(self.conn, [self.outcome(row, Accepted())]) == [False]

    @rule()
    @precondition(lambda self: self.any_row(S.RESERVED))
    def audit_itself(self):
        for _ in range(2):
            self.look_for_strays()

    def look_for_strays(self):
        held = set(self.window) | set(self.flying)
        found = leases.strays(self.conn, self.lease, held)
        lost, self.strays = found & self.strays, found - (found & self.strays)
        leases.doubt_strays(self.conn, self.lease, lost, self.now(), self.wait)

    @rule()
    @precondition(lambda self: self.any_row(S.DOUBT))
    def look_into_doubts(self):
        self.leap_to_due(S.DOUBT)
        self.look_after()

    def look_after(self):
        upkeep.resolve_doubts(self.conn, self.now())

    @rule()
    @precondition(lambda self: any(run.over(self.now()) for run in runs.open_runs(self.conn)))
    def close(self):
        self.sweep()

    def sweep(self):
        while upkeep.close_over(self.conn, self.now()):
            pass
        upkeep.finish(self.conn, self.now())

    @rule(abandon=st.booleans())
    @precondition(lambda self: self.any_row(S.PARKED))
    def a_human_decides(self, abandon):
        for row in self.rows(S.PARKED):
            self.redriven[row.id] += not abandon
        redrive(self.conn, CLERK, self.now(), Choice(abandon=abandon))

    # ------------------------------------------------------------ what holds after every step

    def rows(self, *states):
        where = [delivery.c.state.in_(states)] if states else []
        return self.book.rows(*where)

    @invariant()
    def every_move_is_lawful_and_rounds_only_rise(self):
        for row in self.rows():
            old = self.seen.get(row.id)
            state = DeliveryState(row.state)
            if old is not None:
                assert old[0] is state or lawful(old[0], state), f"{old[0]} -> {state}"
                assert row.round >= old[1]
            else:
                assert state in {S.READY, S.DIGEST, S.SKIPPED}
            self.seen[row.id] = (state, row.round)

    @invariant()
    def the_counts_are_the_rows(self):
        assert self.book.counted() == Counter((r.run, r.state, r.reason) for r in self.rows())

    @invariant()
    def a_lease_stands_on_what_is_reserved_and_nowhere_else(self):
        for row in self.rows():
            assert (row.lease is not None) == (row.state == S.RESERVED)

    @invariant()
    def nobody_gets_an_sms_twice_unless_a_human_sent_it_again(self):
        channel = {run: runs.by_id(self.conn, run).channel for run in {r.run for r in self.rows()}}
        for row in self.rows():
            if channel[row.run] is SMS:
                assert self.effects[row.id] <= 1 + self.redriven[row.id]

    @invariant()
    def what_went_well_really_went(self):
        for row in self.rows(S.ACCEPTED, S.DELIVERED):
            assert self.effects[row.id] >= 1

    # ------------------------------------------------------------ and in the end

    def teardown(self):
        """Left alone with a provider that works, everything comes to its one end."""
        self.crash()
        for n in range(1, self.published + 1):
            self.turn(Event.RESUME, n)
        for _ in range(14):  # half a day each: past every validity and every backoff
            self.plan_all()
            self.every_move_is_lawful_and_rounds_only_rise()
            self.look_after()
            self.every_move_is_lawful_and_rounds_only_rise()
            self.send_all()
            self.sweep()
            self.every_move_is_lawful_and_rounds_only_rise()
            if not runs.open_runs(self.conn):
                break
            self.the_clock_leaps(12)
        self.the_counts_are_the_rows()
        self.nobody_gets_an_sms_twice_unless_a_human_sent_it_again()
        ends = FINAL | {S.PARKED, S.DIGEST}
        assert not Counter(row.state for row in self.rows() if row.state not in ends)
        for n in range(1, self.published + 1):
            assert announcements.by_id(self.conn, n).state in {State.FINISHED, State.CANCELLED}
        intended = Counter((r.run, r.subscriber, r.contact_point, r.part) for r in self.rows())
        assert set(intended.values()) <= {1}

    def plan_all(self):
        while planning := self.planning():
            plan_page(self.conn, planning[0], self.lease, self.now())

    def send_all(self):
        while True:
            self.reserve(9, lost=False, last=False)
            if not self.window:
                return
            for row in list(self.window.values()):
                settler = self.settler(runs.by_id(self.conn, row.run))
                verdict = self.gate(row, settler.run)
                if verdict is None:
                    self.effects[row.delivery] += 1
                    assert self.settle(row, self.outcome(row, Accepted()))
                else:
                    assert self.settle(row, settler.verdict(row, verdict, self.now()))


def test_the_promises_hold_whatever_happens_in_whatever_order(make_book):
    run_state_machine_as_test(
        lambda: Engine(make_book),
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
