# SPDX-License-Identifier: EUPL-1.2
"""Which test catches which error? Plants each in a process of its own and runs the tests.

    python -m bench.mutants [--json] [--only "round ignored"] [--seeds 10] [--steps 200]
    python -m bench.mutants --planted "round ignored" -- tests/ledger/test_deliveries.py

Each mutant meets its targeted tests, the state machine and the simulator. Exits 1 where one of
them is caught by nothing, or where the tests fail without any mutant.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.mutation.planted import MUTANTS
from bench.simulate import one, quiet

ROOT = Path(__file__).parents[1]
LONGEST = 240  # seconds for one mutant before one set of tests; it hangs on none for ever
ALONE = 90  # the same for the machine or the simulator, which are asked besides
_SAID = "FAILED "
LEAN = {  # the other plugins take seconds to import, in each process anew
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "pytest_asyncio.plugin",
}


def pytest(mutant: str, tests: Sequence[str], *more: str) -> list[str]:
    """The tests that fail with a mutant planted ("" for none), in a process of its own."""
    command = [sys.executable, "-m", "bench.mutants", "--planted", mutant, "--", *tests, *more]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | LEAN,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
        )
    except subprocess.TimeoutExpired:
        return ["hangs: " + ", ".join(tests)]
    failed = [line.removeprefix(_SAID) for line in done.stdout.splitlines() if _SAID in line]
    if done.returncode and not failed:
        raise RuntimeError(f"{tests}: {(done.stdout + done.stderr)[-300:]}")
    return [each.split(" - ")[0].removeprefix("tests/") for each in failed]


def alone(mutant: str, *asked: str) -> str | None:
    """What the machine or the simulator says that catches it, in a process of its own."""
    command = [sys.executable, "-m", "bench.mutants", "--planted", mutant, *asked]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=ALONE
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout.strip().splitlines()[-1] if done.returncode == 1 else None


def planted(mutant: str, tests: Sequence[str], seeds: int, steps: int) -> int:
    """In the process of its own: plant it, run what was asked."""
    if mutant:
        MUTANTS[mutant].plant()
    if tests:
        from pytest import main  # noqa: PLC0415, PT013  (only here: the tests are no dependency)

        return int(main(["-q", "-x", "-p", "no:cacheprovider", *tests]))
    from bench.machine.__main__ import run as step  # noqa: PLC0415  (pytest warns of it, above)

    quiet()
    for first in range(1, steps, 60):
        found = step(60, first)["violations"]
        if found:
            print(found[0].replace("\n", " ")[:120])
            return 1
    for seed in range(1, seeds + 1):
        if broken := one(seed).broken:
            print(f"seed {seed}: {broken[0]}"[:120])
            return 1
    return 0


def run(
    only: Sequence[str] = (),
    *,
    seeds: int = 10,
    steps: int = 200,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Every mutant against every kind of test. `progress` is told how many are done."""
    begun = time.monotonic()
    wanted = [MUTANTS[name] for name in only or MUTANTS]
    files = sorted({test for each in wanted for test in each.tests})
    figures: dict[str, Any] = {"mutants": len(wanted), "without": pytest("", files), "caught": {}}
    for done, each in enumerate(wanted, 1):
        figures["caught"][each.name] = {
            "tests": pytest(each.name, each.tests),
            "machine": alone(each.name, "--seeds", "0", "--steps", str(steps)) if steps else None,
            "simulator": alone(each.name, "--seeds", str(seeds), "--steps", "0") if seeds else None,
        }
        progress(done)
    figures["uncaught"] = [name for name, by in figures["caught"].items() if not any(by.values())]
    figures["seconds"] = round(time.monotonic() - begun, 1)
    return figures


def table(figures: dict[str, Any]) -> str:
    """The figures as a table of Markdown."""
    lines = ["| mutant | caught by the test | by the state machine | by the simulator |"]
    lines += ["|---|---|---|---|"]
    for name, by in figures["caught"].items():
        test = f"`{by['tests'][0]}`" if by["tests"] else "-"
        seed = "-" if by["seed"] is None else f"seed {by['seed']}"
        said = MUTANTS[name].says.rstrip(".")
        lines.append(
            f"| **{name}**: {said} | {test} | {'yes' if by['machine'] else '-'} | {seed} |"
        )
    return "\n".join(lines)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Plant errors, and see which test catches them.")
    parser.add_argument("--json", action="store_true", help="one line of JSON and nothing else")
    parser.add_argument("--only", action="append", default=[], help="this mutant alone")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--planted", help="plant this one here, and run what follows")
    parser.add_argument("asked", nargs="*", help="arguments of pytest; none: the simulator")
    asked = parser.parse_args()
    if asked.planted is not None:
        return planted(asked.planted, asked.asked, asked.seeds, asked.steps)
    count = len(asked.only or MUTANTS)

    def say(done: int) -> None:
        print(f"{done}/{count}", file=sys.stderr)

    figures = run(asked.only, seeds=asked.seeds, steps=asked.steps, progress=say)
    print(json.dumps(figures) if asked.json else table(figures))
    return bool(figures["uncaught"] or figures["without"])


if __name__ == "__main__":
    sys.exit(main())
