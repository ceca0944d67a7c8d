# SPDX-License-Identifier: EUPL-1.2
"""Steps of the state machine, as many as asked for.

    python -m bench.machine --steps 10000 [--seed 1] [--json]

Exits 1 where a promise was broken; Hypothesis then prints the shortest way to it.
"""

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from bench.machine.rules import Machine

BATCH = 10  # stories at a time
LENGTH = 40  # steps of a story


def run(
    steps: int, first: int = 1, *, progress: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """At least so many steps. `progress` is told how many are done. Returns the figures;
    `violations` is empty where all is well."""
    begun, before, stories = time.monotonic(), Machine.steps, 0
    violations: list[str] = []
    while Machine.steps - before < steps and not violations:
        factory = seed(first + stories)(lambda: Machine())  # noqa: PLW0108  (it bears the seed)
        try:
            run_state_machine_as_test(factory, settings=_settings(min(steps, LENGTH)))
        except Exception as error:  # noqa: BLE001  (whatever it is, it must be told)
            violations.append(f"seed {first + stories}: {type(error).__name__}: {error}")
            traceback.print_exc()
        stories += BATCH
        progress(min(Machine.steps - before, steps))
    return {
        "steps": Machine.steps - before,
        "stories": stories,
        "first": first,
        "violations": violations,
        "seconds": round(time.monotonic() - begun, 1),
    }


def _settings(length: int) -> settings:
    return settings(
        max_examples=BATCH,
        stateful_step_count=length,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Steps of the state machine.")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one line of JSON and nothing else")
    asked = parser.parse_args()

    def say(done: int) -> None:
        if not asked.json:
            print(f"{done}/{asked.steps}", file=sys.stderr)

    figures = run(asked.steps, asked.seed, progress=say)
    print(json.dumps(figures))
    return bool(figures["violations"])


if __name__ == "__main__":
    sys.exit(main())
