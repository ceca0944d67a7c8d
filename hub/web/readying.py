# SPDX-License-Identifier: EUPL-1.2
"""Has the pages ready before somebody asks: what the loop reads keeps every message waiting."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web

from channels.base import Clock
from hub.flow.companion import end
from templates.pages.pages import compile_page, every_page

AFTER: Final = 20.0
"""Seconds after the start: whoever comes back has messages to send first."""
_BETWEEN: Final = 0.05


def install(app: web.Application, clock: Clock) -> None:
    """Give an application its pages; what is not ready when it ends is left."""

    async def beside(_app: web.Application) -> AsyncIterator[None]:
        work = asyncio.create_task(ready(clock))
        yield
        await end(work)

    app.cleanup_ctx.append(beside)


async def ready(clock: Clock) -> None:
    """Every page in every language, one at a time and in a thread."""
    await clock.sleep(AFTER)
    for language, name in every_page():
        await asyncio.to_thread(compile_page, language, name)
        await clock.sleep(_BETWEEN)
