# SPDX-License-Identifier: EUPL-1.2
"""The HTTP client the Twilio SDK is given.

Its own loses Retry-After, ignores its time-out and logs what it sends; this one sends exactly once
over the channel's session.
"""

import logging
from base64 import b64encode
from urllib.parse import urlencode

import aiohttp
from twilio.http import AsyncHttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]

from channels.http import fetch_document


class TwilioWire(AsyncHttpClient):  # type: ignore[misc]
    """Carries the SDK's requests; the SDK only ever sees a 2xx with a JSON object."""

    def __init__(self, session: aiohttp.ClientSession, account_sid: str, auth_token: str) -> None:
        super().__init__(logging.getLogger("channels.sms"), is_async=True)
        self._session = session
        self._basic = "Basic " + b64encode(f"{account_sid}:{auth_token}".encode()).decode()

    async def request(  # noqa: PLR0917 (the SDK's signature)
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: object = None,
        timeout: float | None = None,  # noqa: ASYNC109 (the SDK's signature; the session's counts)
        allow_redirects: bool = False,
    ) -> Response:
        """Send once. Raises `Refused`, or one of `NETWORK_ERRORS`; `Withheld` passes."""
        answer = await fetch_document(
            self._session,
            method,
            uri,
            params=params,
            data=urlencode(data).encode() if data else None,
            headers={**(headers or {}), "Authorization": self._basic},
        )
        return Response(answer.status, answer.body.decode(), answer.headers)
