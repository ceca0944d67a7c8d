# SPDX-License-Identifier: EUPL-1.2
"""A run's reserved rows in memory: those few that are about to leave."""

from collections import deque
from dataclasses import dataclass, field

from channels.base import Lane, Prepared
from hub.flow.send.settle import Settler
from hub.flow.send.texts import Carried, DigestTexts, NoteTexts, Texts
from hub.flow.send.verdicts import Kept, Stale
from hub.ledger.deliveries import Reservation
from hub.ledger.runs import Run
from subscribers.addressees import Addressee


@dataclass(slots=True)
class Known:
    """What is known of a citizen, and since when (steady seconds). None: erased.

    `nothing_left`: of all their digest was to tell, nothing is to be told any more.
    """

    addressee: Addressee | None
    at: float
    nothing_left: bool = False


@dataclass(slots=True)
class Window:
    """One run's reserved rows, with the people they go to.

    `run` is replaced whenever the ledger is read again: cancelled, paused and expiry are never
    older than that. `news` says that rows may have become ready while a refill was under way.
    """

    run: Run
    texts: Texts | DigestTexts | NoteTexts
    settler: Settler
    lineage: tuple[int, ...]
    rows: deque[Reservation] = field(default_factory=deque)
    people: dict[int, Known] = field(default_factory=dict)
    carried: dict[int, Carried] = field(default_factory=dict)  # by delivery, in a digest's run
    refilling: bool = False
    news: bool = False

    def text_for(self, row: Reservation, language: str) -> Prepared:
        """What this row says to a reader of `language`.

        Raises `texts.UnprintableError`, and `Kept` where it is not known what a digest carries: it
        is read again, for none leaves empty.
        """
        carried = self.carried.get(row.delivery, ())
        if self.run.digest and not carried:
            raise Kept(Stale())
        return self.texts.to(language, carried)

    @property
    def lane(self) -> Lane:
        return self.run.lane
