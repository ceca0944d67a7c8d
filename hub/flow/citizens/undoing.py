# SPDX-License-Identifier: EUPL-1.2
"""Takes a stop back: exactly what it took, for half an hour, on the word of who stopped."""

import asyncio
import base64
import binascii
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from sqlalchemy import Connection

from channels.base import ChannelName, Clock
from hub.flow.send.gate import Wishes
from hub.ledger import audit
from hub.ledger.journal import Journal
from hub.ledger.store import Ledger
from subscribers import consent, directory, subscriptions
from subscribers.catalogue import Theme, load_catalogue
from subscribers.preferences import Cadence
from subscribers.subscriptions import subscriptions_of
from subscribers.tables import from_ms, to_ms

PATIENCE: Final = timedelta(minutes=30)
"""How long a stop can be taken back; afterwards, whoever wants to subscribes again."""
_PURPOSE: Final = b"undo\x00"

Row = tuple[int, ChannelName, Cadence]


@dataclass(frozen=True, slots=True)
class Taken:
    """What one stop took from a person, and when: (theme, channel, cadence)."""

    person: int
    at: datetime
    rows: tuple[Row, ...]

    def document(self) -> dict[str, Any]:
        """As JSON holds it."""
        rows = [[theme, str(channel), str(cadence)] for theme, channel, cadence in self.rows]
        return {"person": self.person, "at": to_ms(self.at), "rows": rows}

    @classmethod
    def read(cls, said: dict[str, Any]) -> Self:
        """What `document` wrote."""
        rows = tuple((int(t), ChannelName(c), Cadence(k)) for t, c, k in said["rows"])
        return cls(int(said["person"]), from_ms(int(said["at"])), rows)


def taken(conn: Connection, person: int, before: tuple[Row, ...], now: datetime) -> Taken:
    """What was taken since `before` was read, in the transaction that took it."""
    left = set(subscriptions_of(conn, person))
    return Taken(person, now, tuple(row for row in before if row not in left))


def sealed(key: bytes, what: Taken) -> str:
    """What a page without a visit carries: nobody else can make or change it."""
    body = base64.urlsafe_b64encode(json.dumps(what.document()).encode()).decode("ascii")
    return f"{body}.{_mac(key, body)}"


def opened(key: bytes, text: str) -> Taken | None:
    """What `sealed` wrote; None for anything else."""
    body, _, mac = text.partition(".")
    if not hmac.compare_digest(mac.encode("utf-8", "replace"), _mac(key, body).encode()):
        return None
    try:
        return Taken.read(json.loads(base64.urlsafe_b64decode(body)))
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None


def _mac(key: bytes, body: str) -> str:
    return hmac.digest(key, _PURPOSE + body.encode("utf-8", "replace"), "sha256").hex()


@dataclass(frozen=True, slots=True)
class Undoing:
    """Takes stops back, and has the gate know at once."""

    ledger: Ledger
    wishes: Wishes
    clock: Clock

    async def undo(self, what: Taken) -> tuple[Theme, ...] | None:
        """The themes that are back, None where it is too late or the person is gone.

        Repeating is harmless; a choice made since stands. Raises `LedgerFullError`.
        """
        now = self.clock.now()
        if now - what.at > PATIENCE:
            return None

        def write(conn: Connection) -> tuple[tuple[Theme, ...], Back] | None:
            themes = restore(conn, what, now)
            return None if themes is None else (themes, _back(what, themes))

        done = await self.ledger.transact(write, hurry=True)
        self.wishes.changed(what.person, self.clock.monotonic())
        if done is None:
            return None
        themes, back = done
        await asyncio.to_thread(write_back, self.ledger, [back], now)
        return themes


@dataclass(frozen=True, slots=True)
class Back:
    """What reaches a person again after a stop: (theme key, channel, cadence)."""

    person: int
    rows: tuple[tuple[str, str, str], ...]


def _back(what: Taken, themes: Iterable[Theme]) -> Back:
    keys = {theme.id: theme.key for theme in themes}
    rows = ((keys[t], str(by), str(cadence)) for t, by, cadence in what.rows if t in keys)
    return Back(what.person, tuple(rows))


def write_back(ledger: Ledger, starts: Iterable[Back], now: datetime) -> None:
    """Into the journal beside the ledger, after the stop: a restored backup is told of both.
    Blocks. Raises `LedgerFullError`."""
    journal = Journal.beside(ledger.path)
    for each in starts:
        journal.append("start", each.person, now, rows=each.rows)


def again(conn: Connection, what: Back, authority: int, at: datetime, now: datetime) -> None:
    """Have it back after a restore, as of `at`. The consent stands again: as it was where the stop
    replayed before ended it, else as one given then."""
    catalogue = load_catalogue(conn, authority)
    held = {(theme, channel) for theme, channel, _ in subscriptions_of(conn, what.person)}
    for key, channel, cadence in what.rows:
        theme = catalogue.themes_by_key.get(key)
        if theme is not None and (theme.id, channel) not in held:
            subscriptions.subscribe(
                *(conn, what.person, [theme.id], ChannelName(channel)),
                cadence=Cadence(cadence),
                catalogue=catalogue,
            )
    last = consent.latest(conn, what.person)
    ended = last is not None and last.withdrawn_at is not None
    if last is None or not ended or consent.restore(conn, what.person, now):
        return
    consent.record(
        *(conn, what.person), source="start", text_version=last.text_version, given_at=at, now=now
    )


def restore(conn: Connection, what: Taken, now: datetime) -> tuple[Theme, ...] | None:
    """As `Undoing.undo`, in the caller's transaction. The consent that the stop withdrew stands
    again: it was never in doubt."""
    person = directory.load(conn, what.person)
    if person is None:
        return None
    catalogue = load_catalogue(conn, person.authority)
    held = {(theme, channel) for theme, channel, _ in subscriptions_of(conn, what.person)}
    for theme, channel, cadence in what.rows:
        if theme in catalogue.themes and (theme, channel) not in held:
            subscriptions.subscribe(
                conn, what.person, [theme], channel, cadence=cadence, catalogue=catalogue
            )
    consent.restore(conn, what.person, what.at)
    who = f"subscriber:{what.person}"
    audit.record(conn, now, "citizen", "undo_stop", who, authority=person.authority)
    back = {theme for theme, _, _ in what.rows}
    return tuple(theme for theme in catalogue.themes.values() if theme.id in back)
