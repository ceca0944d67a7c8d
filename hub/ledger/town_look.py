# SPDX-License-Identifier: EUPL-1.2
"""How a town looks and speaks, over its settings: colour, logo, contact, its own long texts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select

from hub.ledger.office_tables import identity, town_text


@dataclass(frozen=True, slots=True)
class Look:
    """What the town chose; None is what hub.toml says."""

    accent: str | None = None
    logo: bytes | None = None
    logo_type: str | None = None
    contact: str | None = None


_COLUMNS: Final = (identity.c.accent, identity.c.logo, identity.c.logo_type, identity.c.contact)


def load(conn: Connection, authority: int) -> Look:
    """A town's choices."""
    row = conn.execute(select(*_COLUMNS).where(identity.c.authority == authority)).first()
    return Look() if row is None else Look(*row)


def write(conn: Connection, authority: int, look: Look, now: datetime) -> None:
    """Look so from now on."""
    conn.execute(delete(identity).where(identity.c.authority == authority))
    row: dict[str, Any] = {"accent": look.accent, "logo": look.logo, "contact": look.contact}
    row |= {"logo_type": look.logo_type, "authority": authority, "changed": now}
    conn.execute(insert(identity).values(row))


def texts(conn: Connection, authority: int) -> dict[tuple[str, str], str]:
    """The town's own texts, {(name, language): Markdown}."""
    query = select(town_text.c.name, town_text.c.language, town_text.c.text)
    rows = conn.execute(query.where(town_text.c.authority == authority))
    return {(row.name, row.language): row.text for row in rows}


def say(
    conn: Connection, authority: int, which: tuple[str, str], text: str, *, by: str, now: datetime
) -> None:
    """Say it in these words; in the house's where they are none."""
    name, language = which
    key = {"authority": authority, "name": name, "language": language}
    conn.execute(delete(town_text).where(*(town_text.c[k] == v for k, v in key.items())))
    if text:
        conn.execute(insert(town_text).values(**key, text=text, changed=now, changed_by=by))
