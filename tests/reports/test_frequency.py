# SPDX-License-Identifier: EUPL-1.2
"""What anybody may read is kept in memory and always true; each theme says how often it speaks."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import event

from channels.base import ChannelName, Urgency
from hub.announcement import Announcement, Event, State
from hub.ledger import announcements
from hub.ledger.store import Ledger
from hub.reports.frequency import Frequency, frequencies
from hub.reports.published import published
from subscribers.catalogue_file import import_catalogue
from templates.content import Content, Kind

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TOWN = """
[authority]
key = "{key}"
name = "{key}"
timezone = "Europe/Paris"
language = "fr"
[[themes]]
key = "eau"
names = {{ fr = "Eau", en = "Water" }}
[[themes]]
key = "coupures"
parent = "eau"
names = {{ fr = "Coupures", en = "Cuts" }}
[[themes]]
key = "ecoles"
names = {{ fr = "Écoles", en = "Schools" }}
"""
VALMONT, AUTREVILLE = 1, 2


class Press:
    """A ledger of two towns, and what they publish."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.keys = count()

    async def write(self, title, *themes, at=NOW, authority=VALMONT, publish=True, **more):
        """One announcement, published at that moment or not at all."""
        written = {
            "kind": Kind.FIRST,
            "urgency": Urgency.INFORMATION,
            "contents": {"fr": Content("fr", title, "Corps.")},
            **more,
        }

        def work(conn):
            draft = Announcement(
                id=0,
                code="",
                authority=authority,
                state=State.DRAFT,
                themes=themes,
                channels=(ChannelName.EMAIL,),
                created=at,
                **written,
            )
            key = str(next(self.keys))
            made = announcements.insert(conn, draft, source="test", source_key=key, sha256="")
            return announcements.move(conn, made, Event.PUBLISH, at) if publish else made

        return await self.ledger.transact(work)

    async def move(self, announcement, what, at=NOW):
        """Move one that was written."""
        return await self.ledger.transact(
            lambda conn: announcements.move(conn, announcement, what, at)
        )


@pytest.fixture
async def press(tmp_path):
    async with Ledger.open(tmp_path, commit_wait=0.001) as ledger:

        def found(conn):
            for key in ("valmont", "autreville"):
                assert not import_catalogue(conn, TOWN.format(key=key)).problems

        await ledger.transact(found)
        yield Press(ledger)


async def test_a_theme_counts_what_it_and_its_sub_themes_told_in_a_year(press):
    await press.write("Vieux", "eau", at=NOW - 365 * DAY)
    await press.write("Fuite", "eau", at=NOW - 300 * DAY)
    last = await press.write("Coupure", "coupures", at=NOW - DAY)
    found = await frequencies(press.ledger, VALMONT, NOW)
    assert found["eau"] == Frequency(2, "Coupure", last.code, NOW - DAY)
    assert found["coupures"] == Frequency(1, "Coupure", last.code, NOW - DAY)
    assert found["ecoles"] == Frequency(0)


async def test_an_announcement_on_a_theme_and_its_sub_theme_counts_once(press):
    await press.write("Coupure", "coupures", "eau")
    assert (await frequencies(press.ledger, VALMONT, NOW))["eau"].per_year == 1


async def test_what_is_not_published_or_of_another_town_is_not_counted(press):
    await press.write("Brouillon", "eau", publish=False)
    await press.write("Ailleurs", "eau", authority=AUTREVILLE)
    assert (await frequencies(press.ledger, VALMONT, NOW))["eau"] == Frequency(0)
    assert (await frequencies(press.ledger, AUTREVILLE, NOW))["eau"].last_title == "Ailleurs"


async def test_what_was_told_long_ago_is_still_the_last(press):
    await press.write("Vieux", "eau", at=NOW - 700 * DAY)
    found = (await frequencies(press.ledger, VALMONT, NOW))["eau"]
    assert (found.per_year, found.last_title) == (0, "Vieux")


async def test_counts_are_kept_a_minute_and_new_ones_seen_at_once(press):
    await press.write("Fuite", "eau", at=NOW - 365 * DAY + timedelta(seconds=30))
    first = await frequencies(press.ledger, VALMONT, NOW)
    assert await frequencies(press.ledger, VALMONT, NOW + timedelta(seconds=59)) is first
    later = await frequencies(press.ledger, VALMONT, NOW + timedelta(minutes=1))
    assert (first["eau"].per_year, later["eau"].per_year) == (1, 0)
    soon = NOW + timedelta(minutes=1)
    await press.write("Coupure", "eau", at=soon)
    assert (await frequencies(press.ledger, VALMONT, soon))["eau"].per_year == 1


async def test_what_is_known_is_not_read_again(press):
    await press.write("Un", "eau")
    seen = []

    @event.listens_for(press.ledger._read_engine, "before_cursor_execute")
    def note(_conn, _cursor, sql, *_rest):
        if sql != "BEGIN":
            seen.append(sql)

    first = await published(press.ledger, VALMONT)
    seen.clear()
    assert await published(press.ledger, VALMONT) is first
    assert len(seen) == 1
    await press.write("Deux", "eau")
    seen.clear()
    crowd = await asyncio.gather(*(published(press.ledger, VALMONT) for _ in range(5)))
    assert len({id(each) for each in crowd}) == 1
    assert len([sql for sql in seen if "document" in sql]) == 1
    assert [thread.first.titles["fr"] for thread in crowd[0].threads] == ["Deux", "Un"]
    assert crowd[0].threads[1].first is first.threads[0].first


async def test_the_question_of_each_visit_touches_no_row(press):
    def plan(conn):
        asked = (
            "EXPLAIN QUERY PLAN SELECT count(*), max(published),"
            " count(cancelled_at), max(cancelled_at)"
            " FROM announcement WHERE authority = 1 AND published IS NOT NULL"
            " AND source NOT IN ('digest', 'note')"
        )
        return " ".join(str(row) for row in conn.exec_driver_sql(asked))

    assert "COVERING INDEX ix_announcement_published" in await press.ledger.read(plan)


async def test_a_thread_says_what_is_true_now(press):
    first = await press.write("Crue", "eau", at=NOW - DAY, urgency=Urgency.URGENT)
    about = {"first": first.id, "urgency": Urgency.URGENT}
    update = await press.write("Crue : suite", "eau", at=NOW, kind=Kind.UPDATE, **about)
    (thread,) = (await published(press.ledger, VALMONT)).alerts(NOW)
    assert (thread.first.code, thread.current.code) == (first.code, update.code)
    await press.move(update, Event.CANCEL, NOW)
    (thread,) = (await published(press.ledger, VALMONT)).alerts(NOW)
    assert thread.current.code == first.code
    await press.write("Fin", "eau", at=NOW, kind=Kind.ALL_CLEAR, **about)
    found = await published(press.ledger, VALMONT)
    assert found.alerts(NOW) == ()
    assert found.threads[0].is_over
    assert found.of_code[update.code].first.code == first.code


async def test_a_thread_of_which_everything_was_withdrawn_says_so(press):
    only = await press.write("Crue", "eau", at=NOW - DAY, urgency=Urgency.URGENT)
    await press.move(only, Event.CANCEL, NOW)
    (thread,) = (await published(press.ledger, VALMONT)).threads
    assert thread.is_withdrawn
    assert thread.updated == NOW
    assert not thread.is_alert(NOW)


async def test_an_alert_ends_when_it_said_it_would(press):
    await press.write("Crue", "eau", urgency=Urgency.URGENT, expires=NOW + DAY)
    found = await published(press.ledger, VALMONT)
    assert len(found.alerts(NOW)) == 1
    assert found.alerts(NOW + DAY) == ()


async def test_two_withdrawn_in_one_moment_are_both_seen(press):
    made = [await press.write(f"Crue {n}", "eau", urgency=Urgency.URGENT) for n in range(2)]
    for left, each in zip((1, 0), made, strict=True):
        await press.move(each, Event.CANCEL, NOW)
        assert len((await published(press.ledger, VALMONT)).alerts(NOW)) == left
