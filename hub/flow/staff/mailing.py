# SPDX-License-Identifier: EUPL-1.2
"""Sends what officers are written, beside the engine, by the e-mail road and its provider.

A try is counted before it is made and the letter marked after it left: a process that dies between
the two sends a second copy, under the first one's Message-ID, rather than none.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection

from channels.base import (
    Accepted,
    ChannelName,
    Delivered,
    Lane,
    Outcome,
    Reason,
    Recipient,
    Rejected,
    Retry,
)
from hub.backoff import ceiling
from hub.flow.companion import Companion, end
from hub.flow.engine import Engine
from hub.flow.send.beside import carry
from hub.flow.staff import letters
from hub.flow.staff.letters import Pen
from hub.flow.staff.officers import load
from hub.ledger import letters as rows
from hub.ledger.database import is_everybodys
from hub.ledger.leases import LeaseEndedError
from hub.ledger.letters import Letter, LetterState
from templates.letters import LetterKind

T = TypeVar("T")
log = structlog.get_logger(__name__)

EVERY: Final = 1.0
PAGE: Final = 5  # letters on their way at a time
PATIENCE: Final = timedelta(days=1)
"""How long a letter is tried; a password's as long as its link is good."""
_CLOSED: Final = timedelta(seconds=30)
_SHORT: Final = (LetterKind.PASSWORD, LetterKind.TRIAL)
_LAST: Final = 10.0  # seconds in which a letter under way ends at a stop


@dataclass(slots=True)
class Mailing(Companion):
    """Beside the engine, once a second."""

    name = "letters"
    engine: Engine
    _stop: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def __aexit__(self, *exc: object) -> None:
        """A letter under way comes to its end, if that is soon: it would leave twice."""
        self._stop.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=_LAST)
            await end(self._task)

    async def work(self) -> None:
        while not self._stop.is_set():
            try:
                while await self.round() == PAGE and not self._stop.is_set():
                    pass
            except LeaseEndedError:  # replaced in a moment, or another hub's work from now on
                pass
            except Exception:  # in a second, perhaps
                log.exception("letters.bug")
            pause = asyncio.ensure_future(self.engine.clock.sleep(EVERY))
            stopped = asyncio.ensure_future(self._stop.wait())
            await asyncio.wait((pause, stopped), return_when=asyncio.FIRST_COMPLETED)
            pause.cancel()
            stopped.cancel()

    async def round(self) -> int:
        """Carry what is due, `PAGE` letters at most; how many there were."""
        ledger, now = self.engine.ledger, self.engine.clock.now()
        due = await ledger.read(lambda conn: rows.due(conn, now, PAGE))
        for ended in await asyncio.gather(
            *(self._one(e, now) for e in due), return_exceptions=True
        ):
            if isinstance(ended, BaseException):
                raise ended
        return len(due)

    async def _one(self, letter: Letter, now: datetime) -> None:
        """A letter it fails for keeps no other from leaving."""
        try:
            await self._carry(letter, now)
        except Exception as error:
            if is_everybodys(error) or isinstance(error, LeaseEndedError):
                raise
            log.exception("letters.one", letter=letter.id)
            await self._put_off(letter, now + _backoff(letter), Reason.INTERNAL)

    async def _carry(self, letter: Letter, now: datetime) -> None:
        if letter.officer is None:
            await self._write(lambda conn: letters.address(conn, letter, now))
            return
        if letter.created + _patience(letter) <= now:
            await self._end(letter, LetterState.FAILED, letter.reason or Reason.EXPIRED)
            return
        road = self.engine.roads.get(ChannelName.EMAIL)
        if road is None or not road.open:
            why = Reason.CHANNEL_NOT_CONFIGURED if road is None else road.closed_for
            await self._put_off(letter, now + _CLOSED, why or Reason.CHANNEL_PAUSED)
            return
        pen = Pen(self.engine.press, (*self.engine.roads,))
        ready = await self.engine.ledger.read(lambda conn: pen.write(conn, letter, now))
        if ready is None:
            await self._end(letter, LetterState.DROPPED)
        elif await self._write(lambda conn: _take(conn, letter, now)):
            to, by = Recipient(ready.officer.email), self.engine
            what = f"letter-{letter.id}"
            sent = await carry(road, what, ready.text, to, slips=by.slips, clock=by.clock)
            await self._settle(letter, sent)

    async def _settle(self, letter: Letter, outcome: Outcome | None) -> None:
        now = self.engine.clock.now()
        match outcome:
            case Accepted() | Delivered():
                await self._end(letter, LetterState.SENT)
            case Rejected(reason):
                log.warning("letters.rejected", letter=letter.id, reason=reason)
                await self._end(letter, LetterState.FAILED, reason)
            case Retry(reason, after):
                wait = max(after or timedelta(0), _backoff(letter))
                await self._put_off(letter, now + wait, reason)
            case None:
                await self._put_off(letter, now + _CLOSED, Reason.CHANNEL_PAUSED)

    async def _end(self, letter: Letter, state: LetterState, reason: str = "") -> None:
        now = self.engine.clock.now()
        await self.engine.ledger.transact(
            lambda conn: rows.end(conn, letter, state, now, reason), hurry=True
        )

    async def _put_off(self, letter: Letter, until: datetime, reason: str) -> None:
        await self.engine.ledger.transact(lambda conn: rows.put_off(conn, letter, until, reason))

    def _write(self, work: Callable[[Connection], T]) -> "asyncio.Future[T]":
        return self.engine.ledger.transact(self.engine.tenure.guarded(work), hurry=True)


def _take(conn: Connection, letter: Letter, now: datetime) -> bool:
    """Whether it is ours to send, to somebody who is still there."""
    assert letter.officer is not None
    if load(conn, letter.officer, letter.authority) is None:
        rows.end(conn, letter, LetterState.DROPPED, now)
        return False
    return rows.take(conn, letter, now + _backoff(letter))


def _backoff(letter: Letter) -> timedelta:
    return ceiling(Lane.BULK, letter.attempts + 1)


def _patience(letter: Letter) -> timedelta:
    return letters.RESET_LIVES if letter.kind in _SHORT else PATIENCE
