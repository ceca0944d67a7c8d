# SPDX-License-Identifier: EUPL-1.2
"""How fast a run is planned and an audience counted: `python -m bench.audience_bench [people]`.

Plans by INSERT ... SELECT in pages of 5,000 into a table like the ledger's deliveries, on a
SQLite file in WAL mode with full durability.
"""

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, create_engine, event, insert, text, update

from channels.base import ChannelName
from subscribers import tables
from subscribers.addressees import load_addressees
from subscribers.audience import AudienceQuery, page_end, page_statement
from subscribers.foresight import asked, foresee
from subscribers.tables import contact_point, metadata, subscriber, subscriber_zone, subscription

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
PAGE = 5_000


def fill(conn: Connection, people: int) -> None:
    """One town: a theme under a theme, fifty zones, a twentieth of numbers shared."""
    metadata.create_all(conn)
    conn.execute(
        insert(tables.authority).values(id=1, key="v", name="V", timezone="UTC", language="fr")
    )
    for number, parent in ((1, None), (2, 1)):
        row = {"id": number, "authority": 1, "key": f"t{number}", "parent": parent, "names": {}}
        conn.execute(insert(tables.theme).values(row))
    zones = [
        {"id": z, "authority": 1, "key": f"z{z}", "level": "district", "names": {}}
        for z in range(1, 51)
    ]
    conn.execute(insert(tables.zone), zones)
    ids = range(1, people + 1)
    person = {
        "authority": 1,
        "language": "fr",
        "timezone": "Europe/Paris",
        "channel_order": ["sms"],
        "created": NOW,
    }
    conn.execute(insert(subscriber), [{"id": i, **person} for i in ids])
    point = {"channel": "sms", "verified_at": NOW, "created": NOW}
    numbers = (i - 1 if i % 20 == 0 else i for i in ids)
    conn.execute(
        insert(contact_point),
        [
            {"subscriber": i, "address": f"+33{n:09}", **point}
            for i, n in zip(ids, numbers, strict=True)
        ],
    )
    asked = {"channel": "sms", "cadence": "now"}
    conn.execute(insert(subscription), [{"theme": 2, "subscriber": i, **asked} for i in ids])
    wider = [{"theme": 1, "subscriber": i, **asked} for i in ids if i % 3 == 0]
    conn.execute(insert(subscription), wider)
    lives = [{"subscriber": i, "zone": i % 50 + 1} for i in ids if i % 4]
    conn.execute(insert(subscriber_zone), lives)


def reach_out(conn: Connection, people: int) -> None:
    """Six in ten also ask for e-mail, three in ten for their device, half of both in a digest; a
    third of the town sleeps by quiet hours."""
    for channel, share in (("email", 60), ("webpush", 30)):
        theirs = [i for i in range(1, people + 1) if i * 7919 % 100 < share]
        point = {"channel": channel, "verified_at": NOW, "created": NOW}
        points = [{"subscriber": i, "address": f"{channel}{i}", **point} for i in theirs]
        conn.execute(insert(contact_point), points)
        asked = {"theme": 2, "channel": channel}
        wishes = [{"subscriber": i, **asked, "cadence": ("now", "daily")[i % 2]} for i in theirs]
        conn.execute(insert(subscription), wishes)
    quiet = update(subscriber).values(quiet_start=1320, quiet_end=480)
    conn.execute(quiet.where(subscriber.c.id % 3 == 0))


def look_ahead(conn: Connection, zones: tuple[int, ...] | None) -> int:
    """What the compose page asks of the town, for all its channels; returns the people."""
    channels = (ChannelName.SMS, ChannelName.EMAIL, ChannelName.WEBPUSH)
    queries = [AudienceQuery(1, (1, 2), zones, name, digestible=True) for name in channels]
    found = foresee(conn, [asked(query) for query in queries], NOW)
    return found.people


def plan(conn: Connection, query: AudienceQuery, run: int) -> int:
    """Plan a whole run, one transaction a page; returns how many deliveries."""
    columns = ["subscriber", "contact_point", "cadence", "duplicate", "run"]
    target, after, rows = insert(delivery), 0, 0
    while (end := page_end(conn, query, after, 2**40, PAGE)) is not None:
        page = page_statement(query, after, end).add_columns(text(str(run)))
        rows += conn.execute(target.from_select(columns, page)).rowcount
        conn.commit()
        after = end
    return rows


delivery = tables.Table(
    "bench_delivery",
    tables.MetaData(),
    tables.Column("id", tables.Id, primary_key=True),
    *(tables.Column(name, tables.Integer) for name in ("subscriber", "contact_point", "run")),
    tables.Column("cadence", tables.String),
    tables.Column("duplicate", tables.Boolean),
    tables.UniqueConstraint("subscriber", "run", "contact_point"),
)


def _timed(conn: Connection, zones: tuple[int, ...] | None) -> float:
    start = time.perf_counter()
    look_ahead(conn, zones)
    return time.perf_counter() - start


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    folder = tempfile.TemporaryDirectory()
    engine = create_engine(f"sqlite:///{Path(folder.name) / 'town.db'}")
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA journal_mode=WAL"))
    with engine.begin() as conn:
        fill(conn, people)
        delivery.create(conn)
    streets = tuple(range(1, 11))
    audiences = {
        "one theme, everybody": ((2,), None),
        "one theme, ten zones": ((2,), streets),
        "a theme and its parent, everybody": ((1, 2), None),
        "a theme and its parent, ten zones": ((1, 2), streets),
        "one theme, one street": ((2,), (7,)),
    }
    with engine.connect() as conn:
        for run, (name, (themes, zones)) in enumerate(audiences.items()):
            query = AudienceQuery(1, themes, zones, ChannelName.SMS, digestible=True)
            start = time.perf_counter()
            rows = plan(conn, query, run)
            spent = time.perf_counter() - start
            print(f"{name}: {rows:,} planned in {spent:.2f} s, {rows / spent:,.0f} people/s")
            start = time.perf_counter()
            tally = foresee(conn, [asked(query)], NOW)
            print(f"    counted {tally.people:,} people in {time.perf_counter() - start:.2f} s")
    with engine.begin() as conn:
        reach_out(conn, people)
    with engine.connect() as conn:
        for name, zones in (("everybody", None), ("ten zones", streets)):
            spent = min(_timed(conn, zones) for _ in range(5))
            print(f"looked ahead on three channels, {name}: {spent * 1e3:.0f} ms")
        window, rounds = list(range(1, 101)), 300
        start = time.perf_counter()
        for _ in range(rounds):
            load_addressees(conn, window, (1, 2), ChannelName.SMS)
        spent = (time.perf_counter() - start) / rounds
        print(f"load_addressees: a window of 100 in {spent * 1e3:.2f} ms, {100 / spent:,.0f}/s")
    engine.dispose()
    folder.cleanup()


if __name__ == "__main__":
    main()
