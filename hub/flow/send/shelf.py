# SPDX-License-Identifier: EUPL-1.2
"""Fills windows: reserve, committed, then read whom the rows go to (ENGINE.md 4.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

from sqlalchemy import Connection

from channels.base import Channel, ChannelName, Clock, Lane, Reason
from hub.announcement import Announcement
from hub.delivery import FINAL, REACHED, DeliveryState
from hub.flow.keep.tenure import Tenure
from hub.flow.planning import gathering
from hub.flow.planning.reach import query_for
from hub.flow.send.settle import Settler
from hub.flow.send.texts import DigestTexts, NoteTexts, Texts
from hub.flow.send.verdicts import Ended, Kept
from hub.flow.send.window import Known, Window
from hub.flow.site import Press
from hub.ledger import announcements, deliveries, runs
from hub.ledger.deliveries import RESERVE, Reservation, ReserveWindow
from hub.ledger.runs import Run
from hub.ledger.store import Ledger
from subscribers.addressees import Addressee, load_addressees
from subscribers.catalogue import load_catalogue
from subscribers.preferences import Hold
from subscribers.tables import to_ms

_NEVER: Final = float("-inf")
_THREAD_WAIT: Final = timedelta(seconds=2)

SHORTEST_REST: Final = 0.1
"""Seconds a run rests at least when nothing of it could be reserved: what is due may be cancelled,
expired or paused, and wait for the sweep."""

LONGEST_REST: Final = 30.0
"""Seconds until a resting run is looked at again, whatever its rows say: clocks may jump."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Opens and refills the windows of one channel, `size` rows at most each."""

    ledger: Ledger
    press: Press
    channel: Channel
    clock: Clock
    tenure: Tenure
    size: int
    random: Random
    horizon: timedelta

    async def open(self, run_id: int) -> Window:
        """A new window, empty."""

        def read(conn: Connection) -> Window:
            run = runs.by_id(conn, run_id)
            announcement = announcements.by_id(conn, run.announcement)
            catalogue = load_catalogue(conn, run.authority)
            if run.digest:
                day = DigestTexts(announcement, catalogue, self.press, self.channel)
                return Window(run, day, self._settler(run, announcement), tuple(catalogue.themes))
            if run.note:
                note = NoteTexts(announcement, catalogue, self.press, self.channel)
                return Window(run, note, self._settler(run, announcement), ())
            return Window(
                run,
                Texts(announcement, catalogue, self.press, self.channel),
                self._settler(run, announcement),
                query_for(announcement, run.channel, catalogue).theme_lineage,
            )

        return await self.ledger.read(read)

    def _settler(self, run: Run, announcement: Announcement) -> Settler:
        return Settler(
            run,
            announcement.published or announcement.created,
            _provider(self.channel.name),
            self.random.random,
            self.horizon,
        )

    async def refill(self, window: Window) -> int:
        """Reserve the next rows and read their people. Returns how many came."""
        ask = ReserveWindow(
            run=window.run.id,
            lease=self.tenure.id,
            limit=self.size - len(window.rows),
            now=to_ms(self.clock.now()),
            steady=self.tenure.steady(),
        )
        dry = not window.rows  # connections stand idle: a commit of its own costs less
        hurry = dry or window.lane <= Lane.TRANSACTIONAL
        rows = await self.ledger.write(RESERVE, ask, hurry=hurry)
        if rows:
            try:
                await self.read_people(window, rows)
            finally:
                window.rows.extend(rows)  # ours to send or to give back, whatever happened
        return len(rows)

    async def read_people(self, window: Window, rows: Sequence[Reservation]) -> None:
        """Read the people of these rows as they are now; of digests, what they carry."""
        if window.run.digest:
            await self._read_digests(window, rows)
        read = await self.people_of(window, rows)
        window.people = {
            **{row.contact_point: window.people[row.contact_point] for row in window.rows},
            **read,
        }  # of whoever has left nothing is kept: a run may have a million

    async def people_of(self, window: Window, rows: Sequence[Reservation]) -> dict[int, Known]:
        """The people of these rows as they are now, by contact point."""
        before = self.clock.monotonic()  # a wish committed while we read makes this stale
        wanted = [row.contact_point for row in rows]
        # who is told here in the place of another channel need not have asked for this one
        stood_in = [row.contact_point for row in rows if row.fallback]
        asked = [each for each in wanted if each not in set(stood_in)] if stood_in else wanted
        lineage, name = window.lineage, self.channel.name

        def read(conn: Connection) -> dict[int, Addressee]:
            found = load_addressees(conn, asked, lineage, name)
            return found | load_addressees(conn, stood_in, lineage, None) if stood_in else found

        found = await self.ledger.read(read)
        known = {each: Known(found.get(each), before) for each in wanted}
        if window.run.digest:
            await self._compare_digests(window, rows, known)
        return known

    async def _read_digests(self, window: Window, rows: Sequence[Reservation]) -> None:
        """Take out of these messages what may not be told any more, and keep what they tell."""
        ids = [row.delivery for row in rows]
        at, run = self.clock.now(), window.run
        if (await self.ledger.read(lambda conn: gathering.look(conn, run, ids, at))).changed:
            await self.ledger.transact(lambda conn: gathering.trim(conn, run, ids, at))
        told = await self.ledger.read(lambda conn: gathering.look(conn, run, ids, at))
        waiting = [row.delivery for row in window.rows]
        kept = {each: window.carried.get(each, ()) for each in waiting}
        window.carried = {**kept, **told.carried}

    async def _compare_digests(
        self, window: Window, rows: Sequence[Reservation], known: dict[int, Known]
    ) -> None:
        """Whose digest is not any more what it was made for is stale: it is to be made again."""
        ids = [row.delivery for row in rows]
        at, run = self.clock.now(), window.run
        told = await self.ledger.read(lambda conn: gathering.look(conn, run, ids, at))
        for row in rows:
            carried = told.carried.get(row.delivery, ())
            known[row.contact_point].nothing_left = not carried
            if carried != window.carried.get(row.delivery, ()):
                known[row.contact_point].at = _NEVER

    async def post_before(self, row: Reservation) -> str | None:
        """The post this one answers in its thread. Raises `Kept` while that one is not public."""
        if row.part == 0:
            return None
        before = await self.ledger.read(lambda conn: deliveries.previous_part(conn, row))
        if before is not None and before["state"] in REACHED:
            ref: str | None = before["ref"]
            return ref
        if before is not None and before["state"] in FINAL:
            raise Kept(Ended(DeliveryState.FAILED, Reason.DUPLICATE))
        raise Kept(Hold(self.clock.now() + _THREAD_WAIT, Reason.RATE_LIMITED))

    async def rests_until(self, run: Run) -> float | None:
        """When (steady seconds) a run that has nothing due now should be looked at again."""
        due = await self.ledger.read(lambda conn: deliveries.next_due(conn, run.id))
        if due is None:
            return None
        seconds = (due - to_ms(self.clock.now())) / 1000
        return self.clock.monotonic() + min(max(seconds, SHORTEST_REST), LONGEST_REST)


def _provider(channel: ChannelName) -> str | None:
    """Who gives each copy a reference of its own: one reference then stands on one row only.

    An e-mail's second copy bears the same Message-ID, and a push service may answer with any
    address.
    """
    return channel if channel in (ChannelName.SMS, ChannelName.X) else None
