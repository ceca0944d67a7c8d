# SPDX-License-Identifier: EUPL-1.2
"""Who says they will follow the town on X is counted, and nothing else is kept (UX.md 7.4)."""

from typing import Final
from zoneinfo import ZoneInfo

from channels.base import Clock
from hub.ledger.store import Ledger
from subscribers import tallies

FOLLOWING: Final = "x_follow"
"""The name the count goes under."""


def follow_link(account: str) -> str | None:
    """Where one follows the town's account; `account` is `[portal] x_account`, None without one."""
    return f"https://x.com/intent/follow?screen_name={account}" if account else None


async def follow(ledger: Ledger, authority: int, timezone: str, clock: Clock) -> None:
    """Count one more follower today, on the town's calendar. Raises `LedgerFullError`."""
    today = clock.now().astimezone(ZoneInfo(timezone)).date()
    await ledger.transact(lambda conn: tallies.count_one(conn, authority, FOLLOWING, today))
