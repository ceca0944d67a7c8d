# SPDX-License-Identifier: EUPL-1.2
"""People and their contact points: what reaches them, what stops, and what is left of them."""

import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select, text

from channels.base import ChannelName, Reason, Recipient
from subscribers import (
    challenges,
    consent,
    directory,
    privacy,
    sessions,
    subscriptions,
    suppression,
)
from subscribers.addressees import load_addressees
from subscribers.catalogue import Catalogue
from subscribers.challenges import Asker, Purpose
from subscribers.preferences import Cadence, QuietHours
from subscribers.suppression import SuppressionReason, address_hash
from subscribers.tables import metadata

NUMBER, MAIL = "+33639981234", "claire.roche@example.org"
KEY = b"a key of this test, 32 bytes long"


@pytest.fixture
def claire(conn: Connection, town: Catalogue, now: datetime) -> int:
    person = directory.create(
        conn,
        town.authority,
        language="fr",
        timezone="Europe/Paris",
        now=now,
        channel_order=[ChannelName.SMS, ChannelName.EMAIL],
    )
    consent.record(
        conn, person, source="web", text_version="2026-01", given_at=now, now=now, recorded_by="JM"
    )
    return person


def number_of(conn: Connection, person: int, now: datetime, address: str = NUMBER) -> int:
    return directory.add_contact_point(conn, person, ChannelName.SMS, Recipient(address), now)


def ask(
    conn: Connection, town: Catalogue, person: int, theme: str, cadence: Cadence = Cadence.NOW
) -> None:
    subscriptions.subscribe(
        conn,
        person,
        [town.themes_by_key[theme].id],
        ChannelName.SMS,
        cadence=cadence,
        catalogue=town,
    )


# --------------------------------------------------------------------------- people


def test_a_person_is_read_back_as_they_were_written(
    conn: Connection, town: Catalogue, claire: int, now: datetime
) -> None:
    directory.set_preferences(
        conn,
        claire,
        quiet=(1320, 420),
        urgent_breaks_quiet=False,
        timezone="Indian/Reunion",
        language="en",
    )
    directory.set_zones(conn, claire, [3, 2, 3])
    directory.pause(conn, claire, now + timedelta(days=7), keeps_urgent=False)
    person = directory.load(conn, claire)
    assert person == directory.Subscriber(
        id=claire,
        authority=town.authority,
        language="en",
        timezone="Indian/Reunion",
        quiet=QuietHours(1320, 420, "Indian/Reunion"),
        urgent_breaks_quiet=False,
        paused_until=now + timedelta(days=7),
        pause_keeps_urgent=False,
        channel_order=(ChannelName.SMS, ChannelName.EMAIL),
        zones=(2, 3),
        created=now,
    )
    directory.set_zones(conn, claire, [])
    directory.pause(conn, claire, None, keeps_urgent=True)
    person = directory.load(conn, claire)
    assert person is not None
    assert (person.zones, person.paused_until) == ((), None)
    assert directory.load(conn, 999) is None


def test_a_number_is_never_given_to_a_second_person(
    conn: Connection, town: Catalogue, claire: int, now: datetime
) -> None:
    privacy.erase_person(conn, claire, now)
    again = directory.create(conn, 1, language="fr", timezone="UTC", now=now)
    assert again > claire


# --------------------------------------------------------------------------- contact points


def test_a_contact_point_is_found_by_its_exact_address_in_its_authority(
    conn: Connection, claire: int, now: datetime
) -> None:
    number = number_of(conn, claire, now)
    other = directory.create(conn, 1, language="fr", timezone="UTC", now=now)
    shared = number_of(conn, other, now)
    found = directory.find(conn, 1, ChannelName.SMS, NUMBER)
    assert [(point.id, point.subscriber) for point in found] == [(number, claire), (shared, other)]
    assert directory.find(conn, 2, ChannelName.SMS, NUMBER) == []
    assert directory.find(conn, 1, ChannelName.EMAIL, NUMBER) == []
    assert directory.find(conn, 1, ChannelName.SMS, NUMBER[:-1]) == []


def test_an_address_never_shows_where_a_contact_point_is_printed(
    conn: Connection, claire: int, now: datetime
) -> None:
    contact = number_of(conn, claire, now)
    assert NUMBER not in repr(directory.contact_points(conn, claire))
    assert NUMBER not in repr(load_addressees(conn, [contact], [1], ChannelName.SMS))


def test_contact_points_keep_the_order_they_came_in(
    conn: Connection, claire: int, now: datetime
) -> None:
    first, second = number_of(conn, claire, now), number_of(conn, claire, now, "+33639985678")
    listed = directory.contact_points(conn, claire)
    assert [(p.id, p.position) for p in listed] == [(first, 0), (second, 1)]
    assert directory.remove_contact_point(conn, first)
    assert not directory.remove_contact_point(conn, first)


def test_a_browser_that_renews_its_keys_stays_the_same_device(
    conn: Connection, claire: int, now: datetime
) -> None:
    endpoint = "https://push.example.org/1"
    ids = [
        directory.add_contact_point(
            conn,
            claire,
            ChannelName.WEBPUSH,
            Recipient(endpoint, {"p256dh": key, "auth": "x"}),
            now,
            label=f"Firefox {key}",
        )
        for key in ("old", "new")
    ]
    assert ids[0] == ids[1]
    [device] = directory.contact_points(conn, claire)
    assert device.keys == {"p256dh": "new", "auth": "x"}
    assert device.label == "Firefox new"


def test_a_dead_number_is_suspended_and_proof_brings_it_back(
    conn: Connection, claire: int, now: datetime
) -> None:
    contact = number_of(conn, claire, now)

    def point() -> directory.ContactPoint:
        return directory.contact_points(conn, claire)[0]

    assert point().verified_at is None
    directory.suspend(conn, contact, Reason.NO_SUCH_ADDRESS, now)
    assert (point().suspended_at, point().suspended_reason) == (now, "no_such_address")
    directory.verify(conn, contact, now)
    assert (point().verified_at, point().suspended_at, point().suspended_reason) == (
        now,
        None,
        None,
    )
    directory.suspend(conn, contact, Reason.UNREACHABLE, now)
    directory.lift_suspension(conn, contact)
    assert (point().suspended_at, point().suspended_reason) == (None, None)


# --------------------------------------------------------------------------- subscriptions


def test_subscribing_again_replaces_the_cadence(
    conn: Connection, town: Catalogue, claire: int
) -> None:
    ask(conn, town, claire, "eau")
    ask(conn, town, claire, "eau", Cadence.WEEKLY)
    water = town.themes_by_key["eau"].id
    assert subscriptions.subscriptions_of(conn, claire) == (
        (water, ChannelName.SMS, Cadence.WEEKLY),
    )


def test_subscribing_to_nothing_changes_nothing(
    conn: Connection, town: Catalogue, claire: int
) -> None:
    ask(conn, town, claire, "eau")
    before = subscriptions.subscriptions_of(conn, claire)
    subscriptions.subscribe(
        conn, claire, [], ChannelName.SMS, cadence=Cadence.DAILY, catalogue=town
    )
    assert subscriptions.subscriptions_of(conn, claire) == before


def test_nobody_subscribes_to_another_towns_theme(
    conn: Connection, town: Catalogue, claire: int
) -> None:
    with pytest.raises(KeyError):
        subscriptions.subscribe(
            conn, claire, [999], ChannelName.SMS, cadence=Cadence.NOW, catalogue=town
        )


def test_stopping_a_narrow_theme_stops_the_wider_one_it_came_through(
    conn: Connection, town: Catalogue, claire: int, now: datetime
) -> None:
    ask(conn, town, claire, "eau")
    ask(conn, town, claire, "ecoles")
    night = [town.themes_by_key["coupures-nuit"].id]
    stopped = subscriptions.unsubscribe(
        conn, claire, night, ChannelName.SMS, catalogue=town, now=now
    )
    assert [theme.name("fr") for theme in stopped] == ["Eau et coupures"]
    left = [theme for theme, _, _ in subscriptions.subscriptions_of(conn, claire)]
    assert left == [town.themes_by_key["ecoles"].id]
    proof = consent.latest(conn, claire)
    assert proof is not None
    assert proof.withdrawn_at is None
    again = subscriptions.unsubscribe(conn, claire, night, None, catalogue=town, now=now)
    assert again == ()


def test_stopping_on_one_channel_leaves_the_others(
    conn: Connection, town: Catalogue, claire: int, now: datetime
) -> None:
    ask(conn, town, claire, "eau")
    water = [town.themes_by_key["eau"].id]
    stopped = subscriptions.unsubscribe(
        conn, claire, water, ChannelName.EMAIL, catalogue=town, now=now
    )
    assert stopped == ()
    assert len(subscriptions.subscriptions_of(conn, claire)) == 1


def test_stopping_the_last_theme_ends_consent(
    conn: Connection, town: Catalogue, claire: int, now: datetime
) -> None:
    ask(conn, town, claire, "eau")
    water = [town.themes_by_key["eau"].id]
    later = now + timedelta(hours=1)
    subscriptions.unsubscribe(conn, claire, water, None, catalogue=town, now=later)
    proof = consent.latest(conn, claire)
    assert proof is not None
    assert proof.withdrawn_at == later


def test_stop_ends_everything_and_says_when(
    conn: Connection, town: Catalogue, claire: int, now: datetime
) -> None:
    ask(conn, town, claire, "eau")
    ask(conn, town, claire, "ecoles")
    subscriptions.stop_all(conn, claire, now)
    assert subscriptions.subscriptions_of(conn, claire) == ()
    proof = consent.latest(conn, claire)
    assert proof is not None
    assert proof.withdrawn_at == now
    subscriptions.stop_all(conn, claire, now + timedelta(days=1))  # twice is once
    assert consent.latest(conn, claire) == proof


def test_the_latest_consent_is_the_one_given_last_however_late_it_was_typed_in(
    conn: Connection, claire: int, now: datetime
) -> None:
    old = now - timedelta(days=30)
    consent.record(conn, claire, source="paper", text_version="1", given_at=old, now=now)
    proof = consent.latest(conn, claire)
    assert proof is not None
    assert (proof.source, proof.text_version, proof.recorded_by) == ("web", "2026-01", "JM")
    assert consent.latest(conn, 999) is None


# --------------------------------------------------------------------------- the hot path


def test_a_window_is_read_as_people_are_now(
    conn: Connection, town: Catalogue, claire: int, now: datetime
) -> None:
    first, second = number_of(conn, claire, now), number_of(conn, claire, now, "+33639985678")
    directory.verify(conn, first, now)
    directory.suspend(conn, second, Reason.UNREACHABLE, now)
    directory.set_preferences(
        conn,
        claire,
        quiet=(1320, 420),
        urgent_breaks_quiet=True,
        timezone="Europe/Paris",
        language="fr",
    )
    ask(conn, town, claire, "eau", Cadence.WEEKLY)
    ask(conn, town, claire, "coupures", Cadence.DAILY)
    lineage = town.theme_lineage([town.themes_by_key["coupures-nuit"].id])
    found = load_addressees(conn, [first, second, 999], lineage, ChannelName.SMS)
    assert found.keys() == {first, second}
    one = found[first]
    assert (one.subscriber, one.contact_point, one.language) == (claire, first, "fr")
    assert one.recipient == Recipient(NUMBER, {})
    assert one.preference.quiet == QuietHours(1320, 420, "Europe/Paris")
    assert one.preference.cadence is Cadence.DAILY  # the most immediate of the two
    assert (one.preference.verified, one.preference.suspended) == (True, False)
    other = found[second].preference
    assert (other.verified, other.suspended) == (False, True)


def test_somebody_who_left_the_theme_comes_back_unsubscribed(
    conn: Connection, town: Catalogue, claire: int, now: datetime
) -> None:
    contact = number_of(conn, claire, now)
    ask(conn, town, claire, "ecoles")
    lineage = town.theme_lineage([town.themes_by_key["eau"].id])
    [found] = load_addressees(conn, [contact], lineage, ChannelName.SMS).values()
    assert not found.preference.subscribed
    assert load_addressees(conn, [], lineage, ChannelName.SMS) == {}


# --------------------------------------------------------------------------- suppression


def test_a_suppressed_address_is_remembered_by_a_keyed_hash_alone(
    conn: Connection, now: datetime
) -> None:
    hashed = address_hash(KEY, ChannelName.SMS, NUMBER)
    suppression.suppress(conn, ChannelName.SMS, hashed, SuppressionReason.COMPLAINT, now=now)
    assert suppression.is_suppressed(conn, ChannelName.SMS, hashed, now)
    assert not suppression.is_suppressed(conn, ChannelName.EMAIL, hashed, now)
    assert address_hash(b"another key", ChannelName.SMS, NUMBER) != hashed
    assert address_hash(KEY, ChannelName.EMAIL, NUMBER) != hashed
    assert NUMBER not in everything(conn)
    assert suppression.lift(conn, ChannelName.SMS, hashed)
    assert not suppression.lift(conn, ChannelName.SMS, hashed)
    assert not suppression.is_suppressed(conn, ChannelName.SMS, hashed, now)


def test_a_suppression_for_a_while_ends_by_itself(conn: Connection, now: datetime) -> None:
    hashed = address_hash(KEY, ChannelName.SMS, NUMBER)
    dead, until = SuppressionReason.DEAD_ADDRESS, now + timedelta(days=30)
    suppression.suppress(conn, ChannelName.SMS, hashed, dead, now=now, until=until)
    assert suppression.is_suppressed(conn, ChannelName.SMS, hashed, until - timedelta(seconds=1))
    assert not suppression.is_suppressed(conn, ChannelName.SMS, hashed, until)


def test_do_not_contact_outlives_whatever_is_learnt_later(conn: Connection, now: datetime) -> None:
    hashed = address_hash(KEY, ChannelName.SMS, NUMBER)
    for reason in (SuppressionReason.DEAD_ADDRESS, SuppressionReason.DO_NOT_CONTACT):
        suppression.suppress(conn, ChannelName.SMS, hashed, reason, now=now)
    soon = now + timedelta(days=1)
    dead = SuppressionReason.DEAD_ADDRESS
    suppression.suppress(conn, ChannelName.SMS, hashed, dead, now=now, until=soon)
    assert suppression.is_suppressed(conn, ChannelName.SMS, hashed, now + timedelta(days=999))


# --------------------------------------------------------------------------- rights


def everything(conn: Connection) -> str:
    rows = [
        row
        for table in metadata.sorted_tables
        for row in conn.execute(text(f"SELECT * FROM {table.name}"))
    ]
    return repr(rows)


@pytest.fixture
def known(conn: Connection, town: Catalogue, claire: int, now: datetime) -> int:
    directory.verify(conn, number_of(conn, claire, now), now)
    directory.add_contact_point(conn, claire, ChannelName.EMAIL, Recipient(MAIL), now)
    directory.set_zones(conn, claire, [town.zones_by_key["gare"].id])
    ask(conn, town, claire, "eau")
    return claire


def test_an_export_holds_every_stored_field_and_is_json(
    conn: Connection, known: int, now: datetime
) -> None:
    sessions.open_for(conn, known, now)
    asker = Asker("contact", "origin")
    proof = challenges.write(
        *(conn, 1, Purpose.SIGN_IN, ChannelName.SMS, asker, now), subscriber=known, sent=True
    )
    assert proof.subscriber == known
    export = privacy.export_person(conn, known)
    assert export is not None
    told = json.loads(json.dumps(export))
    assert {point["address"] for point in told["contact_point"]} == {NUMBER, MAIL}
    assert told["subscription"][0]["theme"] == "eau"
    assert told["subscriber_zone"][0]["zone"] == "gare"
    assert told["consent"][0]["given_at"] == now.isoformat()
    for table in metadata.sorted_tables:
        if "subscriber" in table.c and table.name != "subscriber":
            assert set(told[table.name][0]) == set(table.c.keys())
    assert set(told["subscriber"]) == set(metadata.tables["subscriber"].c.keys())
    assert privacy.export_person(conn, 999) is None


def test_erasing_leaves_nothing_of_the_person_in_any_table(
    conn: Connection, known: int, town: Catalogue, now: datetime
) -> None:
    neighbour = directory.create(conn, 1, language="fr", timezone="UTC", now=now)
    number_of(conn, neighbour, now, "+33639985678")
    before = everything(conn)
    assert NUMBER in before
    assert MAIL in before
    assert privacy.erase_person(conn, known, now)
    after = everything(conn)
    assert NUMBER not in after
    assert MAIL not in after
    assert "+33639985678" in after
    for table in metadata.sorted_tables:
        if "subscriber" in table.c:
            left = select(table).where(table.c.subscriber == known)
            assert conn.execute(left).all() == []
    assert privacy.export_person(conn, known) is None
    assert not privacy.erase_person(conn, known, now)


def test_an_erased_person_may_ask_never_to_be_contacted_again(
    conn: Connection, known: int, now: datetime
) -> None:
    privacy.erase_person(conn, known, now, do_not_contact=KEY)
    for channel, address in ((ChannelName.SMS, NUMBER), (ChannelName.EMAIL, MAIL)):
        assert address not in everything(conn)
        hashed = address_hash(KEY, channel, address)
        assert suppression.is_suppressed(conn, channel, hashed, now + timedelta(days=9999))
