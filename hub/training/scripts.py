# SPDX-License-Identifier: EUPL-1.2
"""Reads the scripts: one TOML file each, its steps in the order they are published."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from channels.base import ChannelName, Urgency
from templates.content import Kind

Words = Mapping[str, str]
"""A sentence by language."""


@dataclass(frozen=True, slots=True)
class Step:
    """One announcement. `lesson` is what to notice; `said` the words by language, as a door takes
    them; it ends `hours` after it is published."""

    lesson: Words
    kind: Kind
    urgency: Urgency
    themes: Sequence[str]
    zones: Sequence[str]
    hours: int
    said: Mapping[str, Mapping[str, str]]

    def submission(
        self, now: datetime, *, first: str | None, drill: bool, channels: Sequence[ChannelName]
    ) -> dict[str, Any]:
        """What a door would be handed now; `first` is the code of the story's first announcement,
        None before it. As a drill its words begin and end with EXERCICE."""
        french, english = self.said["fr"], self.said["en"]
        asked: dict[str, Any] = {
            **french,
            "language": "fr",
            "translations": {"en": dict(english)},
            "urgency": (Urgency.DRILL if drill else self.urgency).value,
            "themes": list(self.themes),
            "zones": list(self.zones),
            "channels": [channel.value for channel in channels],
            "expires": now + timedelta(hours=self.hours),
        }
        if first is not None and self.kind is not Kind.FIRST:
            asked |= {"kind": self.kind.value, "about": first}
        return asked


@dataclass(frozen=True, slots=True)
class Script:
    """A story: its key, its name and what it is about by language, and its steps."""

    key: str
    names: Words
    about: Words
    steps: Sequence[Step]


@cache
def scripts() -> Mapping[str, Script]:
    """Every story by its key, in the order they are learnt."""
    folder = files("hub.training") / "stories"
    found = [
        _script(each.name.removesuffix(".toml"), tomllib.loads(each.read_text("utf-8")))
        for each in folder.iterdir()
        if each.name.endswith(".toml")
    ]
    return {script.key: script for _, script in sorted(found, key=lambda pair: pair[0])}


def _script(name: str, written: Mapping[str, Any]) -> tuple[int, Script]:
    steps = [
        Step(
            lesson=each["lesson"],
            kind=Kind(each.get("kind", "first")),
            urgency=Urgency(each["urgency"]),
            themes=each["themes"],
            zones=each.get("zones", []),
            hours=each["hours"],
            said={language: each[language] for language in ("fr", "en")},
        )
        for each in written["steps"]
    ]
    return written["order"], Script(name, written["names"], written["about"], steps)
