# SPDX-License-Identifier: EUPL-1.2
"""`hub check`: tries everything the daemon will need, sends nothing, and says one line for each."""

import asyncio
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from channels.base import ChannelName, CheckFailed, Clock
from channels.registry import build
from hub.cli.init import authority_id
from hub.cli.options import CONFIG, Config
from hub.clock import SystemClock
from hub.equipment import real, stood_in
from hub.ledger import schema
from hub.ledger.database import LedgerCorruptError, open_readers, quick_check
from hub.settings import Settings, SettingsError, load_settings
from hub.web.town import read_logo
from subscribers.catalogue import load_catalogue
from templates import check as templates_check
from templates.catalogue import Catalogue

PATIENCE = 20.0  # seconds a channel may take to answer, whatever its own time-out


class Finding(NamedTuple):
    """One line of the report: whether it is well, what was looked at, and a sentence."""

    well: bool
    what: str
    sentence: str

    def __str__(self) -> str:
        return f"{'ok' if self.well else 'problem':7}  {self.what:9}  {self.sentence}"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("check")(check)


def check(config: Config = CONFIG) -> None:
    """Check settings, folders, ledger, catalogue, templates, channels and clock."""
    try:
        settings = load_settings(config)
    except SettingsError as refused:
        findings = [Finding(False, "settings", str(each)) for each in refused.problems]
    else:
        clock = SystemClock()
        findings = [
            Finding(True, "settings", f"{config} is understood."),
            *_folders(settings),
            *_ledger(settings),
            *_templates(settings),
            *_portal(settings),
            *asyncio.run(_channels(settings, clock)),
            _time(settings, clock),
        ]
    for finding in findings:
        typer.echo(str(finding))
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


def _folders(settings: Settings) -> Iterator[Finding]:
    """The data folder and the secret files: there, ours, and closed to everybody else."""
    for path in (settings.hub.data, settings.hub.secrets_folder):
        if not path.is_dir():
            yield Finding(False, "data", f"{path} is not there; run hub init.")
            continue
        open_to_others = [
            p for p in (path, *path.iterdir()) if _is_secret(p, settings) and _open(p)
        ]
        yield from (
            Finding(False, "data", f"{p} can be read by others; run chmod go= {p}.")
            for p in open_to_others
        )
        if not open_to_others:
            yield Finding(True, "data", f"{path} is ours alone.")


def _is_secret(path: Path, settings: Settings) -> bool:
    folders = (settings.hub.data, settings.hub.secrets_folder)
    return path in folders or path.parent == settings.hub.secrets_folder


def _open(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _ledger(settings: Settings) -> Iterator[Finding]:
    """The ledger's file, its version, and the catalogue of the authority it was made for."""
    path = settings.hub.data / "ledger.sqlite3"
    if not path.is_file():
        yield Finding(False, "ledger", f"{path} is not there; run hub init.")
        return
    engine = open_readers(path)
    try:
        quick_check(engine)
        with engine.connect() as connection:
            current = schema.current(connection)
            yield _version(current)
            if current == schema.head():
                yield _catalogue(connection, settings)
    except LedgerCorruptError:
        yield Finding(False, "ledger", f"{path} is damaged; restore a backup.")
    except DatabaseError as refused:
        why = type(refused.orig).__name__
        sentence = f"{path} cannot be read ({why}); where it is damaged, restore a backup."
        yield Finding(False, "ledger", sentence)
    finally:
        engine.dispose()


def _version(current: str | None) -> Finding:
    head = schema.head()
    if current is None:
        return Finding(False, "ledger", "It is empty; run hub init.")
    if current > head:  # revisions are numbers of four digits
        return Finding(False, "ledger", f"Version {current} is newer than this hub; upgrade it.")
    upgrade = "" if current == head else f"; the start will upgrade it to {head}"
    return Finding(True, "ledger", f"It is sound, at version {current}{upgrade}.")


def _catalogue(connection: Connection, settings: Settings) -> Finding:
    key = settings.hub.authority
    authority = authority_id(connection, key)
    if authority is None:
        return Finding(False, "catalogue", f"The ledger has no authority {key}; run hub init.")
    catalogue = load_catalogue(connection, authority)
    themes, zones = len(catalogue.themes), len(catalogue.zones)
    return Finding(True, "catalogue", f"{key} has {themes} themes and {zones} zones.")


def _templates(settings: Settings) -> list[Finding]:
    overlay = settings.words.overlay
    if overlay is not None and not overlay.is_dir():
        return [Finding(False, "templates", f"words.overlay: there is no folder {overlay}.")]
    catalogue = Catalogue(overlay, settings.hub.language)
    sms = settings.channels.sms
    one_way = sms is not None and sms.one_way
    faults = templates_check.problems(catalogue, one_way=one_way)
    if not faults:
        return [Finding(True, "templates", "All can be rendered, in every language.")]
    return [Finding(False, "templates", f"{fault}.") for fault in faults]


def _portal(settings: Settings) -> Iterator[Finding]:
    """What the citizens' pages have of the town's own; the start would do without, in silence."""
    logo, texts = settings.portal.logo, settings.portal.texts
    if logo is not None:
        try:
            read_logo(logo)
        except OSError as refused:
            yield Finding(
                False, "portal", f"portal.logo: {logo} cannot be read: {refused.strerror}."
            )
        except ValueError as refused:
            yield Finding(False, "portal", f"portal.logo: {logo} {refused}.")
    if texts is not None and not texts.is_dir():
        yield Finding(False, "portal", f"portal.texts: there is no folder {texts}.")


async def _channels(settings: Settings, clock: Clock) -> list[Finding]:
    """Every configured channel, all at once: one that does not answer delays nobody."""
    fake, configured = stood_in(settings), real(settings)
    if fake and not configured:
        return [Finding(True, "channels", "The sandbox stands in for all; no credential is tried.")]
    if not configured:
        sentence = "None is configured; switch on a [channels.…] section in hub.toml."
        return [Finding(False, "channels", sentence)]
    stand_ins = [Finding(True, name, "The sandbox stands in for it.") for name in fake]
    tried = await asyncio.gather(*(_channel(name, settings, clock) for name in configured))
    return [*stand_ins, *tried]


async def _channel(name: ChannelName, settings: Settings, clock: Clock) -> Finding:
    try:
        closed = build(name, getattr(settings.channels, name), clock)
    except ValueError as incomplete:  # a required setting is empty; the sentence names it
        return Finding(False, name, f"{str(incomplete)[:1].upper()}{str(incomplete)[1:]}.")
    try:
        async with asyncio.timeout(PATIENCE), closed as channel:
            sentence, well = await channel.check(), True
    except CheckFailed as refused:
        sentence, well = str(refused), False
    except TimeoutError:
        sentence, well = f"no answer within {PATIENCE:g} seconds", False
    return Finding(well, name, f"{sentence[:1].upper()}{sentence[1:].rstrip('.')}.")


def _time(settings: Settings, clock: Clock) -> Finding:
    """A clock that runs behind would send early, and hold back what is due."""
    now = clock.wall()
    ledger = settings.hub.data / "ledger.sqlite3"
    if ledger.is_file():
        written = datetime.fromtimestamp(ledger.stat().st_mtime, UTC)
        if written > now + timedelta(minutes=1):
            return Finding(False, "clock", "It is behind the ledger's last change; set it right.")
    local = now.astimezone(ZoneInfo(settings.hub.timezone))
    return Finding(True, "clock", f"It is {local:%Y-%m-%d %H:%M} in {settings.hub.timezone}.")
