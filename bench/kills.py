# SPDX-License-Identifier: EUPL-1.2
"""`kill -9` at random points of a send, then restart: who got what?

    python -m bench.kills [people] [kills] [seed]

The daemon and the sandbox are processes of their own; the sandbox's log of effects, fsynced
before it answers, is the witness. Prints one line of JSON; exits 1 where anybody got nothing, an
SMS or a post twice, or where anything waits for a human. The long proof is `make prove`.
"""

import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.progress import Progress

from bench.town import address
from bench.trial import CHANNELS, Trial, doubled, wait_for
from channels.base import ChannelName

SHARES = {ChannelName.SMS: 1.0, ChannelName.EMAIL: 0.5, ChannelName.WEBPUSH: 0.5}
PACES = {"sms": 700.0, "email": 300.0, "webpush": 500.0}
NEWS = {"title": "Coupure d'eau", "body": "Jeudi de 8 h à 12 h.", "themes": ["coupures"]}


def planned(people: int) -> dict[ChannelName, int]:
    """Deliveries by channel."""
    found = {channel: round(people * share) for channel, share in SHARES.items()}
    return {**found, ChannelName.X: 1}


def run(folder: Path, people: int, kills: int, seed: int) -> dict[str, Any]:
    """One trial; the figures."""
    chance = random.Random(seed)
    total = sum(planned(people).values())
    points = sorted(chance.uniform(0.05, 0.95) for _ in range(kills))
    doubt: list[int] = []
    with Trial(folder, paces=PACES) as trial, Progress() as progress:
        task = progress.add_task("effects", total=total)
        trial.settle(people, SHARES)
        trial.start()
        key = trial.key()
        code = trial.post(key, NEWS)["id"]
        for point in points:
            _wait_for_share(trial, point, total, progress, task)
            time.sleep(chance.uniform(0, 0.2))
            trial.kill()
            doubt.append(sum(n for (_, s), n in trial.outcomes().items() if s == "reserved"))
            trial.start()
        trial.wait_until_finished(key, code, 600)
        progress.update(task, completed=total)
        trial.stop()
        return _figures(trial, code, people, doubt=doubt, seed=seed)


def _wait_for_share(trial: Trial, point: float, total: int, progress: Any, task: Any) -> None:
    def reached() -> bool:
        with trial.log.open("rb") as lines:
            seen = sum(chunk.count(b"\n") for chunk in iter(lambda: lines.read(1 << 20), b""))
        progress.update(task, completed=min(seen, total))
        return seen >= point * total

    wait_for(f"{point:.0%} of the send", 600, reached, 0.05)


def _figures(
    trial: Trial, code: str, people: int, *, doubt: list[int], seed: int
) -> dict[str, Any]:
    received = trial.received(code)
    wanted = {
        (channel.value, address(channel, n))
        for channel, count in planned(people).items()
        for n in range(1, count + 1)
    }
    outcomes = trial.outcomes()
    final = sum(n for (_, state), n in outcomes.items() if state in ("accepted", "delivered"))
    return {
        "people": people,
        "deliveries": len(wanted),
        "kills": len(doubt),
        "in_doubt_at_each_kill": doubt,
        "parked": sum(n for (_, state), n in outcomes.items() if state == "parked"),
        "lost": len(wanted - set(received)),
        "unexpected": len(set(received) - wanted),
        "doubled": {channel.value: doubled(received, channel) for channel in CHANNELS},
        "final_outcomes": final,
        "not_final": sum(outcomes.values()) - final,
        "seed": seed,
    }


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]] + [20_000, 10, 1][len(sys.argv) - 1 :]
    with tempfile.TemporaryDirectory(prefix="hub-kills-") as home:
        figures = run(Path(home), *given[:3])
    print(json.dumps(figures))
    twice = figures["doubled"]["sms"] + figures["doubled"]["x"]
    sys.exit(1 if figures["lost"] or figures["not_final"] or twice else 0)
