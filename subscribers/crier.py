# SPDX-License-Identifier: EUPL-1.2
"""The town crier: the town's own account on X, modelled as a subscriber to every theme.

So no step of the flow knows about broadcasting (DESIGN.md section 4).
"""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from channels.base import ChannelName, Recipient
from subscribers import directory, subscriptions
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.preferences import Cadence

PUBLIC: Final = "public"
"""The address of the town's own timeline."""


def appoint(conn: Connection, catalogue: Catalogue, now: datetime) -> bool:
    """Have the town's account publish every theme. False where all of it was so already."""
    held = directory.find(conn, catalogue.authority, ChannelName.X, PUBLIC)
    person = held[0].subscriber if held else _newcomer(conn, catalogue, now)
    return _all_told(conn, person, catalogue) or not held


def keep_up(conn: Connection, authority: int) -> None:
    """The themes were changed: the town's account, where it has one, publishes them all."""
    person = crier_of(conn, authority)
    if person is not None:
        _all_told(conn, person, load_catalogue(conn, authority))


def _all_told(conn: Connection, person: int, catalogue: Catalogue) -> bool:
    roots = {theme.id for theme in catalogue.themes.values() if theme.parent is None}
    asked = {theme for theme, channel, _ in subscriptions.subscriptions_of(conn, person)}
    missing = roots - asked
    subscriptions.subscribe(
        conn, person, missing, ChannelName.X, cadence=Cadence.NOW, catalogue=catalogue
    )
    return bool(missing)


def _newcomer(conn: Connection, catalogue: Catalogue, now: datetime) -> int:
    person = directory.create(
        conn,
        catalogue.authority,
        language=catalogue.language,
        timezone=catalogue.timezone,
        now=now,
        channel_order=[ChannelName.X],
    )
    point = directory.add_contact_point(conn, person, ChannelName.X, Recipient(PUBLIC), now)
    directory.verify(conn, point, now)
    return person


def crier_of(conn: Connection, authority: int) -> int | None:
    """The number of the town's account among the subscribers, where it has one."""
    held = directory.find(conn, authority, ChannelName.X, PUBLIC)
    return held[0].subscriber if held else None
