# SPDX-License-Identifier: EUPL-1.2
"""One file that holds a whole ledger: written complete or not at all, checked before it is used.

A zip of `manifest.json`, the ledger's copy and the journal, so that any tool opens it; encrypted,
the same zip in age's format (age-encryption.org), to a key whose other half need not be here.
"""

import errno
import hashlib
import json
import os
import re
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final

import pyrage

from hub.ledger import schema, snapshot
from hub.ledger.database import LedgerCorruptError, sync
from hub.ledger.journal import NAME as JOURNAL
from hub.ledger.journal import Journal
from hub.ledger.snapshot import Progress, quiet

LEDGER: Final = "ledger.sqlite3"
_MANIFEST: Final = "manifest.json"
_FORMAT: Final = 1
_CHUNK: Final = 1 << 20
_AGE: Final = b"age-encryption.org/v1"
_MOST_SAID: Final = 65_536  # bytes of a manifest
_COUNTED: Final = ("announcement", "delivery", "subscriber")


class BadBackupError(Exception):
    """This file cannot be restored; one sentence says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. `journal` is the number of the last entry it knows of;
    `sha256` and `bytes` are the ledger copy's; `rows` counts the great tables."""

    format: int
    made: str
    hub: str
    schema: str
    journal: int
    bytes: int
    sha256: str
    rows: dict[str, int]

    @property
    def made_at(self) -> datetime:
        """When the copy was taken."""
        return datetime.fromisoformat(self.made)


def write(
    folder: Path,
    target: Path,
    now: datetime,
    *,
    version: str,
    encrypt_to: str | None = None,
    on_progress: Progress = quiet,
) -> Manifest:
    """Back up the ledger of a data folder into `target`, which must not exist.

    It appears under its name complete, checked and on the disk, or not at all. What is not
    encrypted never leaves the data folder when `encrypt_to` (an age recipient) is given. Raises
    `LedgerCorruptError`, `LedgerFullError`, `OSError`, `BadBackupError`.
    """
    recipient = None if encrypt_to is None else _recipient(encrypt_to)
    if not target.name:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    with scratch(folder) as room:
        journal = Journal.beside(folder / LEDGER)
        last = journal.last()  # before the copy: an entry that is in both is replayed harmlessly
        copied = room / LEDGER
        snapshot.copy(folder / LEDGER, copied, on_progress)
        manifest = _describe(copied, now, version, last)
        zipped = room / "backup.zip"
        _zip(zipped, manifest, copied, journal.path)
        _verify(zipped, manifest)
        _publish(zipped, target, recipient)
    return manifest


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A private folder inside the data folder; gone afterwards, whatever happens."""
    with TemporaryDirectory(prefix="backup-", dir=folder) as made:
        yield Path(made)


def _recipient(text: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise BadBackupError("The key to encrypt to is not an age recipient (age1…).") from None


def _describe(copied: Path, now: datetime, version: str, journal: int) -> Manifest:
    with closing(sqlite3.connect(copied)) as conn:
        revision = conn.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        rows = {
            table: conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in _COUNTED
        }
    return Manifest(
        format=_FORMAT,
        made=now.astimezone(UTC).isoformat(timespec="milliseconds"),
        hub=version,
        schema=revision,
        journal=journal,
        bytes=copied.stat().st_size,
        sha256=_sha256(copied),
        rows=rows,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _zip(target: Path, manifest: Manifest, copied: Path, journal: Path) -> None:
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        archive.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=2) + "\n")
        archive.write(copied, LEDGER)
        if journal.exists():
            archive.write(journal, JOURNAL)


def _verify(zipped: Path, manifest: Manifest) -> None:
    """What was written is what was copied: read it all again."""
    with zipfile.ZipFile(zipped) as archive, archive.open(LEDGER) as inside:
        if hashlib.file_digest(inside, "sha256").hexdigest() != manifest.sha256:  # type: ignore[arg-type]
            raise BadBackupError("What was written is not what was read: the disk is failing.")


def _publish(zipped: Path, target: Path, recipient: pyrage.x25519.Recipient | None) -> None:
    part = target.with_name(f".{target.name}.part")
    try:
        with ExitStack() as stack:
            source = stack.enter_context(zipped.open("rb"))
            file = stack.enter_context(_private(part))
            if recipient is None:
                while chunk := source.read(_CHUNK):
                    file.write(chunk)
            else:
                pyrage.encrypt_io(source, file, [recipient])
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        part.rename(target)
        sync(target.parent)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def _private(path: Path) -> IO[bytes]:
    """A new file that only we can read, whatever somebody put under its name before."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


_DATED: Final = re.compile(r"hub-[0-9]{8}T[0-9]{6}Z\.zip(\.age)?")
"""What `hub backup` names its files: what somebody else named is theirs to remove."""


def dated(folder: Path) -> list[Path]:
    """The backups of a folder, the oldest first; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if _DATED.fullmatch(path.name))


def rotate(folder: Path, keep: int) -> list[Path]:
    """Remove the oldest backups of a folder, by the time in their names, but for `keep` of them.

    Returns those removed.
    """
    gone = dated(folder)[:-keep]
    for path in gone:
        path.unlink()
    return gone


# --------------------------------------------------------------------------- read

_BROKEN: Final = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OverflowError),
    *(NotImplementedError, RuntimeError, KeyError, ValueError, TypeError),
)
"""What reading a damaged zip may raise, by which of its bytes is wrong."""


def unpack(file: Path, room: Path, identity: str | None = None) -> Manifest:
    """Put the ledger (and the journal) of a backup into `room`, checked whole.

    `identity` is the text of an age identity file. Raises `BadBackupError`, `OSError`.
    """
    zipped = _decrypted(file, room, identity)
    try:
        with zipfile.ZipFile(zipped) as archive:
            manifest = _manifest(archive)
            _extract(archive, LEDGER, room, manifest.bytes)
            if JOURNAL in archive.namelist():
                _extract(archive, JOURNAL, room, archive.getinfo(JOURNAL).file_size)
    except _BROKEN:
        raise BadBackupError(f"{file} is not a backup of a hub, or it is damaged.") from None
    copied = room / LEDGER
    if copied.stat().st_size != manifest.bytes or _sha256(copied) != manifest.sha256:
        raise BadBackupError(f"{file} is damaged: its checksum is not that of its ledger.")
    try:
        snapshot.check(copied)
    except LedgerCorruptError:
        raise BadBackupError(f"The ledger in {file} is damaged.") from None
    return manifest


def _decrypted(file: Path, room: Path, identity: str | None) -> Path:
    with file.open("rb") as source:
        if source.read(len(_AGE)) != _AGE:
            return file
        if identity is None:
            raise BadBackupError(f"{file} is encrypted: name its key with --identity.")
        source.seek(0)
        zipped = room / "backup.zip"
        with _private(zipped) as target:
            try:
                pyrage.decrypt_io(source, target, _identities(identity))
            except pyrage.DecryptError:
                raise BadBackupError(
                    f"{file} cannot be decrypted: another key, or a damaged file."
                ) from None
    return zipped


def _identities(text: str) -> list[pyrage.x25519.Identity]:
    lines = (line.strip() for line in text.splitlines())
    try:
        found = [
            pyrage.x25519.Identity.from_str(line)
            for line in lines
            if line and not line.startswith("#")
        ]
    except pyrage.IdentityError:
        found = []
    if not found:
        raise BadBackupError("The identity file holds no age key (AGE-SECRET-KEY-1…).")
    return found


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    with archive.open(_MANIFEST) as inside:
        manifest = Manifest(**json.loads(inside.read(_MOST_SAID)))
    whole = (manifest.format, manifest.journal, manifest.bytes)
    if manifest.made_at.tzinfo is None or not all(isinstance(each, int) for each in whole):
        raise ValueError("no hub writes such a manifest")
    if manifest.format != _FORMAT or manifest.schema > schema.head():
        raise BadBackupError("The backup was written by a newer version: install that one.")
    return manifest


def _extract(archive: zipfile.ZipFile, name: str, room: Path, most: int) -> None:
    """Write one file out. Raises `ValueError` where it is larger than it says (a bomb), or packed
    as none of ours is."""
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is packed in a way no hub knows")
    with archive.open(name) as inside, _private(room / name) as target:
        while chunk := inside.read(_CHUNK):
            if target.tell() + len(chunk) > most:
                raise ValueError(f"{name} is larger than it says")
            target.write(chunk)


def new_identity() -> tuple[str, str]:
    """A key pair: the identity, to keep away from the hub, and the recipient to encrypt to."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())
