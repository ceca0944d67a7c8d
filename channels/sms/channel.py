# SPDX-License-Identifier: EUPL-1.2
"""The SMS road: one message, one request to Twilio, never a second one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlsplit

from aiohttp import ClientSession
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from channels.base import (
    SHORT_STOP_MARK,
    Accepted,
    ChannelDown,
    ChannelName,
    CheckFailed,
    Clock,
    Inbound,
    Outcome,
    Prepared,
    Reason,
    Receipt,
    Recipient,
    Rendered,
    Retry,
    Sighting,
    Slip,
    SmsText,
    TextLimit,
)
from channels.http import (
    CLOCK_SKEW,
    LISTING_CONNECTIONS,
    MOST_PAGES,
    NETWORK_ERRORS,
    Refused,
    crossing,
    listing,
    lost,
    open_session,
)
from channels.sms.codes import failure, ruling
from channels.sms.inbound import read_inbound, signed_form
from channels.sms.settings import SmsSettings
from channels.sms.wire import TwilioWire

# How long a message may wait in Twilio's queue: the API takes 1 to 36,000 seconds.
LONGEST_VALIDITY = timedelta(hours=10)

# A text that was redacted matters only where it may be the one looked for: earlier ones, redacted
# after their last receipt, are nobody's concern.
_ABOUT_THEN = timedelta(minutes=2)

# What a MessageStatus proves (Receipt.rank). The others ("queued", "sending"…) prove nothing new.
# "canceled" is somebody at Twilio's console; "read" exists on RCS only and implies delivered.
RANKS = {
    "sent": 1,
    "partially_delivered": 1,
    "failed": 2,
    "undelivered": 2,
    "canceled": 2,
    "delivered": 3,
    "read": 3,
}


class SmsChannel:
    """Twilio's Messages resource, and the reader of its receipts."""

    name = ChannelName.SMS
    _session: ClientSession
    _client: Any
    _messages: Any
    _reading: ClientSession
    _listed: Any

    def __init__(self, settings: SmsSettings, clock: Clock) -> None:
        if not (settings.account_sid and settings.auth_token.get_secret_value()):
            raise ValueError("the SMS channel needs account_sid and auth_token")
        if not (settings.sender or settings.messaging_service_sid):
            raise ValueError("the SMS channel needs a sender or a messaging_service_sid")
        if settings.two_way and any(map(str.isalpha, settings.sender)):
            raise ValueError("nobody can answer a sender with letters: two_way needs a number")
        self.limit = TextLimit("septets", single=160, part=153, max_parts=settings.max_parts)
        self._settings = settings
        self._clock = clock
        self._validator = RequestValidator(settings.auth_token.get_secret_value())
        # SmartEncoded is said aloud: a Messaging Service may have it on, and would then send
        # another text than the one the officer saw.
        self._common: dict[str, object] = {"smart_encoded": False} | (
            {"messaging_service_sid": settings.messaging_service_sid}
            if settings.messaging_service_sid
            else {"from_": settings.sender}
        )

    async def __aenter__(self) -> Self:
        settings = self._settings
        self._session = open_session(connections=settings.connections, timeout=settings.timeout)
        self._client = self._client_over(self._session)
        self._messages = self._client.messages
        self._reading = open_session(connections=LISTING_CONNECTIONS, timeout=settings.timeout)
        self._listed = self._client_over(self._reading).messages
        return self

    def _client_over(self, session: ClientSession) -> Any:
        sid, token = self._settings.account_sid, self._settings.auth_token.get_secret_value()
        client = Client(
            sid,
            token,
            http_client=TwilioWire(session, sid, token),
            environment={"TWILIO_EDGE": ""},  # an empty one would be replaced by os.environ
        )
        client.api.base_url = self._settings.base_url
        return client

    async def __aexit__(self, *exc: object) -> None:
        await self._session.close()
        await self._reading.close()

    def prepare(self, text: Rendered) -> Prepared:
        """The text, cut where each citizen's stop token goes. Raises `TypeError` on another's."""
        if not isinstance(text.text, SmsText):
            raise TypeError("the SMS channel prepares an SmsText")
        return Prepared(text, tuple(text.text.body.split(SHORT_STOP_MARK)))

    async def send(self, prepared: Prepared, to: Recipient, slip: Slip) -> Outcome:
        """Create one message at Twilio. Raises `ChannelDown`; `Withheld` passes."""
        with crossing(slip.gate) as way:
            try:
                message = await self._messages.create_async(
                    to=to.address,
                    body=slip.stop_token.join(prepared.compiled),
                    validity_period=self._validity(slip),
                    **self._common,
                    **self._callback(slip),
                )
            except Refused as refusal:
                return ruling(refusal.answer, self._clock.wall())
            except NETWORK_ERRORS as error:
                return lost(error, way)
        if not message.sid:
            return Retry(Reason.PROVIDER_ERROR, maybe_sent=True)
        return Accepted(str(message.sid))

    async def seen(
        self, prepared: Prepared, to: Recipient, slip: Slip, since: datetime
    ) -> Sequence[Sighting]:
        """What Twilio lists of this very text to this number, oldest first.

        A text that bears this citizen's own stop token, which is of one announcement, is this one
        however a provider, or a template changed meanwhile, spells the rest. Raises `ChannelDown`
        where Twilio does not tell: refused, unreadable, or texts redacted.
        """
        body, oldest = slip.stop_token.join(prepared.compiled), since - CLOCK_SKEW
        personal = len(prepared.compiled) > 1
        found = []
        with listing(lambda answer: ruling(answer, self._clock.wall())):
            for message in await self._since(to.address, oldest):
                recent = _created(message, since) >= since - _ABOUT_THEN
                if not message.body and recent and self._is_ours(message):
                    raise ChannelDown(Reason.UNKNOWN, code="redacted")
                text = message.body or ""
                same = text == body or (personal and slip.stop_token in text)
                if same and self._is_ours(message):
                    failed = RANKS.get(message.status) == 2
                    found.append(Sighting(message.sid, _created(message, since), failed))
        return sorted(found, key=lambda sighting: sighting.at)

    async def _since(self, number: str, oldest: datetime) -> list[Any]:
        """Every message to a number created since then. Not asked by DateSent: what still waits
        in a queue has none."""
        found: list[Any] = []
        try:
            page = await self._listed.page_async(to=number, page_size=100)
            for _ in range(MOST_PAGES):
                messages = list(page)
                recent = [each for each in messages if _created(each, oldest) >= oldest]
                found += recent
                if not page.next_page_url or (messages and not recent):
                    return found
                page = await page.next_page_async()
        except TwilioException:
            raise ChannelDown(Reason.PROVIDER_ERROR, code="unreadable") from None
        raise ChannelDown(Reason.PROVIDER_ERROR, code="endless")

    def _is_ours(self, message: Any) -> bool:
        service = self._settings.messaging_service_sid
        if service:
            return bool(message.messaging_service_sid == service)
        return bool(message.from_ == self._settings.sender)

    async def check(self) -> str:
        """Read the account. Raises `CheckFailed` where Twilio says no, or says nothing."""
        try:
            account = await self._client.api.v2010.account.fetch_async()
        except Refused as refusal:
            raise CheckFailed(
                f"Twilio refused the account (HTTP {refusal.answer.status})"
            ) from None
        except NETWORK_ERRORS as error:
            raise CheckFailed(f"Twilio does not answer ({type(error).__name__})") from None
        if account.status != "active":
            raise CheckFailed("the Twilio account is not active")
        return "Twilio knows the account, which is active"

    def read_receipts(self, headers: Mapping[str, str], body: bytes, url: str) -> list[Receipt]:
        """The receipt in one status callback: `url` is the public one Twilio was given.

        Raises `PermissionError` where X-Twilio-Signature does not fit url and body. Callbacks come
        in any order; the rank orders them. A positive receipt has the reason `UNKNOWN`.
        """
        form = signed_form(self._validator, headers, body, url)
        tokens = parse_qs(urlsplit(url).query).get("token")
        rank = RANKS.get(form.get("MessageStatus", ""))
        if not tokens or rank is None:
            return []
        code = form.get("ErrorCode", "")
        reason, dead = failure(code) if rank == 2 else (Reason.UNKNOWN, False)
        ref, now = form.get("MessageSid"), self._clock.now()
        return [Receipt(tokens[0], rank, code, reason, ref, now, contact_dead=dead)]

    def read_inbound(self, headers: Mapping[str, str], body: bytes, url: str) -> Inbound:
        """What a citizen wrote. Raises `PermissionError` as `read_receipts` does."""
        return read_inbound(signed_form(self._validator, headers, body, url))

    def _validity(self, slip: Slip) -> int:
        """Whole seconds the message may wait at Twilio: a stale alert had better not arrive."""
        left = slip.expires - self._clock.now() if slip.expires else LONGEST_VALIDITY
        return max(1, int(min(left, LONGEST_VALIDITY).total_seconds()))

    def _callback(self, slip: Slip) -> dict[str, str]:
        base = self._settings.status_callback_url
        if not base:
            return {}
        return {"status_callback": f"{base}?token={quote(slip.receipt_token)}"}


def _created(message: Any, unknown: datetime) -> datetime:
    """When Twilio took it, to the second; `unknown` where it does not say."""
    moment: datetime | None = message.date_created
    if moment is None:
        return unknown
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
