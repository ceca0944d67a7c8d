# SPDX-License-Identifier: EUPL-1.2
"""Fills windows: reserve, committed, then read whom the rows go to (ENGINE.md 4.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

from sqlalchemy import Connection

from channels.base import Channel, ChannelName, Clock, Lane
from hub.announcement import Announcement
from hub.flow.plan import query_for
from hub.flow.settle import Settler
from hub.flow.site import Press
from hub.flow.texts import Texts
from hub.flow.window import Known, Window
from hub.ledger import announcements, deliveries, runs
from hub.ledger.deliveries import RESERVE, Reservation, ReserveWindow
from hub.ledger.runs import Run
from hub.ledger.store import Ledger
from subscribers.addressees import load_addressees
from subscribers.catalogue import load_catalogue
from subscribers.tables import to_ms

LONGEST_REST: Final = 30.0
"""Seconds until a resting run is looked at again, whatever its rows say: clocks may jump."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Opens and refills the windows of one channel, `size` rows at most each."""

    ledger: Ledger
    press: Press
    channel: Channel
    clock: Clock
    lease: int
    size: int
    random: Random
    horizon: timedelta

    async def open(self, run_id: int) -> Window:
        """A new window, empty."""

        def read(conn: Connection) -> Window:
            run = runs.by_id(conn, run_id)
            announcement = announcements.by_id(conn, run.announcement)
            catalogue = load_catalogue(conn, run.authority)
            published = announcement.published or announcement.created
            return Window(
                run,
                Texts(announcement, catalogue, self.press, self.channel),
                Settler(
                    run, published, _provider(self.channel.name), self.random.random, self.horizon
                ),
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
            lease=self.lease,
            limit=self.size - len(window.rows),
            now=to_ms(self.clock.now()),
        )
        dry = not window.rows  # connections stand idle: a commit of its own costs less
        hurry = dry or window.lane <= Lane.TRANSACTIONAL
        rows = await self.ledger.write(RESERVE, ask, hurry=hurry)
        if rows:
            await self.read_people(window, rows)
            window.rows.extend(rows)
        return len(rows)

    async def read_people(self, window: Window, rows: Sequence[Reservation]) -> None:
        """Read the people of these rows as they are now."""
        before = self.clock.monotonic()  # a wish committed while we read makes this stale
        wanted = [row.contact_point for row in rows]
        lineage, name = window.lineage, self.channel.name
        found = await self.ledger.read(lambda conn: load_addressees(conn, wanted, lineage, name))
        for contact_point in wanted:
            window.people[contact_point] = Known(found.get(contact_point), before)

    async def rests_until(self, run: Run) -> float | None:
        """When (steady seconds) a run that has nothing due now should be looked at again."""
        due = await self.ledger.read(lambda conn: deliveries.next_due(conn, run.id))
        if due is None:
            return None
        seconds = (due - to_ms(self.clock.now())) / 1000
        return self.clock.monotonic() + min(max(seconds, 0.0), LONGEST_REST)


def _provider(channel: ChannelName) -> str | None:
    """Who gives each copy a reference of its own: one reference then stands on one row only.

    An e-mail's second copy bears the same Message-ID, and a push service may answer with any
    address.
    """
    return channel if channel in (ChannelName.SMS, ChannelName.X) else None
