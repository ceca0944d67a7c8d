# SPDX-License-Identifier: EUPL-1.2
"""The e-mail channel against a mail server on loopback."""

import asyncio
import base64
import re
from contextlib import suppress
from typing import ClassVar

from channel_wire import Letter, Mood, StillClock, closed_port

from channels.base import (
    STOP_TOKEN_MARK,
    ChannelName,
    EmailText,
    Reason,
    Recipient,
    Rendered,
    Retry,
)
from channels.email.channel import EmailChannel
from channels.email.settings import EmailSettings

# What the server says where the letter has been handed over, by mood.
LAST_WORDS = {
    Mood.GOOD: b"250 2.0.0 queued\r\n",
    Mood.RESET: b"250-2.0",
    Mood.BUSY: b"450 4.7.28 too fast\r\n",
    Mood.BROKEN: b"451 4.3.0 trouble here\r\n",
    Mood.GARBAGE: b"<h1>Hello</h1>\r\n",
}


class Rig:
    """A mail server with an account, pipelining, and moods that show after the final dot."""

    name = "email"
    personal = True
    check_asks_the_provider = True
    rendered = Rendered(
        ChannelName.EMAIL,
        "fr",
        "eau-1",
        EmailText(
            subject="Coupure d’eau",
            text=f"Rue des Tilleuls\nhttps://example.org/s/{STOP_TOKEN_MARK}",
            html=f'<p>Rue des Tilleuls</p><a href="https://example.org/s/{STOP_TOKEN_MARK}">x</a>',
            stop_url=f"https://example.org/s/{STOP_TOKEN_MARK}",
            list_id="eau.example.org",
            list_name="Eau",
        ),
    )
    words = ("Tilleuls", "town-account", "mail-secret")
    expected: ClassVar = {
        Mood.SILENT: Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True),
        Mood.RESET: Retry(Reason.NETWORK, maybe_sent=True),
        Mood.BUSY: Retry(Reason.RATE_LIMITED, code="450 4.7.28"),
        Mood.BROKEN: Retry(Reason.PROVIDER_ERROR, code="451 4.3.0"),
        Mood.GARBAGE: Retry(Reason.NETWORK, maybe_sent=True),
    }

    def __init__(self) -> None:
        self.mood = Mood.GOOD
        self.connections = 0
        self.letters: list[Letter] = []
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._welcome, "127.0.0.1", 0)

    async def stop(self) -> None:
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _welcome(self, reader, writer) -> None:
        self.connections += 1
        self._talks.add(asyncio.current_task())
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._talk(reader, writer)
        finally:
            writer.transport.abort()

    async def _talk(self, reader, writer) -> None:
        writer.write(b"220 courrier.example.org\r\n")
        address = ""
        while line := (await reader.readline()).decode():
            verb = line[:4].upper().strip()
            if verb == "RCPT":
                address = line.partition("<")[2].partition(">")[0]
            writer.write(self._answer(verb, line))
            if verb == "QUIT":
                return
            if verb == "DATA":
                letter = (await reader.readuntil(b"\r\n.\r\n")).decode()
                token = re.search(r"List-Unsubscribe: <.*/s/(.{32})>", letter)
                self.letters.append(Letter(address, token[1] if token else ""))
                if self.mood is Mood.SILENT:
                    await asyncio.Event().wait()
                writer.write(LAST_WORDS[self.mood])
                if self.mood is Mood.RESET:
                    return

    def _answer(self, verb: str, line: str) -> bytes:
        if verb == "AUTH":
            given = base64.b64decode(line.split()[2]).decode().split("\0")[1:]
            good = given == ["town-account", "mail-secret"] and self.mood is not Mood.WRONG_KEY
            return b"235 2.7.0 welcome\r\n" if good else b"535 5.7.8 no\r\n"
        usual = {
            "EHLO": b"250-courrier.example.org\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n",
            "DATA": b"354 go on\r\n",
            "QUIT": b"221 bye\r\n",
        }
        return usual.get(verb, b"250 2.0.0 ok\r\n")

    def channel(self, port: int | None = None) -> EmailChannel:
        settings = EmailSettings(
            host="127.0.0.1",
            port=port or self._server.sockets[0].getsockname()[1],
            security="none",
            username="town-account",
            password="mail-secret",
            sender="mairie@example.org",
            timeout=self.timeout,
        )
        return EmailChannel(settings, StillClock())

    def unreachable(self) -> EmailChannel:
        return self.channel(closed_port())

    def recipient(self, number: int) -> Recipient:
        return Recipient(f"citizen{number:02d}@example.org")
