# SPDX-License-Identifier: EUPL-1.2
"""What goes with a message and comes back with its receipt, signed (ENGINE.md section 3)."""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from channels.base import ChannelName, Slip
from hub.flow.send.window import Window
from hub.ledger.deliveries import Reservation
from subscribers.tokens import StopTokens

_MAC: Final = 20  # hexadecimal digits: 80 bits
_TOKEN: Final = re.compile(r"[0-9]{1,18}\.[0-9]{1,9}\.[0-9a-f]{20}")


@dataclass(frozen=True, slots=True)
class Slips:
    """Writes slips with the hub's own secret."""

    secret: bytes
    stops: StopTokens

    def write(  # noqa: PLR0917 (what a slip is made of)
        self,
        channel: ChannelName,
        window: Window,
        row: Reservation,
        gate: Callable[[], None],
        reply_to: str | None,
        provider: str = "",
    ) -> Slip:
        """The slip of one row; `provider` as in `channels.base.Slip`."""
        announcement = window.texts.announcement
        return Slip(
            delivery=row.delivery,
            round=row.round,
            lane=window.lane,
            expires=window.run.expires,
            in_doubt=row.maybe,
            stop_token=self._stop_token(channel, row.subscriber, announcement.id),
            receipt_token=self.receipt_token(row.delivery, row.round),
            message_key=self._mac(
                f"message:{announcement.id}:{row.subscriber}:{row.contact_point}", 32
            ),
            gate=gate,
            post=row.part,
            reply_to=reply_to,
            provider=provider,
        )

    def _stop_token(self, channel: ChannelName, subscriber: int, announcement: int) -> str:
        if channel is ChannelName.SMS:
            return self.stops.issue_short(subscriber, announcement)
        return self.stops.issue(channel, subscriber, announcement)

    def receipt_token(self, delivery: int, round_: int) -> str:
        """``<delivery>.<round>.<mac>``."""
        return f"{delivery}.{round_}.{self._mac(f'receipt:{delivery}:{round_}', _MAC)}"

    def read_receipt_token(self, token: str) -> tuple[int, int] | None:
        """(delivery, round) of a token we wrote, or None."""
        if not _TOKEN.fullmatch(token):
            return None
        delivery, round_ = (int(part) for part in token.split(".")[:2])
        genuine = hmac.compare_digest(self.receipt_token(delivery, round_).encode(), token.encode())
        return (delivery, round_) if genuine else None

    def _mac(self, what: str, digits: int) -> str:
        return hmac.digest(self.secret, what.encode(), "sha256").hex()[:digits]
