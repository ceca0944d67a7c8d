# SPDX-License-Identifier: EUPL-1.2
"""A small town is counted anew for each page; a large one is counted once a minute, and dated."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from channels.base import ChannelName
from hub.ledger.store import Ledger
from hub.reports.headcount import headcount
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.catalogue_file import import_catalogue
from subscribers.figures import people
from subscribers.tables import subscriber, subscription

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
TOWN = """
[authority]
key = "valmont"
name = "Valmont-sur-Orne"
timezone = "Europe/Paris"
language = "fr"
[[themes]]
key = "eau"
names = { fr = "Eau", en = "Water" }
[[themes]]
key = "crue"
names = { fr = "Crue", en = "Flood" }
"""
SECONDS = timedelta(seconds=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    found = Ledger.open(tmp_path)
    yield found
    found.close()


def settle(conn: Connection) -> Catalogue:
    """The town and its first two people."""
    import_catalogue(conn, TOWN)
    join(conn, ("eau", "sms"), ("eau", "email"))
    join(conn, ("eau", "sms"), ("crue", "sms"))
    return load_catalogue(conn, 1)


def join(conn: Connection, *asked: tuple[str, str]) -> None:
    """Somebody else who asks for these themes, each on a channel."""
    person = {"authority": 1, "language": "fr", "timezone": "Europe/Paris", "channel_order": []}
    who = conn.execute(insert(subscriber).values(**person, created=NOW)).inserted_primary_key
    assert who is not None
    keys = load_catalogue(conn, 1).themes_by_key
    wishes = {"subscriber": who[0], "cadence": "now"}
    rows = [wishes | {"theme": keys[theme].id, "channel": channel} for theme, channel in asked]
    conn.execute(insert(subscription), rows)


async def test_each_person_counts_once_in_all_once_a_theme_and_once_a_channel(
    ledger: Ledger,
) -> None:
    town = await ledger.transact(settle)
    found = await ledger.read(lambda conn: people(conn, town))
    water, flood = (town.themes_by_key[key].id for key in ("eau", "crue"))
    assert (found.total, found.themes) == (2, {water: 2, flood: 1})
    assert found.channels == {ChannelName.SMS: 2, ChannelName.EMAIL: 1}
    assert found.by_channel[water, ChannelName.SMS] == 2
    assert found.by_channel[water, ChannelName.EMAIL] == 1


async def test_a_small_town_is_counted_for_each_page(ledger: Ledger) -> None:
    town = await ledger.transact(settle)
    before = await headcount(ledger, town, None, (7,), NOW)
    await ledger.transact(lambda conn: join(conn, ("eau", "sms")))
    after = await headcount(ledger, town, None, (7,), NOW + SECONDS)
    assert (before.people.total, after.people.total) == (2, 3)
    assert not before.is_kept


@pytest.mark.parametrize(("later", "people"), [(59, 2), (60, 3), (-1, 3)])
async def test_a_large_town_is_counted_once_a_minute_and_says_when(
    ledger: Ledger, later: int, people: int
) -> None:
    town = await ledger.transact(settle)
    before = await headcount(ledger, town, None, (7,), NOW, large=2)
    await ledger.transact(lambda conn: join(conn, ("eau", "sms")))
    moment = NOW + later * SECONDS
    after = await headcount(ledger, town, None, (7,), moment, large=2)
    assert before.is_kept
    assert after.people.total == people
    assert after.at == (NOW if people == 2 else moment)
