# SPDX-License-Identifier: EUPL-1.2
"""What is left of the month's budget for SMS."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from channels.base import ChannelName
from hub.reports.budget import spent
from hub.tariff import tariff_of
from hub.web.desk import Desk
from subscribers.catalogue import Catalogue

MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Left:
    """In millionths of a euro; negative where the month is overspent."""

    millionths: int


def left_of_month(conn: Connection, hub: Desk, catalogue: Catalogue, now: datetime) -> Left | None:
    """What this town may still spend on SMS this month; None where nothing bounds it."""
    most = hub.settings.console.sms_month_budget
    if not most:
        return None
    start = now.astimezone(ZoneInfo(catalogue.timezone)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    tariff = tariff_of(hub.settings, hub.intake.press)
    so_far = spent(conn, catalogue.authority, ChannelName.SMS, start, end, tariff)
    return Left(round(most * MILLION) - so_far)
