# SPDX-License-Identifier: EUPL-1.2
"""Files that go with an announcement: a map, a poster. Each says in words what it shows, and is
public once the announcement is."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, delete, func, insert, literal, select, update

from hub.announcement import PUBLIC_STATES
from hub.flow.staff.officers import Officer
from hub.flow.writing.compositions import Composition, NotEditableError, load, say
from hub.ledger.database import AnyRow
from hub.ledger.office_tables import attachment as table
from hub.ledger.office_tables import composition as composition_table
from hub.ledger.tables import announcement as announcement_table

LARGEST: Final = 5 * 1_048_576
MOST: Final = 10
_SIGNATURES: Final[Mapping[bytes, tuple[str, str]]] = {
    b"%PDF-": ("application/pdf", "pdf"),
    b"\x89PNG\r\n\x1a\n": ("image/png", "png"),
    b"\xff\xd8\xff": ("image/jpeg", "jpg"),
}


class Fault(StrEnum):
    """Why a file is not taken."""

    EMPTY = "empty"
    KIND = "kind"
    SIZE = "size"
    SAID = "said"
    MANY = "many"


class AttachmentError(Exception):
    """A file that is not taken."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of the announcement `code`; `said` is the same in words, `size` in bytes."""

    code: str
    name: str
    media_type: str
    sha256: str
    size: int
    said: str = field(repr=False)


def attach(
    conn: Connection,
    composition: Composition,
    officer: Officer,
    given: tuple[str, bytes, str],
    now: datetime,
) -> Attachment:
    """Keep a file: its `given` name, its bytes and the same in words. Whoever adds one has edited
    the announcement. Its kind is what its bytes say, whatever its name.

    Raises `AttachmentError`, `NotEditableError`.
    """
    filename, content, said = given
    there = of_codes(conn, [composition.code]).get(composition.code, [])
    found = next((s for s in _SIGNATURES if content.startswith(s)), None)
    if not content:
        raise AttachmentError(Fault.EMPTY)
    if len(content) > LARGEST:
        raise AttachmentError(Fault.SIZE)
    if found is None:
        raise AttachmentError(Fault.KIND)
    if not said.strip():
        raise AttachmentError(Fault.SAID)
    if len(there) >= MOST:
        raise AttachmentError(Fault.MANY)
    media_type, ending = _SIGNATURES[found]
    name = _free_name(filename, ending, {each.name for each in there})
    row = {"authority": composition.authority, "code": composition.code, "name": name}
    row |= {"media_type": media_type, "said": said.strip()}
    digest = hashlib.sha256(content).hexdigest()
    conn.execute(insert(table).values(row | {"content": content, "sha256": digest, "created": now}))
    _edited(conn, composition, officer, now)
    return Attachment(composition.code, name, media_type, digest, len(content), said.strip())


def detach(
    conn: Connection, composition: Composition, officer: Officer, name: str, now: datetime
) -> bool:
    """Take a file away; whether there was one. Raises `NotEditableError`."""
    gone = conn.execute(delete(table).where(table.c.code == composition.code, table.c.name == name))
    if gone.rowcount:
        _edited(conn, composition, officer, now)
    return gone.rowcount > 0


def copy(conn: Connection, code: str, to: str) -> None:
    """The same files for another announcement: one that comes again comes with them."""
    kept = [column for column in table.c if column.name not in ("id", "code")]
    same = select(literal(to), *kept).where(table.c.code == code).order_by(table.c.id)
    conn.execute(insert(table).from_select(["code", *(each.name for each in kept)], same))


def of_codes(conn: Connection, codes: Collection[str]) -> Mapping[str, Sequence[Attachment]]:
    """The files of these announcements, in the order they were added."""
    query = select(*_HEAD).where(table.c.code.in_(codes)).order_by(table.c.id)
    found: dict[str, list[Attachment]] = {}
    for row in conn.execute(query):
        found.setdefault(row.code, []).append(_read(row))
    return found


def content_of(
    conn: Connection, code: str, name: str, *, published: bool = True
) -> tuple[Attachment, bytes] | None:
    """One file and its bytes; None where there is none, or none that is public (`published`)."""
    query = select(*_HEAD, table.c.content).where(table.c.code == code, table.c.name == name)
    if published:
        query = query.join(announcement_table, announcement_table.c.code == table.c.code).where(
            announcement_table.c.published.is_not(None),
            announcement_table.c.state.in_(PUBLIC_STATES),
        )
    row = conn.execute(query).one_or_none()
    return None if row is None else (_read(row), row.content)


_HEAD: Final = (
    table.c.code,
    table.c.name,
    table.c.media_type,
    table.c.sha256,
    func.length(table.c.content).label("size"),
    table.c.said,
)


def _read(row: AnyRow) -> Attachment:
    return Attachment(row.code, row.name, row.media_type, row.sha256, row.size, row.said)


def _edited(conn: Connection, composition: Composition, officer: Officer, now: datetime) -> None:
    """The composition says which files it has, so that who approves is shown what changed."""
    current = load(conn, composition.code, officer)
    if current is None or not current.editable:
        raise NotEditableError(composition)  # the caller's transaction takes the file back too
    files = of_codes(conn, [current.code]).get(current.code, ())
    pieces = [f"{each.name} ({each.sha256[:8]}) {each.said}" for each in files]
    editors = [*current.editors, *([] if officer.id in current.editors else [officer.id])]
    conn.execute(
        update(composition_table)
        .where(composition_table.c.id == current.id)
        .values(document={**current.document, "pieces": pieces}, editors=editors)
    )
    say(conn, officer, "attach", current.code, now)


def _free_name(filename: str, ending: str, taken: Collection[str]) -> str:
    """A name for an address: plain letters, the ending its bytes call for, nobody else's."""
    stem = filename.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "piece"
    numbered = (f"{plain}-{n}.{ending}" for n in range(2, len(taken) + 3))
    return next(name for name in (f"{plain}.{ending}", *numbered) if name not in taken)
