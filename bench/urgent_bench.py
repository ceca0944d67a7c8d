# SPDX-License-Identifier: EUPL-1.2
"""An urgent alert in the middle of a bulk announcement paced to last a minute.

    python -m bench.urgent_bench [people] [seconds]

Measures, from the sandbox's own log, when the first urgent message left, and what share of the
messages between the first and the last urgent one was bulk. Prints one line of JSON.
"""

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.trial import PAGE, Trial, quantile
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


def run(folder: Path, people: int, seconds: float) -> dict[str, Any]:
    """One trial; the figures. Everybody has SMS, and follows every theme."""
    pace = people / seconds
    with Trial(folder, paces={"sms": pace}) as trial:
        trial.settle(people, {ChannelName.SMS: 1.0})
        trial.start()
        key = trial.key()
        bulk = trial.post(key, {**BULK, "channels": ["sms"]})
        time.sleep(seconds / 2)
        asked = datetime.now(UTC)
        urgent = trial.post(key, URGENT)
        trial.wait_until_finished(key, urgent["id"], 3 * seconds + 60)
        trial.wait_until_finished(key, bulk["id"], 3 * seconds + 60)
        effects = sorted(trial.effects(), key=lambda effect: effect.seq)
        trial.stop()
    return figures(effects, bulk["id"], urgent["id"], asked) | {
        "people": people,
        "pace": pace,
        "accepted_ms": round(urgent["ms"], 1),
    }


def _code(effect: Effect) -> str:
    found = PAGE.search(effect.text)
    return found["code"] if found else ""


def figures(effects: Sequence[Effect], bulk: str, urgent: str, asked: datetime) -> dict[str, Any]:
    """What the log says. `asked` is when the alert was posted, before the request."""
    codes = [_code(effect) for effect in effects]
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


if __name__ == "__main__":
    given = [float(each) for each in sys.argv[1:]] + [12_000, 60][len(sys.argv) - 1 :]
    with tempfile.TemporaryDirectory(prefix="hub-urgent-") as home:
        print(json.dumps(run(Path(home), int(given[0]), given[1])))
