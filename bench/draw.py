# SPDX-License-Identifier: EUPL-1.2
"""Draws the law of docs/reliability.md, and its table, from the JSON of `make prove`.

    python -m bench.draw figures.json > docs/reliability.svg
    python -m bench.draw figures.json --table

One mark a kill and group of channels: how many copies had left of which the ledger knew nothing
yet, and how many of them were sent a second time.
"""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

WIDTH, HEIGHT, EDGE = 640, 400, 56
GROUPS: Final = {
    "e-mail and web push: sent again, with the same mark": (("email", "webpush"), "#0b5fa5"),
    "SMS and X: the provider is asked first": (("sms", "x"), "#b3261e"),
}
_STEPS: Final = 5


def draw(found: Mapping[str, Any]) -> str:
    """The figure, as SVG that needs nothing from anywhere."""
    blows = [blow for trial in found["trials"] for blow in trial["per_blow"]]
    marks = {
        name: Counter((_in(blow["unrecorded"], of), _in(blow["doubled"], of)) for blow in blows)
        for name, (of, _) in GROUPS.items()
    }
    most = max((max(mark) for of in marks.values() for mark in of), default=1)
    top = -(-max(most, _STEPS) // _STEPS) * _STEPS
    title = f"{found['kills']} kills, {found['stops']} stops: what had left, and what went twice"
    parts = [*_frame(title, top)]
    for row, (name, (_, colour)) in enumerate(GROUPS.items()):
        for (x, y), times in sorted(marks[name].items()):
            size = 3 + min(times, 25) ** 0.5
            parts.append(
                f'<circle cx="{_x(x, top):.1f}" cy="{_y(y, top):.1f}" r="{size:.1f}" '
                f'fill="{colour}" fill-opacity="0.45" stroke="{colour}"/>'
            )
        at = EDGE + 12 + 20 * row
        parts.append(f'<circle cx="{EDGE + 18}" cy="{at}" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{EDGE + 30}" y="{at + 4}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _in(counts: Mapping[str, int], channels: tuple[str, ...]) -> int:
    return sum(counts.get(each, 0) for each in channels)


def _x(value: float, top: int) -> float:
    return EDGE + value / top * (WIDTH - 2 * EDGE)


def _y(value: float, top: int) -> float:
    return HEIGHT - EDGE - value / top * (HEIGHT - 2 * EDGE)


def _frame(title: str, top: int) -> list[str]:
    left, right, bottom, ceiling = _x(0, top), _x(top, top), _y(0, top), _y(top, top)
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="sans-serif" font-size="12" role="img">'
        ),
        f"<title>{title}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{EDGE}" y="24" font-size="15">{title}</text>',
        f'<path d="M{left:.0f} {ceiling:.0f}V{bottom:.0f}H{right:.0f}" fill="none" stroke="#333"/>',
        (
            f'<path d="M{left:.0f} {bottom:.0f}L{right:.0f} {ceiling:.0f}" stroke="#999" '
            'stroke-dasharray="4 4"/>'
        ),
        (
            f'<text x="{WIDTH / 2}" y="{HEIGHT - 12}" text-anchor="middle">'
            "copies that had left, of which the ledger knew nothing yet, at one kill</text>"
        ),
        (
            f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">'
            "of them, sent twice</text>"
        ),
    ]
    for step in range(_STEPS + 1):
        value = top * step // _STEPS
        x, y = _x(value, top), _y(value, top)
        lines.append(f'<text x="{x:.0f}" y="{bottom + 18:.0f}" text-anchor="middle">{value}</text>')
        lines.append(f'<text x="{left - 8:.0f}" y="{y + 4:.0f}" text-anchor="end">{value}</text>')
    return lines


def rows(found: Mapping[str, Any]) -> list[str]:
    """The table of the page, in Markdown: a line a figure, a column a trial."""
    trials = found["trials"]
    lines: dict[str, list[str]] = {
        "done to the daemon": [
            ", ".join(f"{n} {kind}" for kind, n in t["blows"].items()) for t in trials
        ],
        "with rows in doubt": [str(t["rows_in_doubt"]["blows_with_any"]) for t in trials],
        "rows in doubt": [f"{t['rows_in_doubt']['total']:,}" for t in trials],
        "messages": [f"{t['deliveries']:,}" for t in trials],
        "**lost**": [f"**{t['lost']}**" for t in trials],
        "nobody meant it": [str(t["unexpected"]) for t in trials],
        "left to a human": [str(t["parked"]) for t in trials],
        "second copies without the first one's mark": [str(t["unlike"]) for t in trials],
    }
    for each, name in _NAMES.items():
        lines[f"{name}: had left unrecorded"] = [str(t["left_unrecorded"][each]) for t in trials]
        lines[f"**{name}: sent twice**"] = [_twice(t, each) for t in trials]
    stops = [t["blows"].get("stopped", 0) for t in trials]
    lines |= {
        "exit codes of the stopped": [_codes(t) for t in trials],
        "written as it woke, past its last check": [_of_stops(t, "woken") for t in trials],
        "sent later than that": [_of_stops(t, "stale") for t in trials],
        "caught in a transaction, stopped again": [
            str(t["stopped_again"]) if n else "" for t, n in zip(trials, stops, strict=True)
        ],
        "`hub verify`": [{True: "clean", False: "NOT CLEAN"}.get(t["verify"], "") for t in trials],
        "minutes": [str(round(t["seconds"] / 60)) for t in trials],
    }
    head = [f"| | {' | '.join(t['name'] for t in trials)} |", "|---" * (len(trials) + 1) + "|"]
    return head + [f"| {name} | {' | '.join(values)} |" for name, values in lines.items()]


_NAMES: Final = {"sms": "SMS", "x": "X", "email": "e-mail", "webpush": "web push"}


def _twice(trial: Mapping[str, Any], channel: str) -> str:
    many, bound = trial["doubled"][channel], trial["bound"][channel]
    if not bound:
        return f"**{many}**"
    return f"{many}, at most {trial['doubled_most_in_a_blow'][channel]} at once (bound {bound})"


def _codes(trial: Mapping[str, Any]) -> str:
    return ", ".join(f"{n} × {code}" for code, n in trial["exit_codes"].items())


def _of_stops(trial: Mapping[str, Any], kind: str) -> str:
    return str(sum(trial[kind].values())) if trial["blows"].get("stopped") else ""


if __name__ == "__main__":
    last = json.loads(Path(sys.argv[1]).read_text("utf-8").strip().splitlines()[-1])
    sys.stdout.write("\n".join(rows(last)) + "\n" if "--table" in sys.argv else draw(last))
