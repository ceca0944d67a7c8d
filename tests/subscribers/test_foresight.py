# SPDX-License-Identifier: EUPL-1.2
"""What people would have done with a message is foreseen in groups that want the same."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, insert, update

from channels.base import ChannelName
from subscribers.audience import AudienceQuery
from subscribers.catalogue import Catalogue
from subscribers.foresight import Foreseen, asked, foresee
from subscribers.preferences import QuietHours
from subscribers.tables import contact_point, subscriber, subscription

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
SMS = ChannelName.SMS
EVERYBODY = AudienceQuery(1, (1,), None, SMS, digestible=True)


def _town(conn: Connection, *wishes: dict[str, object]) -> Foreseen:
    person = {"authority": 1, "language": "fr", "timezone": "Europe/Paris", "channel_order": []}
    numbers = [number * 10 for number in range(1, len(wishes) + 1)]
    conn.execute(insert(subscriber), [{"id": n, **person, "created": NOW} for n in numbers])
    point = {"channel": "sms", "verified_at": NOW, "created": NOW}
    points = [{"subscriber": n, "address": f"+33639980{n:03}", **point} for n in numbers]
    conn.execute(insert(contact_point), points)
    wanted = {"theme": 1, "channel": "sms", "cadence": "now"}
    conn.execute(insert(subscription), [{"subscriber": n, **wanted} for n in numbers])
    for number, wish in enumerate(wishes, 1):
        if wish:
            conn.execute(update(subscriber).where(subscriber.c.id == number * 10).values(**wish))
    return foresee(conn, [asked(EVERYBODY)], NOW)


def test_people_alike_in_all_that_decides_are_one_group(conn: Connection, town: Catalogue) -> None:
    quiet = {"quiet_start": 1320, "quiet_end": 480, "urgent_breaks_quiet": True}
    found = _town(conn, {}, {}, quiet, {"language": "en"})
    assert sorted(group.count for group in found.groups) == [1, 1, 2]
    [held] = [group for group in found.groups if group.preference.quiet is not None]
    assert held.preference.quiet == QuietHours(1320, 480, "Europe/Paris")
    assert held.preference.urgent_breaks_quiet
    assert {group.language for group in found.groups} == {"fr", "en"}


@pytest.mark.parametrize(
    ("until", "keeps", "urgent", "reached"),
    [
        (timedelta(days=1), True, False, 1),
        (timedelta(days=1), True, True, 2),
        (timedelta(days=1), False, True, 1),
        (timedelta(days=-1), False, False, 2),
    ],
)
def test_who_takes_a_break_is_reached_by_urgent_news_where_they_let_it(  # noqa: PLR0917
    conn: Connection,
    town: Catalogue,
    until: timedelta,
    keeps: bool,
    urgent: bool,
    reached: int,
) -> None:
    _town(conn, {}, {"paused_until": NOW + until, "pause_keeps_urgent": keeps})
    assert foresee(conn, [asked(EVERYBODY)], NOW, urgent=urgent).people == reached


def test_the_town_crier_is_no_person(conn: Connection, town: Catalogue) -> None:
    _town(conn, {}, {})
    found = foresee(conn, [asked(EVERYBODY)], NOW, but=10)
    assert (found.people, sum(group.count for group in found.groups)) == (1, 2)
