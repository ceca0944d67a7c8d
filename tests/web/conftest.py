# SPDX-License-Identifier: EUPL-1.2
"""A whole hub on a loopback socket, for each test or for a file of refusals."""

import io
import logging
import shutil
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog

from hub.logs import Level, set_up_logs

sys.path.append(str(Path(__file__).parent))  # the doors' own rig; tests never import each other
from door_rig import Door, TownClock, make_settings, open_door, seed
from office_rig import make_office, office  # noqa: F401  (fixtures)


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the town in it; copy it, never write to it."""
    folder = tmp_path_factory.mktemp("seeded")
    seed(folder)
    return folder


@contextmanager
def logging_at(level: Level) -> Iterator[io.StringIO]:
    root, written = logging.getLogger(), io.StringIO()
    handlers, before = root.handlers[:], root.level
    set_up_logs("json", level, written)
    yield written
    root.handlers[:] = handlers
    root.setLevel(before)
    structlog.reset_defaults()


@pytest.fixture
def log():
    """What the hub writes into its log at debug level, as production sets it up."""
    with logging_at("debug") as written:
        yield written


@pytest.fixture
def quiet(request: pytest.FixtureRequest):
    """Where nobody reads the log, no time is spent writing it."""
    with nullcontext() if "log" in request.fixturenames else logging_at("error"):
        yield


@pytest.fixture
async def make_door(seeded: Path, tmp_path: Path, quiet: None):
    """`await make_door(limits={...})`: a hub of its own for this test."""
    async with AsyncExitStack() as stack:
        made = 0

        async def make(**sections: Any) -> Door:
            nonlocal made
            made += 1
            folder = tmp_path / f"data{made}"
            shutil.copytree(seeded, folder)
            return await open_door(stack, folder, **sections)

        yield make


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(seeded: Path, tmp_path_factory: pytest.TempPathFactory):
    """One hub for all the refusals of a file; tests that use it run in the module's loop.

    `all` is a key that may publish everything, `published` an announcement that was sent by SMS,
    `secret` the webhook source `vigicrues`.
    """
    folder = tmp_path_factory.mktemp("shared") / "data"
    shutil.copytree(seeded, folder)
    async with AsyncExitStack() as stack:
        door = await open_door(stack, folder, limits={"public_per_minute": 100_000})
        door.all, door.secret = await door.key("maire"), await door.source()
        said = {"title": "Eau", "body": "Jeudi.", "themes": ["eau"], "channels": ["sms"]}
        door.published = (await door.post(door.all, said)).json["id"]
        await door.settled(door.all, door.published)
        yield door


@pytest.fixture
async def door(make_door):
    """A hub of its own for this test, with room for any number of requests."""
    return await make_door()


@pytest.fixture
def door_settings(tmp_path: Path) -> Any:
    """`door_settings(hub={...})`: settings alone, nothing started."""
    return lambda **sections: make_settings(tmp_path, **sections)


@pytest.fixture
def door_clock() -> TownClock:
    """The town's clock, alone."""
    return TownClock()


@pytest.fixture
def news() -> dict[str, Any]:
    """A small announcement that everything accepts."""
    return {
        "title": "Coupure d'eau jeudi",
        "body": "L'eau sera coupée **jeudi** de 8 h à 12 h.",
        "themes": ["eau"],
        "zones": ["tanneries"],
    }
