# SPDX-License-Identifier: EUPL-1.2
"""The audience in SQL against the same rules in plain Python, over random small towns."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, text

from channels.base import ChannelName
from subscribers.audience import AudienceQuery, page_end, page_statement
from subscribers.catalogue import Catalogue
from subscribers.foresight import Unreached, asked, foresee
from subscribers.preferences import Cadence
from subscribers.tables import contact_point, subscriber, subscriber_zone, subscription

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
CADENCES = ["now", "daily", "weekly"]
EVERYBODY = 2**40
Row = tuple[int, int, str, bool]


@dataclass(frozen=True)
class Point:
    channel: ChannelName
    address: int
    position: int
    verified: bool
    suspended: bool


@dataclass(frozen=True)
class Person:
    points: tuple[Point, ...]
    asked: dict[tuple[int, ChannelName], str]
    zones: frozenset[int]


channels = st.sampled_from([ChannelName.SMS, ChannelName.EMAIL, ChannelName.WEBPUSH])
points = st.builds(
    Point,
    channel=channels,
    address=st.integers(0, 4),
    position=st.integers(0, 2),
    verified=st.sampled_from([True, True, True, False]),
    suspended=st.sampled_from([False, False, False, True]),
)
people = st.builds(
    Person,
    points=st.lists(points, max_size=4, unique_by=lambda p: (p.channel, p.address)).map(tuple),
    asked=st.dictionaries(
        st.tuples(st.integers(1, 4), channels), st.sampled_from(CADENCES), max_size=6
    ),
    zones=st.frozensets(st.integers(1, 4), max_size=2),
)
queries = st.builds(
    AudienceQuery,
    authority=st.just(1),
    theme_lineage=st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True).map(
        lambda themes: tuple(sorted(themes))
    ),
    zones=st.none() | st.lists(st.integers(1, 4), max_size=3, unique=True).map(tuple),
    channel=channels,
    digestible=st.booleans(),
)


def settle_in(conn: Connection, town: list[Person]) -> None:
    """Put people numbered 10, 20, … into empty tables; contact points are numbered in order."""
    for table in (subscription, subscriber_zone, contact_point, subscriber):
        conn.execute(delete(table))
    number = 0
    for index, person in enumerate(town, 1):
        who = {"id": index * 10, "authority": 1, "language": "fr", "timezone": "Europe/Paris"}
        conn.execute(insert(subscriber).values(**who, channel_order=[], created=NOW))
        for point in person.points:
            number += 1
            conn.execute(
                insert(contact_point).values(
                    id=number,
                    subscriber=index * 10,
                    channel=point.channel.value,
                    address=f"a{point.address}",
                    position=point.position,
                    verified_at=NOW if point.verified else None,
                    suspended_at=NOW if point.suspended else None,
                    created=NOW,
                )
            )
        for (theme, channel), cadence in person.asked.items():
            row = {"theme": theme, "channel": channel.value, "cadence": cadence}
            conn.execute(insert(subscription).values(subscriber=index * 10, **row))
        for zone in person.zones:
            conn.execute(insert(subscriber_zone).values(subscriber=index * 10, zone=zone))


def expected(town: list[Person], query: AudienceQuery) -> list[Row]:
    """The same rules, said once more without SQL."""
    rows: list[Row] = []
    told: set[int] = set()
    number = 0
    for index, person in enumerate(town, 1):
        numbered = [(number + i, point) for i, point in enumerate(person.points, 1)]
        number += len(numbered)
        asked = [
            cadence
            for (theme, channel), cadence in person.asked.items()
            if channel == query.channel and theme in query.theme_lineage
        ]
        here = query.zones is None or not person.zones or person.zones & set(query.zones)
        usable = [
            (point.position, i, point.address)
            for i, point in numbered
            if point.channel == query.channel and point.verified and not point.suspended
        ]
        if not asked or not here:
            continue
        chosen = sorted(usable)
        if query.channel is not ChannelName.WEBPUSH:
            chosen = chosen[:1]
        cadence = min(asked, key=CADENCES.index) if query.digestible else "now"
        rows += [(index * 10, i, cadence, address in told) for _, i, address in chosen]
        told |= {address for _, _, address in chosen}
    return rows


def planned(conn: Connection, query: AudienceQuery, size: int) -> Iterator[list[Row]]:
    after = 0
    while (end := page_end(conn, query, after, EVERYBODY, size)) is not None:
        yield [tuple(row) for row in conn.execute(page_statement(query, after, end))]  # type: ignore[misc]
        after = end


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(people, max_size=7), queries, st.integers(1, 4))
def test_pages_hold_exactly_the_people_the_rules_name(
    conn: Connection, town: Catalogue, people: list[Person], query: AudienceQuery, size: int
) -> None:
    settle_in(conn, people)
    pages = list(planned(conn, query, size))
    assert sorted(row for page in pages for row in page) == sorted(expected(people, query))
    for page in pages:
        numbers = [row[0] for row in page]
        assert numbers == sorted(numbers)
        assert len(set(numbers)) <= size


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(people, max_size=7), st.lists(queries, min_size=1, max_size=3))
def test_a_whole_town_is_counted_as_the_rules_name_it(
    conn: Connection, town: Catalogue, people: list[Person], wanted: list[AudienceQuery]
) -> None:
    distinct = list({query.channel: query for query in wanted}.values())
    settle_in(conn, people)
    found = foresee(conn, [asked(query) for query in distinct], NOW)
    reached: set[int] = set()
    for query in distinct:
        rows = expected(people, query)
        reached |= {row[0] for row in rows}
        groups = [group for group in found.groups if group.channel is query.channel]
        for cadence in Cadence:
            for same in (False, True):
                alike = [
                    group.count
                    for group in groups
                    if (group.preference.cadence, group.duplicate) == (cadence, same)
                ]
                assert sum(alike) == sum(row[2:] == (cadence, same) for row in rows)
        lost = found.missed.get(query.channel, Unreached(0, 0, 0))
        verified = [p for p in people if any(x.verified for x in p.points)]
        assert lost.suspended <= len(verified)
        everybody = {
            index * 10
            for index, person in enumerate(people, 1)
            if any(c == query.channel and t in query.theme_lineage for t, c in person.asked)
            and (query.zones is None or not person.zones or person.zones & set(query.zones))
        }
        assert lost.suspended + lost.unverified + lost.no_contact_point == len(
            everybody - {row[0] for row in rows}
        )
    assert found.people == len(reached)
    whole_town = sum(not people[number // 10 - 1].zones for number in reached)
    assert found.by_zone.get(None, 0) == whole_town


def test_those_a_channel_cannot_reach_are_told_apart(conn: Connection, town: Catalogue) -> None:
    wishes = {(1, ChannelName.SMS): "now"}
    sms = ChannelName.SMS
    good, new = Point(sms, 1, 0, True, False), Point(sms, 2, 0, False, False)
    dead = Point(sms, 3, 0, True, True)
    mail = Point(ChannelName.EMAIL, 4, 0, True, False)
    towns = [(good,), (new,), (dead, new), (mail,), (), (good, dead)]
    settle_in(conn, [Person(points, wishes, frozenset()) for points in towns])
    query = AudienceQuery(1, (1,), None, sms, digestible=True)
    found = foresee(conn, [asked(query)], NOW)
    assert found.missed == {sms: Unreached(suspended=1, unverified=1, no_contact_point=2)}
    assert (found.people, [(g.duplicate, g.count) for g in found.groups]) == (
        2,
        [(False, 1), (True, 1)],
    )


def test_people_count_in_every_zone_they_asked_for(conn: Connection, town: Catalogue) -> None:
    wishes = {(1, ChannelName.SMS): "now"}
    homes = [frozenset[int](), frozenset({2}), frozenset({2, 3})]
    settle_in(
        conn,
        [
            Person((Point(ChannelName.SMS, i, 0, True, False),), wishes, zones)
            for i, zones in enumerate(homes)
        ],
    )
    query = AudienceQuery(1, (1,), None, ChannelName.SMS, digestible=True)
    assert foresee(conn, [asked(query)], NOW).by_zone == {None: 1, 2: 2, 3: 1}


@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize("zones", [None, (1, 2)])
def test_the_common_page_is_read_in_order_through_indexes(
    conn: Connection, town: Catalogue, zones: tuple[int, ...] | None, analysed: bool
) -> None:
    wishes = {(1, ChannelName.SMS): "now"}
    here = [
        Person((Point(ChannelName.SMS, i, 0, True, False),), wishes, frozenset({1}))
        for i in range(40)
    ]
    settle_in(conn, here)
    if analysed:
        conn.execute(text("ANALYZE"))
    query = AudienceQuery(1, (1,), zones, ChannelName.SMS, digestible=True)
    sql = page_statement(query, 0, 5000).compile(conn, compile_kwargs={"literal_binds": True})
    steps = [row[3] for row in conn.execute(text(f"EXPLAIN QUERY PLAN {sql}"))]
    assert steps[0].startswith("SEARCH subscription USING PRIMARY KEY (theme=? AND channel=? AND")
    assert not [step for step in steps if "TEMP B-TREE" in step or step.startswith("SCAN")]
    assert not [step for step in steps if "(channel=?)" in step]  # a whole channel for each person
