# SPDX-License-Identifier: EUPL-1.2
"""Compares an effect log with what should have happened: who got what, how often."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.sandbox.effects import read_log

# (channel, address as the provider saw it, the announcement's tag)
Line = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`missing` never arrived, `unexpected` should not have, `copies` came more than once
    (with how often). `effects` is everything the log holds, untagged lines included."""

    effects: int
    missing: frozenset[Line]
    unexpected: frozenset[Line]
    copies: Mapping[Line, int]

    @property
    def exact(self) -> bool:
        """Everybody got everything once, and nobody anything else."""
        return not (self.missing or self.unexpected or self.copies)


def count(log: Path, tag: re.Pattern[str]) -> Counter[Line]:
    """How often each address got each announcement. `tag` finds an announcement's mark in what
    the citizen reads (its whole match is the tag); effects without one count under ""."""
    counted: Counter[Line] = Counter()
    for effect in read_log(log):
        found = tag.search(f"{effect.subject}\n{effect.text}")
        counted[effect.channel.value, effect.to, found.group() if found else ""] += 1
    return counted


def compare(log: Path, expected: Iterable[Line], tag: re.Pattern[str]) -> Comparison:
    """Hold the log against the deliveries that should each have had exactly one effect."""
    counted, wanted = count(log, tag), frozenset(expected)
    return Comparison(
        effects=counted.total(),
        missing=wanted - counted.keys(),
        unexpected=frozenset(line for line in counted if line not in wanted),
        copies={line: times for line, times in counted.items() if times > 1},
    )
