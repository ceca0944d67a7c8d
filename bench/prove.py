# SPDX-License-Identifier: EUPL-1.2
"""The proof: the real daemon killed a hundred times and stopped twenty; nobody lost or pestered.

    python -m bench.prove [--kills 100] [--stops 20] [--people 3000] [--seed 1] [--quick]
                          [--seeds 2000] [--steps 10000] [--no-mutants] [--into FILE]

The daemon and the sandbox are processes of their own; the sandbox's log of effects, fsynced before
it answers, is the witness, and `bench.checker`, which shares no code with the hub, the judge.
Then the same engine on virtual time: the simulator's seeds, the state machine's steps, the mutants.
Ends with a table and one line of JSON; exits 1 where a promise broke.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import blows
from bench.checker import check
from bench.companions import companions
from bench.ordeal import Ordeal, Strike
from bench.trial import Trial
from bench.verdict import Ward, figures, table

PACES: Final = {"sms": 150.0, "email": 75.0, "webpush": 75.0, "x": 2.0}
SLOW: Final = {"sms": 60.0, "email": 30.0, "webpush": 30.0, "x": 2.0}  # a stop takes its time
KILLS_A_LEG: Final = 12
STOPS_A_LEG: Final = 4
LEASE: Final = 6.0  # seconds a stopped daemon keeps its folder
TIMEOUT: Final = 2.0  # seconds one message may take, then: the lease must outlast it


def run(
    folder: Path, *, kills: int, stops: int, people: int, seed: int, progress: Progress
) -> list[Ward]:
    """Both trials; what each came to."""
    chance, wards = random.Random(seed), []
    if kills:
        legs = [blows.kills_of_a_leg(each, chance) for each in split(kills, KILLS_A_LEG)]
        trial = Trial(folder / "kills", paces=PACES)
        wards.append(ward(trial, legs, people=people, chance=chance, progress=progress))
        _tell_now(wards, progress)
    if stops:
        slow: list[Sequence[Strike]] = [
            [blows.take_over] * each for each in split(stops, STOPS_A_LEG)
        ]
        trial = Trial(
            folder / "stops", paces=SLOW, timeout=TIMEOUT, engine={"lease_seconds": LEASE}
        )
        fewer = max(people // 2, 500)
        wards.append(ward(trial, slow, people=fewer, chance=chance, progress=progress))
        _tell_now(wards, progress)
    return wards


def _tell_now(wards: Sequence[Ward], progress: Progress) -> None:
    """What is known so far: whatever fails later, an hour's figures are not lost with it."""
    progress.console.print_json(json.dumps(figures([wards[-1]], {})), indent=None)


def split(total: int, most: int) -> list[int]:
    """Parts as equal as can be, none above `most`."""
    parts = -(-total // most)
    return [total * (n + 1) // parts - total * n // parts for n in range(parts)]


def ward(
    trial: Trial,
    legs: Sequence[Sequence[Strike]],
    *,
    people: int,
    chance: random.Random,
    progress: Progress | None = None,
) -> Ward:
    """One trial from moving in to the verdict."""
    progress = progress or Progress(disable=True)
    began, name = time.monotonic(), trial.folder.name
    bar = progress.add_task(name, total=_blows(legs))
    leg_bar = progress.add_task(f"  the send, of {len(legs)}", total=1.0)
    with trial:
        ordeal = Ordeal(trial, people, chance)
        ordeal.tell = _teller(ordeal, progress, bar, leg_bar)
        ordeal.begin()
        for strikes in legs:
            ordeal.leg(strikes)
            progress.console.print(_so_far(name, ordeal))
        trial.stop()
        progress.remove_task(leg_bar)
        found = check(ordeal.log, ordeal.ledger, ordeal.expected)
        return Ward(
            name=name,
            findings=found,
            blows=ordeal.blows,
            copies=ordeal.log.copies,
            paces=trial.paces,
            seconds=round(time.monotonic() - began),
            verified=verified(trial),
        )


def _so_far(name: str, ordeal: Ordeal) -> str:
    """A line at the end of a leg: an hour is long to wait for the first word."""
    found = check(ordeal.log, ordeal.ledger, ordeal.expected)
    return f"{name}: {len(ordeal.blows)} blows, {found.effects:,} effects, " + (
        f"broken: {', '.join(found.broken)}" if found.broken else "nobody lost or pestered"
    )


def _blows(legs: Sequence[Sequence[Strike]]) -> int:
    pairs = sum(strike is blows.while_recovering for strikes in legs for strike in strikes)
    return sum(map(len, legs)) + pairs


def _teller(ordeal: Ordeal, progress: Progress, bar: Any, leg_bar: Any) -> Callable[[float], None]:
    def tell(share: float) -> None:
        progress.update(bar, completed=len(ordeal.blows))
        progress.update(leg_bar, completed=share)

    return tell


def verified(trial: Trial) -> bool | None:
    """Whether `hub verify` finds the ledger sound; None where this hub has no such verb."""
    try:
        trial.hub("verify")
    except AssertionError as refused:
        if "No such command" in str(refused):
            return None
        sys.stderr.write(f"{refused}\n")
        return False
    return True


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--stops", type=int, default=20)
    parser.add_argument("--people", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=2_000, help="of the simulator; 0: none")
    parser.add_argument("--steps", type=int, default=10_000, help="of the machine; 0: none")
    parser.add_argument("--no-mutants", dest="mutants", action="store_false")
    parser.add_argument("--quick", action="store_true", help="a few minutes instead of an hour")
    parser.add_argument("--into", type=Path, help="also write the JSON into this file")
    asked = parser.parse_args()
    if asked.quick:
        asked.kills, asked.stops, asked.people = 12, 2, 2_000
        asked.seeds, asked.steps = min(asked.seeds, 100), min(asked.steps, 1_000)
    return asked


def main() -> int:
    """Prove, print, and return the exit code."""
    asked = _asked()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="hub-prove-") as home,
        Progress(*columns, TimeElapsedColumn(), console=console) as progress,
    ):
        wards = run(
            Path(home),
            kills=asked.kills,
            stops=asked.stops,
            people=asked.people,
            seed=asked.seed,
            progress=progress,
        )
        beside = {}
        for each in companions(asked.seeds, asked.steps, mutants=asked.mutants):
            task = progress.add_task(each.name, total=1)
            beside[each.name] = each.run()
            progress.update(task, completed=1)
    asked_for = {"seed": asked.seed, "people": asked.people}
    found = figures(wards, beside) | asked_for
    Console().print(table(wards, beside))
    print(json.dumps(found))
    if asked.into:
        asked.into.write_text(json.dumps(found) + "\n", "utf-8")
    return 1 if found["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
