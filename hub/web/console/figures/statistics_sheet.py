# SPDX-License-Identifier: EUPL-1.2
"""The statistics as a table for a spreadsheet: by month, theme, place or announcement.

Money in euros and dollars with a point, delays in seconds: figures that a spreadsheet can add up.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from channels.base import ChannelName, Urgency
from hub.reports.returns import Figures, against_paper, figures
from hub.web.console.figures.statistics_view import View
from hub.web.csv import Cell
from templates.pages.wording import channel_name, translations

_LEVELS: Final = (Urgency.INFORMATION, Urgency.IMPORTANT, Urgency.URGENT)


class By(StrEnum):
    """What a row is about: the address says it (`par=`)."""

    MONTH = "mois"
    THEME = "theme"
    PLACE = "lieu"
    ANNOUNCEMENT = "annonce"


COLUMNS: Final = (
    "month",
    "announcements",
    "people",
    "reached",
    "median",
    "slowest",
    "drafting",
    "handed_over",
    "received",
    "failed",
    "billed",
    "cost",
    "euros",
    "dollars",
    "each",
    "joined",
    "left",
    "opt_outs",
    "letters",
    "letters_cost",
    "paper",
    "co2",
    "theme",
    "place",
    "code",
    "title",
    "urgency",
    "published",
    "fewer",
)
"""The headings, each in the catalogues under `sheet.<name>`."""

_LIKE: Final = ("people", "reached", "median", "slowest", "drafting")
_AFTER: Final = ("euros", "dollars", "each", "opt_outs")
_LAST: Final = ("letters", "letters_cost", "paper", "co2")


def rows(view: View, by: By, language: str) -> Iterator[Sequence[Cell]]:
    """The headings, then a row each: nothing that names a person."""
    match by:
        case By.MONTH:
            return _by_month(view, language)
        case By.THEME:
            names = view.catalogue.themes_by_key
            found = view.figures.themes.items()
            named = [(names[k].name(language) if k in names else k, n) for k, n in found]
            return _counted(view, language, "theme", named)
        case By.PLACE:
            zones = view.catalogue.zones
            town = translations(language).gettext("The whole town")
            places = view.figures.zones.items()
            named = [
                (town if k is None else zones[k].name(language), n)
                for k, n in places
                if k is None or k in zones
            ]
            return _counted(view, language, "place", named)
        case By.ANNOUNCEMENT:
            return _by_announcement(view, language)


def _say(language: str) -> Callable[[str], str]:
    speak = translations(language).gettext
    return lambda name: speak(f"sheet.{name}")


def _by_month(view: View, language: str) -> Iterator[Sequence[Cell]]:
    say, urgency = _say(language), translations(language).gettext
    yield [
        *(say("month"), say("announcements")),
        *(urgency(f"urgency.{level}") for level in _LEVELS),
        *(say(name) for name in _LIKE),
        *_channel_headings(language),
        *(say(name) for name in (*_AFTER, "joined", "left", *_LAST)),
    ]
    chosen = slice(-view.asked.count, None)
    for month, found, moved in zip(
        view.months[chosen], view.by_month, view.movements[chosen], strict=True
    ):
        yield [
            *(str(month), found.count),
            *(found.announcements.get(level, 0) for level in _LEVELS),
            *_alike(view, found, language),
            *_channels(found),
            *_after(view, found, language),
            *(_few(view, n, language) for n in (moved.joined, moved.left)),
            *_paper(view, found),
        ]


def _by_announcement(view: View, language: str) -> Iterator[Sequence[Cell]]:
    say, urgency = _say(language), translations(language).gettext
    zone = ZoneInfo(view.catalogue.timezone)
    heads = ("code", "title", "urgency", "theme", "published")
    yield [
        *(say(name) for name in (*heads, *_LIKE)),
        *_channel_headings(language),
        *(say(name) for name in _AFTER),
    ]
    names = view.catalogue.themes_by_key
    for line in view.lines:
        card, found = line.card, figures([line], view.tallies)
        titles = card.titles
        title = titles.get(language) or titles.get(view.catalogue.language)
        yield [
            *(card.code, title or next(iter(titles.values()))),
            urgency(f"urgency.{card.urgency}"),
            ", ".join(names[key].name(language) for key in card.themes if key in names),
            card.published.astimezone(zone),
            *_alike(view, found, language),
            *_channels(found),
            *_after(view, found, language),
        ]


def _counted(
    view: View, language: str, heading: str, named: Sequence[tuple[str, int]]
) -> Iterator[Sequence[Cell]]:
    say = _say(language)
    yield [say(heading), say("reached")]
    for name, n in sorted(named, key=lambda row: (-row[1], row[0])):
        yield [name, _few(view, n, language)]


# --------------------------------------------------------------------------- cells


def _alike(view: View, found: Figures, language: str) -> Sequence[Cell]:
    return [
        *(_few(view, n, language) for n in (found.people, found.reached)),
        *(_seconds(span) for span in (found.median, found.slowest, found.drafting)),
    ]


def _paper(view: View, found: Figures) -> Sequence[Cell]:
    """Nothing where it would tell how few were reached."""
    if view.told(found.reached) is None:
        return [None] * len(_LAST)
    paper = against_paper(found, view.supposed)
    return [paper.letters, _amount(paper.cost), paper.grams, paper.co2]


def _after(view: View, found: Figures, language: str) -> Sequence[Cell]:
    each = found.each if view.told(found.reached) is not None else None
    money = (found.euros, found.dollars, each)
    return [*(_amount(n) for n in money), _few(view, found.opt_outs, language)]


_OF_CHANNEL: Final = ("handed_over", "received", "failed", "billed", "cost")


def _channel_headings(language: str) -> Iterator[str]:
    say = _say(language)
    for name in ChannelName:
        for column in _OF_CHANNEL:
            yield f"{channel_name(name, language)} – {say(column)}"


def _channels(found: Figures) -> Iterator[Cell]:
    for name in ChannelName:
        told = found.channels.get(name)
        if told is None:
            yield from (0, 0, 0, 0, None)
        else:
            yield from (told.handed_over, told.received, told.failed, told.billed)
            yield _amount(told.cost)


def _few(view: View, count: int, language: str) -> Cell:
    shown = view.told(count)
    return _say(language)("fewer") if shown is None else shown


def _seconds(span: timedelta | None) -> Cell:
    return None if span is None else span // timedelta(seconds=1)


def _amount(millionths: int | None) -> Cell:
    return None if millionths is None else str(Decimal(millionths) / 1_000_000)
