# SPDX-License-Identifier: EUPL-1.2
"""Plays seeds of the simulator and says what they broke.

    python -m bench.simulate --seeds 2000 --first 1 [--workers 2] [--json] [--story]

One seed is one story (bench/simulator): the real flow on virtual time, providers that play tricks,
crashes, stops, full disks, a clock set by hand. Exits 1 where any promise was broken; the same
seed tells the same story again, `--story` with its acts.
"""

import argparse
import json
import logging
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from bench.simulator.checker import check
from bench.simulator.story import tell


@dataclass(frozen=True)
class Told:
    """One story, and what it broke."""

    seed: int
    broken: list[str]
    figures: dict[str, int]
    acts: list[str] = field(default_factory=list)


def one(seed: int) -> Told:
    """Play one seed and check it. A story that cannot be told is broken too."""
    try:
        record = tell(seed)
    except Exception as error:  # noqa: BLE001  (whatever it is, the seed must be told)
        return Told(seed, [f"{type(error).__name__}: {error}"], {})
    broken = check(record)
    writes = [write for provider in record.providers.values() for write in provider.writes]
    figures = {
        "messages": len(writes),
        "effects": sum(write.effect is not None for write in writes),
        "in_doubt": sum(write.in_doubt for write in writes),
        "crashes": record.crashes,
        "reserved_at_crash": record.in_doubt,
        "virtual_seconds": round(record.seconds),
    }
    record.disk.close()
    return Told(seed, broken, figures, record.log)


def quiet() -> None:
    """No logs: a seed that breaks a promise is told again with them."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def run(
    seeds: int,
    first: int = 1,
    *,
    workers: int = 0,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Play `seeds` stories from `first` on, in `workers` processes (0: one a core). `progress` is
    told how many are done. Returns the figures; `violations` is empty where all is well."""
    begun = time.monotonic()
    context = multiprocessing.get_context("spawn")
    sums: Counter[str] = Counter()
    broken: dict[int, list[str]] = {}
    count = workers or multiprocessing.cpu_count()
    with context.Pool(count, initializer=quiet) as pool:
        numbers = range(first, first + seeds)
        for done, told in enumerate(pool.imap_unordered(one, numbers, chunksize=4), 1):
            sums.update(told.figures)
            if told.broken:
                broken[told.seed] = told.broken
            progress(done)
    return {
        "seeds": seeds,
        "first": first,
        **dict(sums),
        "violations": {str(seed): broken[seed] for seed in sorted(broken)},
        "seconds": round(time.monotonic() - begun, 1),
    }


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Play seeds of the simulator.")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one line of JSON and nothing else")
    parser.add_argument("--story", action="store_true", help="tell the acts of the first seed")
    asked = parser.parse_args()
    if asked.story:
        told = one(asked.first)
        print("\n".join([*told.acts, *told.broken]))
        return bool(told.broken)

    def say(done: int) -> None:
        if not asked.json and done % 50 == 0:
            print(f"{done}/{asked.seeds}", file=sys.stderr)

    figures = run(asked.seeds, asked.first, workers=asked.workers, progress=say)
    print(json.dumps(figures))
    return bool(figures["violations"])


if __name__ == "__main__":
    sys.exit(main())
