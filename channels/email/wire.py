# SPDX-License-Identifier: EUPL-1.2
"""One SMTP connection: aiosmtplib opens it, then a small pipelining protocol takes it over.

aiosmtplib speaks one command at a time: four round trips a letter. Here MAIL, RCPT and DATA leave
in one write where the server offers PIPELINING (RFC 2920), which is two round trips and a
fifth of the work.
"""

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass
from typing import cast

import aiosmtplib

from channels.base import ChannelDown, Reason
from channels.email.codes import Reply, refused
from channels.email.settings import EmailSettings

_REPLY_LIMIT = 32 * 1024  # no honest reply is longer; an endless one must not fill the memory


class WireBroken(ConnectionError):
    """The connection ended, or the server no longer speaks SMTP."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The three commands before a letter, as bytes with their line ends."""

    sender: bytes
    recipient: bytes
    opening: bytes = b"DATA\r\n"


class Wire(asyncio.Protocol):
    """The connection after sign-in. One letter at a time; not to be shared between tasks."""

    def __init__(self, transport: asyncio.Transport, extensions: frozenset[str]) -> None:
        self.extensions = extensions
        self.letters = 0
        self.handed_over = False  # the final dot of the letter under way has been written
        self._transport = transport
        self._buffer = b""
        self._replies: deque[Reply] = deque()
        self._lines: list[str] = []
        self._waiter: asyncio.Future[None] | None = None
        self._broken = False
        self._expected = 0
        transport.set_protocol(self)

    @property
    def idle(self) -> bool:
        """Open, with every reply read and nothing said unasked (a 421 before closing)."""
        return not (
            self._broken
            or self._transport.is_closing()
            or self._expected
            or self._replies
            or self._lines
            or self._buffer
        )

    async def deliver(self, envelope: Envelope, letter: bytes) -> tuple[str, Reply]:
        """Carry one letter. Returns the deciding reply and the command it answers: ``MAIL``,
        ``RCPT``, ``DATA``, or ``.`` for the letter itself. Raises `WireBroken`."""
        self.letters += 1
        self.handed_over = False
        replies = await self._open(envelope)
        refusal = next((pair for pair in replies if not pair[1].positive), None)
        if refusal is not None:
            await self._take_back(replies[-1][1])
            return refusal
        if replies[-1][1].code != 354:  # a letter written now would be read as commands
            raise WireBroken("the server does not keep to SMTP")
        self.handed_over = True
        return ".", await self.exchange(letter)

    async def _open(self, envelope: Envelope) -> list[tuple[str, Reply]]:
        """Send the envelope, in one write where allowed, and match the replies in order."""
        commands = [
            ("MAIL", envelope.sender),
            ("RCPT", envelope.recipient),
            ("DATA", envelope.opening),
        ]
        pipelining = "pipelining" in self.extensions
        if pipelining:
            self._write(b"".join(command for _, command in commands), len(commands))
        replies: list[tuple[str, Reply]] = []
        for name, command in commands:
            if not pipelining:
                self._write(command, 1)
            replies.append((name, await self._reply()))
            code = replies[-1][1].code
            if code == 421 or (not pipelining and code >= 400):
                break
        return replies

    async def _take_back(self, last: Reply) -> None:
        """Leave the connection ready for the next letter after a refusal, or close it.

        Where the recipient is refused and DATA is answered 354 all the same, a lone dot ends the
        empty letter (RFC 2920 section 3.1).
        """
        try:
            if last.code == 354:
                await self.exchange(b".\r\n")
            if last.code == 421 or not (await self.exchange(b"RSET\r\n")).positive:
                self.close()
        except WireBroken:
            self.close()  # the refusal is known; that the server hung up after it changes nothing

    async def exchange(self, command: bytes) -> Reply:
        """Write one command (or a letter) and wait for its reply. Raises `WireBroken`."""
        self._write(command, 1)
        return await self._reply()

    def _write(self, commands: bytes, expected: int) -> None:
        if self._broken or self._transport.is_closing():
            raise WireBroken("the connection has ended")
        self._expected += expected
        self._transport.write(commands)

    async def _reply(self) -> Reply:
        while not self._replies:
            if self._broken:
                raise WireBroken("the connection ended before the reply")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._expected -= 1
        return self._replies.popleft()

    async def goodbye(self) -> None:
        """QUIT, and close whatever the answer (RFC 5321 section 4.1.1.10)."""
        try:
            await self.exchange(b"QUIT\r\n")
        except WireBroken:
            pass  # it is gone already, which is what was wanted
        finally:
            self.close()

    def close(self) -> None:
        """End at once: what was not written never will be."""
        self._broken = True
        self._transport.abort()

    # ------------------------------------------------------------------ asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            self._take_line(line.rstrip(b"\r"))
        if len(self._buffer) + sum(map(len, self._lines)) > _REPLY_LIMIT:
            self._break()
        self._wake()

    def _take_line(self, line: bytes) -> None:
        code, separator, text = line[:3], line[3:4], line[4:]
        if not code.isdigit() or separator not in {b" ", b"-", b""}:
            self._break()
            return
        self._lines.append(text.decode("utf-8", "replace"))
        if separator != b"-":
            self._replies.append(Reply(int(code), "\n".join(self._lines)))
            self._lines = []

    def eof_received(self) -> None:
        self._break()

    def connection_lost(self, exc: Exception | None) -> None:
        self._break()

    def _break(self) -> None:
        self._broken = True
        self._transport.abort()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def open_wire(settings: EmailSettings, tls: ssl.SSLContext | None) -> Wire:
    """Connect, EHLO, secure and sign in.

    Raises OSError (TimeoutError is one) where the server cannot be reached or secured, and
    `ChannelDown` where it answered and refused us. No exception quotes what the server said.
    """
    smtp = aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        username=settings.username or None,
        password=settings.password.get_secret_value() if settings.username else None,
        local_hostname=settings.local_hostname,
        use_tls=settings.security == "tls",
        start_tls=settings.security == "starttls",
        tls_context=tls,
        timeout=settings.timeout,
    )
    try:
        await _sign_in(smtp)
    except aiosmtplib.SMTPResponseException as error:
        reply = Reply(error.code, error.message)
        refused(reply)
        alarm = reply.code >= 500  # shut out for good, such as by our address's reputation
        raise ChannelDown(Reason.PROVIDER_ERROR, alarm=alarm, code=str(reply.code)) from None
    except OSError:
        raise
    except (aiosmtplib.SMTPException, ValueError):
        # no STARTTLS or no sign-in on offer: for a human, and the same for every letter
        raise ChannelDown(Reason.AUTHENTICATION, alarm=True, code="unsupported") from None
    return Wire(cast("asyncio.Transport", smtp.transport), frozenset(smtp.esmtp_extensions))


async def _sign_in(smtp: aiosmtplib.SMTP) -> None:
    try:
        await smtp.connect()
        if smtp.is_ehlo_or_helo_needed:  # STARTTLS makes the first one void (RFC 3207 4.2)
            await smtp.ehlo()
    except BaseException:  # also a cancelled task leaves no connection behind
        smtp.close()
        raise
