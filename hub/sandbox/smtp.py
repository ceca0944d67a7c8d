# SPDX-License-Identifier: EUPL-1.2
"""An SMTP server on loopback whose mailboxes are the citizens'."""

import asyncio
import hmac
import logging
from collections.abc import Callable
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from typing import Any, AnyStr, Self, assert_never, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from channels.base import ChannelName, Clock
from hub.sandbox.bounces import Bounces
from hub.sandbox.effects import CALLER, Effects
from hub.sandbox.faults import Fault, Faults

logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd logs every line it reads

_KEPT = (
    "Message-ID",
    "Date",
    "From",
    "To",
    "Reply-To",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Id",
    "Auto-Submitted",
    "Content-Language",
)
_MAX_MESSAGE = 2_000_000
_QUEUED = "250 2.0.0 Ok: queued"


class _Connection(SMTP):
    """aiosmtpd's, which can also be cut off; `lost` is told when it ends."""

    def __init__(self, handler: object, *, lost: Callable[["_Connection"], None], **options: Any):
        super().__init__(handler, **options)
        self._lost = lost

    def connection_lost(self, error: Exception | None) -> None:
        self._lost(self)
        super().connection_lost(error)

    async def push(self, status: AnyStr) -> None:
        if self.transport is not None and not self.transport.is_closing():
            await super().push(status)

    def trickle(self, text: str) -> None:
        """Write a part of an answer."""
        if self.transport is not None:  # of no class of asyncio's under uvloop
            cast("asyncio.WriteTransport", self.transport).write(text.encode())

    def hang_up(self, last_words: bytes = b"") -> None:
        """Write, then reset the connection."""
        if self.transport is not None:
            way = cast("asyncio.WriteTransport", self.transport)
            way.write(last_words)
            way.abort()


class _Mailboxes:
    """aiosmtpd's hooks: who exists, and what becomes of a message.

    A `private` server takes letters only from who signed in.
    """

    def __init__(
        self, effects: Effects, faults: Faults, clock: Clock, *, private: bool, bounces: Bounces
    ) -> None:
        self._private = private
        self._bounces = bounces
        self._effects = effects
        self._faults = faults
        self._clock = clock

    async def handle_EHLO(  # noqa: N802 (aiosmtpd's name)
        self, _: SMTP, session: Session, __: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        """aiosmtpd answers commands in order from one buffer, so pipelining holds (RFC 2920)."""
        session.host_name = hostname
        return [*answers[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", answers[-1]]

    async def handle_RCPT(  # noqa: N802
        self, _: SMTP, session: Session, envelope: Envelope, address: str, __: list[str]
    ) -> str:
        """Ask for a login first where one is set (RFC 4954 section 6, but at RCPT, as Postfix
        does); refuse mailboxes that do not exist or are full, as an MX does."""
        if self._private and not session.authenticated:
            return "530 5.7.0 Authentication required"
        now = self._faults.of(ChannelName.EMAIL)
        if address in now.dead:
            return f"550 5.1.1 <{address}>: Recipient address rejected: User unknown"
        if address in now.full:
            return f"452 4.2.2 <{address}>: Mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(  # noqa: N802
        self, server: _Connection, session: Session, envelope: Envelope
    ) -> str:
        """Put the message into every mailbox named, unless a fault is drawn."""
        CALLER.set(int(cast("tuple[str, int]", session.peer)[1]))
        now = self._faults.of(ChannelName.EMAIL)
        if now.latency:
            await self._clock.sleep(now.latency)
        match fault := self._faults.draw(ChannelName.EMAIL):
            case Fault.THROTTLE:
                await server.push("421 4.7.0 Too many messages, try again later")
                server.hang_up()
                return ""
            case Fault.ERROR | Fault.HTML_ERROR:
                return "451 4.3.0 Temporary failure"
            case Fault.REJECT:
                return "554 5.7.1 Message refused by policy"
            case Fault.SILENCE:
                await self._clock.sleep(now.hang)
                server.hang_up()
                return ""
            case None | Fault.GARBAGE | Fault.VANISH | Fault.CUT | Fault.DRIP:
                await self._deliver(envelope)
                return await self._answer(server, fault)
            case _:
                assert_never(fault)

    async def _answer(self, server: _Connection, fault: Fault | None) -> str:
        match fault:
            case Fault.GARBAGE:
                return "HTTP/1.1 200 OK"
            case Fault.VANISH:
                await self._clock.sleep(self._faults.of(ChannelName.EMAIL).hang)
                server.hang_up()
            case Fault.CUT:
                server.hang_up(b"25")
            case Fault.DRIP:
                for byte in _QUEUED[:-1]:
                    await self._clock.sleep(1)
                    server.trickle(byte)
                return _QUEUED[-1:]
            case _:
                return _QUEUED
        return ""

    async def _deliver(self, envelope: Envelope) -> None:
        message = message_from_bytes(envelope.original_content or b"")
        headers = _headers(message)
        extra = {
            "mail_from": envelope.mail_from,
            "headers": {name: headers[name.lower()] for name in _KEPT if name.lower() in headers},
        }
        for address in envelope.rcpt_tos:
            await self._effects.add(
                ChannelName.EMAIL,
                to=address,
                sender=headers.get("from", ""),
                subject=headers.get("subject", ""),
                text=_part(message, "text/plain"),
                html=_part(message, "text/html"),
                ref=headers.get("message-id", ""),
                state="received",
                extra=extra,
            )
            self._bounces.perhaps(self._faults, envelope.mail_from or "", address)


def _headers(message: Message) -> dict[str, str]:
    """By lower-case name, unfolded (RFC 5322 section 2.2.3) and decoded (RFC 2047, RFC 6532)."""
    found: dict[str, str] = {}
    for name, raw in message.raw_items():
        value = str(raw).encode("ascii", "surrogateescape").decode("utf-8", "replace")
        value = value.replace("\r\n", "").strip()
        if "=?" in value:
            value = str(make_header(decode_header(value)))
        found.setdefault(name.lower(), value)
    return found


def _part(message: Message, content_type: str) -> str:
    for part in message.walk():
        if part.get_content_type() == content_type:
            content = part.get_payload(decode=True)
            charset = part.get_content_charset("utf-8")
            assert isinstance(content, bytes)  # a text part has no parts of its own
            return content.decode(charset, "replace").replace("\r\n", "\n")
    return ""


class Smtp:
    """The mail server. `port` is the real one once entered (0 asks for any free port)."""

    def __init__(
        self,
        effects: Effects,
        faults: Faults,
        clock: Clock,
        *,
        host: str,
        port: int,
        login: tuple[str, str] | None = None,
        bounces: Bounces | None = None,
    ) -> None:
        self._bounces = bounces or Bounces()
        self._effects = effects
        self._faults = faults
        self._clock = clock
        self._host = host
        self.port = port
        self._login = login
        self._open: set[_Connection] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for connection in tuple(self._open):
            connection.hang_up()
        await self._server.wait_closed()

    def _connection(self) -> SMTP:
        connection = _Connection(
            _Mailboxes(
                self._effects,
                self._faults,
                self._clock,
                private=self._login is not None,
                bounces=self._bounces,
            ),
            lost=self._open.discard,
            hostname="smtp.sandbox.invalid",
            ident="sandbox ESMTP",
            data_size_limit=_MAX_MESSAGE,
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            authenticator=self._authenticate,
            loop=asyncio.get_running_loop(),
        )
        self._open.add(connection)
        return connection

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object
    ) -> AuthResult:
        if self._login is None or not isinstance(given, LoginPassword):
            return AuthResult(success=False, handled=False)
        user, password = (part.encode() for part in self._login)
        known = hmac.compare_digest(given.login, user)
        known &= hmac.compare_digest(given.password, password)
        return AuthResult(success=known, handled=known)  # aiosmtpd words the refusal itself
