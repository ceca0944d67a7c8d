# SPDX-License-Identifier: EUPL-1.2
"""`hub backup`: the ledger in one checked file, while the daemon sends. `hub backup-key`."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from hub import __version__
from hub.cli.options import CONFIG, Config, Refusal, read_settings
from hub.cli.watching import bar
from hub.clock import SystemClock
from hub.ledger import backup as backups
from hub.ledger.backup import LEDGER, BadBackupError, Manifest
from hub.ledger.database import LedgerCorruptError, LedgerFullError
from hub.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("backup")(backup)
    app.command("backup-key")(backup_key)


def backup(
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write this file; by default a dated one, rotated."),
    ] = None,
    encrypt_to: Annotated[
        str | None, typer.Option(metavar="age1…", help="Encrypt to this key.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    config: Config = CONFIG,
) -> None:
    """Copy the ledger into one file, checked after writing. The daemon goes on sending.

    The secrets folder is not in it.
    """
    settings = read_settings(config)
    folder = settings.hub.data
    if not (folder / LEDGER).is_file():
        raise Refusal(f"There is no ledger in {folder}; run hub init.")
    # an empty one is a variable nobody set: what was to be encrypted must not be written plain
    key = settings.backup.encrypt_to if encrypt_to is None else encrypt_to
    with saying("The backup"), bar("Copying") as on_progress:
        target = to or _dated(settings, encrypted=key is not None)
        manifest = backups.write(
            folder,
            target,
            SystemClock().now(),
            version=__version__,
            encrypt_to=key,
            on_progress=on_progress,
        )
        gone = [] if to else backups.rotate(target.parent, settings.backup.keep)
    shown = _json if as_json else _lines
    typer.echo("\n".join(shown(target, manifest, key is not None, len(gone))))


def _dated(settings: Settings, *, encrypted: bool) -> Path:
    folder = settings.backup.folder or settings.hub.data / "backups"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = SystemClock().now().astimezone(UTC)
    return folder / f"hub-{made:%Y%m%dT%H%M%SZ}.zip{'.age' if encrypted else ''}"


def _lines(target: Path, manifest: Manifest, encrypted: bool, gone: int) -> Iterator[str]:
    rows = ", ".join(f"{n:,} {table}s" for table, n in manifest.rows.items())
    yield f"{target}: {rows.replace('deliverys', 'deliveries')}; checked."
    if gone:
        yield f"{gone} older backup{'' if gone == 1 else 's'} removed."
    if not encrypted:
        yield "It is not encrypted, and holds every address."
    yield "NOT IN IT: the secrets folder. Without it no link ever sent works again: keep it apart."


def _json(target: Path, manifest: Manifest, encrypted: bool, gone: int) -> Iterator[str]:
    shown = {"file": str(target), "encrypted": encrypted, "removed": gone, **asdict(manifest)}
    yield json.dumps(shown)


@contextmanager
def saying(what: str) -> Iterator[None]:
    """Say what goes wrong with a backup, or around one, in a sentence."""
    try:
        yield
    except BadBackupError as bad:
        raise Refusal(str(bad)) from None
    except LedgerFullError:
        raise Refusal(f"{what} does not fit: the disk is full. Nothing was changed.") from None
    except LedgerCorruptError:
        raise Refusal("The ledger is damaged: restore a backup.") from None
    except OSError as refused:
        name = f" {refused.filename}" if refused.filename else ""
        raise Refusal(f"{what} cannot be made:{name} {refused.strerror}.") from None


def backup_key(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where the key that opens backups is written.")
    ],
) -> None:
    """Make a key pair for encrypted backups (age).

    Keep FILE away from this machine, twice: without it no encrypted backup can be opened.
    """
    identity, recipient = backups.new_identity()
    with saying("The key"):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as target:
            target.write(f"# public key: {recipient}\n{identity}\n")
    typer.echo(
        f'{file}: keep it elsewhere. In hub.toml, under [backup]:\nencrypt_to = "{recipient}"'
    )
