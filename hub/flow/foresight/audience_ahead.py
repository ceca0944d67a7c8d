# SPDX-License-Identifier: EUPL-1.2
"""Whom an announcement would be told to if it left now, and who would not be told, and why.

What becomes of each message is asked of the very rule the gate asks (promise 4).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, assert_never

from sqlalchemy import Connection

from channels.base import ChannelName, Urgency
from hub.announcement import Announcement
from hub.flow.planning.followed import followers
from hub.flow.planning.reach import query_for
from hub.ledger.stand_ins import every_channel
from subscribers.catalogue import Catalogue
from subscribers.crier import crier_of
from subscribers.foresight import Alike, Told, Unreached, asked, foresee
from subscribers.preferences import Digest, Hold, Send, Skip, decide
from templates.content import Kind
from templates.render import choose

_NOBODY: Final = Unreached(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Going:
    """What one channel would do. Its messages are `leaving` at once, `held` until quiet hours end
    and `digested`, told with other news; everybody else it concerns gets none, and why."""

    channel: ChannelName
    leaving: int
    held: int
    digested: int
    paused: int
    same_address: int
    missed: Unreached

    @property
    def messages(self) -> int:
        """Everybody who would get it on this channel, sooner or later."""
        return self.leaving + self.held + self.digested

    @property
    def not_reached(self) -> int:
        """People this channel cannot tell: nothing is wrong with those told at an address they
        share."""
        lost = self.missed
        return self.paused + lost.suspended + lost.unverified + lost.no_contact_point


@dataclass(frozen=True, slots=True)
class Audience:
    """`people`, each once over all channels, as of `at`; `by_zone` by the key of the zones they
    asked for, "" being the whole town. `copies` leave as the announcement's own text, by language
    of who reads them; a digest has its own."""

    at: datetime
    people: int
    going: tuple[Going, ...]
    by_zone: Mapping[str, int]
    copies: Mapping[tuple[ChannelName, str], int] = field(repr=False)

    @property
    def held(self) -> int:
        """Messages that wait for the end of quiet hours."""
        return sum(each.held for each in self.going)

    @property
    def digested(self) -> int:
        """Those told with other news."""
        return sum(each.digested for each in self.going)


def audience_of(
    conn: Connection, announcement: Announcement, catalogue: Catalogue, now: datetime
) -> Audience:
    """Who would be told. What follows another announcement goes to whoever got that one."""
    at = max(now, announcement.publish_at or now)
    names = every_channel(conn, announcement)
    queries = [query_for(announcement, name, catalogue) for name in names]
    first = announcement.kind is Kind.FIRST
    told: list[Told] = [
        asked(query) if first else followers(conn, announcement, query) for query in queries
    ]
    found = foresee(
        conn,
        told,
        at,
        urgent=announcement.urgency is Urgency.URGENT,
        but=crier_of(conn, announcement.authority),
    )
    tally: Counter[tuple[ChannelName, str]] = Counter()
    copies: Counter[tuple[ChannelName, str]] = Counter()
    for group in found.groups:
        verdict = _verdict(announcement.urgency, group, at)
        tally[group.channel, verdict] += group.count
        if verdict in ("leaving", "held"):
            wanted = choose(announcement.contents, group.language, catalogue.language).language
            copies[group.channel, wanted] += group.count
    return Audience(
        at,
        found.people,
        tuple(_going(name, tally, found.missed.get(name, _NOBODY)) for name in names),
        {_key(zone, catalogue): n for zone, n in found.by_zone.items()},
        dict(copies),
    )


def _verdict(urgency: Urgency, group: Alike, at: datetime) -> str:
    if group.duplicate:
        return "same_address"
    match decide(urgency, group.preference, at):
        case Send():
            return "leaving"
        case Hold():
            return "held"
        case Digest():
            return "digested"
        case Skip():
            return "paused"
        case other:  # pragma: no cover
            assert_never(other)


def _going(
    name: ChannelName, tally: Mapping[tuple[ChannelName, str], int], lost: Unreached
) -> Going:
    verdicts = ("leaving", "held", "digested", "paused", "same_address")
    return Going(name, **{each: tally.get((name, each), 0) for each in verdicts}, missed=lost)


def _key(zone: int | None, catalogue: Catalogue) -> str:
    return "" if zone is None else catalogue.zones[zone].key
