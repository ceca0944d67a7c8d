# SPDX-License-Identifier: EUPL-1.2
"""How long it takes to follow an announcement: `python -m bench.following_bench [messages]`.

One announcement of 50,000 messages on two channels, three of them failed, and behind it in the
ledger as many again of a later one; what its page, its stream and its delivery log ask each time.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from channels.base import ChannelName
from hub.ledger import tables
from hub.ledger.database import open_writer
from hub.ledger.store import Ledger
from hub.reports.costs import Tariff
from hub.reports.recipients import GROUPS, Wanted, recipients
from hub.reports.report import report
from hub.reports.watched import watched
from subscribers import tables as people
from subscribers.tables import to_ms

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
WORDS = {"title": "Annonce", "body": "Texte", "short": None, "link": None, "overrides": {}}
SAID = {"contents": {"fr": WORDS}, "themes": ["t1"], "zones": [], "polygon": None}
TARIFF = Tariff({}, lambda *_: None)


def fill(conn: Connection, many: int) -> None:
    """The town, its people, and the two announcements."""
    town = {"id": 1, "key": "v", "name": "V", "timezone": "Europe/Paris", "language": "fr"}
    conn.execute(insert(people.authority).values(town))
    who = {"authority": 1, "language": "fr", "timezone": "Europe/Paris", "channel_order": []}
    numbers = range(1, many // 2 + 1)
    conn.execute(insert(people.subscriber), [who | {"id": n, "created": AT} for n in numbers])
    for channel, where in (("sms", "+3363998{:05}"), ("email", "c{}@example.org")):
        point = {"channel": channel, "position": 0, "verified_at": AT, "created": AT}
        rows = [point | {"subscriber": n, "address": where.format(n)} for n in numbers]
        conn.execute(insert(people.contact_point), rows)
    for announcement in (1, 2):
        announce(conn, announcement, many)


def announce(conn: Connection, number: int, many: int) -> None:
    """One that is over, the last three messages of each channel failed."""
    row = {"id": number, "code": f"b{number}", "authority": 1, "source": "bench", "sha256": ""}
    row |= {"source_key": str(number), "kind": "first", "urgency": "information"}
    document = SAID | {"channels": ["sms", "email"], "post_link": True, "thread": False}
    row |= {"state": "finished", "document": document, "author": "bench", "finished": AT}
    conn.execute(insert(tables.announcement).values(row | {"created": AT, "published": AT}))
    each, start = many // 2, (number - 1) * many
    for place in (0, 1):
        run = number * 2 - 1 + place
        first = start + place * each + 1
        opened = {"announcement": number, "authority": 1, "lane": 3, "state": "done", "until": each}
        opened |= {"id": run, "channel": ("sms", "email")[place], "first_delivery": first}
        conn.execute(insert(tables.run).values(opened | {"planned": each}))
        made, counts = [], Counter[tuple[str, str]]()
        for n in range(1, each + 1):
            ended = ("failed", "unreachable") if n > each - 3 else ("delivered", "")
            counts[ended] += 1
            given = {"id": first + n - 1, "run": run, "subscriber": n, "due": 0, "round": 1}
            given |= {"contact_point": n + place * each, "state": ended[0], "reason": ended[1]}
            made.append(given | {"since": to_ms(AT), "at": to_ms(AT) + n})
        conn.execute(insert(tables.delivery), made)
        told = [{"run": run, "state": s, "reason": r, "n": n} for (s, r), n in counts.items()]
        conn.execute(insert(tables.delivery_count), told)


def timed(what: str, conn: Connection, work: Callable[[], Any]) -> None:
    """The slowest and the middle of nine, in milliseconds."""
    took = []
    for _ in range(9):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1_000)
    print(f"{what:44} median {sorted(took)[4]:7.1f} ms   slowest {max(took):7.1f} ms")
    conn.rollback()


def main() -> None:
    """All of it, on a file of its own."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    with tempfile.TemporaryDirectory() as folder:
        Ledger.open(Path(folder)).close()
        engine = open_writer(Path(folder) / "ledger.sqlite3")
        with engine.begin() as conn:
            fill(conn, many)
        with engine.connect() as conn:
            ask(conn, many)
        engine.dispose()


def ask(conn: Connection, many: int) -> None:
    """What the pages ask of the first, the older one."""
    timed("page and stream: counts and reasons", conn, lambda: watched(conn, 1, AT))
    timed("report, made once", conn, lambda: report(conn, watched(conn, 1, AT), TARIFF))
    for name, states in {"all": frozenset(), **GROUPS}.items():
        for channel in (None, ChannelName.SMS, ChannelName.EMAIL):
            asked = Wanted(channel, states)
            label = f"log: {name}, {channel or 'every channel'}"
            timed(label, conn, partial(recipients, conn, 1, asked))
    moments = Wanted(since=AT, until=AT + timedelta(seconds=10))
    timed("log: ten seconds of it", conn, lambda: recipients(conn, 1, moments))
    last = Wanted(after=many - 60, seen=many - 60)
    timed("log: the last page of all", conn, lambda: recipients(conn, 1, last))


if __name__ == "__main__":
    main()
