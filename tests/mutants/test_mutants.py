# SPDX-License-Identifier: EUPL-1.2
"""Each error planted in the engine is caught: here by its cheapest test, in `bench.mutants` by all.

A mutant that nobody catches is a hole in the tests, not in the engine.
"""

import pytest

from bench.mutants import pytest as run_with
from bench.mutation.planted import MUTANTS


@pytest.mark.parametrize("name", MUTANTS)
def test_the_mutant_is_caught(name):
    mutant = MUTANTS[name]
    assert run_with(name, mutant.tests)


def test_without_any_mutant_these_tests_pass():
    tests = {test for each in MUTANTS.values() for test in each.tests}
    assert run_with("", sorted(tests)) == []
