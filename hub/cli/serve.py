# SPDX-License-Identifier: EUPL-1.2
"""`hub serve`: the daemon. `hub sandbox`: the providers' stand-ins as a process of their own."""

import asyncio
import errno
import gc
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from hub.app import Hub, lease_seconds, listen, open_hub
from hub.cli.options import CONFIG, UNWRITABLE, Config, Refusal, read_settings
from hub.clock import SystemClock
from hub.equipment import UnusableError
from hub.flow.keep.standby import stand_by
from hub.ledger.database import LedgerCorruptError, LedgerFullError
from hub.ledger.schema import NewerLedgerError
from hub.ledger.store import LedgerLockedError
from hub.logs import set_up_logs
from hub.sandbox.server import SandboxSettings
from hub.sandbox.server import main as sandbox_main
from hub.settings import Settings
from hub.standing_in import clock_for, sandbox_of, sandboxed

_LOOP: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
with suppress(ImportError):  # Windows, PyPy
    import uvloop

    _LOOP = uvloop.new_event_loop

TAKEN_OVER: Final = 75  # EX_TEMPFAIL: started again, it would work


class TakenOverError(Exception):
    """Our lease ended and another hub sends in our place."""


_NOT_OURS: Final = {errno.EACCES, errno.EPERM, errno.EROFS}


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("serve")(serve)
    app.command("sandbox")(sandbox)


def serve(
    config: Config = CONFIG,
    standby: Annotated[
        bool,
        typer.Option(
            "--standby", help="Wait beside the hub that works here, and take over when it cannot."
        ),
    ] = False,
) -> None:
    """Run the daemon until SIGTERM: accept, send, answer."""
    settings = read_settings(config)
    if standby and settings.sandbox.enabled:
        raise Refusal("The sandbox lives inside one hub: another cannot wait beside it.")
    set_up_logs(settings.logs.format, settings.logs.level)
    run(lambda: _wait_and_serve(settings) if standby else _serve(settings))


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run to the end; what the daemon cannot start with is a sentence, not a traceback."""
    try:
        with asyncio.Runner(loop_factory=_LOOP) as runner:
            runner.run(work())
    except TakenOverError:
        typer.echo("hub: Another hub took over this folder.", err=True)
        raise typer.Exit(TAKEN_OVER) from None
    except UnusableError as unusable:
        raise Refusal(str(unusable)) from None
    except LedgerLockedError as locked:
        raise Refusal(f"Another hub works in {locked}: stop it first.") from None
    except LedgerCorruptError:
        raise Refusal("The ledger is damaged: restore a backup.") from None
    except LedgerFullError:
        raise Refusal("The disk is full: the hub cannot start; make room.") from None
    except NewerLedgerError:
        raise Refusal("The ledger was written by a newer version: install that one.") from None
    except OSError as refused:
        if refused.errno not in _NOT_OURS:
            raise
        raise Refusal(UNWRITABLE) from None


def stopped() -> asyncio.Event:
    """Set by SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    return stop


async def _serve(settings: Settings) -> None:
    stop, clock, server = stopped(), clock_for(settings), listen(settings)
    if not settings.sandbox.enabled:
        async with open_hub(settings, clock, server) as hub:
            await _until_over(stop, hub)
        return
    async with (
        sandbox_of(settings, clock) as stand_ins,
        open_hub(sandboxed(settings, stand_ins), clock, server, sandbox=stand_ins) as hub,
    ):
        await _until_over(stop, hub)


async def _wait_and_serve(settings: Settings) -> None:
    stop, clock = stopped(), SystemClock()
    lease_seconds(settings)  # what it cannot start with is said now, not when it is needed
    lock = await stand_by(settings.hub.data, clock, stop)
    if lock is not None:
        async with open_hub(settings, clock, None, lock=lock) as hub:
            await _until_over(stop, hub)


async def _until_over(stop: asyncio.Event, hub: Hub) -> None:
    """Until somebody stops us; raises `TakenOverError` where another hub took our place."""
    gc.freeze()  # what was imported stays: each search of it for garbage held the loop for 0.2 s
    lost = hub.engine.tenure.lost
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, lost)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    if lost.is_set():
        raise TakenOverError


def sandbox(
    http_port: Annotated[int, typer.Option(help="Port of SMS, X and push; 0: any.")] = 8090,
    smtp_port: Annotated[int, typer.Option(help="Port of the mail server; 0: any.")] = 8025,
    effects_log: Annotated[
        Path | None, typer.Option(help="File that keeps every effect, fsynced.")
    ] = None,
    posts_per_window: Annotated[int, typer.Option(help="X posts allowed in 15 minutes.")] = 100,
) -> None:
    """Run the stand-ins of Twilio, X, a mail server and a push service, on loopback."""
    chosen = SandboxSettings(
        http_port=http_port,
        smtp_port=smtp_port,
        effects_log=effects_log,
        posts_per_window=posts_per_window,
    )
    run(lambda: sandbox_main(SystemClock(), chosen))
