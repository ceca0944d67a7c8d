# SPDX-License-Identifier: EUPL-1.2
"""Real browsers on a real hub.

A file of tests begins with ``pytestmark = pytest.mark.asyncio(loop_scope="session")``: Chromium
lives as long as the session, so its tests share one loop. Then:

* ``town``: one hub for the file (``town.publish(...)``, ``town.code(number)``,
  ``town.link(channel, to, "/c/")``; its clock moves by ``town.door.clock.leap``), the demo town's
  map and forty citizens in it. ``make_town(**sections)``: one of its own, with other settings.
* ``tab``: a tab in French at 320 px; ``make_tab(language, scripts=False, ...)``: others, each with
  its own cookies. A test fails on a console error, a CSP report or a request to another host.
"""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

pytest.importorskip("playwright.async_api", reason="playwright is not installed")
sys.path.append(str(Path(__file__).parents[1] / "web"))  # the doors' rig
sys.path.append(str(Path(__file__).parent))
from browsing import CHROMIUM, Browser, open_browser
from door_rig import seed
from towns import Town, open_town


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the town in it; copy it, never write to it."""
    folder = tmp_path_factory.mktemp("seeded")
    seed(folder)
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    async with open_browser() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def make_town(
    seeded: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Callable[..., Awaitable[Town]]]:
    """`await make_town(portal={...})`: a hub of its own, until the file ends."""
    async with AsyncExitStack() as stack:

        async def make(**sections: Any) -> Town:
            folder = tmp_path_factory.mktemp("town") / "data"
            return await open_town(stack, seeded, folder, **sections)

        yield make


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(make_town: Callable[..., Awaitable[Town]]) -> Town:
    """One hub for all the tests of a file."""
    return await make_town()


@pytest_asyncio.fixture(loop_scope="session")
async def make_tab(browser: Browser, town: Town) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """`await make_tab("en", scripts=False)`: another tab, with cookies of its own."""
    async with AsyncExitStack() as stack:

        async def make(language: str = "fr", **look: Any) -> Any:
            return await stack.enter_async_context(browser.tab(town.home, language, **look))

        yield make


@pytest_asyncio.fixture(loop_scope="session")
async def tab(make_tab: Callable[..., Awaitable[Any]]) -> Any:
    """A tab in French, 320 px wide."""
    return await make_tab()
