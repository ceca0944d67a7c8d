# SPDX-License-Identifier: EUPL-1.2
"""An announcement as it stands, draft or asked for, for who would see it as it leaves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from channels.base import ChannelName
from hub.announcement import Announcement
from hub.flow.accept.intake import visible
from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import Role
from hub.flow.writing import compositions, retold
from hub.flow.writing.fields import text
from subscribers.catalogue import Catalogue, load_catalogue


@dataclass(frozen=True, slots=True)
class Ground:
    """The channels there are, and the moment."""

    channels: Sequence[ChannelName]
    now: datetime


def as_it_stands(
    conn: Connection, code: str, officer: Officer, ground: Ground
) -> tuple[Announcement, Catalogue] | None:
    """The announcement that a code names, with its town; None where it is not theirs to see.

    What is still written is read from its form; what a key or a source asked for, from its row.
    """
    catalogue = load_catalogue(conn, officer.authority)
    composition = compositions.load(conn, code, officer)
    reader = officer.principal(Role.READ)
    if composition is None:
        found = visible(conn, code, reader)
        return None if found is None else (found, catalogue)
    about = text(composition.document, "about")
    first = visible(conn, about, reader) if about else None
    read = retold.Ground(catalogue, ground.channels, ground.now)
    return retold.as_announcement(composition.document, code, read, first=first), catalogue
