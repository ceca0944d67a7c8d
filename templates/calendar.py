# SPDX-License-Identifier: EUPL-1.2
"""Announcements for people's calendars: iCalendar (RFC 5545), published and never invited to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

TYPE: Final = "text/calendar"

_OCTETS: Final = 75  # of a line, its end not counted (section 3.1)
_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_NONE: Final = datetime(1970, 1, 1, tzinfo=UTC)  # the zone alone is a calendar, an empty one


@dataclass(frozen=True, slots=True)
class Event:
    """`uid` never changes, `sequence` rises with every change; `updated` is when the last was."""

    uid: str
    sequence: int
    summary: str
    description: str
    language: str
    url: str
    location: str
    categories: Sequence[str]
    start: datetime
    end: datetime
    updated: datetime
    cancelled: bool = False


def calendar(name: str, timezone: str, events: Sequence[Event]) -> bytes:
    """An iCalendar object of these events, in the town's zone.

    Raises `zoneinfo.ZoneInfoNotFoundError`.
    """
    zone = ZoneInfo(timezone)
    moments = [moment for each in events for moment in (each.start, each.end)] or [_NONE]
    years = [moment.year for moment in moments]
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//municipal notification hub//EUPL-1.2//FR",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        *_timezone(zone, min(years), max(years)),
    ]
    for event in events:
        lines.extend(_event(event, zone))
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event(event: Event, zone: ZoneInfo) -> Iterator[str]:
    said = f";LANGUAGE={event.language}"
    yield "BEGIN:VEVENT"
    yield f"UID:{event.uid}"
    yield f"SEQUENCE:{event.sequence}"
    yield f"DTSTAMP:{_utc(event.updated)}"
    yield f"LAST-MODIFIED:{_utc(event.updated)}"
    yield f"DTSTART{_local(event.start, zone)}"
    # an end that is not after its start is not one (section 3.8.2.2)
    yield f"DTEND{_local(max(event.end, event.start + _SECOND), zone)}"
    yield f"SUMMARY{said}:{_text(event.summary)}"
    yield f"DESCRIPTION{said}:{_text(event.description)}"
    if event.location:
        yield f"LOCATION{said}:{_text(event.location)}"
    if event.categories:
        yield f"CATEGORIES:{','.join(_text(each) for each in event.categories)}"
    yield f"URL:{event.url}"
    yield f"STATUS:{'CANCELLED' if event.cancelled else 'CONFIRMED'}"
    yield "CLASS:PUBLIC"
    yield "TRANSP:TRANSPARENT"  # nobody is busy because the water is cut
    yield "END:VEVENT"


def _text(words: str) -> str:
    """A TEXT value (section 3.3.11)."""
    words = words.replace("\r\n", "\n").replace("\\", "\\\\").replace(";", "\\;")
    return words.replace(",", "\\,").replace("\n", "\\n").replace("\r", "")


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _local(moment: datetime, zone: ZoneInfo) -> str:
    """With its zone; in UTC for the second of two equal hours, which no local time can name."""
    wall = moment.astimezone(zone)
    if wall.fold:
        return f":{_utc(moment)}"
    return f";TZID={zone.key}:{wall:%Y%m%dT%H%M%S}"


def _folded(line: str) -> bytes:
    """The line in pieces of at most 75 octets, no character cut in two (section 3.1)."""
    pieces, piece = [], b""
    for character in line:
        octets = character.encode()
        if len(piece) + len(octets) > _OCTETS:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"


@cache
def _timezone(zone: ZoneInfo, first: int, last: int) -> tuple[str, ...]:
    """What the zone's clocks do in these years, change by change (section 3.6.5)."""
    begin, end = datetime(first - 1, 1, 1, tzinfo=UTC), datetime(last + 1, 12, 31, tzinfo=UTC)
    lines = ["BEGIN:VTIMEZONE", f"TZID:{zone.key}"]
    lines += _observance(zone, begin, _offset(zone, begin))
    day = begin
    while day < end:
        if _offset(zone, day) != _offset(zone, day + _DAY):
            lines += _observance(zone, _change(zone, day), _offset(zone, day))
        day += _DAY
    return (*lines, "END:VTIMEZONE")


def _change(zone: ZoneInfo, day: datetime) -> datetime:
    """The first second of the new offset, within a day after `day`."""
    low, high = day, day + _DAY
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        same = _offset(zone, middle) == _offset(zone, day)
        low, high = (middle, high) if same else (low, middle)
    return high


def _observance(zone: ZoneInfo, moment: datetime, before: timedelta) -> list[str]:
    """From this moment on; its DTSTART is told on the clock that was right until then."""
    local = moment.astimezone(zone)
    kind = "DAYLIGHT" if local.dst() else "STANDARD"
    return [
        f"BEGIN:{kind}",
        f"DTSTART:{moment + before:%Y%m%dT%H%M%S}",
        f"TZOFFSETFROM:{_shown(before)}",
        f"TZOFFSETTO:{_shown(_offset(zone, moment))}",
        f"TZNAME:{local.tzname()}",
        f"END:{kind}",
    ]


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _shown(offset: timedelta) -> str:
    sign, minutes = "-" if offset < timedelta(0) else "+", abs(offset) // timedelta(minutes=1)
    return f"{sign}{minutes // 60:02}{minutes % 60:02}"
