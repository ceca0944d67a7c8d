# SPDX-License-Identifier: EUPL-1.2
"""A run's reserved rows in memory: those few that are about to leave."""

from collections import deque
from dataclasses import dataclass, field

from channels.base import Lane
from hub.flow.settle import Settler
from hub.flow.texts import Texts
from hub.ledger.deliveries import Reservation
from hub.ledger.runs import Run
from subscribers.addressees import Addressee


@dataclass(slots=True)
class Known:
    """What is known of a citizen, and since when (steady seconds). None: erased."""

    addressee: Addressee | None
    at: float


@dataclass(slots=True)
class Window:
    """One run's reserved rows, with the people they go to.

    `run` is replaced whenever the ledger is read again: cancelled, paused and expiry are never
    older than that. `news` says that rows may have become ready while a refill was under way.
    """

    run: Run
    texts: Texts
    settler: Settler
    lineage: tuple[int, ...]
    rows: deque[Reservation] = field(default_factory=deque)
    people: dict[int, Known] = field(default_factory=dict)
    refilling: bool = False
    news: bool = False

    @property
    def lane(self) -> Lane:
        return self.run.lane
