# SPDX-License-Identifier: EUPL-1.2
"""What goes with a message and comes back with its receipt, signed (ENGINE.md section 3)."""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from channels.base import SHORT_STOP_MARK, STOP_TOKEN_MARK, ChannelName, Lane, Slip
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

    def beside(
        self, channel: ChannelName, what: str, gate: Callable[[], None], provider: str = ""
    ) -> Slip:
        """The slip of a message that is nobody's delivery: its stop link opens nothing, what comes
        back for it finds no row. The same `what` is the same message, sent again."""
        return Slip(
            delivery=0,
            round=0,
            lane=Lane.TRANSACTIONAL,
            expires=None,
            in_doubt=False,
            stop_token=SHORT_STOP_MARK if channel is ChannelName.SMS else STOP_TOKEN_MARK,
            receipt_token=f"0.0.{self._mac(f'beside:{what}', _MAC)}",
            message_key=self._mac(f"letter:{what}", 32),
            gate=gate,
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
