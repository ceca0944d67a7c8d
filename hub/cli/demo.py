# SPDX-License-Identifier: EUPL-1.2
"""`hub demo`: a made-up town in a sandbox, on this machine alone, with one announcement sent."""

import asyncio
import base64
import json
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from sqlalchemy import Connection

from channels.base import ChannelName, Urgency
from hub.app import Hub, listen, open_hub
from hub.cli.options import Refusal
from hub.cli.serve import run, stopped
from hub.clock import PlayedClock, SystemClock
from hub.demo_town import town
from hub.equipment import Keys
from hub.flow.accept.credentials import Scope, issue_key
from hub.flow.accept.principal import Principal
from hub.flow.accept.submission import iso, parse
from hub.ledger.database import open_writer
from hub.ledger.store import Ledger
from hub.logs import set_up_logs
from hub.reports.progress import progress
from hub.sandbox.server import Sandbox
from hub.settings import Settings, SettingsError, load_settings
from hub.standing_in import sandbox_of, sandboxed
from hub.web.sandbox.stage import Persona, Phones
from subscribers import directory
from subscribers.catalogue import Catalogue

TUESDAY = 1
_SENDER = "38200"  # a short code, so that the phones can answer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("demo")(demo)


def demo(
    port: Annotated[int, typer.Option(help="Port of the hub; 0: any free one.")] = 8080,
    as_json: Annotated[
        bool, typer.Option("--json", help="One line of JSON once ready, for scripts.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="Keep the data here; by default it is thrown away.")
    ] = None,
) -> None:
    """Play Valmont-sur-Orne: 2,000 citizens, every channel, nothing leaves this machine."""
    with ExitStack() as stack:
        folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hub-demo-")))
        set_up_logs("json" if as_json else "console", "warning")
        run(lambda: _demo(folder, port, Console(stderr=as_json), as_json))


def last_tuesday(now: datetime) -> timedelta:
    """How far back the latest Tuesday at 10:00 in Valmont lies, as a negative shift.

    In the past, so that dates somebody takes from their own calendar lie ahead.
    """
    there = now.astimezone(ZoneInfo("Europe/Paris"))
    day = there.date() - timedelta(days=(there.weekday() - TUESDAY) % 7)
    start = datetime.combine(day, time(10), there.tzinfo)
    return (start if start <= there else start - timedelta(days=7)) - there


def _settings(folder: Path, port: int) -> Settings:
    """The demonstration's own settings; the environment still overrides them."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = folder / "demo-secret"
    if not secret.exists():
        secret.write_text(base64.b64encode(secrets.token_bytes(32)).decode(), "ascii")
    given: dict[str, Any] = {
        "hub": {"data": folder, "authority": town.KEY, "secret": secret.read_text("ascii")},
        "server": {"port": port},
        "sandbox": {"enabled": True, "http_port": 0, "smtp_port": 0},
    }
    try:
        return load_settings(None, overrides=given)
    except SettingsError as refused:
        raise Refusal(str(refused)) from None


async def _demo(folder: Path, port: int, console: Console, as_json: bool) -> None:
    stop = stopped()
    settings = _settings(folder, port)
    clock = PlayedClock(last_tuesday(SystemClock().now()))
    server = listen(settings)
    address = f"http://127.0.0.1:{server.getsockname()[1]}"
    settings = settings.model_copy(
        update={"hub": settings.hub.model_copy(update={"public_url": address})}
    )
    async with sandbox_of(settings, clock, sms_sender=_SENDER) as stand_ins:
        console.print("[bold]Valmont-sur-Orne[/] moves in: 2,000 citizens, a dozen districts…")
        settings = sandboxed(settings, stand_ins)
        personas = await asyncio.to_thread(_move_in, settings, stand_ins, clock.now())
        phones = Phones(stand_ins.effects, personas)
        async with open_hub(settings, clock, server, sandbox=stand_ins, phones=phones) as hub:
            ready = await _publish(hub, clock.now())
            if as_json:
                typer.echo(json.dumps(ready))
            else:
                _tell(console, ready)
                await _show_progress(console, hub, ready["announcement_id"])
                console.print("\nPress Ctrl+C to stop.")
            await stop.wait()


def _move_in(settings: Settings, stand_ins: Sandbox, now: datetime) -> list[Persona]:
    Ledger.open(settings.hub.data).close()  # makes the tables
    engine = open_writer(settings.hub.data / "ledger.sqlite3")
    try:
        suppression = Keys.of(settings).suppression
        catalogue = town.settle(engine.begin, stand_ins.new_device, suppression, now)
        with engine.begin() as conn:
            return [_persona(conn, catalogue, each) for each in town.personas()]
    finally:
        engine.dispose()


def _persona(conn: Connection, catalogue: Catalogue, who: dict[str, Any]) -> Persona:
    number = town.people(conn, catalogue)[who["ref"]]
    addresses: set[tuple[ChannelName, str]] = {
        (point.channel, point.address)
        for point in directory.contact_points(conn, number)
        if point.channel is not ChannelName.WEBPUSH
    }
    addresses |= {(ChannelName.WEBPUSH, f"{who['ref']}-{n}") for n in range(1, 6)}
    name = f"{who['name']}, {who['age']}"
    return Persona(name, who["about"], frozenset(addresses), basic=who.get("basic", False))


async def _publish(hub: Hub, now: datetime) -> dict[str, Any]:
    """A key that may publish, and the announcement of the day."""
    name = f"demo {secrets.token_hex(4)}"
    scope = Scope(highest_urgency=Urgency.URGENT, may_publish=True)
    number = hub.town.authority
    key = await hub.ledger.transact(
        lambda conn: issue_key(conn, number, name, scope, actor="hub demo", now=now)
    )
    operator = Principal("demo", "hub demo", number, may_publish=True)
    accepted = await hub.intake.accept(parse(town.announcement()), operator, key="first")
    officers, password = town.town_hall()
    return {
        "ready": True,
        "base_url": hub.base_url,
        "sandbox_url": f"{hub.base_url}/sandbox",
        "messages_url": f"{hub.base_url}/sandbox/api/messages",
        "console_url": f"{hub.base_url}/console",
        "officers": [{**who, "password": password} for who in officers],
        "api_url": f"{hub.base_url}/api/v1/announcements",
        "api_key": key,
        "announcement_id": accepted.announcement.code,
        "now": iso(now),
    }


def _tell(console: Console, ready: dict[str, Any]) -> None:
    news = {
        "title": "Marché déplacé samedi",
        "body": "Le marché se tient place de la Gare, de 8 h à 13 h.",
        "themes": ["vie-municipale"],
    }
    body = json.dumps(news, ensure_ascii=False)
    console.print(f"\n  phones   [link]{ready['sandbox_url']}[/link]")
    console.print(f"  portal   [link]{ready['base_url']}/[/link]")
    first = ready["officers"][0]
    console.print(f"  console  [link]{ready['console_url']}[/link]")
    console.print(f"           {first['email']}, password: {first['password']}", soft_wrap=True)
    console.print(f"  API key  {ready['api_key']}\n", soft_wrap=True)
    console.print("Publish something yourself:\n")
    console.print(
        f"curl -i {ready['api_url']} \\\n  -H 'Authorization: Bearer {ready['api_key']}' \\\n"
        f"  -H 'Content-Type: application/json' \\\n  -d '{body}'\n",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


@contextmanager
def _bars(console: Console) -> Iterator[Progress]:
    columns = (TextColumn("{task.description:>12}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console) as bars:
        yield bars


async def _show_progress(console: Console, hub: Hub, code: str) -> None:
    """Bars until the announcement has nothing left to send at once."""
    operator = Principal("demo", "hub demo", hub.town.authority, may_publish=True)
    found = await hub.intake.find(code, operator)
    with _bars(console) as bars:
        tasks: dict[ChannelName, Any] = {}
        while True:
            runs = await hub.ledger.read(lambda conn: progress(conn, found.id))
            for each in runs:
                if each.channel not in tasks:
                    tasks[each.channel] = bars.add_task(each.channel)
                done = each.total - each.waiting
                bars.update(tasks[each.channel], total=each.total, completed=done)
            if runs and not any(each.waiting or each.planning for each in runs):
                return
            await asyncio.sleep(0.1)
