# SPDX-License-Identifier: EUPL-1.2
"""The drawings of a page, as numbers: what `charts.html` needs to place bars, columns and curves.

Widths and heights are shares of the drawing, so that it is as wide as the page and its words stay
as large as any other. Nothing is told by colour alone: each kind has a pattern, and its name.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

KINDS: Final = ("sms", "email", "webpush", "x")
"""The kinds that have a colour and a pattern: the channels; others borrow theirs in this order."""

_LABELS: Final = 6  # that stand side by side on a telephone
_NICE: Final = (1, 2, 3, 4, 6, 8)


@dataclass(frozen=True, slots=True)
class Bar:
    """One value: drawn as `value`, a whole number of any unit, and printed as `words`; without
    words it is a count of people too small to be told, and drawn as nothing."""

    label: str
    value: int
    words: str
    kind: str = "sms"


@dataclass(frozen=True, slots=True)
class Bars:
    """Values one below the other, or the parts of one whole. `names` and `values` head the
    columns of the table; `summary` is the drawing in a sentence, for whoever does not see it."""

    bars: tuple[Bar, ...]
    names: str = ""
    values: str = ""
    summary: str = ""

    def headed(self, names: str, values: str, summary: str = "") -> "Bars":
        """The same under these headings: a page gives them, in its reader's words."""
        return replace(self, names=names, values=values, summary=summary)

    @property
    def is_empty(self) -> bool:
        """Nothing to draw."""
        return not any(bar.value for bar in self.bars)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Those that are drawn, each once."""
        return _once(bar.kind for bar in self.bars)

    def lengths(self) -> list[tuple[Bar, str]]:
        """Each bar with its length, of the longest."""
        top = max((bar.value for bar in self.bars), default=0)
        return [(bar, _percent(bar.value, top)) for bar in self.bars]

    def parts(self) -> list[tuple[Bar, str, str]]:
        """Each bar with where it begins and how long it is, of them all in one line."""
        whole, before = sum(bar.value for bar in self.bars), 0
        placed = []
        for bar in self.bars:
            placed.append((bar, _percent(before, whole), _percent(bar.value, whole)))
            before += bar.value
        return placed


@dataclass(frozen=True, slots=True)
class Series:
    """One value a step: `words` are how each is printed."""

    label: str
    kind: str
    values: tuple[int, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Steps:
    """Several series over the same steps (months, minutes); `names` heads the steps in the table.

    `places` says where each step stands, in any unit (seconds); without them they are evenly
    spaced. `end` is what a curve's scale ends with, by default the last label. No value is below
    nought.
    """

    labels: tuple[str, ...]
    series: tuple[Series, ...]
    names: str = ""
    summary: str = ""
    places: tuple[int, ...] = ()
    end: str = ""

    def headed(self, names: str, summary: str = "") -> "Steps":
        """The same under this heading."""
        return replace(self, names=names, summary=summary)

    @property
    def is_empty(self) -> bool:
        """Nothing to draw."""
        return not any(any(each.values) for each in self.series)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Those that are drawn, each once."""
        return _once(each.kind for each in self.series)

    @property
    def top(self) -> int:
        """The scale's highest mark where the series are compared (a curve)."""
        return nice(max((max(each.values, default=0) for each in self.series), default=0))

    @property
    def stacked_top(self) -> int:
        """The same where they are piled up (columns)."""
        piles = zip(*(each.values for each in self.series), strict=True)
        return nice(max((sum(pile) for pile in piles), default=0))

    def rows(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """The table: each step's label with (series, words)."""
        return [
            (label, [(each.label, each.words[i]) for each in self.series])
            for i, label in enumerate(self.labels)
        ]

    def columns(self) -> list[tuple[str, str, str, str, str]]:
        """Every box of the columns: its kind, and x, y, width, height in hundredths."""
        n, top = max(len(self.labels), 1), self.stacked_top
        boxes = []
        for i in range(len(self.labels)):
            below = 0
            for each in self.series:
                value = each.values[i]
                if value:
                    y = _percent(top - below - value, top)
                    x, width = _percent(10 * i + 1, 10 * n), _percent(8, 10 * n)
                    boxes.append((each.kind, x, y, width, _percent(value, top)))
                below += value
        return boxes

    def marks(self) -> list[tuple[str, str]]:
        """The labels below the columns that there is room for, with their middle."""
        n = len(self.labels)
        step = max(-(-n // _LABELS), 1)
        return [
            (_percent(2 * i + 1, 2 * n), label)
            for i, label in enumerate(self.labels)
            if (n - 1 - i) % step == 0
        ]

    def path(self, series: Series) -> str:
        """The line of one series, in a drawing of 1,000 by 1,000."""
        places = self.places or tuple(range(len(self.labels)))
        first, last = min(places, default=0), max(places, default=0)
        points = [
            f"{_share(place - first, last - first)} {1_000 - _share(value, self.top)}"
            for place, value in zip(places, series.values, strict=True)
        ]
        return "M" + "L".join(points) if points else ""


def nice(value: int) -> int:
    """The next round number at or above: one digit and noughts; 1 for nothing."""
    power = 1
    while True:
        for digit in _NICE:
            if digit * power >= value:
                return digit * power
        power *= 10


def _share(part: int, whole: int) -> int:
    return part * 1_000 // whole if whole else 0


def _percent(part: int, whole: int) -> str:
    return f"{part * 100 / whole:.2f}%" if whole else "0%"


def _once(kinds: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(kinds))
