# SPDX-License-Identifier: EUPL-1.2
"""What is left of a month's budget for SMS, and who may take from it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from channels.base import ChannelName, Urgency
from hub.announcement import Announcement
from hub.reports.budget import spent
from hub.tariff import tariff_of
from hub.web.desk import Desk
from subscribers.catalogue import Catalogue, load_catalogue

MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Left:
    """In millionths of a euro; negative where the month is overspent."""

    millionths: int


def left_of_month(conn: Connection, hub: Desk, catalogue: Catalogue, at: datetime) -> Left | None:
    """What this town may still spend on SMS in a moment's month; None where nothing bounds it."""
    most = hub.settings.console.sms_month_budget
    if not most:
        return None
    start = at.astimezone(ZoneInfo(catalogue.timezone)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    tariff = tariff_of(hub.settings, hub.intake.press)
    so_far = spent(conn, catalogue.authority, ChannelName.SMS, start, end, tariff)
    return Left(round(most * MILLION) - so_far)


def affords(conn: Connection, hub: Desk, about: Announcement, cost: int) -> bool:
    """Whether the money of the month it leaves in is enough; what is urgent leaves all the same."""
    if not cost or about.urgency is Urgency.URGENT:
        return True
    catalogue = load_catalogue(conn, about.authority)
    left = left_of_month(conn, hub, catalogue, leaves_at(about, hub.clock.now()))
    return left is None or cost <= left.millionths


def leaves_at(about: Announcement, now: datetime) -> datetime:
    """When an announcement approved now would leave."""
    return max(about.publish_at or now, now)
