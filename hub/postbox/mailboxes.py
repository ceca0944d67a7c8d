# SPDX-License-Identifier: EUPL-1.2
"""Who gets mail here: the return address of one letter, and the mailbox that takes stops."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from functools import partial
from typing import Final, Protocol

from channels.base import Receipt
from hub.flow.citizens.stopping import Stopping, look
from hub.flow.receipts import Receiving
from subscribers.tokens import StopToken, StopTokens
from templates.pages.pages import StopChoice

Work = Callable[[bytes], Awaitable[str | None]]
"""What is done with a letter. Returns why it could not be, in one sentence for its sender."""

_PREFIX: Final = "bounce+"
_UNTOLD: Final = "Please use the link at the end of the message you received: we cannot tell yours"
_STOP: Final = re.compile(r"\bstop-([A-Za-z0-9_=-]{32})(?![A-Za-z0-9_=-])", re.IGNORECASE)
_RETURN: Final = re.compile(rb"bounce\+([0-9]{1,18}\.[0-9]{1,9}\.[0-9a-f]{20})@")


_HEAD: Final = 65_536  # bytes within which a letter's own headers end
_SUBJECT: Final = 1_000  # characters of it that are looked at


class NoSuchMailbox(Exception):
    """Nobody's here."""


class LetterReader(Protocol):
    """The road whose letters come back (`channels.email`)."""

    def read_letter(self, token: str, letter: bytes) -> list[Receipt]:
        """The receipts in what came back to the return address that bore `token`."""
        ...


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """`bounce_domain` and `stop_mailbox` as in hub.toml; None where there is none."""

    reader: LetterReader
    receiving: Receiving
    stops: StopTokens
    stopping: Stopping
    bounce_domain: str | None
    stop_mailbox: str | None
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def find(self, address: str) -> Work:
        """What takes the mail of this address. Raises `NoSuchMailbox`, alike for one that is
        forged, foreign or mistyped."""
        local, _, domain = address.rpartition("@")
        ours = self.bounce_domain is not None and domain.lower() == self.bounce_domain.lower()
        if ours and local.lower().startswith(_PREFIX):
            token = local[len(_PREFIX) :]
            if self.receiving.genuine(token):
                return partial(self._returned, token)
        if self.stop_mailbox is not None and address.lower() == self.stop_mailbox.lower():
            return self._stop
        raise NoSuchMailbox

    async def _returned(self, token: str, letter: bytes) -> None:
        # one at a time, beside the loop: a hostile letter takes long, and alerts must not wait
        async with self._reading:
            receipts = await asyncio.to_thread(self.reader.read_letter, token, letter)
        await self.receiving.receive(receipts)

    async def _stop(self, letter: bytes) -> str | None:
        """A stop by mail (RFC 2369, RFC 8058): the subject bears the message's own token, and
        means what one click on its link means. A complaint may come here too."""
        message = BytesHeaderParser().parsebytes(letter[:_HEAD])
        if message.get_content_type() == "multipart/report":
            await self._reported(letter)
            return None
        token = self._token(_subject(message))
        if token is None:
            return _UNTOLD
        found = await look(self.stopping.ledger, token)
        if found is not None:  # the theme of the message; its channel where the theme is gone
            choice = StopChoice.THEME if found.themes else StopChoice.CHANNEL
            await self.stopping.stop(token, choice)
        return None

    def _token(self, subject: str) -> StopToken | None:
        found = _STOP.search(subject)
        return self.stops.read(found[1]) if found else None

    async def _reported(self, letter: bytes) -> None:
        """A feedback loop's report names the return address it is about; a bounce of something
        else, and one of nobody's, is taken and changes nothing."""
        found = _RETURN.search(letter)
        token = found[1].decode("ascii") if found else ""
        if self.receiving.genuine(token):
            await self._returned(token, letter)


def _subject(message: Message) -> str:
    try:
        return str(make_header(decode_header(str(message.get("Subject", ""))[:_SUBJECT])))
    except (LookupError, ValueError, MessageError):  # an unknown charset, broken base64
        return ""
