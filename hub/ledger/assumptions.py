# SPDX-License-Identifier: EUPL-1.2
"""What the comparison with paper supposes: the house's values, and a town's own over them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from hub.ledger.office_tables import assumption as table


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Each in thousandths of its unit. The house's are round; a town puts its own quotation."""

    household: int = 2_150  # people who share a letter box (INSEE, census of 2022: 2.15)
    letter: int = 1_000  # euros for one letter: printing, envelope, postage
    sheets: int = 1_000  # of A4 in it
    letter_co2: int = 20_000  # grams of CO2 equivalent, printed and carried
    message_co2: int = 4_000  # grams for one message: those of an e-mail, an SMS has far less


NAMES: Final = tuple(field.name for field in fields(Assumptions))


def load(conn: Connection, authority: int) -> Assumptions:
    """A town's. A name this version does not know is nobody's."""
    rows = conn.execute(select(table.c.name, table.c.value).where(table.c.authority == authority))
    own: Mapping[str, int] = {row.name: row.value for row in rows if row.name in NAMES}
    return replace(Assumptions(), **own)


def write(conn: Connection, authority: int, name: str, value: int) -> None:
    """Suppose so from now on."""
    conn.execute(delete(table).where(table.c.authority == authority, table.c.name == name))
    conn.execute(insert(table).values(authority=authority, name=name, value=value))
