# SPDX-License-Identifier: EUPL-1.2
"""What the verbs have at hand: the ledger beside a running daemon, the press, and who is asking.

The daemon notices by itself what another process committed, so nothing here wakes it.
"""

import asyncio
import os
import pwd
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy.exc import DatabaseError, OperationalError

from channels.base import ChannelName, Clock
from hub.announcement import Event, State, UnlawfulMoveError
from hub.cli.init import authority_id
from hub.cli.options import UNWRITABLE, Refusal, read_settings
from hub.clock import SystemClock
from hub.equipment import UnusableError, configured, make_press, stood_in
from hub.flow.accept.intake import Intake, UnknownAnnouncementError
from hub.flow.accept.principal import Principal
from hub.flow.accept.problems import Problem, RefusedError
from hub.flow.site import Press
from hub.ledger import schema
from hub.ledger.announcements import StaleAnnouncementError
from hub.ledger.database import LedgerFullError, is_unwritable, open_readers
from hub.ledger.store import Ledger
from hub.settings import Settings
from subscribers.catalogue import Catalogue, load_catalogue
from templates.catalogue import TemplateFault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """Open for one verb. `principal` is the operator: their shell may publish everything."""

    settings: Settings
    ledger: Ledger
    press: Press
    intake: Intake
    principal: Principal
    clock: Clock

    async def catalogue(self) -> Catalogue:
        """The town's themes and zones."""
        return await self.ledger.read(lambda conn: load_catalogue(conn, self.principal.authority))


def at_desk(config: Path, work: Callable[[Desk], Awaitable[T]]) -> T:
    """Do `work` with the desk of a settings file. Raises `Refusal` for everything expected."""
    settings = read_settings(config)

    async def sit() -> T:
        async with _open(settings) as desk:
            return await work(desk)

    with refusing():
        return asyncio.run(sit())


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Desk]:
    path = settings.hub.data / "ledger.sqlite3"
    if not path.is_file():
        raise Refusal(f"There is no ledger in {settings.hub.data}; run hub init.")
    authority = _authority(path, settings.hub.authority)
    # not `Ledger.open`: its check of the whole file holds the write lock, and urgent alerts wait
    async with Ledger(path) as ledger:
        press, clock = make_press(settings), SystemClock()
        channels = in_use(settings)
        principal = Principal("cli", operator(), authority, may_publish=True)
        intake = Intake(ledger, press, channels, clock, changed=lambda: None)
        yield Desk(settings, ledger, press, intake, principal, clock)


def in_use(settings: Settings) -> list[ChannelName]:
    """What is configured, and what the sandbox stands in for whether it is or not."""
    used = {*stood_in(settings), *configured(settings)}
    return [name for name in ChannelName if name in used]


def _authority(path: Path, key: str) -> int:
    """The town's number, in a ledger that can be read and whose tables are those we know."""
    engine = open_readers(path)
    try:
        with engine.connect() as conn:
            found, known = schema.current(conn), schema.head()
            if found is None or found < known:  # revisions are numbers of four digits
                raise Refusal("The ledger is of an older version; stop the daemon, run hub init.")
            if found > known:
                raise Refusal("The ledger was written by a newer version.")
            authority = authority_id(conn, key)
    finally:
        engine.dispose()
    if authority is None:
        raise Refusal(f"The ledger has no authority {key}; run hub init.")
    return authority


def operator() -> str:
    """Who the journal names."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # containers run under numbers nobody named
        return f"uid {os.getuid()}"


# --------------------------------------------------------------------------- what is refused

_DONE: Final[Mapping[Event, str]] = {
    Event.PUBLISH: "approved",
    Event.SCHEDULE: "approved",
    Event.CANCEL: "cancelled",
    Event.PAUSE: "paused",
    Event.RESUME: "resumed",
}


@contextmanager
def refusing() -> Iterator[None]:
    """Say what can be expected to go wrong in one sentence each, by raising `Refusal`."""
    try:
        yield
    except RefusedError as refused:
        raise Refusal("\n".join(map(_line, refused.problems))) from None
    except UnknownAnnouncementError as unknown:
        raise Refusal(f"There is no announcement {unknown}.") from None
    except UnlawfulMoveError as unlawful:
        raise Refusal(_unlawful(unlawful)) from None
    except StaleAnnouncementError:
        raise Refusal("Somebody else moved this announcement meanwhile; try again.") from None
    except UnusableError as unusable:
        raise Refusal(str(unusable)) from None
    except TemplateFault as fault:
        raise Refusal(f"A template is broken: {fault}; see hub check.") from None
    except UnicodeEncodeError:
        raise Refusal("What was typed is not UTF-8 text.") from None
    except LedgerFullError:
        raise Refusal("The disk is full: nothing was written.") from None
    except DatabaseError as broken:
        raise Refusal(_broken(broken)) from None


def _line(problem: Problem) -> str:
    """One problem: the field as a dotted path into what was asked, then what to do about it."""
    field = problem.pointer.lstrip("/").replace("/", ".")
    return f"{field}: {problem.en}" if field else problem.en


def _unlawful(move: UnlawfulMoveError) -> str:
    state = "waiting for approval" if move.state is State.TO_APPROVE else move.state.value
    done = _DONE.get(move.event, move.event.value)
    return f"The announcement is {state}: it cannot be {done}."


def _broken(error: DatabaseError) -> str:
    """A write lock that was not given within SQLite's time-out is no damage."""
    locked = isinstance(error, OperationalError) and "locked" in str(error.orig)
    if locked:
        return "The ledger is busy: another program has been writing for long; try again."
    return UNWRITABLE if is_unwritable(error) else "The ledger cannot be read: restore a backup."
