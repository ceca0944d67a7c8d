# SPDX-License-Identifier: EUPL-1.2
"""The catalogue changed by hand: the town's account follows, and nobody is lost or doubled."""

import time
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from channels.base import ChannelName
from subscribers import crier, directory, subscriptions
from subscribers.catalogue import load_catalogue
from subscribers.catalogue_edit import (
    Kind,
    add,
    add_many,
    change,
    followers,
    ordered,
    put_away,
)
from subscribers.preferences import Cadence
from subscribers.tables import subscriber_zone, subscription


def told_on_x(conn, town):
    person = crier.crier_of(conn, town.authority)
    held = subscriptions.subscriptions_of(conn, person)
    names = load_catalogue(conn, town.authority).themes
    return {names[theme].key for theme, channel, _ in held if channel is ChannelName.X}


def somebody(conn, town, now, *asked):
    person = directory.create(conn, town.authority, language="fr", timezone="Europe/Paris", now=now)
    for theme, channel, cadence in asked:
        number = town.themes_by_key[theme].id
        subscriptions.subscribe(conn, person, [number], channel, cadence=cadence, catalogue=town)
    return person


def test_a_theme_added_or_made_a_root_is_published_by_the_towns_account_at_once(conn, town, now):
    crier.appoint(conn, town, now)
    add(conn, Kind.THEME, town, {"names": {"fr": "Sport", "en": "Sport"}, "parent": None})
    assert told_on_x(conn, town) == {"eau", "ecoles", "sport"}
    change(conn, Kind.THEME, town.themes_by_key["coupures"], {"parent": None})
    assert told_on_x(conn, town) == {"eau", "ecoles", "sport", "coupures"}


def test_a_town_without_an_account_has_none_after_a_change(conn, town):
    add(conn, Kind.THEME, town, {"names": {"fr": "Sport", "en": "Sport"}, "parent": None})
    assert crier.crier_of(conn, town.authority) is None


def test_the_account_is_nobody_and_stays_where_it_is_when_people_are_moved(conn, town, now):
    crier.appoint(conn, town, now)
    eau, ecoles = town.themes_by_key["coupures-nuit"], town.themes_by_key["ecoles"]
    somebody(conn, town, now, ("ecoles", ChannelName.SMS, Cadence.NOW))
    assert followers(conn, Kind.THEME, ecoles) == 1
    assert put_away(conn, Kind.THEME, ecoles, eau) == 1
    change(conn, Kind.THEME, ecoles, {"archived": False})  # taken back
    assert "ecoles" in told_on_x(conn, town)


def test_who_is_moved_keeps_each_channel_once_and_what_they_chose_there_already(conn, town, now):
    old, new = town.themes_by_key["ecoles"], town.themes_by_key["eau"]
    both = somebody(
        conn,
        town,
        now,
        ("ecoles", ChannelName.SMS, Cadence.NOW),
        ("ecoles", ChannelName.EMAIL, Cadence.DAILY),
        ("eau", ChannelName.EMAIL, Cadence.WEEKLY),
    )
    one = somebody(conn, town, now, ("ecoles", ChannelName.EMAIL, Cadence.DAILY))
    other = somebody(conn, town, now, ("coupures", ChannelName.SMS, Cadence.NOW))
    before = conn.execute(select(func.count()).select_from(subscription)).scalar_one()
    assert put_away(conn, Kind.THEME, old, new) == 2
    held = {who: subscriptions.subscriptions_of(conn, who) for who in (both, one, other)}
    assert held[both] == (
        (new.id, ChannelName.EMAIL, Cadence.WEEKLY),
        (new.id, ChannelName.SMS, Cadence.NOW),
    )
    assert held[one] == ((new.id, ChannelName.EMAIL, Cadence.DAILY),)
    assert held[other] == ((town.themes_by_key["coupures"].id, ChannelName.SMS, Cadence.NOW),)
    after = conn.execute(select(func.count()).select_from(subscription)).scalar_one()
    assert after == before - 1  # the pair that was the same


@pytest.mark.parametrize("has_both", [False, True])
def test_who_lives_in_an_archived_place_lives_in_the_other_once(conn, town, now, has_both):
    gare, centre = town.zones_by_key["gare"], town.zones_by_key["centre"]
    person = somebody(conn, town, now, ("eau", ChannelName.SMS, Cadence.NOW))
    for zone in (gare, centre) if has_both else (gare,):
        conn.execute(subscriber_zone.insert().values(subscriber=person, zone=zone.id))
    assert put_away(conn, Kind.ZONE, gare, centre) == 1
    rows = conn.execute(select(subscriber_zone.c.zone)).scalars().all()
    assert rows == [centre.id]


def test_a_town_of_thousands_of_streets_is_put_in_order_at_once(conn, town):
    centre = town.zones_by_key["centre"].id
    rows = [
        {"names": {"fr": f"Rue {n}", "en": f"Rue {n}"}, "parent": centre, "level": "street"}
        for n in range(5_000)
    ]
    assert len(set(add_many(conn, Kind.ZONE, town, rows))) == 5_000
    zones = load_catalogue(conn, town.authority).zones
    began = time.process_time()
    found = [(each.key, depth) for each, depth in ordered(zones)]
    assert time.process_time() - began < 0.5  # by looking at all for each it took ten seconds
    assert found[0] == ("ville", 0)
    assert found[3:5] == [("rue-0", 2), ("rue-1", 2)]
    assert len(found) == len(zones)


def test_a_name_written_otherwise_is_another_key(conn, town):
    values = {"names": {"fr": "Écoles", "en": "Schools"}, "parent": None}
    assert add(conn, Kind.THEME, town, values) == "ecoles-2"
    assert add(conn, Kind.THEME, replace(town, themes={}), {"names": {"fr": "!"}}) == "theme"
