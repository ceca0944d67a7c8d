# SPDX-License-Identifier: EUPL-1.2
"""Plain aligned lines, for eyes, journals and scripts alike."""

from collections.abc import Iterator, Sequence
from datetime import timedelta


def table(rows: Sequence[Sequence[str | int]]) -> Iterator[str]:
    """Rows as lines: columns aligned, numbers to the right. The first row may be a heading."""
    texts = [[f"{cell:,}" if isinstance(cell, int) else cell for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    numeric = [isinstance(cell, int) for cell in rows[-1]] if rows else []
    for row in texts:
        cells = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        )
        yield "  ".join(cells).rstrip()


def span(elapsed: timedelta) -> str:
    """A duration as people say it: "41 s", "2 min 41 s", "3 h 5 min", "2 d 3 h"."""
    seconds = round(elapsed.total_seconds())
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds % 60, "s")]
    first = next((i for i, (n, _) in enumerate(parts) if n), len(parts) - 1)
    said = parts[first : first + 2]
    return " ".join(f"{n} {unit}" for n, unit in said if n or len(said) == 1)
