# SPDX-License-Identifier: EUPL-1.2
"""A draft lasts half an hour after the last answer; its token is nowhere in the tables."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from channels.base import ChannelName, Recipient
from subscribers import directory, drafts, retention
from subscribers.tables import draft

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
LATER = NOW + timedelta(minutes=29)


def test_answers_are_found_again_for_half_an_hour_after_the_last(conn, town):
    place = town.authority
    token = drafts.keep(conn, place, None, {"a": 1}, NOW)
    assert drafts.keep(conn, place, token, {"a": 2}, LATER) == token
    assert drafts.find(conn, place, token, LATER + timedelta(minutes=29)) == {"a": 2}
    assert drafts.find(conn, place, token, LATER + timedelta(minutes=30)) is None


def test_a_draft_that_is_over_begins_anew_under_another_token(conn, town):
    place = town.authority
    token = drafts.keep(conn, place, None, {"a": 1}, NOW)
    assert drafts.keep(conn, place, token, {"a": 2}, NOW + timedelta(hours=1)) != token
    assert drafts.keep(conn, place, "made up", {}, NOW) != "made up"


def test_only_the_hash_of_the_token_is_kept(conn, town):
    token = drafts.keep(conn, town.authority, None, {}, NOW)
    assert token not in str(conn.execute(select(draft)).all())


def test_another_town_finds_nothing(conn, town):
    token = drafts.keep(conn, town.authority, None, {drafts.PERSON: 7}, NOW)
    assert drafts.person_of(conn, town.authority, token, NOW) == 7
    assert drafts.find(conn, town.authority + 1, token, NOW) is None
    assert drafts.person_of(conn, town.authority + 1, token, NOW) is None


def test_what_is_over_is_erased_and_the_rest_is_not(conn, town):
    place = town.authority
    old, new = (drafts.keep(conn, place, None, {}, at) for at in (NOW, LATER))
    assert drafts.forget(conn, NOW + timedelta(minutes=40), 10) == 1
    assert drafts.find(conn, place, old, NOW) is None
    assert drafts.find(conn, place, new, LATER) == {}
    drafts.close(conn, place, new)
    assert drafts.find(conn, place, new, LATER) is None


def test_who_never_gave_an_address_is_forgotten_and_who_did_is_not(conn, town):
    def newcomer(days, address=""):
        at = NOW - timedelta(days=days)
        person = directory.create(
            conn, town.authority, language="fr", timezone="Europe/Paris", now=at
        )
        if address:
            directory.add_contact_point(conn, person, ChannelName.EMAIL, Recipient(address), at)
        return person

    idle, told, fresh, long_ago = (
        newcomer(8),
        newcomer(8, "z@example.org"),
        newcomer(6),
        newcomer(90),
    )
    assert retention.abandoned(conn, NOW - timedelta(days=7), 10) == 1
    left = [each for each in (idle, told, fresh, long_ago) if directory.load(conn, each)]
    assert left == [told, fresh, long_ago]
