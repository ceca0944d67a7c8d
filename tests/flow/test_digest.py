# SPDX-License-Identifier: EUPL-1.2
"""Daily and weekly digests: one message a person and channel, never empty, in order, and every
announcement in it ends as the message does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select, update

from channels.base import Accepted, ChannelDown, ChannelName, Reason, Rejected, Retry
from hub.flow.accept.principal import Principal
from hub.flow.citizens.stopping import Stopping, look
from hub.flow.planning.digest import DigestTimes
from hub.flow.redrive import Choice, redrive
from hub.ledger import announcements
from hub.ledger.tables import announcement, delivery, digest_item, run
from hub.ledger.tables import delivery as deliveries_table
from subscribers import tables
from subscribers.catalogue import load_catalogue
from subscribers.privacy import erase_person
from subscribers.tokens import StopToken
from templates.gsm import parts
from templates.pages.pages import StopChoice

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL

START = datetime(2026, 11, 23, tzinfo=UTC)
NEXT_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
CLERK = Principal("cli", "clerk", 1, may_publish=True)
HOUR = 3600
SEVEN = 8 * HOUR  # the rig's day starts at 11 h in Valmont: that leads past the digest of 18 h


@pytest.fixture
async def hub(make_hub):
    """A hub whose SMS road keeps what it wrote."""
    hub = await make_hub(SMS)
    road = hub[SMS]
    road.letters = []
    send = road.send

    async def keep(prepared, to, slip):
        outcome = await send(prepared, to, slip)
        road.letters.append((road.sent[-1], prepared))
        return outcome

    road.send = keep
    return hub


def bodies(hub):
    return {sent.to: prepared.rendered.text.body for sent, prepared in hub[SMS].letters}


async def items(hub):
    """State and reason of what was announced, the digest's own rows left out."""
    digests = select(run.c.id).where(run.c.kind == "digest")
    return [(row.state, row.reason) for row in await hub.rows(delivery.c.run.not_in(digests))]


async def messages(hub):
    digests = select(run.c.id).where(run.c.kind == "digest")
    return [(row.state, row.reason) for row in await hub.rows(delivery.c.run.in_(digests))]


async def waits(hub, count):
    """Until so many items wait for their digest."""

    async def so():
        return [state for state, _ in await items(hub)].count("digest") == count

    await hub.until(so)


async def told(hub, of):
    """The digest's hour comes, and everything announced ends."""
    hub.clock.leap(SEVEN)
    await hub.ends(of)


async def test_three_announcements_are_one_message_in_the_order_they_were_published(hub):
    await hub.people([1], SMS, cadence="daily")
    for title in ("Marché déplacé", "Rue barrée", "Fête du lac"):
        last = await hub.publish(title=title)
    await waits(hub, 3)
    assert not hub[SMS].sent
    await told(hub, last)
    (body,) = bodies(hub).values()
    assert body.startswith("Valmont :\nMarché déplacé https://alerte.example.org/a/")
    assert [line.rsplit(" ", 1)[0] for line in body.split("\n")[1:]] == [
        "Marché déplacé",
        "Rue barrée",
        "Fête du lac",
    ]
    assert await items(hub) == [("accepted", "")] * 3
    assert await messages(hub) == [("accepted", "")]


async def test_a_drill_comes_after_what_is_real(hub):
    await hub.people([1], SMS, cadence="daily")
    await hub.publish(title="Essai de sirène", urgency="drill")
    last = await hub.publish(title="Rue barrée")
    await waits(hub, 2)
    await told(hub, last)
    (body,) = bodies(hub).values()
    lines = body.split("\n")
    assert lines[1].startswith("Rue barrée")
    assert lines[2].startswith("EXERCICE : Essai de sirène EXERCICE")


async def test_whoever_has_nothing_waiting_gets_nothing(hub):
    await hub.people([1], SMS, cadence="daily")
    await hub.people([2], SMS, cadence="daily", theme=11)
    last = await hub.publish()
    await waits(hub, 1)
    await told(hub, last)
    hub.clock.leap(24 * HOUR)
    await hub.idle()
    assert hub[SMS].numbers == ["+33639980001"]


async def test_a_second_round_of_the_same_day_sends_nothing_more(hub):
    await hub.people([1], SMS, cadence="daily")
    last = await hub.publish()
    await waits(hub, 1)
    await told(hub, last)
    late = await hub.publish(title="Après l'heure")
    await waits(hub, 1)
    await hub.idle()
    assert len(hub[SMS].sent) == 1
    hub.clock.leap(24 * HOUR)
    await hub.ends(late)
    assert len(hub[SMS].sent) == 2


async def test_a_clock_set_back_an_hour_after_the_digest_sends_none_twice(hub):
    await hub.people([1], SMS, cadence="daily")
    last = await hub.publish()
    await waits(hub, 1)
    hub.clock.leap(7 * HOUR + 60)
    await hub.ends(last)
    hub.clock.wrong = timedelta(hours=-1)
    late = await hub.publish(title="Pendant l'heure qui revient")
    await waits(hub, 1)
    hub.clock.leap(2 * HOUR)
    await hub.idle()
    assert len(hub[SMS].sent) == 1
    hub.clock.wrong = timedelta(0)
    hub.clock.leap(24 * HOUR)
    await hub.ends(late)
    assert len(hub[SMS].sent) == 2


async def test_weekly_waits_for_its_day_and_meets_daily_in_one_message(hub):
    """Monday: the daily theme alone. Friday: both, and a person with both gets one message."""
    await hub.people([1], SMS, cadence="weekly")

    def also_daily(conn):
        conn.execute(
            tables.subscription.insert().values(
                subscriber=1, theme=11, channel=SMS, cadence="daily"
            )
        )

    await hub.write(also_daily)
    weekly = await hub.publish(title="Chaque semaine")
    daily = await hub.publish(title="Chaque jour", themes=["cantine"])
    await waits(hub, 2)
    hub.clock.leap(SEVEN)
    await hub.ends(daily)
    assert "Chaque semaine" not in bodies(hub)["+33639980001"]
    hub.clock.leap(3 * 24 * HOUR)
    friday = await hub.publish(title="Vendredi", themes=["cantine"])
    await waits(hub, 2)
    hub.clock.leap(24 * HOUR)
    await hub.ends(weekly)
    await hub.ends(friday)
    assert len(hub[SMS].sent) == 2
    body = bodies(hub)["+33639980001"]
    assert "Chaque semaine" in body
    assert "Vendredi" in body


async def test_what_was_cancelled_or_is_over_is_left_out(hub, clerk):
    await hub.people([1], SMS, cadence="daily")
    soon = (hub.clock.now() + timedelta(hours=2)).isoformat()
    await hub.publish(title="Trop tard", expires=soon)
    gone = await hub.publish(title="Annulée")
    last = await hub.publish(title="Reste")
    await waits(hub, 3)
    await hub.intake.cancel(gone.code, clerk)
    await told(hub, last)
    body = bodies(hub)["+33639980001"]
    assert "Reste" in body
    assert "Trop tard" not in body
    assert "Annulée" not in body
    assert await items(hub) == [
        ("expired", "expired"),
        ("cancelled", "cancelled"),
        ("accepted", ""),
    ]


async def test_a_correction_takes_the_place_of_what_it_corrects(hub):
    await hub.people([1], SMS, cadence="daily")
    first = await hub.publish(title="Jeudi")
    await waits(hub, 1)
    last = await hub.publish(title="Vendredi", kind="correction", about=first.code)
    await waits(hub, 2)
    await told(hub, last)
    body = bodies(hub)["+33639980001"]
    assert "RECTIFICATIF : Vendredi" in body
    assert "Jeudi" not in body
    assert await items(hub) == [("skipped", "replaced"), ("accepted", "")]


async def test_a_paused_announcement_waits_for_the_next_digest(hub, clerk):
    await hub.people([1], SMS, cadence="daily")
    held = await hub.publish(title="Retenue")
    last = await hub.publish(title="Libre")
    await waits(hub, 2)
    await hub.intake.pause(held.code, clerk)
    await told(hub, last)
    assert "Retenue" not in bodies(hub)["+33639980001"]
    await hub.intake.resume(held.code, clerk)
    hub.clock.leap(24 * HOUR)
    await hub.ends(held)
    assert "Retenue" in bodies(hub)["+33639980001"]


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        (delete(tables.subscription).where(tables.subscription.c.theme == 10), "unsubscribed"),
        (update(tables.contact_point).values(suspended_at=START), "suspended"),
        (update(tables.subscriber).values(paused_until=NEXT_YEAR), "paused_by_person"),
        (delete(tables.contact_point), "erased"),
    ],
)
async def test_who_wants_none_of_it_any_more_is_left_alone(hub, change, ends):
    await hub.people([1], SMS, cadence="daily")
    last = await hub.publish()
    await waits(hub, 1)
    await hub.write(lambda conn: conn.execute(change))
    await told(hub, last)
    assert not hub[SMS].sent
    assert await items(hub) == [("skipped", ends)]
    assert not await messages(hub)


async def test_whoever_came_last_and_was_erased_keeps_no_announcement_open(hub):
    await hub.people([1, 2], SMS, cadence="daily")
    last = await hub.publish()
    await waits(hub, 2)
    await hub.write(lambda conn: erase_person(conn, 2, START))
    await told(hub, last)
    assert sorted(await items(hub)) == [("accepted", ""), ("skipped", "erased")]


@pytest.mark.parametrize("cadence", ["now", "daily"])
async def test_who_wants_it_sooner_gets_it_with_the_next_digest(hub, cadence):
    await hub.people([1], SMS, cadence="weekly")
    last = await hub.publish()
    await waits(hub, 1)
    change = update(tables.subscription).values(cadence=cadence)
    await hub.write(lambda conn: conn.execute(change))
    await told(hub, last)
    assert len(hub[SMS].sent) == 1


async def test_who_chooses_a_digest_before_it_left_gets_it_there(hub):
    """Planned for now, held by the night, and by the morning the person wants digests."""
    hub.clock.leap(11 * HOUR)
    await hub.people([1], SMS, quiet_start=22 * 60, quiet_end=7 * 60)
    last = await hub.publish()
    await hub.becomes(ready=1)
    change = update(tables.subscription).values(cadence="weekly")
    await hub.write(lambda conn: conn.execute(change))
    hub.clock.leap(10 * HOUR)
    await waits(hub, 1)
    hub.clock.leap(24 * HOUR)
    await hub.idle()
    assert not hub[SMS].sent  # a day's digest has passed: this is a week's
    hub.clock.leap(4 * 24 * HOUR)
    await hub.ends(last)
    assert len(hub[SMS].sent) == 1


async def test_a_stop_while_the_digest_waits_for_the_night_to_end_takes_its_theme_out(hub):
    await hub.people([1], SMS, cadence="daily", quiet_start=17 * 60, quiet_end=20 * 60)
    also = tables.subscription.insert().values(subscriber=1, theme=11, channel=SMS, cadence="daily")
    await hub.write(lambda conn: conn.execute(also))
    water = await hub.publish(title="Eau")
    canteen = await hub.publish(title="Cantine", themes=["cantine"])
    await waits(hub, 2)
    hub.clock.leap(7.5 * HOUR)

    async def held():
        return await messages(hub) == [("ready", "quiet_hours")]

    await hub.until(held)
    stop = delete(tables.subscription).where(tables.subscription.c.theme == 10)
    await hub.write(lambda conn: conn.execute(stop))
    hub.clock.leap(3 * HOUR)
    await hub.ends(canteen)
    await hub.ends(water)
    body = bodies(hub)["+33639980001"]
    assert "Cantine" in body
    assert "Eau" not in body
    assert await items(hub) == [("skipped", "unsubscribed"), ("accepted", "")]


async def test_a_digest_all_of_which_is_over_by_the_morning_never_leaves(hub):
    await hub.people([1], SMS, cadence="daily", quiet_start=17 * 60, quiet_end=20 * 60)
    until = (hub.clock.now() + timedelta(hours=8)).isoformat()
    last = await hub.publish(expires=until)
    await waits(hub, 1)
    hub.clock.leap(7.5 * HOUR)

    async def held():
        return await messages(hub) == [("ready", "quiet_hours")]

    await hub.until(held)
    hub.clock.leap(3 * HOUR)
    await hub.ends(last)
    await hub.idle()
    assert not hub[SMS].sent
    assert await items(hub) == [("expired", "expired")]
    assert [state for state, _ in await messages(hub)] == ["expired"]


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (Rejected(Reason.NO_SUCH_ADDRESS), "failed", "no_such_address"),
        (Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True), "digest", "digest"),
    ],
)
async def test_what_a_digest_carries_ends_as_the_digest_does(hub, answer, state, reason):
    await hub.people([1], SMS, cadence="daily")
    hub[SMS].answer = lambda sent: answer
    await hub.publish(title="Un")
    await hub.publish(title="Deux")
    await waits(hub, 2)
    hub.clock.leap(SEVEN)
    await hub.until(lambda: hub[SMS].sent)
    await hub.idle(5)
    assert await items(hub) == [(state, reason)] * 2


async def test_a_closed_road_keeps_the_digest_and_all_it_carries(hub):
    await hub.people([1], SMS, cadence="daily")
    hub[SMS].answer = lambda sent: ChannelDown(Reason.PROVIDER_ERROR)
    last = await hub.publish()
    await waits(hub, 1)
    hub.clock.leap(SEVEN)
    await hub.until(lambda: hub[SMS].sent)
    await hub.idle(5)
    assert await items(hub) == [("digest", "digest")]
    hub[SMS].answer = lambda sent: Accepted("taken")
    hub.clock.leap(HOUR)
    await hub.ends(last)
    assert await items(hub) == [("accepted", "")]


async def test_a_daemon_that_slept_through_the_hour_makes_up_for_it_once(hub):
    await hub.people([1], SMS, cadence="daily")
    last = await hub.publish()
    await waits(hub, 1)
    await hub.stop()
    hub.clock.leap(3 * 24 * HOUR)
    await hub.start()
    await hub.ends(last)
    assert len(hub[SMS].sent) == 1


async def test_a_crash_in_the_middle_of_gathering_gathers_nobody_twice(hub, monkeypatch):
    monkeypatch.setattr("hub.flow.planning.digest.PEOPLE", 2)
    await hub.people(range(1, 10), SMS, cadence="daily")
    hub[SMS].before_gate = lambda: None
    last = await hub.publish()
    await waits(hub, 9)
    hub.clock.leap(SEVEN)
    await hub.engine.round()
    await hub.until(lambda: hub[SMS].sent, upkeep=False)
    await hub.crash()
    linked = await hub.ledger.read(lambda conn: conn.execute(select(digest_item)).all())
    assert len({each.item for each in linked}) == len(linked)
    await hub.start()
    states = {"accepted", "parked", "digest"}

    async def over():
        return not {state for state, _ in await messages(hub)} - {"accepted", "parked", "doubt"}

    await hub.until(over)
    assert {state for state, _ in await items(hub)} <= states
    assert len(await messages(hub)) == 9
    assert len(set(hub[SMS].numbers)) == len(hub[SMS].numbers)
    assert last.code


async def test_nobody_is_shown_a_digest_as_an_announcement(hub, clerk):
    await hub.people([1], SMS, cadence="daily")
    last = await hub.publish()
    await waits(hub, 1)
    await told(hub, last)

    def read(conn):
        of = conn.execute(select(announcement).where(announcement.c.source == "digest")).one()
        return announcements.latest(conn, 1, 9), announcements.by_code(conn, of.code)

    latest, shown = await hub.ledger.read(read)
    assert [each.id for each in latest] == [last.id]
    assert shown is None


async def test_counts_say_what_rows_say(hub):
    await hub.people([1, 2, 3], SMS, cadence="daily")
    await hub.publish(title="Un")
    last = await hub.publish(title="Deux")
    await waits(hub, 6)
    await told(hub, last)

    def tally(conn):
        rows = conn.execute(select(deliveries_table)).all()
        return {(row.run, row.state, row.reason) for row in rows}

    assert set(await hub.counts()) == await hub.ledger.read(tally)


@pytest.mark.parametrize(
    ("now", "day", "moment"),
    [
        ("2026-11-23T17:00Z", "2026-11-23", "2026-11-23T17:00Z"),
        ("2026-11-23T16:59Z", "2026-11-22", "2026-11-22T17:00Z"),
        ("2026-07-01T16:00Z", "2026-07-01", "2026-07-01T16:00Z"),
    ],
)
def test_the_digest_leaves_at_six_in_the_evening_winter_and_summer(now, day, moment):
    found, at = DigestTimes().latest(datetime.fromisoformat(now), "Europe/Paris")
    assert found.isoformat() == day
    assert at == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    ("zone", "clock", "now", "moment"),
    [
        ("Europe/Paris", "02:30", "2026-03-29T12:00Z", "2026-03-29T01:00Z"),  # jumped over
        ("Europe/Paris", "02:30", "2026-10-25T12:00Z", "2026-10-25T00:30Z"),  # comes twice
        ("Pacific/Noumea", "18:00", "2026-11-23T07:00Z", "2026-11-23T07:00Z"),
        ("America/Martinique", "18:00", "2026-11-23T22:00Z", "2026-11-23T22:00Z"),
    ],
)
def test_the_digest_follows_the_towns_clock(zone, clock, now, moment):
    _, at = DigestTimes.named(clock, "friday").latest(datetime.fromisoformat(now), zone)
    assert at == datetime.fromisoformat(moment)


async def test_its_stop_link_stops_the_themes_it_told_of(hub):
    await hub.people([1], SMS, cadence="daily")
    last = await hub.publish()
    await waits(hub, 1)
    await told(hub, last)
    (sent,) = hub[SMS].sent
    digest = select(announcement.c.id).where(announcement.c.source == "digest")
    day = await hub.ledger.read(lambda conn: conn.execute(digest).scalar_one())
    token = StopToken(SMS, 1, day)
    found = await look(hub.ledger, token)
    assert [theme.key for theme in found.themes] == ["eau"]
    assert last.id in [each.id for each in found.told]
    stopping = Stopping(hub.ledger, hub.engine.wishes, hub.clock)
    await stopping.stop(token, StopChoice.THEME)
    assert (await look(hub.ledger, token)) is not None
    left = select(tables.subscription)
    assert not await hub.ledger.read(lambda conn: conn.execute(left).all())
    assert sent.to == "+33639980001"


async def test_what_is_previewed_is_what_leaves(hub):
    await hub.people([1], SMS, cadence="daily")
    published = [await hub.publish(title=f"Rue barrée {n}, lundi") for n in range(9)]
    await waits(hub, 9)
    await told(hub, published[-1])

    def read(conn):
        day = select(announcement.c.id).where(announcement.c.source == "digest")
        digest = announcements.by_id(conn, conn.execute(day).scalar_one())
        return hub.intake.press.print_digest(
            digest,
            [announcements.by_id(conn, each.id) for each in reversed(published)],
            load_catalogue(conn, 1),
            SMS,
            "fr",
        )

    printed = await hub.ledger.read(read)
    (body,) = bodies(hub).values()
    assert body == printed.text.body
    assert "\net " in body  # nine do not fit: the last line says how many more
    assert len(parts(body)) <= 3


async def test_a_parked_digest_parks_what_it_carries_and_all_are_sent_again_together(hub):
    await hub.people([1], SMS, cadence="daily")
    hub[SMS].answer = lambda sent: Retry(Reason.INTERNAL)
    last = await hub.publish()
    await waits(hub, 1)
    hub.clock.leap(SEVEN)

    async def parked():
        hub.clock.leap(HOUR)
        return await items(hub) == [("parked", "internal")]

    await hub.until(parked, 30)
    assert await messages(hub) == [("parked", "internal")]
    hub[SMS].answer = lambda sent: Accepted("taken")
    chosen = Choice(last.code)
    limited = replace(CLERK, themes=("eau",))  # a digest carries what others published too
    given_up = Choice(last.code, abandon=True)
    none = await hub.write(lambda conn: redrive(conn, limited, hub.clock.now(), given_up))
    assert none.rows == 0
    again = await hub.write(lambda conn: redrive(conn, CLERK, hub.clock.now(), chosen))
    assert again.rows == 1
    hub.engine.changed()

    async def taken():
        return await items(hub) == [("accepted", "")]

    await hub.until(taken)
    assert await messages(hub) == [("accepted", "")]
