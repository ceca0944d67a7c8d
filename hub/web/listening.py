# SPDX-License-Identifier: EUPL-1.2
"""Where the doors open: a port bound before anything else, or one that another hub still keeps."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from channels.base import Clock

log = structlog.get_logger(__name__)


def _ours(record: logging.LogRecord) -> bool:
    """Whether a line of aiohttp's is about us: what strangers misspell is no bug of ours, it would
    fill the disk a traceback a request, and names their address."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, (HttpProcessingError, web.RequestPayloadError))


logging.getLogger("aiohttp.server").addFilter(_ours)

_KNOCK: Final = 1.0  # seconds between two tries at a port that is taken


def bind(host: str, port: int) -> socket.socket:
    """A listening socket: port 0 has become a real one. Raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, reuse_port=False, backlog=1024)


async def open_doors(stack: AsyncExitStack, app: web.Application, server: socket.socket) -> None:
    """Answer on this socket until `stack` is left."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, server).start()
    log.info("hub.ready", port=server.getsockname()[1])


@asynccontextmanager
async def opened_when_free(
    stack: AsyncExitStack, app: web.Application, host: str, port: int, clock: Clock
) -> AsyncIterator[None]:
    """Open the doors as soon as the port is free.

    The hub we took over from keeps it while it stands still; sending waits for no door.
    """
    knocking = asyncio.create_task(_knock(stack, app, host, port, clock), name="doors")
    try:
        yield
    finally:
        knocking.cancel()
        await asyncio.gather(knocking, return_exceptions=True)


async def _knock(
    stack: AsyncExitStack, app: web.Application, host: str, port: int, clock: Clock
) -> None:
    said = False
    while True:
        try:
            server = bind(host, port)
        except OSError as refused:
            if not said:
                log.warning("doors.wait", port=port, why=refused.strerror)
            said = True
            await clock.sleep(_KNOCK)
        else:
            await open_doors(stack, app, server)
            return
