# SPDX-License-Identifier: EUPL-1.2
"""Twilio's Messages API as the real one answers it: create, list, fetch, and inbound SMS."""

import base64
import hmac
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from channels.base import ChannelName, Clock
from hub.sandbox.effects import Effect, Effects
from hub.sandbox.faults import Fault, Faults
from hub.sandbox.receipts import API_VERSION, Receipts
from hub.sandbox.segments import segments
from hub.sandbox.wire import Wire

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_SENDER = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_MESSAGE = re.compile(r"<Message>(.*?)</Message>", re.DOTALL)  # TwiML: the answer to an SMS
_MAX_BODY = 1_600
_MAX_VALIDITY = 36_000
_MAX_PAGE = 1_000
# The words Twilio itself listens to, in its default English set.
_STOP = frozenset(["STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"])
_START = frozenset(["START", "YES", "UNSTOP"])

_MESSAGES = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "Invalid 'From' Number (caller ID)"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21609: (400, "The 'StatusCallback' URL is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21612: (400, "Message cannot be sent with the current combination of 'To' and/or 'From'"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21701: (404, "The Messaging Service was not found"),
    90007: (400, "Invalid validity period value"),
}


def error(code: int) -> web.Response:
    """Twilio's error envelope."""
    status, message = _MESSAGES[code]
    envelope = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if status == 401 else None
    return web.json_response(envelope, status=status, headers=headers)


class Twilio:
    """One account of the stand-in. Messages are `Effects` of channel sms; nothing else is kept
    but the numbers that wrote STOP."""

    def __init__(
        self,
        effects: Effects,
        faults: Faults,
        clock: Clock,
        *,
        receipts: Receipts,
        account_sid: str,
        auth_token: str,
    ) -> None:
        self._effects = effects
        self._faults = faults
        self._receipts = receipts
        self._clock = clock
        self._account_sid = account_sid
        login = base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._authorization = f"Basic {login}"
        self._wire = Wire(ChannelName.SMS, faults, clock)
        self._stopped: set[str] = set()
        self.inbound_url = ""

    def routes(self) -> list[web.RouteDef]:
        """The account, its messages, and one of them."""
        account = f"/{API_VERSION}/Accounts/{{sid}}"
        return [
            web.get(f"{account}.json", self._account),
            web.post(f"{account}/Messages.json", self._create),
            web.get(f"{account}/Messages.json", self._list),
            web.get(f"{account}/Messages/{{message}}.json", self._fetch),
        ]

    async def inbound(self, sender: str, to: str, body: str) -> int | None:
        """A citizen writes to the town: Twilio keeps its opt-out list, then tells the webhook.

        Returns the webhook's HTTP status; None where there is none or it did not answer.
        """
        word = body.strip().upper()
        if word in _STOP:
            self._stopped.add(sender)
        elif word in _START:
            self._stopped.discard(sender)
        if not self.inbound_url:
            return None
        sid = f"SM{uuid.uuid4().hex}"
        form = {
            "AccountSid": self._account_sid,
            "ApiVersion": API_VERSION,
            "Body": body,
            "From": sender,
            "MessageSid": sid,
            "NumMedia": "0",
            "NumSegments": str(segments(body)),
            "SmsMessageSid": sid,
            "SmsSid": sid,
            "SmsStatus": "received",
            "To": to,
        }
        told = await self._receipts.ask(self.inbound_url, form)
        if told is None:
            return None
        for text in _MESSAGE.findall(told[1]):
            await self._effects.add(
                ChannelName.SMS,
                to=sender,
                sender=to,
                text=unescape(text),
                ref=f"SM{uuid.uuid4().hex}",
                state="delivered",
                extra={"num_segments": segments(unescape(text))},
            )
        return told[0]

    async def _account(self, request: web.Request) -> web.StreamResponse:
        async def act() -> web.Response:
            if refused := self._denied(request):
                return refused
            return web.json_response(
                {
                    "sid": self._account_sid,
                    "friendly_name": "Valmont-sur-Orne",
                    "status": "active",
                    "type": "Full",
                    "uri": f"/{API_VERSION}/Accounts/{self._account_sid}.json",
                }
            )

        return await self._wire.answer(request, act, _refusal)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        async def act() -> web.Response:
            if refused := self._denied(request):
                return refused
            form = dict(parse_qsl(await request.text(), keep_blank_values=True))
            if code := self._fault_in(form):
                return error(code)
            return await self._accept(form)

        return await self._wire.answer(request, act, _refusal)

    async def _accept(self, form: Mapping[str, str]) -> web.Response:
        service = form.get("MessagingServiceSid", "")
        extra: dict[str, Any] = {"num_segments": segments(form["Body"])}
        if service:
            extra["messaging_service_sid"] = service
        if "ValidityPeriod" in form:
            extra["validity_period"] = int(form["ValidityPeriod"])
        effect = await self._effects.add(
            ChannelName.SMS,
            to=form["To"],
            sender=form.get("From") or service,
            text=form["Body"],
            ref=f"SM{uuid.uuid4().hex}",
            state="accepted" if service else "queued",
            extra=extra,
        )
        answer = web.json_response(self._resource(effect), status=201)
        self._receipts.begin(effect, form.get("StatusCallback", ""))
        return answer

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        async def act() -> web.Response:
            if refused := self._denied(request):
                return refused
            effect = self._effects.by_ref(request.match_info["message"])
            if effect is None or effect.channel is not ChannelName.SMS:
                return error(20404)
            return web.json_response(self._resource(effect))

        return await self._wire.answer(request, act, _refusal)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        async def act() -> web.Response:
            if refused := self._denied(request):
                return refused
            try:
                return web.json_response(self._page(request.query))
            except ValueError:
                return error(20404)

        return await self._wire.answer(request, act, _refusal)

    def _page(self, query: Mapping[str, str]) -> dict[str, Any]:
        size = min(_MAX_PAGE, max(1, int(query.get("PageSize", "50"))))
        page = int(query.get("Page", "0"))
        found = self._found(query)
        shown = found[page * size : (page + 1) * size]
        return {
            "messages": [self._resource(effect) for effect in shown],
            "start": page * size,
            "end": page * size + max(0, len(shown) - 1),
            "page": page,
            "page_size": size,
            "uri": self._page_uri(query, size, page),
            "first_page_uri": self._page_uri(query, size, 0),
            "previous_page_uri": self._page_uri(query, size, page - 1) if page else None,
            "next_page_uri": (
                self._page_uri(query, size, page + 1) if (page + 1) * size < len(found) else None
            ),
        }

    def _page_uri(self, query: Mapping[str, str], size: int, page: int) -> str:
        asked = {**query, "PageSize": str(size), "Page": str(page)}
        return f"/{API_VERSION}/Accounts/{self._account_sid}/Messages.json?{urlencode(asked)}"

    def _found(self, query: Mapping[str, str]) -> list[Effect]:
        if to := query.get("To"):
            candidates = list(self._effects.to(ChannelName.SMS, to))
        else:
            everything = self._effects.select(channel=ChannelName.SMS, limit=self._effects.last)
            candidates = everything[::-1]
        sender = query.get("From")
        first, end = _sent_between(query)
        listed = self._faults.listed_until(ChannelName.SMS, self._clock.now())
        return [
            effect
            for effect in candidates
            if effect.at <= listed
            and (not sender or effect.sender == sender)
            and (first is None or effect.at >= first)
            and (end is None or effect.at < end)
        ]

    def _denied(self, request: web.Request) -> web.Response | None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), self._authorization.encode()):
            return error(20003)
        if request.match_info["sid"] != self._account_sid:
            return error(20404)
        return None

    def _fault_in(self, form: Mapping[str, str]) -> int | None:
        """Twilio's code for what is wrong with a message, in the order Twilio looks."""
        to, sender = form.get("To", ""), form.get("From", "")
        service = form.get("MessagingServiceSid", "")
        if not to:
            return 21604
        if not _E164.fullmatch(to):
            return 21211
        if not sender and not service:
            return 21603
        if sender and not _SENDER.fullmatch(sender):
            return 21212
        if service and not re.fullmatch(r"MG[0-9a-f]{32}", service):
            return 21701
        return self._fault_in_content(form, to)

    def _fault_in_content(self, form: Mapping[str, str], to: str) -> int | None:
        validity = form.get("ValidityPeriod", "1")
        if not form.get("Body", "").strip():
            return 21602
        if len(form["Body"]) > _MAX_BODY:
            return 21617
        if not validity.isdecimal() or not 1 <= int(validity) <= _MAX_VALIDITY:
            return 90007
        if not re.match(r"https?://|$", form.get("StatusCallback", "")):
            return 21609
        return 21610 if to in self._stopped else None

    def _resource(self, effect: Effect) -> dict[str, Any]:
        uri = f"/{API_VERSION}/Accounts/{self._account_sid}/Messages/{effect.ref}"
        created = format_datetime(effect.at.replace(microsecond=0))
        waiting = effect.state in {"queued", "accepted"}
        service = effect.extra.get("messaging_service_sid")
        return {
            "account_sid": self._account_sid,
            "api_version": API_VERSION,
            "body": effect.text,
            "date_created": created,
            "date_sent": None if waiting else created,
            "date_updated": created,
            "direction": "outbound-api",
            "error_code": effect.extra.get("error_code"),
            "error_message": None,
            "from": None if service and waiting else effect.sender,
            "messaging_service_sid": service,
            "num_media": "0",
            "num_segments": str(effect.extra["num_segments"]),
            "price": None,
            "price_unit": "USD",
            "sid": effect.ref,
            "status": effect.state,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": effect.to,
            "uri": f"{uri}.json",
        }


def _refusal(fault: Fault) -> web.Response:
    codes = {Fault.THROTTLE: 20429, Fault.REJECT: 21612}
    return error(codes.get(fault, 20500))


def _sent_between(query: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """DateSent (a whole day in UTC), DateSent> and DateSent< (to the second) as [first, end[."""
    first = end = None
    if on := query.get("DateSent"):
        first = _moment(on[:10])
        end = first + timedelta(days=1)
    if after := query.get("DateSent>"):
        first = _moment(after)
    if before := query.get("DateSent<"):
        end = _moment(before) + _width(before)
    return first, end


def _width(value: str) -> timedelta:
    return timedelta(seconds=1) if "T" in value else timedelta(days=1)


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
