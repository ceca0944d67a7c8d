# SPDX-License-Identifier: EUPL-1.2
"""Months of a town's own calendar, and when they begin."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """One month; `str` is as addresses and files say it: "2026-11"."""

    year: int
    month: int

    @classmethod
    def of(cls, moment: datetime, zone: ZoneInfo) -> Self:
        """The one a moment falls into, on the town's clock."""
        local = moment.astimezone(zone)
        return cls(local.year, local.month)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """As `str` writes it; None where it is no month of ours."""
        year, dash, month = text.partition("-")
        plain = (year + month).isascii() and (year + month).isdecimal()
        if not (dash and plain and len(year) == 4 and len(month) == 2):
            return None
        found = cls(int(year), int(month))
        return found if 1 <= found.month <= 12 and 2000 <= found.year < 2100 else None

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    def plus(self, months: int) -> "Month":
        """So many months later; a negative number is earlier."""
        count = self.year * 12 + self.month - 1 + months
        return Month(count // 12, count % 12 + 1)

    def start(self, zone: ZoneInfo) -> datetime:
        """Its first moment, in UTC."""
        return datetime(self.year, self.month, 1, tzinfo=zone).astimezone(UTC)

    def end(self, zone: ZoneInfo) -> datetime:
        """The first moment that is no longer of it."""
        return self.plus(1).start(zone)


def last(month: Month, count: int) -> tuple[Month, ...]:
    """`count` months, of which `month` is the last; oldest first."""
    return tuple(month.plus(i - count + 1) for i in range(count))
