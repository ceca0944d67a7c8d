# SPDX-License-Identifier: EUPL-1.2
"""The web push road: one message, sealed for one browser, posted once to its push service."""

from datetime import timedelta
from typing import Self

from aiohttp import ClientSession

from channels.base import (
    STOP_TOKEN_MARK,
    Accepted,
    ChannelName,
    Clock,
    Lane,
    Outcome,
    Prepared,
    PushText,
    Reason,
    Recipient,
    Rejected,
    Rendered,
    Slip,
    TextLimit,
)
from channels.http import NETWORK_ERRORS, crossing, fetch, lost, open_session
from channels.webpush.codes import ruling
from channels.webpush.endpoint import Fence, PublicResolver, origin
from channels.webpush.keys import Signer, public_key, read_vapid_key
from channels.webpush.sealing import LONGEST, BadKeys, seal
from channels.webpush.settings import WebPushSettings

# The longest a push service keeps a message (FCM's limit; others cut it themselves).
LONGEST_LIFE = timedelta(weeks=4)

# RFC 8030 section 5.3: high wakes a phone on low battery, normal any phone that is not, low waits
# for power or Wi-Fi. A newsletter is not worth anybody's battery.
URGENCY = {
    Lane.VITAL: "high",
    Lane.TRANSACTIONAL: "normal",
    Lane.IMPORTANT: "normal",
    Lane.BULK: "low",
}


class WebPushChannel:
    """Posts to the push services of the browsers that subscribed."""

    name = ChannelName.WEBPUSH
    limit = TextLimit("bytes", single=LONGEST, part=LONGEST, max_parts=1)
    _session: ClientSession

    def __init__(self, settings: WebPushSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        key = read_vapid_key(settings.private_key.get_secret_value())
        self._signer = Signer(key, settings.sender)
        self._fence = Fence(settings.allowed_hosts, loopback=settings.allow_loopback)
        self._proven = False  # a push service has taken a message signed with our key

    async def __aenter__(self) -> Self:
        settings = self._settings
        self._session = open_session(
            connections=settings.connections,
            timeout=settings.timeout,
            resolver=PublicResolver(loopback=settings.allow_loopback),
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._session.close()

    def prepare(self, text: Rendered) -> Prepared:
        """The payload, cut where each citizen's stop token goes. Raises `TypeError` on another's,
        ValueError where the payload does not fit one message."""
        if not isinstance(text.text, PushText):
            raise TypeError("the web push channel prepares a PushText")
        payload = text.text.payload.encode()
        if len(payload) > LONGEST:
            raise ValueError("the payload does not fit one message")
        return Prepared(text, tuple(payload.split(STOP_TOKEN_MARK.encode())))

    async def send(self, prepared: Prepared, to: Recipient, slip: Slip) -> Outcome:
        """Seal and post one message. `Accepted.ref` is the address the service gave it.

        Raises `ChannelDown`; `Withheld` passes.
        """
        url = self._fence.admit(to.address)
        if url is None:
            return Rejected(Reason.NO_SUCH_ADDRESS, code="endpoint")
        try:
            payload = slip.stop_token.encode("ascii").join(prepared.compiled)
            body = seal(payload, to.keys.get("p256dh", ""), to.keys.get("auth", ""))
        except BadKeys:
            return Rejected(Reason.NO_SUCH_ADDRESS, code="keys")
        headers = self._headers(prepared, slip, origin(url))
        with crossing(slip.gate) as way:
            try:
                answer = await fetch(self._session, "POST", url, data=body, headers=headers)
            except NETWORK_ERRORS as error:
                return lost(error, way)
        outcome = ruling(answer, self._clock.wall(), proven=self._proven)
        self._proven = self._proven or isinstance(outcome, Accepted)
        return outcome

    def _headers(self, prepared: Prepared, slip: Slip, audience: str) -> dict[str, str]:
        text = prepared.rendered.text
        assert isinstance(text, PushText)
        return {
            "Authorization": self._signer.header(audience, self._clock.wall()),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(self._life(slip)),
            "Urgency": URGENCY[slip.lane],
            "Topic": text.topic,
        }

    def _life(self, slip: Slip) -> int:
        """Whole seconds the service may keep the message; never 0, which Windows refuses."""
        left = slip.expires - self._clock.now() if slip.expires else LONGEST_LIFE
        return max(1, int(min(left, LONGEST_LIFE).total_seconds()))

    async def check(self) -> str:
        """Sign and seal once for ourselves, without sending: before a first browser subscribes
        there is nobody to ask. A key that cannot do it never got past the settings."""
        own = public_key(self._settings.private_key.get_secret_value())
        self._signer.header("https://example.org", self._clock.wall())
        seal(b"check", own, "A" * 22)
        return "the web push key signs and seals"
