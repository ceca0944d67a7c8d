# SPDX-License-Identifier: EUPL-1.2
"""The event of a system that does not speak our form, read by the rules an officer wrote. Pure.

A rule is a text with places in it, `{station.name}`, filled from the event; `same` lists what a
value there is called here, a line each: `orange = important`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

FIELDS: Final = (
    *("title", "body", "short"),
    *("themes", "zones", "urgency"),
    *("link", "publish_at", "expires", "language"),
)
"""The fields of a submission that a rule may fill, in the order of the form."""
SAME: Final = "same"
REQUIRED: Final = ("title", "body", "themes")
LONGEST: Final = 2_000
"""Characters of one rule."""
_LISTS: Final = frozenset({"themes", "zones"})
_NAMED: Final = frozenset({"themes", "zones", "urgency", "language"})
_TITLE: Final = 200
_PLACE: Final = re.compile(r"\{([^{}]*)\}")
_PATH: Final = re.compile(r"[^\s.{}]+(\.[^\s.{}]+)*")

Rules = Mapping[str, str]
"""Field -> rule, and `same`; an empty one: what is posted is in our own form."""


def faults(rules: Rules) -> dict[str, str]:
    """{field: what is wrong}: `missing`, `place` (braces that hold no path), `same`, `long`."""
    wrong = {name: "missing" for name in REQUIRED if not rules.get(name)}
    for name, rule in rules.items():
        if len(rule) > LONGEST:
            wrong[name] = "long"
        elif name != SAME and not _is_rule(rule):
            wrong[name] = "place"
    if any(line.strip() and "=" not in line for line in rules.get(SAME, "").splitlines()):
        wrong[SAME] = "same"
    return wrong


def _is_rule(rule: str) -> bool:
    rest = _PLACE.sub("", rule)
    places = _PLACE.findall(rule)
    return not {"{", "}"} & set(rest) and all(_PATH.fullmatch(each.strip()) for each in places)


def submission_of(event: Any, rules: Rules) -> dict[str, Any]:
    """What the event asks for, in our form; a field whose rule came out empty is left out, so that
    `hub.flow.accept.submission.parse` says what is missing."""
    same = _called_here(rules.get(SAME, ""))
    found: dict[str, Any] = {}
    for name in FIELDS:
        rule = rules.get(name, "")
        if name in _LISTS:
            said: Any = list(dict.fromkeys(_here(each, same) for each in _several(event, rule)))
        else:
            said = _filled(event, rule).strip()
            said = _here(said, same) if name in _NAMED else said
        if said:
            found[name] = said
    if "title" in found:
        found["title"] = _one_line(found["title"])
    return found


def _one_line(title: str) -> str:
    plain = " ".join(title.split())
    return plain if len(plain) <= _TITLE else plain[: _TITLE - 1].rstrip() + "…"


def _called_here(same: str) -> Mapping[str, str]:
    pairs = (line.partition("=") for line in same.splitlines() if "=" in line)
    return {theirs.strip().casefold(): ours.strip() for theirs, _, ours in pairs}


def _here(value: str, same: Mapping[str, str]) -> str:
    return same.get(value.casefold(), value)


def _several(event: Any, rule: str) -> Iterator[str]:
    """Parted by commas, in the rule and in what fills it; an event's list is one of values."""
    for part in rule.split(","):
        yield from filter(None, (each.strip() for each in _filled(event, part).split(",")))


def _filled(event: Any, rule: str) -> str:
    return _PLACE.sub(lambda place: _text(_at(event, place[1].strip())), rule)


def _at(event: Any, path: str) -> Any:
    """What stands at `a.b.0.c`; None where there is nothing."""
    found = event
    for step in path.split("."):
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and step.isascii() and step.isdigit():
            found = found[int(step)] if len(step) < 6 and int(step) < len(found) else None
        else:
            return None
    return found


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case list():
            return ", ".join(filter(None, (_text(each) for each in value if _is_plain(each))))
        case _:
            return ""


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)
