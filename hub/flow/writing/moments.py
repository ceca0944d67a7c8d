# SPDX-License-Identifier: EUPL-1.2
"""A day and an hour as an officer wrote them on the town's clock, to a moment. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

_DAY: Final = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d\d?)-(?P<d>\d\d?)"),
    re.compile(r"(?P<d>\d\d?)[/.](?P<m>\d\d?)[/.](?P<y>\d{4})"),
)
_HOUR: Final = re.compile(r"(?P<h>\d\d?)\s*(?:[:hH]\s*(?P<m>\d\d)?)?(?::\d\d)?")


class Slip(StrEnum):
    """Why what was written is no moment."""

    DAY = "day"
    HOUR = "hour"
    SKIPPED = "skipped"  # the clock jumps over it in spring
    TWICE = "twice"  # it comes twice in autumn: first or second?


@dataclass(frozen=True, slots=True)
class Written:
    """A day, an hour and, where that hour comes twice, which of the two ("first", "second")."""

    day: str
    hour: str
    again: str = ""

    @property
    def blank(self) -> bool:
        """Nothing was written at all."""
        return not (self.day or self.hour)

    def moment(self, timezone: str) -> datetime | Slip:
        """The moment in UTC, or what is wrong with it."""
        day, hour = day_of(self.day), hour_of(self.hour)
        if day is None:
            return Slip.DAY
        if hour is None:
            return Slip.HOUR
        zone = ZoneInfo(timezone)
        local = datetime(day.year, day.month, day.day, *hour, tzinfo=zone)
        first, second = local.replace(fold=0), local.replace(fold=1)
        if first.utcoffset() == second.utcoffset():
            return local.astimezone(UTC)
        back = first.astimezone(UTC).astimezone(zone)
        if back.replace(tzinfo=None) != first.replace(tzinfo=None):
            return Slip.SKIPPED
        if self.again not in ("first", "second"):
            return Slip.TWICE
        return (second if self.again == "second" else first).astimezone(UTC)


def day_of(written: str) -> date | None:
    """A day as a date field sends it, or as one writes it in French."""
    for form in _DAY:
        if match := form.fullmatch(written.strip()):
            try:
                found = date(int(match["y"]), int(match["m"]), int(match["d"]))
            except ValueError:
                return None
            return found if 2000 <= found.year < 2200 else None
    return None


def hour_of(written: str) -> tuple[int, int] | None:
    """An hour: 08:00, 8h30, 8 h."""
    match = _HOUR.fullmatch(written.strip())
    if match is None:
        return None
    hour, minute = int(match["h"]), int(match["m"] or 0)
    return (hour, minute) if hour < 24 and minute < 60 else None
