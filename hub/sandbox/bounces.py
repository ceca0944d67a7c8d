# SPDX-License-Identifier: EUPL-1.2
"""The citizen's mail server sends a letter back: an RFC 3464 report to its return address, handed
over by LMTP as the town's own mail server would."""

import asyncio
import logging
from typing import Final, Self

from channels.base import ChannelName
from hub.sandbox.faults import Faults

_log = logging.getLogger(__name__)
_PATIENCE: Final = 10.0  # seconds
_AT_A_TIME: Final = 5

_REPORT: Final = """\
From: MAILER-DAEMON@smtp.sandbox.invalid (Mail Delivery System)\r
Subject: Undelivered Mail Returned to Sender\r
Auto-Submitted: auto-replied\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="sandbox"\r
\r
--sandbox\r
Content-Type: text/plain; charset=us-ascii\r
\r
Your message could not be delivered.\r
\r
--sandbox\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; smtp.sandbox.invalid\r
\r
Final-Recipient: rfc822; {to}\r
Action: failed\r
Status: {status}\r
Diagnostic-Code: smtp; 550 {status} Refused\r
\r
--sandbox--\r
.\r
"""


class Bounces:
    """Sends reports to the mail door of the hub. `port` 0: there is none, nothing comes back."""

    def __init__(self, *, port: int = 0) -> None:
        self.host, self.port = "127.0.0.1", port
        self._room = asyncio.Semaphore(_AT_A_TIME)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def perhaps(self, faults: Faults, mail_from: str, to: str) -> None:
        """Send this letter back, where its mailbox is one of those that bounce."""
        now = faults.of(ChannelName.EMAIL)
        if self.port and mail_from and to in now.bounced:
            task = asyncio.create_task(self._send(mail_from, to, now.bounce_status))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, mail_from: str, to: str, status: str) -> None:
        try:
            async with self._room, asyncio.timeout(_PATIENCE):
                await self._hand_over(mail_from, _REPORT.format(to=to, status=status).encode())
        except (OSError, ValueError) as error:
            _log.warning("sandbox: a bounce was not taken: %s", type(error).__name__)

    async def _hand_over(self, mail_from: str, report: bytes) -> None:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            await _answer(reader)
            for command in (
                b"LHLO smtp.sandbox.invalid\r\n",
                b"MAIL FROM:<>\r\n",
                f"RCPT TO:<{mail_from}>\r\n".encode(),
                b"DATA\r\n",
                report,
            ):
                writer.write(command)
                await _answer(reader)
            writer.write(b"QUIT\r\n")
        finally:
            writer.close()


async def _answer(reader: asyncio.StreamReader) -> None:
    """Read one reply. Raises `ValueError` where it is a refusal."""
    while (line := await reader.readline())[3:4] == b"-":
        pass
    if line[:1] not in {b"2", b"3"}:
        raise ValueError("refused")
