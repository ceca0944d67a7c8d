# SPDX-License-Identifier: EUPL-1.2
"""What a town tells on which day: what went out, what is to, what comes again; and where two
announcements meet (UX.md 3.2 calendar). Decision 0037."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import combinations
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from channels.base import Urgency
from hub.announcement import State
from hub.flow.accept.recurrence import Repeat, local_day
from hub.flow.staff.scope import Scope
from hub.ledger import recurrences
from hub.ledger.announcements import UNSEEN
from hub.ledger.recurrences import Recurrence
from hub.ledger.tables import announcement
from subscribers.catalogue import Catalogue, Zone
from subscribers.geometry import PolygonProblem

MOST: Final = 2_000
"""Entries of a page: an hourly rule fills no more."""


class Standing(StrEnum):
    """How sure it is that it goes out."""

    TO_APPROVE = "to_approve"
    PLANNED = "planned"
    AGAIN = "again"  # a later time of what comes again
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Entry:
    """One announcement on one day. `zones` and `themes` are keys; no zone and no `polygon` is the
    whole town. `own`: the reader's to see; of others only that they are there may be told."""

    code: str
    at: datetime
    day: date
    titles: Mapping[str, str]
    urgency: Urgency
    standing: Standing
    author: str
    themes: tuple[str, ...]
    zones: tuple[str, ...]
    polygon: Mapping[str, Any] | None
    own: bool = True


@dataclass(frozen=True, slots=True)
class Collision:
    """Announcements of one day that meet: in `places`, none being the whole town."""

    day: date
    entries: tuple[Entry, ...]
    places: tuple[Zone, ...]


def agenda(
    conn: Connection, scope: Scope, start: datetime, end: datetime, now: datetime
) -> Sequence[Entry]:
    """Everything of the town in [start, end), in order. What an officer may not see is among it
    with `own` false, to be met and not to be shown."""
    found = [
        *_announcements(conn, scope, start, end),
        *_again(conn, scope, max(start, now), end),
    ]
    return sorted(found, key=lambda each: (each.at, each.code))[:MOST]


_AHEAD: Final = (State.TO_APPROVE, State.SCHEDULED)


def _announcements(
    conn: Connection, scope: Scope, start: datetime, end: datetime
) -> Iterable[Entry]:
    table = announcement
    when = func.coalesce(table.c.published, table.c.publish_at)
    rows = conn.execute(
        select(table)
        .where(
            table.c.authority == scope.catalogue.authority,
            table.c.source.not_in(UNSEEN),
            when >= start,
            when < end,
            table.c.published.is_not(None) | table.c.state.in_(_AHEAD),
            table.c.cancelled_at.is_(None),
        )
        .order_by(table.c.id)
        .limit(MOST)
    ).all()
    for row in rows:
        said = row.document
        at = row.published or row.publish_at
        yield Entry(
            row.code,
            at,
            local_day(at, scope.catalogue.timezone),
            {name: words["title"] for name, words in said["contents"].items()},
            Urgency(row.urgency),
            _standing(row.published, State(row.state)),
            row.author,
            tuple(said["themes"]),
            tuple(said["zones"]),
            said["polygon"],
            scope.sees(said["themes"]),
        )


def _standing(published: datetime | None, state: State) -> Standing:
    if published is not None:
        return Standing.OUT
    return Standing.TO_APPROVE if state is State.TO_APPROVE else Standing.PLANNED


def _again(conn: Connection, scope: Scope, start: datetime, end: datetime) -> Iterable[Entry]:
    """The times to come; the first of each stands in the ledger as an announcement already. Of what
    is being written again there are none."""
    town, table = scope.catalogue.authority, announcement
    drafts = select(table.c.code).where(table.c.authority == town, table.c.state == State.DRAFT)
    written = set(conn.execute(drafts).scalars())
    for each in recurrences.of_authority(conn, town):
        if each.next is not None and each.next < end and each.code not in written:
            yield from _times(each, scope, max(start, each.next), end)


def _times(each: Recurrence, scope: Scope, start: datetime, end: datetime) -> Iterable[Entry]:
    said, timezone = each.document, scope.catalogue.timezone
    titles = {said["language"]: said["title"]}
    titles |= {name: words["title"] for name, words in said["translations"].items()}
    began = local_day(each.created, timezone)
    for day, moment in Repeat.model_validate(each.rule).moments(began, timezone):
        if moment >= end:
            return
        if moment >= start:
            yield Entry(
                each.code,
                moment,
                day,
                titles,
                Urgency(said["urgency"]),
                Standing.AGAIN,
                each.author,
                tuple(said["themes"]),
                tuple(said["zones"]),
                said["polygon"],
                scope.sees(said["themes"]),
            )


# --------------------------------------------------------------------------- where they meet


def collisions(entries: Iterable[Entry], catalogue: Catalogue) -> Sequence[Collision]:
    """Days on which people of one place are told twice, by officers who may not know of each other.

    Two announcements meet in a place both name, or that lies in the other's; where one concerns the
    whole town, only under one theme. Drills, and what nobody may be shown, meet nothing.
    """
    by_day: dict[date, list[Entry]] = defaultdict(list)
    for each in entries:
        if each.urgency is not Urgency.DRILL:
            by_day[each.day].append(each)
    found = []
    for day, told in sorted(by_day.items()):
        met: dict[tuple[int, ...], dict[int, Entry]] = {}
        for (i, one), (j, other) in combinations(enumerate(told), 2):
            if one.code == other.code or not (one.own or other.own):
                continue
            if one.standing is other.standing is Standing.OUT:
                continue  # nobody can move either any more
            places = _meeting(one, other, catalogue)
            if places is not None:
                met.setdefault(places, {}).update({i: one, j: other})
        for places, several in met.items():
            zones = tuple(catalogue.zones[number] for number in places)
            found.append(Collision(day, tuple(several[i] for i in sorted(several)), zones))
    return found


def _meeting(one: Entry, other: Entry, catalogue: Catalogue) -> tuple[int, ...] | None:
    """Where both are told: the smaller places; () for the whole town; None where nowhere."""
    here, there = _places(one, catalogue), _places(other, catalogue)
    if here is None or there is None:
        same = not _wider(one, catalogue).isdisjoint(_wider(other, catalogue))
        return (here or there or ()) if same else None
    in_there, in_here = set(catalogue.zone_reach(there)), set(catalogue.zone_reach(here))
    both = {each for each in here if each in in_there} | {each for each in there if each in in_here}
    above = {each for zone in both for each in _above(zone, catalogue)}
    smallest = tuple(sorted(both - above))
    return smallest or None


def _places(entry: Entry, catalogue: Catalogue) -> tuple[int, ...] | None:
    """The zones it is about by number; None for the whole town."""
    named = {catalogue.zones_by_key[key].id for key in entry.zones if key in catalogue.zones_by_key}
    if entry.polygon is not None:
        touched = catalogue.zones_touching(entry.polygon)
        assert not isinstance(touched, PolygonProblem)  # checked at intake
        named.update(touched)
    if not named or any(catalogue.zones[each].level == "town" for each in named):
        return None
    return tuple(sorted(named))


def _wider(entry: Entry, catalogue: Catalogue) -> set[int]:
    """Its themes and those above them."""
    known = catalogue.themes_by_key
    return set(catalogue.theme_lineage(known[key].id for key in entry.themes if key in known))


def _above(zone: int, catalogue: Catalogue) -> Iterable[int]:
    parent = catalogue.zones[zone].parent
    while parent is not None:
        yield parent
        parent = catalogue.zones[parent].parent


def day_bounds(first: date, last: date, timezone: str) -> tuple[datetime, datetime]:
    """The moments at which the days [first, last) of a town begin and end."""
    zone = ZoneInfo(timezone)
    begins, ends = (datetime(d.year, d.month, d.day, tzinfo=zone) for d in (first, last))
    return begins, ends
