# SPDX-License-Identifier: EUPL-1.2
"""Who is at the door, and what they may publish."""

from dataclasses import dataclass
from typing import Final

from channels.base import Urgency

_RANK: Final = {Urgency.DRILL: 0, Urgency.INFORMATION: 1, Urgency.IMPORTANT: 2, Urgency.URGENT: 3}


@dataclass(frozen=True, slots=True)
class Principal:
    """A key, a webhook source, an officer or the operator's shell.

    `source` names the door in the ledger ("api:3", "hook:vigicrues", "cli"), `themes` are theme
    keys (each with all below it) or None for every theme. `drafts`: what it hands in is not even
    asked for, somebody writes on it first.
    """

    source: str
    name: str
    authority: int
    themes: tuple[str, ...] | None = None
    highest_urgency: Urgency = Urgency.URGENT
    may_publish: bool = False
    drafts: bool = False

    def may_say(self, urgency: Urgency) -> bool:
        """Whether this urgency is within reach. A drill always is."""
        return _RANK[urgency] <= _RANK[self.highest_urgency]

    @property
    def may_operate(self) -> bool:
        """Whether what concerns everybody's messages is theirs to decide: no limit holds them."""
        return self.may_publish and self.themes is None and self.may_say(Urgency.URGENT)
