# SPDX-License-Identifier: EUPL-1.2
"""Anything may happen in any order: the ledger's promises hold after every step (ENGINE.md 8.1).

The machine itself stands in `bench/machine`: `python -m bench.machine --steps 10000` is the long
version, which `make prove` runs.
"""

from bench.machine.__main__ import run

STEPS = 300


def test_the_promises_hold_whatever_happens_in_whatever_order():
    figures = run(STEPS)
    assert figures["violations"] == []
    assert figures["steps"] >= STEPS
