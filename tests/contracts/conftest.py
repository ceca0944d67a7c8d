# SPDX-License-Identifier: EUPL-1.2
"""Loads every rig beside it: a channel joins the suite by a file `channel_rig_<name>.py` with a
class `Rig`. Rigs share `channel_wire`, which is found because this folder is on the path."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE))  # the contract's own modules; tests themselves never import each other

RIGS = [import_module(found.stem).Rig for found in sorted(HERE.glob("channel_rig_*.py"))]


@pytest.fixture(params=RIGS, ids=lambda rig: rig.name)
async def rig(request):
    """One channel and its provider, started."""
    one = request.param()
    one.timeout = (
        10  # long, so that a busy machine fails nothing; tests that wait it out shorten it
    )
    await one.start()
    yield one
    await one.stop()
