# SPDX-License-Identifier: EUPL-1.2
"""A little mail server on loopback that says what a test tells it to, and remembers letters."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.base import (
    STOP_TOKEN_MARK,
    ChannelName,
    EmailText,
    Lane,
    Outcome,
    Recipient,
    Rendered,
    Slip,
)
from channels.email.channel import EmailChannel
from channels.email.settings import EmailSettings


@dataclass
class StillClock:
    """A clock that moves only when told to."""

    steady: float = 1000.0
    moment: datetime = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def wall(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.steady

    async def sleep(self, seconds: float) -> None:
        self.steady += seconds


@dataclass
class Mail:
    sender: str
    recipient: str
    body: bytes


@dataclass
class PostOffice:
    """A scripted SMTP server. `answers` maps a verb (or ``greeting``, ``.``) to what is said
    instead of the usual: a reply, ``None`` for silence, ``"hangup"`` or ``"reset"``."""

    extensions: list[str] = field(default_factory=lambda: ["PIPELINING", "SMTPUTF8", "8BITMIME"])
    answers: dict[str, str | None] = field(default_factory=dict)
    account: tuple[str, str] | None = None
    tls: ssl.SSLContext | None = None
    mails: list[Mail] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    received: asyncio.Event = field(default_factory=asyncio.Event)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def open_connections(self) -> int:
        return sum(not writer.is_closing() for writer in self.writers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._talk(reader, writer)
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._say(writer, "greeting", "220 courrier.example.org ready")
        envelope: dict[str, str] = {}
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            self.commands.append(line)
            verb, _, argument = line.partition(" ")
            envelope[verb] = argument.partition("<")[2].partition(">")[0]
            usual = self._usual(verb, argument)
            answer = await self._say(writer, verb, usual)
            if verb == "STARTTLS" and answer == usual:
                await writer.start_tls(self.tls)
                self.extensions.remove("STARTTLS")
            if verb == "DATA" and answer.startswith("354"):
                await self._receive(reader, writer, envelope)
            if verb == "QUIT":
                return

    async def _receive(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, envelope: dict[str, str]
    ) -> None:
        body = b""
        while not (body == b".\r\n" or body.endswith(b"\r\n.\r\n")):
            body += await reader.readuntil(b"\r\n")
        if body == b".\r\n":
            await self._say(writer, "empty", "554 5.5.1 no valid recipients")
            return
        self.mails.append(Mail(envelope["MAIL"], envelope["RCPT"], body[:-3]))
        self.received.set()
        await self._say(writer, ".", "250 2.0.0 queued")

    def _usual(self, verb: str, argument: str) -> str:
        if verb == "EHLO":
            *most, last = ["courrier.example.org", *self.extensions]
            return "\r\n".join([*(f"250-{line}" for line in most), f"250 {last}"])
        if verb == "AUTH":
            return self._sign_in(argument)
        return {"STARTTLS": "220 go", "DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 ok")

    def _sign_in(self, argument: str) -> str:
        given = base64.b64decode(argument.partition(" ")[2]).decode().split("\0")[1:]
        return "235 2.7.0 ok" if tuple(given) == self.account else "535 5.7.8 bad credentials"

    async def _say(self, writer: asyncio.StreamWriter, verb: str, usual: str) -> str:
        answer = self.answers.get(verb, usual)
        if answer is None:
            await asyncio.Event().wait()
        if answer == "hangup":
            writer.close()
            raise ConnectionResetError
        if answer == "reset":
            writer.transport.abort()
            raise ConnectionResetError
        assert answer is not None
        writer.write(answer.encode() + b"\r\n")
        await writer.drain()
        if answer.startswith("421"):
            raise ConnectionResetError
        return answer


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    """A mail server on loopback; every connection ends with the test."""
    place = PostOffice()
    server = await asyncio.start_server(place.serve, "127.0.0.1", 0)
    place.port = server.sockets[0].getsockname()[1]
    yield place
    server.close()
    for writer in place.writers:
        writer.transport.abort()
    await asyncio.sleep(0)
    tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


LETTER = Rendered(
    ChannelName.EMAIL,
    "fr",
    "a1v1",
    EmailText(
        subject="Coupure d’eau rue des Lilas",
        text=f"Bonjour,\n.\nL’eau sera coupée.\n\nhttps://example.org/s/{STOP_TOKEN_MARK}\n",
        html=f'<p>L’eau</p><a href="https://example.org/s/{STOP_TOKEN_MARK}">arrêter</a>',
        stop_url=f"https://example.org/s/{STOP_TOKEN_MARK}",
        list_id="eau.valmont.example.org",
        list_name="Eau à Valmont",
    ),
)


@dataclass
class Town:
    """Valmont-sur-Orne, which sends its letters through the little server."""

    port: int
    clock: StillClock

    def channel(self, **changes: object) -> EmailChannel:
        usual: dict[str, object] = {
            "host": "127.0.0.1",
            "port": self.port,
            "security": "none",
            "sender": "mairie@valmont.example.org",
            "sender_name": "Mairie de Valmont-sur-Orne",
            "timeout": 2.0,
        }
        return EmailChannel(EmailSettings.model_validate(usual | changes), self.clock)

    async def send(
        self,
        channel: EmailChannel,
        n: int,
        *,
        to: Recipient = Recipient("lea@example.org"),  # noqa: B008 (frozen)
        **changes: Any,
    ) -> Outcome:
        """Send the nth reader's letter; their tokens are made of n."""
        slip = Slip(
            delivery=n,
            round=1,
            lane=Lane.BULK,
            expires=None,
            in_doubt=False,
            stop_token=f"{n:032d}",
            receipt_token=f"{n}.1.mac{n}",
            message_key=f"key{n}",
        )
        return await channel.send(channel.prepare(LETTER), to, replace(slip, **changes))


@pytest.fixture
def town(office: PostOffice, clock: StillClock) -> Town:
    return Town(office.port, clock)
