# SPDX-License-Identifier: EUPL-1.2
"""Pages are ready before anybody asks for them, in each language, once what came first has left."""

import asyncio
from datetime import UTC, datetime

from hub.clock import ManualClock
from hub.web.readying import AFTER, ready
from templates.pages import pages


def compiled(language: str) -> int:
    """How many templates need not be read any more."""
    cache = pages._environment(language).cache
    return 0 if cache is None else len(cache)


async def test_every_page_is_ready_in_each_language_a_while_after_the_start() -> None:
    clock = ManualClock(datetime(2026, 11, 24, 9, tzinfo=UTC))
    for language in pages.LANGUAGES:
        cache = pages._environment(language).cache
        if cache is not None:
            cache.clear()
    work = asyncio.create_task(ready(clock))
    await asyncio.sleep(0)
    await clock.advance(AFTER - 1)
    await asyncio.sleep(0)
    assert compiled("fr") == 0
    while not work.done():
        await clock.advance(1)
        await asyncio.wait([work], timeout=0.01)
    await work
    every = pages.every_page()
    assert len(every) > 200
    assert compiled("fr") + compiled("en") == len(every)
