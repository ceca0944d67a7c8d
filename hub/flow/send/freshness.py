# SPDX-License-Identifier: EUPL-1.2
"""Reads again whoever waits long for a connection, or the gate would find them stale for ever."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from hub.flow.send.shelf import Shelf
from hub.flow.send.window import Known, Window
from hub.ledger.deliveries import Reservation

EVERY: Final = 0.8
"""Seconds between two looks: two of them fit in what the gate believes."""


@dataclass(slots=True)
class Freshness:
    """Those of one road who have been read and have not left."""

    shelf: Shelf
    _waiting: dict[int, tuple[Window, Reservation, Known]] = field(default_factory=dict)

    def watch(self, window: Window, row: Reservation, known: Known) -> None:
        """This row is about to wait for a connection."""
        self._waiting[row.delivery] = window, row, known

    def left(self, delivery: int) -> None:
        """It passed the gate, or went back."""
        self._waiting.pop(delivery, None)

    async def look(self) -> None:
        """Read again who was read a while ago.

        Somebody whose address or language changed stays stale: what was made for them is not
        theirs any more, and the gate sends it back to be made again.
        """
        now = self.shelf.clock.monotonic()
        old: dict[int, list[tuple[Window, Reservation, Known]]] = defaultdict(list)
        for window, row, known in self._waiting.values():
            if now - known.at >= EVERY:
                old[window.run.id].append((window, row, known))
        for waiting in old.values():
            window = waiting[0][0]
            fresh = await self.shelf.people_of(window, [row for _, row, _ in waiting])
            for _, row, known in waiting:
                again = fresh[row.contact_point]
                if _same(known, again):
                    known.addressee, known.at = again.addressee, again.at


def _same(old: Known, new: Known) -> bool:
    """Whether a message made for the one may go to the other; the erased get nothing."""
    if old.addressee is None or new.addressee is None:
        return new.addressee is None
    before, after = old.addressee, new.addressee
    return (before.recipient, before.language) == (after.recipient, after.language)
