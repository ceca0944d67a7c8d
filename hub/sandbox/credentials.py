# SPDX-License-Identifier: EUPL-1.2
"""The sandbox's keys, derived from its seed: nothing to store, nothing worth stealing."""

import hmac
from dataclasses import dataclass, field
from typing import Self

from hub.sandbox.oauth import XKeys
from hub.sandbox.vapid import scalar, unpadded


@dataclass(frozen=True, slots=True)
class Credentials:
    """What each stand-in expects from its client."""

    account_sid: str
    auth_token: str = field(repr=False)
    smtp: tuple[str, str] = field(repr=False)
    x: XKeys
    vapid: str = field(repr=False)

    @classmethod
    def of(cls, seed: str) -> Self:
        """The credentials of one seed, in the shapes the real services use."""

        def derived(name: str) -> str:
            return hmac.digest(seed.encode(), name.encode(), "sha256").hex()

        return cls(
            account_sid=f"AC{derived('account')[:32]}",
            auth_token=derived("auth token")[:32],
            smtp=("hub", derived("smtp")[:24]),
            vapid=unpadded(scalar(hmac.digest(seed.encode(), b"vapid", "sha512")).to_bytes(32)),
            x=XKeys(
                consumer_key=derived("consumer key")[:25],
                consumer_secret=derived("consumer secret")[:50],
                access_token=derived("access token")[:50],
                access_token_secret=derived("access token secret")[:45],
            ),
        )
