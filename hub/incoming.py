# SPDX-License-Identifier: EUPL-1.2
"""What comes back is wired to the roads it came from: receipts by HTTP, returned mail by LMTP."""

import socket
from collections.abc import Sequence
from typing import cast

from channels.base import Channel, ChannelName, ReceiptReader
from hub.flow.citizens.stopping import Stopping
from hub.flow.citizens.x_codes import MessageReader, XCodes
from hub.postbox.door import Postbox
from hub.postbox.mailboxes import LetterReader, Mailboxes
from hub.settings import Settings
from hub.web.callbacks.twilio import INBOUND, STATUS
from hub.web.desk import Desk


def with_callbacks(
    settings: Settings, server: socket.socket | None, *, sandboxed: bool
) -> Settings:
    """The same settings; where Twilio can reach us and no other address was chosen, it is asked to
    post receipts. The stand-ins reach the very socket, whatever the public address is."""
    sms, base = settings.channels.sms, _callback_base(settings, server, sandboxed=sandboxed)
    if sms is None or sms.status_callback_url or not base:
        return settings
    sms = sms.model_copy(update={"status_callback_url": base + STATUS})
    channels = settings.channels.model_copy(update={"sms": sms})
    return settings.model_copy(update={"channels": channels})


def _callback_base(settings: Settings, server: socket.socket | None, *, sandboxed: bool) -> str:
    if sandboxed and server is not None:
        return "http://{}:{}".format(*server.getsockname()[:2])
    public = settings.hub.public_url
    return public if public.startswith("https://") else ""


def inbound_url(settings: Settings) -> str:
    """Where Twilio's stand-in posts what citizens write, beside the receipts; empty: nowhere."""
    sms = settings.channels.sms
    asked = sms.status_callback_url if sms else ""
    return asked.removesuffix(STATUS) + INBOUND if asked.endswith(STATUS) else ""


def receipt_reader(channels: Sequence[Channel]) -> ReceiptReader | None:
    """The road that reads what Twilio posts; None where there is none."""
    readers = [channel for channel in channels if hasattr(channel, "read_receipts")]
    return cast("ReceiptReader", readers[0]) if readers else None


def x_codes(settings: Settings, desk: Desk, channels: Sequence[Channel]) -> XCodes | None:
    """Where direct messages on X are on: what people write there is looked through for codes."""
    x = settings.channels.x
    if x is None or not x.direct_messages:
        return None
    (road,) = [channel for channel in channels if channel.name is ChannelName.X]
    reader = cast("MessageReader", road)
    return XCodes(desk.asking, desk.engine.wishes, desk.authority, reader)


def postbox(
    settings: Settings, desk: Desk, channels: Sequence[Channel], *, sandboxed: bool
) -> Postbox | None:
    """The door for mail that comes back; beside the stand-ins always, on any free port."""
    chosen, email = settings.mailbox, settings.channels.email
    if email is None or not (chosen.port or sandboxed):
        return None
    (road,) = [channel for channel in channels if channel.name is ChannelName.EMAIL]
    mailboxes = Mailboxes(
        reader=cast("LetterReader", road),
        receiving=desk.receiving,
        stops=desk.stops,
        stopping=Stopping(desk.ledger, desk.engine.wishes, desk.clock),
        bounce_domain=email.bounce_domain,
        stop_mailbox=email.stop_mailbox,
    )
    return Postbox(mailboxes, chosen, desk.clock)
