# SPDX-License-Identifier: EUPL-1.2
"""A visit lasts while it is used, two hours at most, and its token is nowhere in the ledger."""

from datetime import timedelta

from sqlalchemy import select

from subscribers import directory, sessions
from subscribers.tables import session

MINUTE = timedelta(minutes=1)


def person(conn, town, now):
    return directory.create(conn, town.authority, language="fr", timezone="Europe/Paris", now=now)


def test_a_token_finds_its_own_visit_only(conn, town, now):
    one, other = person(conn, town, now), person(conn, town, now)
    token = sessions.open_for(conn, one, now)
    sessions.open_for(conn, other, now)
    found = sessions.find(conn, token, now)
    assert found is not None
    assert found.person == one
    assert sessions.find(conn, token[:-1], now) is None
    assert sessions.find(conn, "é" * 43, now) is None


def test_only_a_hash_of_the_token_is_kept(conn, town, now):
    token = sessions.open_for(conn, person(conn, town, now), now)
    (kept,) = conn.execute(select(session.c.token_hash)).scalars()
    assert len(token) == 43
    assert token not in kept


def test_half_an_hour_without_use_ends_it(conn, town, now):
    token = sessions.open_for(conn, person(conn, town, now), now)
    assert sessions.find(conn, token, now + 29 * MINUTE)
    assert sessions.find(conn, token, now + 30 * MINUTE) is None
    assert sessions.renew(conn, token, now + 30 * MINUTE) is None


def test_use_renews_it_up_to_two_hours(conn, town, now):
    token = sessions.open_for(conn, person(conn, town, now), now)
    for minutes in range(20, 120, 20):
        ends = sessions.renew(conn, token, now + minutes * MINUTE)
        assert ends == min(now + (minutes + 30) * MINUTE, now + 120 * MINUTE)
    assert sessions.find(conn, token, now + 119 * MINUTE)
    assert sessions.renew(conn, token, now + 120 * MINUTE) is None


def test_it_remembers_what_can_be_undone_and_closes(conn, town, now):
    token = sessions.open_for(conn, person(conn, town, now), now)
    sessions.remember(conn, token, {"rows": [[1, "sms", "now"]]})
    assert sessions.find(conn, token, now).undo == {"rows": [[1, "sms", "now"]]}
    sessions.remember(conn, token, None)
    assert sessions.find(conn, token, now).undo is None
    sessions.close(conn, token)
    assert sessions.find(conn, token, now) is None


def test_visits_that_are_over_are_forgotten(conn, town, now):
    who = person(conn, town, now)
    sessions.open_for(conn, who, now - 31 * MINUTE)
    kept = sessions.open_for(conn, who, now)
    assert sessions.forget(conn, now, 10) == 1
    assert sessions.find(conn, kept, now)
