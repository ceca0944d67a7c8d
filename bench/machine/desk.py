# SPDX-License-Identifier: EUPL-1.2
"""What the machine works on: a small town on a real ledger, and an SMS provider's own notes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from sqlalchemy import insert, select

from bench.simulator.paper import Disk
from bench.simulator.town import THEME, Person, Town
from channels.base import ChannelName, Sighting, Urgency
from hub.announcement import Announcement, State
from hub.flow.accept.intake import publish
from hub.flow.accept.principal import Principal
from hub.flow.site import Press, Site
from hub.ledger import announcements, tables
from subscribers import tables as people
from templates.catalogue import Catalogue
from templates.content import Content, Kind
from templates.render import Composer

START: Final = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday, 11 h in the town
CLERK: Final = Principal("cli", "clerk", 1, may_publish=True)
SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL
EVERYBODY: Final = range(1, 8)
PRESS: Final = Press(Composer(Catalogue()), Site("https://alerte.example.org"))


def _town() -> Town:
    """Seven people: one sleeps early, one reads a digest, one is never woken, two share a phone."""

    def both(n: int) -> dict[ChannelName, str]:
        return {SMS: f"+3363998{n:04d}", EMAIL: f"p{n}@example.org"}

    town = {n: Person(n, both(n)) for n in EVERYBODY}
    town[4].quiet = (20 * 60, 8 * 60)
    town[5].cadence = "daily"
    town[6].quiet, town[6].spared = (0, 1), False
    town[7].addresses[SMS] = town[1].addresses[SMS]
    return Town(town)


@dataclass
class Copy:
    """A message the SMS provider took. `failed`: it did not reach the telephone after all."""

    ref: str
    delivery: int
    round: int
    at: datetime
    failed: bool
    told: set[int] = field(default_factory=set)  # ranks of the receipts that were posted


class Desk:
    """One connection over a fresh ledger, in one transaction that is never committed."""

    def __init__(self) -> None:
        self.disk = Disk()
        self.disk.transact(lambda conn: _town().write(conn, START))
        self.conn = self.disk.engine.connect()
        self._transaction = self.conn.begin()
        self.now = START

    def close(self) -> None:
        self._transaction.rollback()
        self.conn.close()
        self.disk.close()

    def publish(
        self, key: str, urgency: str, channels: Sequence[ChannelName], expires: datetime | None
    ) -> Announcement:
        drawn = Announcement(
            id=0,
            code="",
            authority=1,
            kind=Kind.FIRST,
            urgency=Urgency(urgency),
            state=State.DRAFT,
            contents={"fr": Content("fr", "Coupure d'eau", "Jeudi.")},
            themes=("eau",),
            channels=tuple(channels),
            created=self.now,
            expires=expires,
            author="clerk",
        )
        written = announcements.insert(
            self.conn, drawn, source="machine", source_key=key, sha256=""
        )
        return publish(self.conn, written, PRESS, self.now)

    def rows(self, *states: str) -> list[Any]:
        table = tables.delivery
        query = select(table).order_by(table.c.id)
        if states:
            query = query.where(table.c.state.in_(states))
        return list(self.conn.execute(query))

    def counted(self) -> dict[tuple[int, str, str], int]:
        table = tables.delivery_count
        found = self.conn.execute(select(table).where(table.c.n != 0))
        return {(each.run, each.state, each.reason): each.n for each in found}

    def resubscribe(self, person: int, cadence: str) -> None:
        mine = people.subscription
        which = (mine.c.subscriber == person, mine.c.theme == THEME, mine.c.channel == SMS)
        self.conn.execute(mine.delete().where(*which))
        asked = {"subscriber": person, "theme": THEME, "channel": SMS, "cadence": cadence}
        self.conn.execute(insert(mine).values(**asked))


class Carrier:
    """The SMS provider: what it took, and what it lists of one row's address and words."""

    def __init__(self) -> None:
        self.copies: list[Copy] = []
        self._chance = Random(7)

    def take(self, delivery: int, round_: int, at: datetime, *, failed: bool = False) -> Copy:
        copy = Copy(f"SM{len(self.copies) + 1:04d}", delivery, round_, at, failed)
        self.copies.append(copy)
        return copy

    def of(self, deliveries: Sequence[int]) -> list[Copy]:
        return [copy for copy in self.copies if copy.delivery in deliveries]

    def listed(self, alike: Sequence[int], since: datetime) -> list[Sighting]:
        """Copies of these rows (one address, one text) since then, oldest first."""
        return [
            Sighting(copy.ref, copy.at, copy.failed, SMS)
            for copy in self.of(alike)
            if copy.at >= since
        ]
