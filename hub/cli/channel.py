# SPDX-License-Identifier: EUPL-1.2
"""`hub channel` and `hub drain`: close a channel by hand, open it again, see which are closed."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from channels.base import ChannelName
from hub.cli.desk import Desk, at_desk
from hub.cli.layout import table
from hub.cli.options import CONFIG, Config, Refusal
from hub.cli.redrive import AsJson, operating
from hub.flow.accept.submission import iso
from hub.flow.send.switches import Switch

Name = Annotated[
    ChannelName | None, typer.Argument(metavar="CHANNEL", help="sms, email, x or webpush.")
]
All = Annotated[bool, typer.Option("--all", help="Every channel.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(no_args_is_help=True, help="Close and open channels by hand.")
    verbs.command("pause")(pause)
    verbs.command("resume")(resume)
    verbs.command("status")(status)
    app.add_typer(verbs, name="channel")
    app.command("drain")(drain)


def pause(
    channel: Name = None, every: All = False, as_json: AsJson = False, config: Config = CONFIG
) -> None:
    """Let nothing leave on a channel, urgent alerts included, until it is resumed.

    What is accepted meanwhile waits. It outlives a restart.
    """
    _turn(config, "pause", _meant(channel, every), as_json)


def resume(
    channel: Name = None, every: All = False, as_json: AsJson = False, config: Config = CONFIG
) -> None:
    """Let messages leave on a channel again."""
    _turn(config, "resume", _meant(channel, every), as_json)


def drain(as_json: AsJson = False, config: Config = CONFIG) -> None:
    """Pause every channel: what is under way ends, what is accepted waits.

    `hub channel resume --all` undoes it.
    """
    _turn(config, "pause", list(ChannelName), as_json)


def _meant(channel: ChannelName | None, every: bool) -> Collection[ChannelName]:
    if (channel is None) is not every:
        raise Refusal("Name one channel, or give --all.")
    return list(ChannelName) if channel is None else [channel]


def _turn(config: Path, verb: str, channels: Collection[ChannelName], as_json: bool) -> None:
    async def turn(desk: Desk) -> Sequence[ChannelName]:
        act = operating(desk)
        return await (act.pause if verb == "pause" else act.resume)(channels, desk.principal)

    turned = at_desk(config, turn)
    if as_json:
        typer.echo(json.dumps({f"{verb}d": turned}))
    elif turned:
        done = "paused: nothing leaves there" if verb == "pause" else "open again"
        typer.echo(f"{', '.join(turned)} {'is' if len(turned) == 1 else 'are'} {done}.")
    else:
        already = "paused already" if verb == "pause" else "not paused"
        some = ", ".join(channels)
        typer.echo(f"{some} {'was' if len(channels) == 1 else 'were'} {already}.")


def status(as_json: AsJson = False, config: Config = CONFIG) -> None:
    """Show which channels are configured, and which were paused, when and by whom.

    How their providers do is asked of the daemon: /readyz and /metrics.
    """
    for line in at_desk(config, lambda desk: _status(desk, as_json)):
        typer.echo(line)


async def _status(desk: Desk, as_json: bool) -> Sequence[str]:
    paused = await operating(desk).paused()
    rows = [_row(name, name in desk.intake.channels, paused.get(name)) for name in ChannelName]
    if as_json:
        return [json.dumps(rows)]
    return list(table([(row["channel"], _said(row)) for row in rows]))


def _row(name: ChannelName, configured: bool, switch: Switch | None) -> dict[str, Any]:
    return {
        "channel": name.value,
        "configured": configured,
        "paused_at": iso(switch.at) if switch else None,
        "paused_by": switch.by if switch else None,
    }


def _said(row: dict[str, Any]) -> str:
    standing = "in use" if row["configured"] else "not configured"
    if row["paused_at"] is None:
        return standing
    return f"{standing}, paused by {row['paused_by']} since {row['paused_at']}"
