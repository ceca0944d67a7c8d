# SPDX-License-Identifier: EUPL-1.2
"""Compares what providers saw, what people wished and what the rows say, after a story.

Plain SQL and the story's own notes: nothing of the engine is asked for its opinion.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import text

from bench.simulator.provider import Write
from bench.simulator.story import Published, Record
from bench.simulator.town import Person
from channels.base import ChannelName

PARIS: Final = ZoneInfo("Europe/Paris")
KNOWN_WITHIN: Final = 2.0  # seconds after which everybody sees a wish or a decision
_HOUR: Final = 0.05  # seconds: a write and its note are not one instant
REACHED: Final = {"accepted", "delivered"}
FINAL: Final = REACHED | {"failed", "skipped", "expired", "cancelled"}
PERSONAL: Final = {ChannelName.SMS, ChannelName.X}  # a second copy is a second message
_ROWS: Final = text(
    "SELECT d.*, r.channel, r.announcement, r.kind AS run_kind FROM delivery d "
    "JOIN run r ON r.id = d.run ORDER BY d.id"
)
_COUNTS: Final = text("SELECT run, state, reason, n FROM delivery_count WHERE n <> 0")
_ITEMS: Final = text("SELECT digest, item FROM digest_item ORDER BY digest")
_STATES: Final = text("SELECT id, state FROM announcement")


class Checker:
    """`violations()` is empty after every good story."""

    def __init__(self, record: Record) -> None:
        self.record = record
        read = record.disk.read
        self.rows: list[Any] = read(lambda conn: list(conn.execute(_ROWS)))
        self.counts = read(
            lambda conn: {tuple(each[:3]): each[3] for each in conn.execute(_COUNTS)}
        )
        self.states = read(lambda conn: {row.id: row.state for row in conn.execute(_STATES)})
        self.carried = read(lambda conn: {row.item: row.digest for row in conn.execute(_ITEMS)})
        self.row = {row.id: row for row in self.rows}
        self.writes: list[Write] = [w for p in record.providers.values() for w in p.writes]

    def violations(self) -> list[str]:
        if not self.record.ended:
            left = Counter((row.channel, row.state, row.reason) for row in self.rows)
            return [f"not over after {self.record.seconds:.0f} s: {dict(left)}"]
        return [
            *self.nobody_is_forgotten(),
            *self.each_ends_once(),
            *self.counts_are_rows(),
            *self.nobody_hears_it_twice(),
            *self.nothing_leaves_that_should_not(),
            *self.what_went_well_went(),
            *self.what_left_is_recorded(),
            *self.failures_have_a_cause(),
        ]

    # ------------------------------------------------------------------ nobody lost

    def nobody_is_forgotten(self) -> Iterator[str]:
        """Whoever asked for it and never changed their mind has a row; a cancelled or expired
        announcement may have been over before it was planned."""
        have = {(row.announcement, row.channel, row.subscriber) for row in self.rows}
        for each in self.record.published.values():
            if each.about is not None or each.cancelled is not None or each.expires is not None:
                continue
            for person in self.record.town.people.values():
                if person.asked is not None:
                    continue
                for channel in set(person.addresses) & set(each.channels):
                    wanted = (each.id, channel, person.number)
                    if wanted not in have and not self._address_died(person, channel):
                        yield f"{each.id}: no row of {person.number} on {channel}"

    def _address_died(self, person: Person, channel: ChannelName) -> bool:
        """Their address was refused for good before: nobody plans for it any more."""
        return any(
            w.answered == "dead" and w.address == person.addresses[channel] for w in self.writes
        )

    def each_ends_once(self) -> Iterator[str]:
        intended = Counter((r.subscriber, r.run, r.contact_point, r.part) for r in self.rows)
        yield from (f"{what} has {n} rows" for what, n in intended.items() if n > 1)
        for row in self.rows:
            if row.state not in FINAL | {"parked", "digest"}:
                yield f"row {row.id} still stands {row.state}"
            if row.lease is not None:
                yield f"row {row.id} still bears a lease"
        for number, each in self.record.published.items():
            if self.states.get(number) not in {"finished", "cancelled"}:
                yield f"announcement {number} is {self.states.get(number)}"
            if each.cancelled is not None and self.states.get(number) != "cancelled":
                yield f"announcement {number} was cancelled and is {self.states.get(number)}"

    def counts_are_rows(self) -> Iterator[str]:
        told = Counter((row.run, row.state, row.reason) for row in self.rows)
        if dict(told) != self.counts:
            yield f"counts {self.counts} but rows {dict(told)}"

    # ------------------------------------------------------------------ nobody pestered

    def nobody_hears_it_twice(self) -> Iterator[str]:
        """On SMS and X one message each, but where a human sent it again or it was reported lost;
        elsewhere a copy more for each try that was in doubt."""
        heard: dict[tuple[str, str, str], list[Write]] = {}
        for write in self.writes:
            if write.effect is not None and not write.failed:
                heard.setdefault((write.channel, write.address, write.words), []).append(write)
        for (channel, _, words), copies in heard.items():
            again = sum(self.record.redriven[w] for w in {write.delivery for write in copies})
            if channel in PERSONAL and len(copies) > 1 + again:
                rows = sorted({write.delivery for write in copies})
                yield f"{words} arrived {len(copies)} times on {channel}: rows {rows}"
            if channel not in PERSONAL and any(not copy.in_doubt for copy in copies[1:]):
                by_row = Counter(write.delivery for write in copies if not write.in_doubt)
                if any(n > 1 + self.record.redriven[row] for row, n in by_row.items()):
                    yield f"{words} was copied on {channel} without a doubt"

    def nothing_leaves_that_should_not(self) -> Iterator[str]:
        for write in self.writes:
            row = self.row[write.delivery]
            if row.run_kind != "announcement":
                continue
            person = self.record.town.people[row.subscriber]
            if person.silent is not None and write.at > person.silent + KNOWN_WITHIN:
                yield f"row {row.id} left {write.at - person.silent:.2f} s after a STOP"
            about = self.record.published.get(row.announcement)
            if about is not None:
                yield from self._too_late(write, row, about)
                yield from self._at_night(write, row, about, person)

    def _too_late(self, write: Write, row: Any, about: Published) -> Iterator[str]:
        if about.cancelled is not None and write.at > about.cancelled + KNOWN_WITHIN:
            yield f"row {row.id} left {write.at - about.cancelled:.2f} s after its cancellation"
        if about.expires is not None and write.civil >= about.expires:
            yield f"row {row.id} left {write.civil - about.expires} after its end"
        for begun, ended in about.paused:
            if begun + KNOWN_WITHIN < write.at < ended - _HOUR:
                yield f"row {row.id} left during a pause"

    def _at_night(self, write: Write, row: Any, about: Published, person: Person) -> Iterator[str]:
        if person.quiet is None or (about.urgency == "urgent" and person.spared):
            return
        if quiet(person.quiet, write.civil):
            yield f"row {row.id} left at {write.civil.astimezone(PARIS):%H:%M}, in quiet hours"

    # ------------------------------------------------------------------ rows say what happened

    def what_went_well_went(self) -> Iterator[str]:
        claimed: dict[str, int] = {}
        for row in self.rows:
            if row.state not in REACHED:
                continue
            copies = self._copies(self.row[self.carried.get(row.id, row.id)])
            if not copies:
                yield f"row {row.id} is {row.state}, and nothing arrived"
            lost = copies and all(each.failed for each in copies)
            if lost and row.state == "accepted" and row.channel == ChannelName.SMS:
                yield f"row {row.id} is accepted, and its copy was reported failed"
            if row.ref is not None and row.channel in PERSONAL:
                if row.ref in claimed:
                    yield f"rows {claimed[row.ref]} and {row.id} claim the same message"
                claimed[row.ref] = row.id

    def _copies(self, row: Any) -> list[Write]:
        """What arrived for a row. Two rows of one address and one text are told apart by nobody
        but the provider's reference."""
        mine = {(w.address, w.words) for w in self.writes if w.delivery == row.id}
        return [w for w in self.writes if w.effect is not None and (w.address, w.words) in mine]

    def what_left_is_recorded(self) -> Iterator[str]:
        """A message that arrived stands on its row as reached, or as one that may have left."""
        for write in self.writes:
            row = self.row[write.delivery]
            if write.effect is None or write.failed or row.state in REACHED:
                continue
            if row.state in {"parked", "skipped", "cancelled", "expired", "failed"} and row.maybe:
                continue
            yield f"row {row.id} is {row.state} ({row.reason}), and a copy arrived unrecorded"

    def failures_have_a_cause(self) -> Iterator[str]:
        for row in self.rows:
            if row.run_kind != "announcement" or row.id in self.carried:
                continue
            about = self.record.published.get(row.announcement)
            person = self.record.town.people[row.subscriber]
            causes = {
                "cancelled": about is not None and about.cancelled is not None,
                "expired": about is not None and about.expires is not None,
                "skipped": person.asked is not None or row.reason not in {"erased", "unsubscribed"},
                "failed": self._failed_for(row),
            }
            if not causes.get(row.state, True):
                yield f"row {row.id} is {row.state} ({row.reason}) without a cause"

    def _failed_for(self, row: Any) -> bool:
        """Its provider refused it, or it was tried until that made no sense any more."""
        tried = any(write.delivery == row.id for write in self.writes)
        return tried or row.tries > 0 or row.reason == "duplicate"


def quiet(hours: tuple[int, int], civil: datetime) -> bool:
    """Whether this moment is within quiet hours, by the town's own clock."""
    local = civil.astimezone(PARIS)
    minute = local.hour * 60 + local.minute
    begins, ends = hours
    return begins <= minute < ends if begins < ends else minute >= begins or minute < ends


def check(record: Record) -> list[str]:
    """What a story broke, each as a sentence without an address."""
    return Checker(record).violations()
