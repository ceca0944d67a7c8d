# SPDX-License-Identifier: EUPL-1.2
"""An LMTP server (RFC 2033) for the town's own mail server to hand over what comes back.

It knows two kinds of mailboxes: a letter's return address (`bounce+<receipt>@domain`, VERP), and
the one that takes stops by mail. 250 means that it is in the ledger; 451 asks to come again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, Self, cast

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from channels.base import Clock
from hub.ledger.database import LedgerFullError
from hub.postbox.mailboxes import Mailboxes, NoSuchMailbox
from hub.settings.sections import Mailbox

log = structlog.get_logger(__name__)
for _name in ("mail.log", "mail.debug"):  # aiosmtpd logs every line it reads, addresses with it
    logging.getLogger(_name).setLevel(logging.CRITICAL)

_NOBODY: Final = "550 5.1.1 No such mailbox here"  # unknown, forged or foreign: all alike
_LATER: Final = "451 4.3.0 Not now, please come again"
_KNOCK: Final = 1.0  # seconds between two tries at a port that is taken
_COMMANDS: Final = 200  # of one kind in one connection


class _Connection(LMTP):
    """aiosmtpd's; `lost` is told when it ends."""

    def __init__(self, handler: object, *, lost: Callable[["_Connection"], None], **options: Any):
        super().__init__(handler, **options)
        self._lost = lost

    def connection_lost(self, error: Exception | None) -> None:
        self._lost(self)
        super().connection_lost(error)

    def hang_up(self) -> None:
        if self.transport is not None:
            cast("asyncio.WriteTransport", self.transport).abort()


class Postbox:
    """Listens once entered; `port` is then the real one. A port that is taken (a hub we took over
    from keeps it while it stands still) is tried again: the mail server keeps the mail."""

    def __init__(self, mailboxes: Mailboxes, settings: Mailbox, clock: Clock) -> None:
        self._mailboxes = mailboxes
        self._settings = settings
        self._clock = clock
        self._open: set[_Connection] = set()
        self.port = settings.port

    async def __aenter__(self) -> Self:
        self._server: asyncio.Server | None = None
        self._knocking: asyncio.Task[None] | None = None
        try:
            await self._listen()
        except OSError as refused:
            log.warning("postbox.wait", port=self.port, why=refused.strerror)
            self._knocking = asyncio.create_task(self._knock(), name="postbox")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._knocking is not None:
            self._knocking.cancel()
            await asyncio.gather(self._knocking, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            for connection in tuple(self._open):
                connection.hang_up()
            await self._server.wait_closed()

    async def _listen(self) -> None:
        loop, chosen = asyncio.get_running_loop(), self._settings
        self._server = await loop.create_server(self._connection, chosen.host, chosen.port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _knock(self) -> None:
        while self._server is None:
            await self._clock.sleep(_KNOCK)
            with suppress(OSError):
                await self._listen()

    def _connection(self) -> asyncio.Protocol:
        if len(self._open) >= self._settings.connections:
            return _Busy()
        connection = _Connection(
            _Hooks(self._mailboxes),
            lost=self._open.discard,
            hostname="hub.invalid",
            ident="LMTP",
            data_size_limit=self._settings.max_size,
            timeout=self._settings.timeout,
            enable_SMTPUTF8=True,
            command_call_limit=_COMMANDS,
            loop=asyncio.get_running_loop(),
        )
        self._open.add(connection)
        return connection


class _Busy(asyncio.Protocol):
    """One connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        way = cast("asyncio.WriteTransport", transport)  # uvloop's are of no class of asyncio's
        way.write(b"421 4.3.2 Too many connections, please come again\r\n")
        way.close()


class _Hooks:
    """aiosmtpd's hooks of one connection."""

    def __init__(self, mailboxes: Mailboxes) -> None:
        self._mailboxes = mailboxes

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        """One mailbox a message: LMTP answers for each, and each of ours is one reader's."""
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient a message, please"
        try:
            self._mailboxes.find(address)
        except NoSuchMailbox:
            return _NOBODY
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        """Put it into the ledger, then say so."""
        letter = envelope.original_content or b""
        return await _answered(self._mailboxes.find(envelope.rcpt_tos[0])(letter))


async def _answered(work: Awaitable[str | None]) -> str:
    """The reply: `work` returns a sentence where it could do nothing with the letter."""
    try:
        refused = await work
    except LedgerFullError:
        log.warning("postbox.disk_full")
        return _LATER
    except Exception:  # whatever it is: the mail server keeps the letter and comes again
        log.exception("postbox.bug")
        return _LATER
    return f"550 5.6.0 {refused}" if refused else "250 2.6.0 Taken"
