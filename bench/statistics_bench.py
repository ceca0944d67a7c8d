# SPDX-License-Identifier: EUPL-1.2
"""How long a year's statistics take: `python -m bench.statistics_bench [announcements a month]`.

Twelve months of announcements on three channels, each with its counts and its measure, on a SQLite
file; what the page asks of them, the first time and again; and one large announcement measured.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert

from channels.base import ChannelName, SmsText
from hub.ledger import measures, tables
from hub.ledger.measures import Measure, Told
from hub.ledger.store import Ledger
from hub.pricing import Prices
from hub.reports.coming_and_going import caused, drafting, movements
from hub.reports.costs import Tariff, besides
from hub.reports.measuring import measure
from hub.reports.months import Month, last
from hub.reports.returns import Tallies, by_month, figures, gather
from subscribers import tables as people
from subscribers.tables import to_ms

PARIS = ZoneInfo("Europe/Paris")
MONTHS = last(Month(2026, 11), 12)
THEMES = [f"t{n}" for n in range(12)]
LARGE = 50_000
SMS = ChannelName.SMS


def announced(conn: Connection, number: int, at: datetime, theme: str) -> None:
    """One that ended, in the archive."""
    words = {"title": f"Annonce {number}", "body": "Texte", "short": None, "link": None}
    said = {"contents": {"fr": words | {"overrides": {}}}, "themes": [theme], "zones": []}
    said |= {"polygon": None, "channels": ["sms"], "post_link": True, "thread": False}
    row = {"id": number, "code": f"b{number}", "authority": 1, "source": "bench", "sha256": ""}
    row |= {"source_key": str(number), "kind": "first", "urgency": "information"}
    row |= {"state": "finished", "document": said, "author": "bench"}
    row |= {"created": at, "published": at, "finished": at + timedelta(minutes=5)}
    conn.execute(insert(tables.announcement).values(row))


def fill(conn: Connection, a_month: int) -> None:
    """The town, its year, and 20,000 people who came in it."""
    town = {"id": 1, "key": "v", "name": "V", "timezone": "Europe/Paris", "language": "fr"}
    conn.execute(insert(people.authority).values(town))
    who = {"authority": 1, "language": "fr", "timezone": "Europe/Paris", "channel_order": []}
    start, dice = MONTHS[0].start(PARIS), Random(7)
    conn.execute(
        insert(people.subscriber),
        [who | {"created": start + timedelta(minutes=25 * n)} for n in range(20_000)],
    )
    number = 0
    for month in MONTHS:
        span = month.end(PARIS) - month.start(PARIS)
        for _ in range(a_month):
            number += 1
            at = month.start(PARIS) + span * dice.random() * 0.99
            announced(conn, number, at, dice.choice(THEMES))
            n = dice.randrange(100, 1_500)
            told = {name: Told(n, n - 3, n - 9, 3, 0, n, 90_000 * n) for name in ChannelName}
            wait, zones = timedelta(seconds=dice.randrange(90)), dict.fromkeys(range(1, 14), n // 9)
            taken = Measure(number, 1, at, n, n - 3, wait, 2 * wait, told, {None: n, **zones})
            measures.keep(conn, taken, "", at)


def large(conn: Connection) -> int:
    """An announcement to many, all of whom received it."""
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    announced(conn, 10**6, at, "t1")
    row = {"id": 10**6, "announcement": 10**6, "channel": "sms", "authority": 1, "lane": 3}
    row |= {"state": "done", "until": 0, "first_delivery": 1}
    conn.execute(insert(tables.run).values(row))
    sent: dict[str, Any] = {"run": 10**6, "state": "delivered", "due": 0, "since": to_ms(at)}
    conn.execute(
        insert(tables.delivery),
        [sent | {"subscriber": n, "contact_point": n, "at": to_ms(at) + n} for n in range(LARGE)],
    )
    return 10**6


async def timed(what: str, work: Callable[[], Awaitable[Any]]) -> Any:
    """Tell how long it took, by the wall and by the processor."""
    wall, used = time.perf_counter(), time.process_time()
    found = await work()
    wall, used = time.perf_counter() - wall, time.process_time() - used
    print(f"{what:<48}{wall * 1000:8.0f} ms {used * 1000:8.0f} ms of processor")
    return found


async def main(a_month: int) -> None:
    bounds = [month.start(PARIS) for month in MONTHS] + [MONTHS[-1].end(PARIS)]
    span = (1, bounds[0], bounds[-1])

    def beside(conn: Connection) -> Tallies:
        movements(conn, 1, bounds)
        besides(conn, *span)
        return Tallies(drafting(conn, *span), caused(conn, *span))

    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.open(Path(folder))
        try:
            await ledger.transact(lambda conn: fill(conn, a_month))

            async def page() -> None:
                tallies = await ledger.read(beside)
                found = await gather(ledger, *span, lambda _: True)
                by_month(found.lines, bounds)
                figures(found.lines, tallies)

            print(f"{len(MONTHS)} months of {a_month} announcements")
            await timed("the figures, the first time after a start", page)
            for _ in range(3):
                await timed("the figures, again", page)
            number = await ledger.transact(large)
            tariff = Tariff({SMS: Prices(0.05, 0.05, "EUR")}, lambda *_: SmsText("a"))
            await timed(
                f"one announcement to {LARGE:,} people, measured",
                lambda: ledger.read(lambda conn: measure(conn, number, tariff)),
            )
        finally:
            ledger.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
