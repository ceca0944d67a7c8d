# SPDX-License-Identifier: EUPL-1.2
"""An urgent alert in the middle of a bulk announcement to a whole city.

    python -m bench.urgent_bench [people] [pace] [alerted]

Everybody has SMS; the first `alerted` follow the alerts' theme (default: 200,000 people at 500
messages a second, 5,000 alerted). The bulk is cancelled once the alert is through. Measures, from
the sandbox's own log, when the first and the last urgent message left, and what share of the
messages between them was bulk. Prints one line of JSON.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.checker import Links, Log, open_ledger
from bench.trial import Trial, wait_for
from channels.base import ChannelName
from hub.sandbox.effects import Effect

BULK = {"title": "Lettre de la mairie", "body": "Les nouvelles du mois.", "themes": ["culture"]}
URGENT = {
    "title": "Crue de l'Orne",
    "body": "Montez à l'étage maintenant.",
    "themes": ["crue"],
    "urgency": "urgent",
    "channels": ["sms"],
}
_WARM = 10.0
"""Seconds the bulk has been running when the alert is posted, or half of it where that is less."""


def run(
    folder: Path, people: int, pace: float, alerted: int, *, to_the_end: bool = False
) -> dict[str, Any]:
    """One trial; the figures. `to_the_end` lets the bulk end instead of cancelling it."""
    took: dict[str, float] = {}
    with Trial(folder, paces={"sms": pace}) as trial:
        with stopwatch(took, "moving_in_s"):
            trial.settle(people, {ChannelName.SMS: 1.0}, {"alertes": alerted})
        trial.start()
        key, log = trial.key(), Log(trial.log, trial.ledger)
        bulk = trial.post(key, {**BULK, "channels": ["sms"]})
        before = min(pace * _WARM, people / 2)
        wait_for("the middle of the bulk", 120, lambda: log.read() >= before, 0.05)
        asked = datetime.now(UTC)
        urgent = trial.post(key, URGENT)
        planned = trial.wait_until_finished(key, urgent["id"], 3 * alerted / pace + 120)
        left = people - len([each for each in log.copies if each[0] == bulk["id"]])
        if to_the_end:
            trial.wait_until_finished(key, bulk["id"], people / pace + 120)
        else:
            trial.hub("cancel", bulk["id"])
        effects = sorted(trial.effects(), key=lambda effect: effect.seq)
        trial.stop()
        took |= stations(trial, urgent["id"], asked)
    return (
        figures(effects, Links(trial.ledger), bulk["id"], urgent["id"], asked)
        | took
        | {
            "people": people,
            "alerted": sum(each["planned"] for each in planned["channels"]),
            "pace": pace,
            "bulk_still_to_leave": left,
            "accepted_ms": round(urgent["ms"], 1),
        }
    )


def stations(trial: Trial, code: str, asked: datetime) -> dict[str, float]:
    """Where the first message's time went, from the ledger: accepted, then reserved."""
    since = asked.timestamp() * 1000
    with closing(open_ledger(trial.ledger)) as conn:
        (created, reserved) = conn.execute(
            "SELECT a.created, min(d.since) FROM delivery d JOIN run r ON r.id = d.run "
            "JOIN announcement a ON a.id = r.announcement WHERE a.code = ?",
            (code,),
        ).fetchone()
    return {
        "accepted_after_ms": round(created - since, 1),
        "reserved_after_ms": round(reserved - since, 1),
    }


def figures(
    effects: Sequence[Effect], links: Links, bulk: str, urgent: str, asked: datetime
) -> dict[str, Any]:
    """What the log says. `asked` is when the alert was posted, before the request."""
    codes = [links.code(effect.text) for effect in effects]
    first, last = codes.index(urgent), len(codes) - 1 - codes[::-1].index(urgent)
    between = codes[first : last + 1]
    waits = [
        (effect.at - asked).total_seconds() * 1000
        for effect, code in zip(effects, codes, strict=True)
        if code == urgent
    ]
    return {
        "first_urgent_ms": round(waits[0], 1),
        "median_urgent_ms": round(quantile(waits, 0.5), 1),
        "last_urgent_ms": round(waits[-1], 1),
        "urgent": between.count(urgent),
        "bulk_between": between.count(bulk),
        "bulk_share": round(between.count(bulk) / len(between), 4),
        "bulk_in_all": codes.count(bulk),
    }


@contextmanager
def stopwatch(into: dict[str, float], name: str) -> Iterator[None]:
    """Seconds spent inside, under `name`."""
    start = time.monotonic()
    yield
    into[name] = round(time.monotonic() - start, 2)


def quantile(values: Sequence[float], q: float) -> float:
    """A quantile by the nearest rank; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else 0.0


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]] + [200_000, 500, 5_000][len(sys.argv) - 1 :]
    with tempfile.TemporaryDirectory(prefix="hub-urgent-") as home:
        print(json.dumps(run(Path(home), *given[:3])))
