# SPDX-License-Identifier: EUPL-1.2
"""`POST /callbacks/twilio/…`: what became of an SMS, and what citizens answer, signed by Twilio.

The signature covers the public address, as it was given to Twilio: whatever a proxy made of the
request, it is that address that is verified.
"""

import asyncio
from collections.abc import Mapping
from html import escape
from typing import Final, Protocol, cast

from aiohttp import web

from channels.base import Inbound, Receipt
from hub.flow.receipts import ForgedReceiptError
from hub.web.bodies import read_body, too_slow
from hub.web.desk import Desk, desk
from hub.web.problems import ProblemError
from hub.web.strangers import count_stranger

INBOUND: Final = "/callbacks/twilio/inbound"
STATUS: Final = "/callbacks/twilio/status"
FORM: Final = ("application/x-www-form-urlencoded",)
_LARGEST: Final = 16_384
_PATIENCE: Final = 15.0  # seconds a body may take: as long as Twilio waits for an answer


class InboundReader(Protocol):
    """Bytes in, a citizen's words out; checks the signature, touches nothing."""

    def read_inbound(self, headers: Mapping[str, str], body: bytes, url: str) -> Inbound:
        """Raises `PermissionError` where the signature is wrong."""
        ...


def routes() -> list[web.RouteDef]:
    """The doors of status callbacks and of inbound SMS."""
    return [web.post(STATUS, status), web.post(INBOUND, inbound)]


async def status(request: web.Request) -> web.Response:
    """Store one receipt; 204 means that it is committed."""
    hub = desk(request)
    body = await read_signed(request)
    try:
        await hub.receiving.receive(_read(hub, request, body))
    except (PermissionError, ForgedReceiptError):
        await count_stranger(request)
        raise forged() from None
    return web.Response(status=204)


def _read(hub: Desk, request: web.Request, body: bytes) -> list[Receipt]:
    sms = hub.settings.channels.sms
    if hub.receipts is None or sms is None:
        raise PermissionError("no SMS channel here")
    address = sms.status_callback_url or hub.site.public_url + STATUS
    return hub.receipts.read_receipts(request.headers, body, signed_url(request, address))


async def inbound(request: web.Request) -> web.Response:
    """Obey a citizen's SMS; the answer leaves as TwiML, where the sender can be answered at all."""
    hub = desk(request)
    body = await read_signed(request)
    try:
        said = _heard(hub, request, body)
    except PermissionError:
        await count_stranger(request)
        raise forged() from None
    reply = await hub.answering.hear(said)
    sms = hub.settings.channels.sms
    shown = reply if sms is not None and sms.two_way else None
    message = f"<Message>{escape(shown, quote=False)}</Message>" if shown else ""
    twiml = f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>'
    return web.Response(text=twiml, content_type="text/xml")


def _heard(hub: Desk, request: web.Request, body: bytes) -> Inbound:
    sms = hub.settings.channels.sms
    if hub.receipts is None or sms is None:
        raise PermissionError("no SMS channel here")
    chosen = sms.status_callback_url
    base = chosen.removesuffix(STATUS) if chosen.endswith(STATUS) else hub.site.public_url
    reader = cast("InboundReader", hub.receipts)
    return reader.read_inbound(request.headers, body, signed_url(request, base + INBOUND))


async def read_signed(request: web.Request) -> bytes:
    """The small form that a provider posts. Raises `ProblemError` 408, 413, 415, 400."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await read_body(request, _LARGEST, FORM)
    except TimeoutError:
        raise too_slow() from None


def signed_url(request: web.Request, address: str) -> str:
    """The public address with the request's own query, byte for byte."""
    _, mark, query = request.raw_path.partition("?")
    return address + mark + query


def forged() -> ProblemError:
    """The same for a wrong signature, a token of nobody's, and a channel that is not there."""
    return ProblemError(
        403,
        "unsigned",
        fr="Ce message n'est pas signé par notre fournisseur.",
        en="This message is not signed by our provider.",
    )
