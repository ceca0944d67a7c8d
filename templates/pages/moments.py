# SPDX-License-Identifier: EUPL-1.2
"""Dates and hours as people read them on a page (UX.md section 9).

Babel's ready-made patterns print "heure normale d’Europe centrale", so these are our own. A moment
is shown in the zone it carries.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime

# U+00A0 keeps "8 h 00" and "8:00 am" on one line; U+0027 pairs quote letters in a CLDR pattern.
_FULL = {
    "fr": "EEEE d MMMM y 'à' H\u00a0'h'\u00a0mm",
    "en": "EEEE d MMMM y 'at' h:mm\u00a0a",
}
_FIRST_OF_MONTH = {"fr": "EEEE d'er' MMMM y 'à' H\u00a0'h'\u00a0mm", "en": _FULL["en"]}
_SHORT = {"fr": "dd/MM/y HH:mm", "en": "d MMM y HH:mm"}
_CLOCK = {"fr": "H\u00a0'h'\u00a0mm", "en": "HH:mm"}
_LOCALE = {"fr": "fr", "en": "en_GB"}


def in_zone(moment: datetime, zone: ZoneInfo) -> datetime:
    """The same moment on the town's clock. Raises `ValueError` for a moment without a zone."""
    return _aware(moment).astimezone(zone)


def full(moment: datetime, language: str) -> str:
    """In words: "jeudi 26 novembre 2026 à 8 h 00"; "Thursday 26 November 2026 at 8:00 am"."""
    patterns = _FIRST_OF_MONTH if moment.day == 1 else _FULL
    return _in_words(moment, patterns[language], language)


def short(moment: datetime, language: str) -> str:
    """For tables: "26/11/2026 08:00"; "26 Nov 2026 08:00"."""
    return _in_words(moment, _SHORT[language], language)


def clock(moment: datetime, language: str) -> str:
    """The hour alone: "8 h 00"; "08:00"."""
    return _in_words(moment, _CLOCK[language], language)


def month_name(year: int, month: int, language: str, *, short: bool = False) -> str:
    """A month of the calendar: "novembre 2026"; "nov. 26" where there is little room."""
    pattern = "MMM yy" if short else "LLLL y"
    return format_date(date(year, month, 1), pattern, locale=_LOCALE[language])


def day_name(day: date, language: str) -> str:
    """A day in words: "jeudi 26 novembre"; "Thursday 26 November"."""
    first = "EEEE d'er' MMMM" if day.day == 1 and language == "fr" else "EEEE d MMMM"
    return format_date(day, first, locale=_LOCALE[language])


def _in_words(moment: datetime, pattern: str, language: str) -> str:
    # Babel would turn an aware moment to UTC; its wall time is what we show.
    wall = _aware(moment).replace(tzinfo=None)
    return format_datetime(wall, pattern, locale=_LOCALE[language])


def _aware(moment: datetime) -> datetime:
    # Python reads a naive moment as the machine's own zone: hours wrong, and silently.
    if moment.tzinfo is None:
        raise ValueError("a moment on a page needs its time zone")
    return moment
