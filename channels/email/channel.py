# SPDX-License-Identifier: EUPL-1.2
"""The road for e-mail: a pool of lasting SMTP connections to the town's mail server."""

import asyncio
import re
import ssl
from email.utils import format_datetime
from typing import Self

from channels.base import (
    STOP_TOKEN_LENGTH,
    Accepted,
    ChannelDown,
    ChannelName,
    CheckFailed,
    Clock,
    EmailText,
    Outcome,
    Prepared,
    Reason,
    Receipt,
    Recipient,
    Rejected,
    Rendered,
    Retry,
    Slip,
    TextLimit,
)
from channels.email.bounces import read_letter
from channels.email.codes import refused, sender_refused
from channels.email.letter import Letter, compile_letter
from channels.email.settings import EmailSettings
from channels.email.wire import Envelope, Wire, open_wire

_IDLE = 30.0  # seconds after which a quiet connection is not trusted: firewalls forget silently
_TOKENS = re.compile(r"[A-Za-z0-9._=-]+")
_UNMAILABLE = re.compile(r"[\x00-\x20<>\x7f-\x9f\ud800-\udfff]|^[^@]*$|@$")


class EmailChannel:
    """Hands each letter to the mail server; see `channels.base.Channel`."""

    name = ChannelName.EMAIL
    limit = TextLimit(unit="none", single=0, part=0, max_parts=1)

    def __init__(self, settings: EmailSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._tls: ssl.SSLContext | None = None
        # Last in, first out: a quiet day keeps one connection warm instead of five lukewarm.
        self._free: asyncio.LifoQueue[tuple[Wire, float] | None] = asyncio.LifoQueue()
        for _ in range(settings.connections):
            self._free.put_nowait(None)

    async def __aenter__(self) -> Self:
        if self._settings.security != "none":
            self._tls = ssl.create_default_context(cafile=self._settings.ca_file)
        return self

    async def __aexit__(self, *exc: object) -> None:
        kept = [self._free.get_nowait() for _ in range(self._free.qsize())]
        await asyncio.gather(*(self._farewell(each[0]) for each in kept if each is not None))
        for _ in kept:
            self._free.put_nowait(None)

    def prepare(self, text: Rendered) -> Prepared:
        """Compile the MIME letter once. Raises ValueError as `compile_letter` does, and TypeError
        on another channel's text."""
        if not isinstance(text.text, EmailText):
            raise TypeError("the e-mail channel prepares an EmailText")
        return Prepared(text, compile_letter(text.text, self._settings))

    async def send(self, prepared: Prepared, to: Recipient, slip: Slip) -> Outcome:
        """Hand one letter over. `Accepted.ref` is the Message-ID without its brackets.

        Raises `ChannelDown` where the server refuses us rather than this reader.
        """
        if _UNMAILABLE.search(to.address):
            return Rejected(Reason.NO_SUCH_ADDRESS, code="unmailable")
        if len(slip.stop_token) != STOP_TOKEN_LENGTH or not _TOKENS.fullmatch(
            slip.stop_token + slip.receipt_token + slip.message_key
        ):
            raise ValueError("a slip's token cannot stand in a letter")
        kept = await self._free.get()
        wire: Wire | None = None
        try:
            async with asyncio.timeout(self._settings.timeout):
                wire = await self._usable(kept)
                return await self._deliver(wire, prepared.compiled, to, slip)
        except TimeoutError:
            return Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=_handed_over(wire))
        except OSError:  # refused, unresolved, not secured, reset, or no longer SMTP
            return Retry(Reason.NETWORK, maybe_sent=_handed_over(wire))
        finally:
            self._give_back(wire)

    async def _deliver(self, wire: Wire, letter: Letter, to: Recipient, slip: Slip) -> Outcome:
        international = not to.address.isascii()
        if international and "smtputf8" not in wire.extensions:
            return Rejected(Reason.UNREACHABLE, code="smtputf8")
        message_id = f"{slip.message_key}@{self._settings.domain}"
        date = format_datetime(self._clock.wall())
        letter_bytes = letter.addressed(to.address, message_id, date, slip.stop_token)
        envelope = self._envelope(to.address, slip, " SMTPUTF8 BODY=8BITMIME" * international)
        slip.gate()
        command, reply = await wire.deliver(envelope, letter_bytes)
        if reply.positive:
            return Accepted(message_id)
        if command == "MAIL" and not international:
            return sender_refused(reply)
        return refused(reply)

    def _envelope(self, address: str, slip: Slip, parameters: str) -> Envelope:
        """The return address carries the receipt token (VERP), so a bounce finds its delivery."""
        settings = self._settings
        sender = settings.envelope_sender or settings.sender
        if settings.bounce_domain:
            sender = f"bounce+{slip.receipt_token}@{settings.bounce_domain}"
        return Envelope(
            f"MAIL FROM:<{sender}>{parameters}\r\n".encode(), f"RCPT TO:<{address}>\r\n".encode()
        )

    async def _usable(self, kept: tuple[Wire, float] | None) -> Wire:
        """The kept connection while it lives, else a new one: found out before the gate."""
        if kept is not None:
            wire, since = kept
            fresh = self._clock.monotonic() - since < _IDLE
            if fresh and wire.idle and wire.letters < self._settings.letters_per_connection:
                return wire
            wire.close()
        return await open_wire(self._settings, self._tls)

    def _give_back(self, wire: Wire | None) -> None:
        """A connection with an answer outstanding is thrown away: the next letter would read it."""
        if wire is not None and wire.idle:
            self._free.put_nowait((wire, self._clock.monotonic()))
            return
        if wire is not None:
            wire.close()
        self._free.put_nowait(None)

    async def _farewell(self, wire: Wire) -> None:
        try:
            async with asyncio.timeout(self._settings.timeout):
                await wire.goodbye()
        except TimeoutError:
            wire.close()

    def read_letter(self, token: str, letter: bytes) -> list[Receipt]:
        """What came back to the return address that bore `token`. Touches nothing."""
        return read_letter(letter, token, self._clock.now())

    async def check(self) -> str:
        """Connect, sign in and NOOP, without sending. Raises `CheckFailed`."""
        server = f"{self._settings.host}:{self._settings.port}"
        try:
            async with asyncio.timeout(self._settings.timeout):
                wire = await open_wire(self._settings, self._tls)
                try:
                    reply = await wire.exchange(b"NOOP\r\n")
                    await wire.goodbye()
                finally:
                    wire.close()
        except ChannelDown as down:
            raise CheckFailed(f"{server} refused us ({down.reason}, {down.code}).") from None
        except OSError as error:  # TimeoutError is one
            raise CheckFailed(f"{server} did not answer ({type(error).__name__}).") from None
        account = "our account is known" if self._settings.username else "no account is asked for"
        return f"{server} answers {reply.code}, {account}."


def _handed_over(wire: Wire | None) -> bool:
    """Whether the letter's last byte was written before the failure."""
    return wire is not None and wire.handed_over
