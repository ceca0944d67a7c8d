# SPDX-License-Identifier: EUPL-1.2
"""How many deliveries a second the engine itself can carry: real ledger, channels that do nothing.

    python -m bench.engine_bench [people]

Two channels, everybody on both. Prints a line of JSON; compare ratios of one run only.
"""

import asyncio
import json
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, insert

from channels.base import (
    Accepted,
    ChannelName,
    Outcome,
    Prepared,
    Recipient,
    Rendered,
    Slip,
    TextLimit,
)
from hub.announcement import State
from hub.clock import SystemClock
from hub.flow.accept.intake import Intake
from hub.flow.accept.principal import Principal
from hub.flow.accept.submission import parse
from hub.flow.engine import Engine, RoadSettings
from hub.flow.send.slips import Slips
from hub.flow.site import Press, Site
from hub.ledger import announcements
from hub.ledger.store import Ledger
from hub.queue.embedded import EmbeddedQueue
from subscribers import tables
from subscribers.tokens import StopTokens
from templates.catalogue import Catalogue
from templates.render import Composer

CHANNELS = (ChannelName.SMS, ChannelName.EMAIL)


class NoRoad:
    """A channel whose provider takes everything at once."""

    limit = TextLimit("none", 0, 0, 1)

    def __init__(self, name: ChannelName) -> None:
        self.name = name

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None

    def prepare(self, text: Rendered) -> Prepared:
        return Prepared(text, None)

    async def send(self, prepared: Prepared, to: Recipient, slip: Slip) -> Outcome:
        slip.gate()
        return Accepted(f"{self.name}{slip.delivery}")

    async def check(self) -> str:
        return "nothing to check"


def seed(conn: Connection, people: int, now: datetime) -> None:
    town = {"id": 1, "key": "valmont", "name": "Valmont", "timezone": "Europe/Paris"}
    conn.execute(insert(tables.authority).values(**town, language="fr"))
    conn.execute(insert(tables.theme).values(id=1, authority=1, key="eau", names={"fr": "Eau"}))
    person = {"authority": 1, "language": "fr", "timezone": "Europe/Paris", "channel_order": []}
    numbers = range(1, people + 1)
    conn.execute(insert(tables.subscriber), [{"id": n, **person, "created": now} for n in numbers])
    for channel in CHANNELS:
        points = [
            {"subscriber": n, "channel": channel, "address": f"{n}@example.org"}
            | {"verified_at": now, "created": now}
            for n in numbers
        ]
        conn.execute(insert(tables.contact_point), points)
        asked = [
            {"subscriber": n, "theme": 1, "channel": channel, "cadence": "now"} for n in numbers
        ]
        conn.execute(insert(tables.subscription), asked)


async def measure(people: int) -> dict[str, float]:
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.open(Path(folder), exclusive=True)
        await ledger.transact(lambda conn: seed(conn, people, clock.now()))
        press = Press(Composer(Catalogue()), Site("https://alerte.example.org"))
        slips = Slips(b"s" * 32, StopTokens([b"k" * 32]))
        roads = [RoadSettings(NoRoad(name), 100, 50, 1e9) for name in CHANNELS]
        engine = Engine(
            ledger, queue=EmbeddedQueue(), press=press, slips=slips, clock=clock, roads=roads
        )
        async with engine:
            intake = Intake(ledger, press, CHANNELS, clock, engine.changed)
            asked = parse({"title": "Coupure", "body": "Jeudi de 8 h à 12 h.", "themes": ["eau"]})
            start = clock.monotonic()
            accepted = await intake.accept(asked, Principal("cli", "bench", 1, may_publish=True))
            answered = clock.monotonic() - start
            while True:
                await asyncio.sleep(0.05)
                found = await ledger.read(
                    lambda conn: announcements.by_id(conn, accepted.announcement.id)
                )
                if found.state is State.FINISHED:
                    break
            seconds = clock.monotonic() - start
        ledger.close()
    return {
        "people": people,
        "accept_ms": round(answered * 1000, 1),
        "seconds": round(seconds, 2),
        "deliveries_per_s": round(people * len(CHANNELS) / seconds),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))))
