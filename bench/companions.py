# SPDX-License-Identifier: EUPL-1.2
"""The proofs on virtual time that `make prove` runs beside the real processes, each a command."""

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any


@dataclass(frozen=True, slots=True)
class Companion:
    """One command. It prints a line of JSON last, and exits other than 0 where a promise broke."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()

    def run(self) -> dict[str, Any]:
        """Its figures, with `ok`; `{"missing": true}` where there is no such command yet."""
        if find_spec(self.module) is None:
            return {"missing": True}
        done = subprocess.run(
            [sys.executable, "-m", self.module, *self.arguments, "--json"],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        lines = done.stdout.strip().splitlines()
        try:
            figures = json.loads(lines[-1]) if lines else {}
        except ValueError:
            figures = {"said": lines[-1]}
        return {"ok": done.returncode == 0, **figures}


def companions(seeds: int, steps: int, *, mutants: bool) -> list[Companion]:
    """Those asked for; 0 leaves one out."""
    asked = []
    if seeds:
        asked.append(Companion("simulator", "bench.simulate", ("--seeds", str(seeds))))
    if steps:
        asked.append(Companion("state machine", "bench.machine", ("--steps", str(steps))))
    if mutants:
        asked.append(Companion("mutants", "bench.mutants"))
    return asked
