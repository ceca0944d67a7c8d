# SPDX-License-Identifier: EUPL-1.2
"""`hub approve`, `cancel`, `pause`, `resume`: what may happen to an announcement afterwards."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from hub.announcement import Announcement
from hub.cli.announce import standing
from hub.cli.desk import Desk, at_desk
from hub.cli.options import CONFIG, Config
from hub.reports.progress import ChannelProgress, progress

Id = Annotated[str, typer.Argument(metavar="ID", help="The announcement's id, such as 7Kq2mX.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    for verb in (approve, cancel, pause, resume):
        app.command(verb.__name__)(verb)


def approve(code: Id, config: Config = CONFIG) -> None:
    """Publish what waits for approval, now or at its time."""
    _turn(config, lambda desk: desk.intake.approve(code, desk.principal))


def cancel(code: Id, config: Config = CONFIG) -> None:
    """Stop what has not left. What a provider already took still arrives."""

    async def stop(desk: Desk) -> str:
        moved = await desk.intake.cancel(code, desk.principal)
        told = await desk.ledger.read(lambda conn: progress(conn, moved.id))
        return cancelled(moved.code, told)

    typer.echo(at_desk(config, stop))


def cancelled(code: str, told: Sequence[ChannelProgress]) -> str:
    """What a cancellation came too late for, in one sentence."""
    left = sum(each.handed_over for each in told)
    leaving = sum(each.in_flight for each in told)
    stopped = sum(each.waiting + each.parked - each.in_flight for each in told)
    under_way = f", {leaving:,} may be leaving now" if leaving else ""
    more = ", and what was not planned yet" if any(each.planning for each in told) else ""
    return f"{code} is cancelled: {left:,} already left{under_way}, {stopped:,} stopped{more}."


def pause(code: Id, config: Config = CONFIG) -> None:
    """Hold what has not left, until resumed. What a provider already took still arrives."""
    _turn(config, lambda desk: desk.intake.pause(code, desk.principal))


def resume(code: Id, config: Config = CONFIG) -> None:
    """Go on after a pause."""
    _turn(config, lambda desk: desk.intake.resume(code, desk.principal))


def _turn(config: Path, act: Callable[[Desk], Awaitable[Announcement]]) -> None:
    typer.echo(standing(at_desk(config, act)))
