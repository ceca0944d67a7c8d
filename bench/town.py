# SPDX-License-Identifier: EUPL-1.2
"""Moves a made-up town in, any number of people in seconds: rows, not forms."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, literal, select, true

from channels.base import ChannelName
from hub.clock import SystemClock
from hub.demo_town.town import FILES
from hub.ledger.database import open_writer
from hub.sandbox.push import Push
from hub.sandbox.server import Sandbox
from subscribers import crier
from subscribers.catalogue import load_catalogue
from subscribers.catalogue_file import import_catalogue
from subscribers.tables import contact_point, subscriber, subscription, theme

AUTHORITY = 1


def move_in(
    ledger: Path,
    push_service: str,
    people: int,
    shares: Mapping[ChannelName, float],
    followers: Mapping[str, int],
) -> None:
    """`people` citizens who asked for everything at once, each with the channels of the first
    `share` of them, and the town's account on X. `followers` says of a root theme that only so
    many follow it, the first ones. For a ledger that `hub init` made and no daemon has open.
    """
    clock = SystemClock()
    push = Sandbox(clock).push
    push.origin = push_service
    engine = open_writer(ledger)
    with engine.begin() as conn:
        import_catalogue(
            conn,
            FILES.joinpath("catalogue.toml").read_text("utf-8"),
            FILES.joinpath("zones.geojson").read_text("utf-8"),
        )
        catalogue = load_catalogue(conn, AUTHORITY)
        _people(conn, people, clock.now())
        for channel, share in shares.items():
            _reachable(conn, channel, round(people * share), clock.now(), push)
        for key, most in followers.items():
            root = select(theme.c.id).where(theme.c.key == key).scalar_subquery()
            beyond = (subscription.c.theme == root) & (subscription.c.subscriber > most)
            conn.execute(delete(subscription).where(beyond))
        crier.appoint(conn, catalogue, clock.now())
    engine.dispose()


def _people(conn: Connection, people: int, now: datetime) -> None:
    person = {
        "authority": AUTHORITY,
        "language": "fr",
        "timezone": "Europe/Paris",
        "channel_order": [],
        "created": now,
    }
    conn.execute(insert(subscriber), [{"id": n, **person} for n in range(1, people + 1)])


def _reachable(
    conn: Connection, channel: ChannelName, people: int, now: datetime, push: Push
) -> None:
    points = [_point(channel, n, now, push) for n in range(1, people + 1)]
    conn.execute(insert(contact_point), points)
    asked = (
        select(theme.c.id, literal(channel.value), subscriber.c.id, literal("now"))
        .select_from(theme.join(subscriber, true()))
        .where(theme.c.parent.is_(None), subscriber.c.id <= people)
    )
    columns = ["theme", "channel", "subscriber", "cadence"]
    conn.execute(insert(subscription).from_select(columns, asked))


def _point(channel: ChannelName, n: int, now: datetime, push: Push) -> dict[str, Any]:
    point = {"subscriber": n, "channel": channel, "verified_at": now, "created": now}
    if channel is ChannelName.WEBPUSH:
        device = push.new_device(address(channel, n))
        return {**point, "address": device["endpoint"], "keys": device["keys"]}
    return {**point, "address": address(channel, n), "keys": None}


def address(channel: ChannelName, n: int) -> str:
    """The nth citizen's address as the sandbox sees it.

    Of 10,000 numbers reserved for fiction (+33 6 39 98 xx xx) a larger town needs more: those
    beyond are +33 6 99 9x xx xx x with one digit too many, which no network can give anybody.
    """
    match channel:
        case ChannelName.SMS:
            return f"+3363998{n:04d}" if n < 10_000 else f"+336999{n:06d}"
        case ChannelName.EMAIL:
            return f"citizen{n}@example.org"
        case ChannelName.WEBPUSH:
            return f"citizen{n}-1"
        case ChannelName.X:
            return "public"
