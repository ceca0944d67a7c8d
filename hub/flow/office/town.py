# SPDX-License-Identifier: EUPL-1.2
"""What an officer changes of the town, its themes and places, each with its audit line."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from channels.base import ChannelName, Urgency
from hub.announcement import Announcement, State
from hub.flow.planning.reach import query_for
from hub.flow.staff.officers import Officer
from hub.ledger import announcements, audit, recurrences, town_look
from hub.ledger.announcements import UNSEEN
from hub.ledger.tables import announcement
from subscribers import catalogue_edit as edit
from subscribers.catalogue import Catalogue
from subscribers.catalogue_edit import Kind, Node
from templates.content import Kind as AnnouncementKind

_TO_TELL = (State.TO_APPROVE, State.SCHEDULED, State.WAITING, State.RUNNING, State.PAUSED)
Look = town_look.Look
"""What a town chose of how it looks; None is what hub.toml says."""


def add(
    conn: Connection,
    who: Officer,
    kind: Kind,
    town: Catalogue,
    values: Mapping[str, Any],
    *,
    now: datetime,
) -> str:
    """A new theme or place; its key."""
    key = edit.add(conn, kind, town, values)
    note(conn, who, "catalogue_add", f"{kind}:{key}", now=now)
    return key


def change(
    conn: Connection,
    who: Officer,
    kind: Kind,
    node: Node,
    values: Mapping[str, Any],
    *,
    now: datetime,
) -> None:
    """Write what differs of a theme or place; nothing and no line where nothing does."""
    fresh = {name: value for name, value in values.items() if getattr(node, name) != value}
    if fresh:
        edit.change(conn, kind, node, fresh)
        detail = {"changed": ", ".join(sorted(fresh))}
        note(conn, who, "catalogue_change", f"{kind}:{node.key}", now=now, detail=detail)


def move(
    conn: Connection,
    who: Officer,
    kind: Kind,
    town: Catalogue,
    node: Node,
    *,
    by: int,
    now: datetime,
) -> None:
    """One place up (-1) or down (1)."""
    edit.move(conn, kind, town, node, by)
    note(conn, who, "catalogue_move", f"{kind}:{node.key}", now=now)


def is_awaited(conn: Connection, town: Catalogue, kind: Kind, node: Node, now: datetime) -> bool:
    """Whether somebody who chose it is still to be told by an announcement: one to come, one that
    leaves, one that comes again, an alert that is not over. Moved elsewhere, they would not be."""
    return any(_reaches(each, town, kind, node) for each in _going_on(conn, town.authority, now))


def _reaches(about: Announcement, town: Catalogue, kind: Kind, node: Node) -> bool:
    asked = query_for(about, ChannelName.SMS, town)  # the same people on every channel
    return node.id in (asked.theme_lineage if kind is Kind.THEME else asked.zones or ())


def _going_on(conn: Connection, authority: int, now: datetime) -> list[Announcement]:
    table, again = announcement, recurrences.of_authority(conn, authority)
    coming = [each.code for each in again if each.next is not None]
    alert = (table.c.urgency == Urgency.URGENT) & (table.c.state == State.FINISHED)
    rows = conn.execute(
        select(table.c.id).where(
            table.c.authority == authority,
            table.c.source.not_in(UNSEEN),
            table.c.state.in_(_TO_TELL) | table.c.code.in_(coming) | alert,
            table.c.state != State.DRAFT,
        )
    )
    return [
        each
        for each in announcements.by_ids(conn, list(rows.scalars())).values()
        if each.state is not State.FINISHED or each.code in coming or _is_open(conn, each, now)
    ]


def _is_open(conn: Connection, alert: Announcement, now: datetime) -> bool:
    """Whether nobody said yet that an alert is over, and it has not run out."""
    latest = max(
        (each for each in announcements.chain(conn, alert) if each.published is not None),
        key=lambda each: (each.published, each.id),
    )
    expired = latest.expires is not None and latest.expires <= now
    return not (latest.kind is AnnouncementKind.ALL_CLEAR or latest.cancelled_at or expired)


def put_away(
    conn: Connection, who: Officer, kind: Kind, node: Node, *, into: Node | None, now: datetime
) -> None:
    """Archive a theme or place, and move whoever chose it."""
    moved = edit.put_away(conn, kind, node, into)
    detail = {"people": moved, "into": into.key} if into is not None else None
    note(conn, who, "catalogue_archive", f"{kind}:{node.key}", now=now, detail=detail)


def take_back(conn: Connection, who: Officer, kind: Kind, node: Node, *, now: datetime) -> None:
    """An archived one can be chosen again."""
    edit.change(conn, kind, node, {"archived": False})
    note(conn, who, "catalogue_restore", f"{kind}:{node.key}", now=now)


def draw(
    conn: Connection, who: Officer, areas: Mapping[str, Any], town: Catalogue, *, now: datetime
) -> None:
    """Write the outlines of places, {key: GeoJSON}; keys of nobody are passed over."""
    drawn = {key: area for key, area in areas.items() if key in town.zones_by_key}
    for key, area in drawn.items():
        edit.change(conn, Kind.ZONE, town.zones_by_key[key], {"area": area})
    note(conn, who, "catalogue_draw", "zones", now=now, detail={"places": len(drawn)})


def note(
    conn: Connection,
    who: Officer,
    verb: str,
    thing: str,
    *,
    now: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """One line of the audit, by this officer."""
    actor = f"officer:{who.id}"
    audit.record(conn, now, actor, verb, thing, authority=who.authority, detail=detail)


def look(conn: Connection, authority: int) -> Look:
    """What a town chose of how it looks."""
    return town_look.load(conn, authority)


def look_so(conn: Connection, who: Officer, chosen: Look, *, now: datetime) -> None:
    """The town's colour, logo and contact from now on."""
    town_look.write(conn, who.authority, chosen, now)
    note(conn, who, "identity_change", "identity", now=now)


def texts(conn: Connection, authority: int) -> dict[tuple[str, str], str]:
    """The town's own long texts, {(name, language): Markdown}."""
    return town_look.texts(conn, authority)


def say(
    conn: Connection, who: Officer, which: tuple[str, str], text: str, *, now: datetime
) -> None:
    """A long text in the town's words, in the house's where `text` is empty."""
    town_look.say(conn, who.authority, which, text, by=f"officer:{who.id}", now=now)
    note(conn, who, "text_change" if text else "text_house", f"text:{which[0]}.{which[1]}", now=now)
