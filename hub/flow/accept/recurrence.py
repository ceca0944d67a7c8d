# SPDX-License-Identifier: EUPL-1.2
"""On which days, and at what moment, an announcement comes again. Pure.

A month without that day has it on its last; 29 February is the 28th of other years. Where clocks
jump over the hour, the jump is the moment; where the hour comes twice, the first one is.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice, takewhile
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from subscribers.preferences import instant

_DAY: Final = timedelta(days=1)
_WEEK: Final = 7
_LAST_YEAR: Final = 2200
"""Nothing is repeated past it: dates end in 9999, and a rule without an end must not count on."""

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: Final[tuple[Weekday, ...]] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)


def _written(day: Any) -> Any:
    """Pydantic alone would read a bare number as seconds since 1970."""
    if isinstance(day, str) and len(day) != len("2026-11-26"):
        raise PydanticCustomError("date_day", "a day is expected")
    if not isinstance(day, (str, date)) or isinstance(day, datetime):
        raise PydanticCustomError("date_day", "a day is expected")
    return day


def _near(day: date) -> date:
    if not 2000 <= day.year < _LAST_YEAR:
        raise PydanticCustomError("date_day", "a day of this century is expected")
    return day


Day = Annotated[date, BeforeValidator(_written), AfterValidator(_near)]


Count = Annotated[int, Field(strict=True, ge=1)]


class Repeat(BaseModel):
    """How an announcement comes again, on the clock of the authority."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    every: Literal["day", "week", "month", "year"]
    interval: Count = Field(1, le=52, description="Every so many days, weeks, months, years.")
    weekdays: list[Weekday] = Field(
        default_factory=list, max_length=7, description="With `week`: on these days."
    )
    at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = Field(
        "08:00", description="Local time, HH:MM."
    )
    starts: Day | None = Field(None, description="First day; by default today.")
    until: Day | None = Field(None, description="Last day.")
    count: Count | None = Field(None, le=5000, description="How many times in all.")
    valid_hours: Count | None = Field(
        None, le=8784, description="Nothing of one time leaves later than that."
    )

    @property
    def minute(self) -> int:
        """Minutes after midnight."""
        return int(self.at[:2]) * 60 + int(self.at[3:])

    def moments(self, today: date, timezone: str) -> Iterator[tuple[date, datetime]]:
        """Each day it comes, with its moment (UTC), in order. `today` where no start is given."""
        days = self._days(self.starts or today)
        within = takewhile(lambda day: self.until is None or day <= self.until, days)
        for day in islice(within, self.count):
            yield day, instant(day, self.minute, timezone)

    def after(self, moment: datetime, today: date, timezone: str) -> tuple[date, datetime] | None:
        """The first time strictly after a moment; None where there is none any more."""
        found = self.moments(today, timezone)
        return next((each for each in found if each[1] > moment), None)

    def latest(self, moment: datetime, today: date, timezone: str) -> tuple[date, datetime] | None:
        """The last time up to a moment; None where it has not begun."""
        last = None
        for each in takewhile(lambda each: each[1] <= moment, self.moments(today, timezone)):
            last = each
        return last

    def _days(self, start: date) -> Iterator[date]:
        match self.every:
            case "day":
                found = _every(start, self.interval)
            case "week":
                found = self._weekly(start)
            case "month":
                found = _monthly(start, self.interval)
            case "year":
                found = _monthly(start, 12 * self.interval)
        return takewhile(lambda day: day.year < _LAST_YEAR, found)

    def _weekly(self, start: date) -> Iterator[date]:
        """Weeks begin on Monday; the first one counts from its start."""
        wanted = sorted({WEEKDAYS.index(each) for each in self.weekdays} or {start.weekday()})
        monday = start - start.weekday() * _DAY
        for week in _every(monday, _WEEK * self.interval):
            for day in (week + each * _DAY for each in wanted):
                if day >= start:
                    yield day


def _every(start: date, days: int) -> Iterator[date]:
    day = start
    while day.year <= _LAST_YEAR:
        yield day
        day += days * _DAY


def _monthly(start: date, months: int) -> Iterator[date]:
    month = start.year * 12 + start.month - 1
    while (year := month // 12) <= _LAST_YEAR:
        number = month % 12 + 1
        yield date(year, number, min(start.day, monthrange(year, number)[1]))
        month += months


def local_day(moment: datetime, timezone: str) -> date:
    """What the calendar of a time zone shows at a moment."""
    return moment.astimezone(ZoneInfo(timezone)).date()
